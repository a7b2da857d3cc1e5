//! Known and unknown handles take alike long, judged by rank statistics over interleaved samples.
//!
//! No time is asserted: of two kinds of requests that alternate, the chance that one of the first
//! kind took longer than one of the second is one half when nothing tells them apart. Whatever
//! else the machine does falls on both alike.

use std::time::Instant;

use protocol::opaque;
use serde_json::{Value, json};

use crate::support::{Account, Client, Passphrase, TestApp, b64, rng};

const PASSPHRASE: Passphrase = Passphrase("a passphrase nobody guesses");
/// Samples of each kind.
const SAMPLES: usize = 400;
/// How far from one half the chance may lie: seven standard deviations of equal distributions, which
/// leaves room for the row that is read of a handle that exists and for one entry of an index more.
const TOLERANCE: f64 = 0.15;

/// Chance that a sample of `a` is larger than one of `b`, ties counting half (Mann and Whitney's U
/// over the number of pairs).
fn chance_of_larger(a: &[u128], b: &[u128]) -> f64 {
    let wins: f64 = a
        .iter()
        .map(|x| {
            b.iter().fold(0.0, |sum, y| {
                sum + match x.cmp(y) {
                    std::cmp::Ordering::Greater => 1.0,
                    std::cmp::Ordering::Equal => 0.5,
                    std::cmp::Ordering::Less => 0.0,
                }
            })
        })
        .sum();
    wins / (a.len() * b.len()) as f64
}

/// Nanoseconds that the server took for one request, as its client sees them.
async fn timed(client: &Client, path: &str, body: &Value) -> (u128, u16, Value) {
    let begun = Instant::now();
    let answer = client.post(path, body).await;
    let took = begun.elapsed().as_nanos();
    (took, answer.status.as_u16(), answer.json())
}

/// Times both messages of a sign-in with a wrong passphrase.
async fn attempt(client: &Client, handle: &str) -> (u128, u128) {
    let (_, request) = opaque::login_start(&mut rng(), b"a wrong guess").unwrap();
    let body = json!({"handle": handle, "request": b64(&request)});
    let (start, status, answer) = timed(client, "/api/v1/session/start", &body).await;
    assert_eq!(status, 200);
    let body = json!({"token": answer["token"], "finalization": b64(&[1; 64])});
    let (finish, status, _) = timed(client, "/api/v1/session/finish", &body).await;
    assert_eq!(status, 401);
    (start, finish)
}

#[actix_web::test]
async fn the_time_of_a_failed_sign_in_does_not_tell_known_handles_from_unknown_ones() {
    let app = TestApp::start_with(|config| config.sign_ins_per_minute = 1_000_000).await;
    app.administrator().await;
    Account::register_with(app.client(), "known", None, PASSPHRASE)
        .await
        .unwrap();
    let client = app.client();
    for _ in 0..20 {
        attempt(&client, "known").await;
        attempt(&client, "nobody").await;
    }
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    let mut early = Vec::new();
    for round in 0..SAMPLES {
        // Who goes first alternates: what a request leaves in the caches serves the next.
        if round % 2 == 0 {
            known.push(attempt(&client, "known").await);
            unknown.push(attempt(&client, "nobody").await);
        } else {
            unknown.push(attempt(&client, "nobody").await);
            known.push(attempt(&client, "known").await);
        }
        let body = json!({"handle": "known", "request": b64(&[0; 3])});
        let (took, status, _) = timed(&client, "/api/v1/session/start", &body).await;
        assert!((400..500).contains(&status), "{status}");
        early.push(took);
    }
    let pick = |pairs: &[(u128, u128)], second: bool| -> Vec<u128> {
        let one = |pair: &(u128, u128)| if second { pair.1 } else { pair.0 };
        pairs.iter().map(one).collect()
    };
    let starts = chance_of_larger(&pick(&known, false), &pick(&unknown, false));
    let finishes = chance_of_larger(&pick(&known, true), &pick(&unknown, true));
    let control = chance_of_larger(&pick(&known, false), &early);
    println!(
        "proof: {}",
        json!({
            "promise": "the time of a failed sign-in does not tell whether a handle exists",
            "measured": format!("chance that the known one took longer: {starts:.3} and \
                {finishes:.3} for the two messages; control (a request that is refused early) {control:.3}"),
            "holds": (starts - 0.5).abs() < TOLERANCE && (finishes - 0.5).abs() < TOLERANCE,
        })
    );
    assert!((starts - 0.5).abs() < TOLERANCE, "first message: {starts}");
    assert!(
        (finishes - 0.5).abs() < TOLERANCE,
        "second message: {finishes}"
    );
    // The control: work that differs is told apart by the same means.
    assert!(control > 0.5 + TOLERANCE, "the means are blind: {control}");
}

#[test]
fn the_chance_of_larger_is_a_half_for_equals_and_one_for_what_is_always_larger() {
    assert!((chance_of_larger(&[1, 2, 3], &[1, 2, 3]) - 0.5).abs() < 1e-9);
    assert!((chance_of_larger(&[4, 5], &[1, 2, 3]) - 1.0).abs() < 1e-9);
}
