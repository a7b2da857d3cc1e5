//! Several providers of keys: moving between them, and what is said when one is missing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::Folder;
use ambient::OsEntropy;
use keyring::{
    Context, Dek, ExportedKek, KekId, KekParameters, KekProvider, KekSource, LocalProvider,
    ProviderError, ProviderTag, Stanza,
};
use store::testing::sample::{self, NOW, handle, user_id};
use store::{BeginError, Fault, KekState, KeySource, NewKey, OpenError, Store, StoreConfig, Suite};

/// A token that never gives a key away, and that can be pulled out.
#[derive(Default)]
struct Token {
    keys: Mutex<BTreeMap<String, [u8; 32]>>,
    gone: AtomicBool,
    /// Says that the token gives no random bytes, instead of that it cannot be reached.
    dry: AtomicBool,
}

struct TokenSource(Arc<Token>);

struct TokenKey {
    token: Arc<Token>,
    inner: LocalProvider,
}

impl Token {
    fn check(&self) -> Result<(), ProviderError> {
        match self.gone.load(Ordering::SeqCst) {
            true if self.dry.load(Ordering::SeqCst) => Err(ambient::EntropyError.into()),
            true => Err(ProviderError::Unreachable(
                "the token is pulled out".to_owned(),
            )),
            false => Ok(()),
        }
    }
}

impl TokenSource {
    fn provider(&self, kek_id: KekId, label: &str) -> Result<Arc<dyn KekProvider>, ProviderError> {
        self.0.check()?;
        let keys = self.0.keys.lock().unwrap();
        let key = keys.get(label).ok_or(ProviderError::Refused)?;
        let key = ExportedKek::from_slice(key).unwrap();
        Ok(Arc::new(TokenKey {
            token: Arc::clone(&self.0),
            inner: LocalProvider::from_handover(&key, kek_id, 1, Arc::new(OsEntropy)),
        }))
    }
}

impl KekSource for TokenSource {
    fn tag(&self) -> ProviderTag {
        ProviderTag::PKCS11
    }

    fn create(
        &self,
        kek_id: KekId,
    ) -> Result<(Arc<dyn KekProvider>, KekParameters), ProviderError> {
        self.0.check()?;
        let label = format!("key-{kek_id}");
        let mut key = [7; 32];
        key[..16].copy_from_slice(kek_id.as_bytes());
        self.0.keys.lock().unwrap().insert(label.clone(), key);
        let provider = self.provider(kek_id, &label)?;
        let parameters = KekParameters {
            reference: Some(label),
            ..KekParameters::default()
        };
        Ok((provider, parameters))
    }

    fn load(
        &self,
        kek_id: KekId,
        _: u32,
        parameters: &KekParameters,
    ) -> Result<Arc<dyn KekProvider>, ProviderError> {
        self.provider(kek_id, parameters.reference.as_deref().unwrap())
    }
}

impl KekProvider for TokenKey {
    fn kek_id(&self) -> KekId {
        self.inner.kek_id()
    }

    fn tag(&self) -> ProviderTag {
        ProviderTag::PKCS11
    }

    fn key_version(&self) -> u32 {
        1
    }

    fn wrap(&self, dek: &Dek, context: &Context<'_>) -> Result<Stanza, ProviderError> {
        self.token.check()?;
        let mut stanza = self.inner.wrap(dek, context)?;
        stanza.provider = ProviderTag::PKCS11;
        Ok(stanza)
    }

    fn unwrap(&self, stanza: &Stanza, context: &Context<'_>) -> Result<Dek, ProviderError> {
        self.token.check()?;
        let mut stanza = stanza.clone();
        stanza.provider = ProviderTag::LOCAL;
        self.inner.unwrap(&stanza, context)
    }

    fn health(&self) -> Result<(), ProviderError> {
        self.token.check()
    }
}

fn with_token(folder: &Folder, token: &Arc<Token>, provider: ProviderTag) -> StoreConfig {
    let mut config = folder.config();
    config.provider = provider;
    config.sources = vec![Arc::new(TokenSource(Arc::clone(token)))];
    config
}

fn without_local_key(mut config: StoreConfig) -> StoreConfig {
    config.key = KeySource::beside(None, &config.path);
    config
}

async fn finish(store: &Store) {
    while let Some(job) = store.step_key_job(Duration::ZERO, NOW).await.unwrap() {
        if job.finished {
            return;
        }
    }
}

async fn rotate(store: &Store) {
    store
        .begin_rotation(
            NewKey::Configured,
            "another provider".to_owned(),
            NOW,
            vec![],
        )
        .await
        .unwrap();
}

async fn readable(store: &Store) {
    for number in 1..5 {
        let row = store.user_by_id(user_id(number)).await.unwrap().unwrap();
        assert_eq!(row.handle, handle(number));
        assert!(store.safes(user_id(number)).await.unwrap().is_some());
    }
}

async fn active_provider(store: &Store) -> String {
    let keks = store.keks().await.unwrap();
    let active = keks.into_iter().find(|kek| kek.state == KekState::Active);
    active.unwrap().provider
}

#[tokio::test(flavor = "multi_thread")]
async fn values_move_to_a_token_and_back_while_both_open() {
    let (folder, token) = (Folder::new(), Arc::new(Token::default()));
    let store = folder.open();
    sample::register(&store, 1..5, 0).await;
    store.close().unwrap();

    let store = Store::open(&with_token(&folder, &token, ProviderTag::PKCS11)).unwrap();
    assert_eq!(active_provider(&store).await, "local");
    rotate(&store).await;
    assert_eq!(active_provider(&store).await, "pkcs11");
    readable(&store).await;
    finish(&store).await;
    readable(&store).await;
    store.close().unwrap();

    // The token alone opens it now; without the token, what to set is named.
    let alone = without_local_key(with_token(&folder, &token, ProviderTag::PKCS11));
    let store = Store::open(&alone).unwrap();
    assert_eq!(store.report().key_origin, None);
    readable(&store).await;
    store.close().unwrap();
    match Store::open(&folder.config()) {
        Err(error @ OpenError::NoProvider { .. }) => {
            let text = error.to_string();
            for part in ["pkcs11", "pkcs11_module", "PKCS11_PIN"] {
                assert!(text.contains(part), "{text}");
            }
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(folder.names(), ["secure_messaging.db"]);

    let store = Store::open(&with_token(&folder, &token, ProviderTag::LOCAL)).unwrap();
    rotate(&store).await;
    finish(&store).await;
    assert_eq!(active_provider(&store).await, "local");
    store.close().unwrap();
    readable(&folder.open()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_a_move_the_token_opens_what_is_under_the_old_key() {
    let (folder, token) = (Folder::new(), Arc::new(Token::default()));
    let store = folder.open();
    sample::register(&store, 1..5, 0).await;
    store.close().unwrap();
    let both = with_token(&folder, &token, ProviderTag::PKCS11);
    let store = Store::open(&both).unwrap();
    rotate(&store).await;
    store.step_key_job(Duration::ZERO, NOW).await.unwrap();
    store.close().unwrap();
    let alone = without_local_key(with_token(&folder, &token, ProviderTag::PKCS11));
    let store = Store::open(&alone).unwrap();
    readable(&store).await;
    finish(&store).await;
    readable(&store).await;
    store.close().unwrap();
    // The local key alone would not do: a token's key is never handed over.
    assert!(matches!(
        Store::open(&folder.config()),
        Err(OpenError::NoProvider { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_can_live_on_a_token_alone() {
    let (folder, token) = (Folder::new(), Arc::new(Token::default()));
    let config = without_local_key(with_token(&folder, &token, ProviderTag::PKCS11));
    let store = Store::open(&config).unwrap();
    assert!(store.report().created);
    sample::register(&store, 1..5, 0).await;
    store.close().unwrap();
    assert_eq!(
        folder.names(),
        ["secure_messaging.db"],
        "no key file is made"
    );
    readable(&Store::open(&config).unwrap()).await;
}

/// Every use of a key says that the keys are away, and nothing is called damaged.
async fn outage(store: &Store) {
    fn away<T: std::fmt::Debug>(what: &str, result: Result<T, Fault>) {
        match result {
            Err(fault @ Fault::Keys(_)) => assert!(fault.is_temporary()),
            other => panic!("{what}: {other:?}"),
        }
    }
    let one = user_id(1);
    away("user", store.user_by_id(one).await);
    away("handle", store.user_by_handle(&handle(1)).await);
    away("credential", store.credential(&handle(1)).await);
    away("nobody", store.credential("nobody").await);
    away("users", store.list_users(None, 9).await);
    away("safes", store.safes(one).await);
    let session = sample::session_id(1);
    away("session", store.find_session(session, NOW).await);
    away("sessions", store.list_sessions(one, NOW).await);
    away(
        "expired",
        store.delete_expired_sessions(u32::MAX.into()).await,
    );
    let filter = store::AuditFilter::default();
    away("audit", store.query_audit(filter, None, 9).await);
    away("export", store.audit_chunk(0, 9, true).await);
    let event = sample::event(Some(one), "session.created", NOW);
    away("event", store.append_audit(vec![event]).await);
    let alias = "x".to_owned().into();
    away("alias", store.set_alias(one, alias, vec![]).await);
    let make: store::SecretGenerator = Box::new(|| vec![1; 32].into());
    away(
        "secret",
        store.get_or_create_secret("cookie", make, NOW).await,
    );
    away("health", store.use_every_key().await);
    away("samples", store.open_samples(9).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_pulled_out_stops_work_and_breaks_nothing() {
    let (folder, token) = (Folder::new(), Arc::new(Token::default()));
    let config = with_token(&folder, &token, ProviderTag::PKCS11);
    let store = Store::open(&config).unwrap();
    sample::register(&store, 1..5, 0).await;
    let file = store.begin_rotation(NewKey::KeyFile, "test".to_owned(), NOW, vec![]);
    assert!(
        matches!(file.await, Err(BeginError::OtherProvider(_))),
        "a key file makes no keys where a token does"
    );
    rotate(&store).await;
    store.step_key_job(Duration::ZERO, NOW).await.unwrap();

    for dry in [false, true] {
        token.dry.store(dry, Ordering::SeqCst);
        token.gone.store(true, Ordering::SeqCst);
        outage(&store).await;
        let stepped = store.step_key_job(Duration::from_secs(5), NOW).await;
        assert!(matches!(stepped, Err(Fault::Keys(_))), "{stepped:?}");
        assert!(!store.key_job().await.unwrap().unwrap().finished);
        assert!(matches!(
            Store::open(&config),
            Err(OpenError::Provider { .. })
        ));
        assert_eq!(store.take_damages(), [], "an outage is no damage");

        token.gone.store(false, Ordering::SeqCst);
        readable(&store).await;
    }
    token.gone.store(false, Ordering::SeqCst);
    readable(&store).await;
    finish(&store).await;
    readable(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_move_from_suite_to_suite() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.suite = Suite::Aes256Gcm;
    let store = Store::open(&config).unwrap();
    sample::register(&store, 1..3, 0).await;
    store.close().unwrap();
    let store = folder.open();
    sample::register(&store, 3..5, 0).await;
    readable(&store).await;
    store
        .begin_renewal("another suite".to_owned(), NOW, vec![])
        .await
        .unwrap();
    finish(&store).await;
    readable(&store).await;
    let suites: u32 = folder
        .tamper()
        .query_row(
            "SELECT count(*) FROM users WHERE substr(encrypted_data, 2, 1) <> x'01'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(suites, 0);
}
