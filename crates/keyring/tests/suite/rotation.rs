//! Keys change while values stay readable.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ambient::OsEntropy;
use keyring::{
    Context, ExportedKek, KekId, KekProvider, Keyring, LocalProvider, OpenError, RenewError,
    RewrapError, Suite, envelope_kek,
};
use proptest::prelude::*;

/// The key of that number.
fn kek(number: u8) -> Arc<dyn KekProvider> {
    let key = ExportedKek::from_slice(&[number; 32]).unwrap();
    let suite = if number.is_multiple_of(2) {
        Suite::ChaCha20Poly1305
    } else {
        Suite::Aes256Gcm
    };
    let provider = LocalProvider::from_handover(&key, id(number), 1, Arc::new(OsEntropy));
    Arc::new(provider.with_suite(suite))
}

fn id(number: u8) -> KekId {
    KekId::from_bytes([number; 16])
}

fn place(row_id: &[u8]) -> Context<'_> {
    Context {
        table: "users",
        column: "encrypted_data",
        row_id,
        schema_version: 1,
    }
}

/// Where nonce, ciphertext and tag begin.
fn body(sealed: &[u8]) -> &[u8] {
    let wrapped = u16::from_be_bytes([sealed[23], sealed[24]]);
    &sealed[25 + usize::from(wrapped)..]
}

const KEYS: u8 = 4;

#[derive(Debug, Clone)]
enum Step {
    Seal(Vec<u8>),
    Activate(u8),
    Add(u8),
    Remove(u8),
    Rewrap(prop::sample::Index),
    Renew(prop::sample::Index),
    Suite(Suite),
}

fn step() -> impl Strategy<Value = Step> {
    let value = proptest::collection::vec(any::<u8>(), 0..40);
    let suite = prop_oneof![Just(Suite::ChaCha20Poly1305), Just(Suite::Aes256Gcm)];
    prop_oneof![
        3 => value.prop_map(Step::Seal),
        2 => (0..KEYS).prop_map(Step::Activate),
        1 => (0..KEYS).prop_map(Step::Add),
        2 => (0..KEYS).prop_map(Step::Remove),
        3 => any::<prop::sample::Index>().prop_map(Step::Rewrap),
        2 => any::<prop::sample::Index>().prop_map(Step::Renew),
        1 => suite.prop_map(Step::Suite),
    ]
}

struct Value {
    row: [u8; 2],
    plaintext: Vec<u8>,
    sealed: Vec<u8>,
}

/// What should be so, beside the keyring that it is compared with.
struct Model {
    ring: Keyring,
    active: u8,
    loaded: Vec<u8>,
    values: Vec<Value>,
}

impl Model {
    fn new() -> Self {
        Self {
            ring: Keyring::new(kek(0), Arc::new(OsEntropy)),
            active: 0,
            loaded: vec![0],
            values: Vec::new(),
        }
    }

    fn is_loaded(&self, sealed: &[u8]) -> bool {
        let kek = envelope_kek(sealed).expect("an envelope");
        self.loaded.iter().any(|number| id(*number) == kek)
    }

    fn load(&mut self, number: u8) {
        if !self.loaded.contains(&number) {
            self.loaded.push(number);
        }
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Seal(plaintext) => {
                let row = u16::try_from(self.values.len()).unwrap().to_be_bytes();
                let sealed = self.ring.seal(&place(&row), &plaintext).unwrap();
                prop_assert_eq!(envelope_kek(&sealed), Some(id(self.active)));
                prop_assert_eq!(sealed[1], self.ring.suite() as u8);
                self.values.push(Value {
                    row,
                    plaintext,
                    sealed,
                });
            }
            Step::Activate(number) => {
                self.ring.clone().activate(kek(number));
                self.active = number;
                self.load(number);
            }
            Step::Add(number) => {
                self.ring.add(kek(number));
                self.load(number);
            }
            Step::Remove(number) => {
                let goes = number != self.active && self.loaded.contains(&number);
                prop_assert_eq!(self.ring.remove(id(number)), goes);
                if goes {
                    self.loaded.retain(|other| *other != number);
                }
            }
            Step::Rewrap(index) if !self.values.is_empty() => {
                let at = index.index(self.values.len());
                self.rewrap(at)?;
            }
            Step::Renew(index) if !self.values.is_empty() => {
                let at = index.index(self.values.len());
                self.renew(at)?;
            }
            Step::Rewrap(_) | Step::Renew(_) => {}
            Step::Suite(suite) => self.ring = self.ring.clone().with_suite(suite),
        }
        self.check()
    }

    fn rewrap(&mut self, at: usize) -> Result<(), TestCaseError> {
        let loaded = self.is_loaded(&self.values[at].sealed);
        let value = &mut self.values[at];
        let before = value.sealed.clone();
        match self.ring.rewrap(&place(&value.row), &before) {
            Ok(None) => prop_assert_eq!(envelope_kek(&before), Some(id(self.active))),
            Ok(Some(after)) => {
                prop_assert_ne!(envelope_kek(&before), Some(id(self.active)));
                prop_assert_eq!(envelope_kek(&after), Some(id(self.active)));
                prop_assert_eq!(&after[..2], &before[..2]);
                prop_assert_eq!(body(&after), body(&before));
                let elsewhere = self.ring.rewrap(&place(b"elsewhere"), &before);
                prop_assert!(elsewhere.is_err());
                value.sealed = after;
            }
            Err(RewrapError::Open(OpenError::UnknownKek { .. })) => prop_assert!(!loaded),
            Err(other) => prop_assert!(false, "{other}"),
        }
        Ok(())
    }

    fn renew(&mut self, at: usize) -> Result<(), TestCaseError> {
        let loaded = self.is_loaded(&self.values[at].sealed);
        let value = &mut self.values[at];
        match self.ring.renew(&place(&value.row), &value.sealed) {
            Ok(after) => {
                prop_assert_eq!(envelope_kek(&after), Some(id(self.active)));
                prop_assert_ne!(body(&after), body(&value.sealed));
                value.sealed = after;
            }
            Err(RenewError::Open(OpenError::UnknownKek { .. })) => prop_assert!(!loaded),
            Err(other) => prop_assert!(false, "{other}"),
        }
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.ring.active_kek(), id(self.active));
        prop_assert_eq!(self.ring.providers().len(), self.loaded.len());
        for value in &self.values {
            let opened = self.ring.open(&place(&value.row), &value.sealed);
            if self.is_loaded(&value.sealed) {
                let opened = opened.unwrap();
                prop_assert_eq!(opened.expose(), &value.plaintext[..]);
                prop_assert!(self.ring.open(&place(b"elsewhere"), &value.sealed).is_err());
            } else {
                let unknown = matches!(opened, Err(OpenError::UnknownKek { .. }));
                prop_assert!(unknown);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_value_opens_as_long_as_its_key_is_loaded(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut model = Model::new();
        for step in steps {
            model.take(step)?;
        }
    }

    #[test]
    fn a_flipped_bit_is_refused_before_and_after_a_rewrap(
        value in proptest::collection::vec(any::<u8>(), 0..60),
        bit: prop::sample::Index,
    ) {
        let ring = Keyring::new(kek(0), Arc::new(OsEntropy));
        let mut sealed = ring.seal(&place(b"row"), &value).unwrap();
        ring.activate(kek(1));
        let bit = bit.index(sealed.len() * 8);
        sealed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(ring.open(&place(b"row"), &sealed).is_err());
        prop_assert!(ring.renew(&place(b"row"), &sealed).is_err());
        // Whatever is not the wrapped key is carried along unread, and refused where it is read.
        if let Ok(Some(after)) = ring.rewrap(&place(b"row"), &sealed) {
            prop_assert!(ring.open(&place(b"row"), &after).is_err());
        }
    }
}

#[test]
fn the_old_key_is_useless_once_everything_is_rewrapped() {
    let ring = Keyring::new(kek(0), Arc::new(OsEntropy));
    let mut sealed = ring.seal(&place(b"row"), b"value").unwrap();
    ring.activate(kek(1));
    sealed = ring
        .rewrap(&place(b"row"), &sealed)
        .unwrap()
        .expect("new bytes");
    assert!(ring.remove(id(0)));
    assert_eq!(
        ring.open(&place(b"row"), &sealed).unwrap().expose(),
        b"value"
    );
    let old = Keyring::new(kek(0), Arc::new(OsEntropy));
    assert!(matches!(
        old.open(&place(b"row"), &sealed),
        Err(OpenError::UnknownKek { .. })
    ));
}

#[test]
fn keys_change_while_others_seal_and_open() {
    let ring = Keyring::new(kek(0), Arc::new(OsEntropy));
    let done = AtomicBool::new(false);
    let count = AtomicUsize::new(0);
    let sealed: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut sealed = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        let value = ring.seal(&place(b"row"), b"value").unwrap();
                        assert!(ring.open(&place(b"row"), &value).is_ok());
                        sealed.push(value);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    sealed
                })
            })
            .collect();
        for round in 0..400_u16 {
            ring.activate(kek((round % u16::from(KEYS)) as u8));
            // Of four more values one was begun under this key: three threads seal.
            let before = count.load(Ordering::Relaxed);
            while count.load(Ordering::Relaxed) < before + 4
                && workers.iter().any(|worker| !worker.is_finished())
            {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    let mut keys: Vec<_> = sealed.iter().map(|value| envelope_kek(value)).collect();
    keys.sort();
    keys.dedup();
    assert!(
        keys.len() > 1,
        "the control: they were sealed under several keys"
    );
    for value in &sealed {
        assert_eq!(ring.open(&place(b"row"), value).unwrap().expose(), b"value");
    }
}
