//! The backend over a real engine, which is started for the tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod costs;
mod lost;
mod refusing;
mod residue;
mod several;
mod staged;
mod waking;

use std::sync::{Arc, Mutex, Weak};

use ambient::{Ambient, ManualClock, OsEntropy};
use zeroize::Zeroizing;

use crate::tests::*;
use crate::valkey::{ConnectError, Settings, Valkey};
use crate::{Ciphertext, Config, Ephemeral, NewMessage, Target, UserId};

/// The engine that the tests share while any of them runs.
static ENGINE: Mutex<Weak<servers::Valkey>> = Mutex::new(Weak::new());

fn engine() -> Arc<servers::Valkey> {
    let mut shared = ENGINE.lock().unwrap();
    shared.upgrade().unwrap_or_else(|| {
        let started = Arc::new(servers::Valkey::start());
        *shared = Arc::downgrade(&started);
        started
    })
}

/// Keys that no other test has.
fn prefix() -> String {
    let random: [u8; 8] = Ambient::system().random();
    format!("{:016x}:", u64::from_be_bytes(random))
}

fn settings(engines: &[&servers::Valkey], prefix: &str) -> Settings {
    let address = |engine: &&servers::Valkey| Zeroizing::new(engine.url());
    Settings {
        nodes: engines.iter().map(address).collect(),
        secret: Zeroizing::new([7; 32]),
        prefix: prefix.to_owned(),
        report: Box::new(|_, _| {}),
        apart: None,
    }
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(work)
}

fn connect(settings: Settings, config: Config, ambient: Ambient) -> Result<Valkey, ConnectError> {
    wait(Valkey::connect(settings, config, ambient))
}

fn open(config: Config, ambient: Ambient) -> Ephemeral {
    let engine = engine();
    let settings = settings(&[&engine], &prefix());
    let mut valkey = connect(settings, config, ambient).unwrap();
    valkey.engine = Some(engine);
    Ephemeral::over(valkey)
}

/// An instance over some engines, with a clock that stands until it is moved.
fn instance(engines: &[&servers::Valkey], prefix: &str) -> Bench {
    let clock = ManualClock::at_ms(START_MS);
    let ambient = Ambient::new(clock.clone(), Arc::new(OsEntropy));
    let settings = settings(engines, prefix);
    let valkey = connect(settings, Config::default(), ambient).unwrap();
    Bench {
        vault: asked::Asked::of(Ephemeral::over(valkey)),
        clock,
    }
}

/// Each step asks an engine; `cargo xtask prove` makes as many runs as in memory.
fn runs() -> u32 {
    match std::env::var_os("SECURE_MESSAGING_LONG") {
        Some(_) => 1_000,
        None => 150,
    }
}

crate::tests::suite!(open, runs());
