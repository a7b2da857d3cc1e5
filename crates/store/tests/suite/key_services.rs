//! Values move between key services and the operator's own key, and open after each move.

use std::sync::Arc;
use std::time::Duration;

use ambient::{OsEntropy, SystemClock};
use keyring::{
    AwsConfig, AwsLogin, AzureAlgorithm, AzureConfig, AzureLogin, KekSource, ProviderTag,
    RemoteSettings, RemoteSource, SecretText, Suite, VaultConfig, VaultLogin,
};
use servers::{AzureStub, Fault, Front, Moto, OpenBao, until_then};
use store::testing::sample::{self, NOW, handle, user_id};
use store::{Fault as StoreFault, KekState, KeySource, NewKey, OpenError, Store, StoreConfig};

use crate::support::Folder;

/// A server of each kind, each behind a proxy.
struct Services {
    bao: OpenBao,
    _moto: Moto,
    azure: AzureStub,
    fronts: [Front; 3],
    aws_key: String,
}

const TAGS: [ProviderTag; 3] = [
    ProviderTag::HASHICORP_VAULT,
    ProviderTag::AWS_KMS,
    ProviderTag::AZURE_KEY_VAULT,
];

impl Services {
    fn start() -> Self {
        let (bao, moto, azure) = (OpenBao::start(), Moto::start(), AzureStub::start());
        bao.make_key("messages", "aes256-gcm96", false);
        let aws_key = moto.make_key();
        let fronts = [bao.address(), moto.address(), azure.address()].map(Front::before);
        Self {
            bao,
            _moto: moto,
            azure,
            fronts,
            aws_key,
        }
    }

    fn source(&self, tag: ProviderTag, seconds: u64) -> Arc<dyn KekSource> {
        let settings = RemoteSettings {
            cache_life: Duration::from_secs(seconds),
            time_limit: Duration::from_secs(10),
            suite: Suite::default(),
        };
        let (entropy, clock) = (Arc::new(OsEntropy), Arc::new(SystemClock::start()));
        let [vault, aws, azure] = &self.fronts;
        let made = match tag {
            ProviderTag::HASHICORP_VAULT => {
                let config = VaultConfig {
                    address: vault.url(),
                    namespace: None,
                    mount: "transit".to_owned(),
                    key: "messages".to_owned(),
                    ca: None,
                    login: VaultLogin::Token(SecretText::new(self.bao.root_token())),
                };
                RemoteSource::hashicorp_vault(config, settings, entropy, clock)
            }
            ProviderTag::AWS_KMS => {
                let config = AwsConfig {
                    key_id: self.aws_key.clone(),
                    region: Moto::REGION.to_owned(),
                    endpoint: Some(aws.url()),
                    login: AwsLogin::Key {
                        id: "testing".to_owned(),
                        secret: SecretText::new("testing"),
                        session_token: None,
                    },
                };
                RemoteSource::aws_kms(config, settings, entropy, clock)
            }
            _ => {
                let config = AzureConfig {
                    vault_url: azure.url(),
                    key: AzureStub::KEY.to_owned(),
                    algorithm: AzureAlgorithm::RsaOaep256,
                    login: AzureLogin::Machine {
                        address: self.azure.url(),
                        client_id: None,
                    },
                };
                RemoteSource::azure_key_vault(config, settings, entropy, clock)
            }
        };
        Arc::new(made.unwrap())
    }

    /// A configuration with `tag` as the provider of new keys, and these services.
    fn config(&self, folder: &Folder, tag: ProviderTag, with: &[ProviderTag]) -> StoreConfig {
        let mut config = folder.config();
        config.provider = tag;
        let sources = with.iter().map(|tag| self.source(*tag, 300));
        config.sources = sources.collect();
        config
    }
}

async fn readable(store: &Store) {
    for number in 1..5 {
        let row = store.user_by_id(user_id(number)).await.unwrap().unwrap();
        assert_eq!(row.handle, handle(number));
        assert!(store.safes(user_id(number)).await.unwrap().is_some());
    }
}

async fn rotate(store: &Store) {
    let reason = "another provider".to_owned();
    let begun = store.begin_rotation(NewKey::Configured, reason, NOW, vec![]);
    begun.await.unwrap();
    readable(store).await;
    while let Some(job) = store.step_key_job(Duration::ZERO, NOW).await.unwrap() {
        if job.finished {
            break;
        }
    }
    readable(store).await;
}

async fn live(store: &Store) -> Vec<String> {
    let keks = store.keks().await.unwrap().into_iter();
    let live = keks.filter(|kek| kek.state != KekState::Retired);
    live.map(|kek| kek.provider).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_move_from_the_operators_key_through_every_service_and_back() {
    let (folder, services) = (Folder::new(), Services::start());
    let store = folder.open();
    sample::register(&store, 1..5, 0).await;
    store.close().unwrap();

    let road = [ProviderTag::LOCAL]
        .into_iter()
        .chain(TAGS)
        .chain([ProviderTag::LOCAL]);
    let road: Vec<ProviderTag> = road.collect();
    for pair in road.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let needed: Vec<_> = [from, to]
            .into_iter()
            .filter(|tag| TAGS.contains(tag))
            .collect();
        let store = Store::open(&services.config(&folder, to, &needed)).unwrap();
        assert_eq!(live(&store).await, [from.to_string()]);
        rotate(&store).await;
        assert_eq!(live(&store).await, [to.to_string()]);
        // A second key of the same service, too.
        rotate(&store).await;
        store.close().unwrap();

        // The new provider alone opens it.
        let mut alone = services.config(&folder, to, &needed[needed.len() - 1..]);
        if to != ProviderTag::LOCAL {
            alone.key = KeySource::beside(None, &alone.path);
        }
        let store = Store::open(&alone).unwrap();
        readable(&store).await;
        store.close().unwrap();
        if to != ProviderTag::LOCAL {
            let none = Store::open(&folder.config()).map(drop).unwrap_err();
            assert!(matches!(none, OpenError::NoProvider { .. }), "{none}");
            let prefix = to.to_string();
            assert!(none.to_string().contains(&prefix), "{none}");
        }
    }
    readable(&folder.open()).await;
    // What was retired leaves nothing that a service could unwrap.
    let left: u32 = folder
        .tamper()
        .query_row(
            "SELECT count(*) FROM keks WHERE wrapped_kek IS NOT NULL",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_cut_off_goes_on_with_both_providers() {
    let (folder, services) = (Folder::new(), Services::start());
    let store = folder.open();
    sample::register(&store, 1..5, 0).await;
    store.close().unwrap();
    let vault = [ProviderTag::HASHICORP_VAULT];
    let config = services.config(&folder, vault[0], &vault);
    let store = Store::open(&config).unwrap();
    let begun = store.begin_rotation(NewKey::Configured, "test".to_owned(), NOW, vec![]);
    begun.await.unwrap();
    store.step_key_job(Duration::ZERO, NOW).await.unwrap();
    store.close().unwrap();
    let store = Store::open(&config).unwrap();
    readable(&store).await;
    while let Some(job) = store.step_key_job(Duration::ZERO, NOW).await.unwrap() {
        if job.finished {
            break;
        }
    }
    assert_eq!(live(&store).await, ["hashicorp_vault"]);
    readable(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_a_service_is_no_damage_and_ends_by_itself() {
    let (folder, services) = (Folder::new(), Services::start());
    let mut config = folder.config();
    config.provider = ProviderTag::HASHICORP_VAULT;
    config.key = KeySource::beside(None, &config.path);
    config.sources = vec![services.source(ProviderTag::HASHICORP_VAULT, 2)];
    let store = Store::open(&config).unwrap();
    sample::register(&store, 1..5, 0).await;
    let front = &services.fronts[0];
    front.fails(Fault::HangsUp);
    readable(&store).await;
    let handle = tokio::runtime::Handle::current();
    let usable = || tokio::task::block_in_place(|| handle.block_on(store.use_every_key())).is_ok();
    until_then(|| !usable());
    match store.user_by_id(user_id(1)).await {
        Err(fault @ StoreFault::Keys(_)) => {
            assert!(fault.is_temporary());
            assert!(
                fault
                    .to_string()
                    .contains("hashicorp_vault cannot be reached"),
                "{fault}"
            );
        }
        other => panic!("{other:?}"),
    }
    let refused = Store::open(&config).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::Provider { .. }), "{refused}");
    assert_eq!(store.take_damages(), [], "an outage is no damage");
    front.works();
    until_then(usable);
    readable(&store).await;
}
