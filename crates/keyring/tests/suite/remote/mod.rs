//! Keys that services wrap: what each service does wrong is told apart, and what comes right is used again.

mod aws;
mod azure;
mod vault;

use std::sync::Arc;
use std::time::Duration;

use ambient::{OsEntropy, Stopwatch, SystemClock};
use keyring::testing::conformance;
use keyring::testing::places::place;
use keyring::{
    KekId, KekParameters, KekProvider, KekSource, Keyring, ProviderError, RemoteSettings,
    RemoteSource, Suite, Trouble,
};
use servers::http::Answer;
use servers::{Fault, Front, until_then};

const ID: KekId = KekId::from_bytes([0xab; 16]);
const OTHER: KekId = KekId::from_bytes([0xcd; 16]);

/// Settings with a key that lives for so many seconds.
fn lives(seconds: u64) -> RemoteSettings {
    RemoteSettings {
        cache_life: Duration::from_secs(seconds),
        time_limit: Duration::from_secs(10),
        suite: Suite::default(),
    }
}

/// What the operator is told, and what is wrong.
fn trouble<T>(outcome: Result<T, ProviderError>) -> (Trouble, String) {
    match outcome {
        Err(ProviderError::Remote(error)) => (error.trouble(), error.to_string()),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("nothing was wrong"),
    }
}

/// Asserts what is wrong, and that the words say what to do.
fn complains<T>(outcome: Result<T, ProviderError>, expected: Trouble, advice: &str) {
    let (found, words) = trouble(outcome);
    assert_eq!(found, expected, "{words}");
    assert!(words.contains(advice), "{words}");
}

fn watch() -> Stopwatch {
    Stopwatch::start(Arc::new(SystemClock::start()))
}

/// A ring over a new key, a value under it, and what stands in the key's row.
fn sealed(source: &RemoteSource) -> (Keyring, Vec<u8>, KekParameters) {
    let (provider, parameters) = source.create(ID).unwrap();
    let ring = Keyring::new(provider, Arc::new(OsEntropy));
    let sealed = ring.seal(&place(), b"value").unwrap();
    (ring, sealed, parameters)
}

fn opens(ring: &Keyring, sealed: &[u8]) -> bool {
    match ring.open(&place(), sealed) {
        Ok(opened) => opened.expose() == b"value",
        Err(error) => {
            assert!(error.is_outage(), "{error}");
            false
        }
    }
}

fn first(ring: &Keyring) -> Arc<dyn KekProvider> {
    Arc::clone(&ring.providers()[0])
}

/// What every provider of this kind has to bear, behind a proxy that fails in every way.
fn bears_a_bad_service(front: &Front, source: &dyn Fn(RemoteSettings) -> RemoteSource) {
    let steady = source(lives(300));
    conformance::check(&steady);
    only_the_key_costs_a_call(front, &steady);
    a_key_is_bound_to_its_row(&steady);
    each_failure_has_its_words(front, &steady, source);
    a_key_outlives_an_outage_for_its_time_and_comes_back(front, &source(lives(2)));
}

fn only_the_key_costs_a_call(front: &Front, source: &RemoteSource) {
    let (ring, _, _) = sealed(source);
    let before = front.asked();
    for _ in 0..200 {
        let sealed = ring.seal(&place(), b"value").unwrap();
        assert!(opens(&ring, &sealed));
        first(&ring).health().unwrap();
    }
    assert_eq!(front.asked(), before);
}

fn a_key_is_bound_to_its_row(source: &RemoteSource) {
    let (_, parameters) = source.create(ID).unwrap();
    source.load(ID, 1, &parameters).unwrap();
    let moved = source.load(OTHER, 1, &parameters);
    complains(
        moved,
        Trouble::WrongContext,
        "restore the database's backup",
    );
    for reference in ["../../sys/seal", "a/b/c", "https://example.org/keys/a/b"] {
        let led_away = KekParameters {
            reference: Some(reference.to_owned()),
            ..parameters.clone()
        };
        assert!(source.load(ID, 1, &led_away).is_err(), "{reference}");
    }
}

fn each_failure_has_its_words(
    front: &Front,
    steady: &RemoteSource,
    source: &dyn Fn(RemoteSettings) -> RemoteSource,
) {
    front.fails(Fault::HangsUp);
    complains(
        steady.create(ID),
        Trouble::Unreachable,
        "start it, or correct",
    );
    complains(
        steady.health(),
        Trouble::Unreachable,
        "start it, or correct",
    );
    for (status, expected, advice) in [
        (429, Trouble::Throttled, "raise its limit"),
        (503, Trouble::Failing, "asked again by itself"),
        (418, Trouble::Odd, "check that"),
        (302, Trouble::Odd, "check that"),
    ] {
        front.fails(Fault::Answers(Answer::new(status, "{}")));
        complains(steady.create(ID), expected, advice);
    }
    front.fails(Fault::Answers(Answer::new(200, "{}")));
    complains(steady.create(ID), Trouble::Odd, "check that");
    let endless = "x".repeat(100_000);
    front.fails(Fault::Answers(Answer::new(200, endless)));
    complains(steady.create(ID), Trouble::Odd, "longer than 64 KiB");

    let hasty = source(RemoteSettings {
        time_limit: Duration::from_millis(500),
        ..lives(300)
    });
    front.fails(Fault::Hangs);
    let since = watch();
    complains(hasty.create(ID), Trouble::Slow, "kek_timeout_secs");
    assert!(
        since.elapsed() < Duration::from_secs(8),
        "a limit of its own"
    );
    front.works();
    steady.create(ID).unwrap();
}

fn a_key_outlives_an_outage_for_its_time_and_comes_back(front: &Front, source: &RemoteSource) {
    let since = watch();
    let (ring, sealed, _) = sealed(source);
    front.fails(Fault::HangsUp);
    assert!(opens(&ring, &sealed));
    until_then(|| !opens(&ring, &sealed));
    assert!(
        since.elapsed() >= Duration::from_secs(2),
        "it was held for its time"
    );
    complains(
        first(&ring).health(),
        Trouble::Unreachable,
        "start it, or correct",
    );
    let not_sealed = ring.seal(&place(), b"value").unwrap_err();
    assert!(not_sealed.is_outage());
    front.works();
    until_then(|| opens(&ring, &sealed));
    first(&ring).health().unwrap();
}

/// Drops a key at once when the service does not give it any more, and takes it back when it does.
fn drops_a_key_that_is_refused(
    source: &RemoteSource,
    refuse: &dyn Fn(),
    allow: &dyn Fn(),
    expected: Trouble,
    advice: &str,
) {
    let (ring, sealed, parameters) = sealed(source);
    let since = watch();
    refuse();
    until_then(|| !opens(&ring, &sealed));
    assert!(
        since.elapsed() < Duration::from_secs(8),
        "before its time was over"
    );
    complains(first(&ring).health(), expected, advice);
    complains(source.load(ID, 1, &parameters), expected, advice);
    allow();
    until_then(|| opens(&ring, &sealed));
}
