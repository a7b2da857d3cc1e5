//! The server in this process, with a clock that the test moves.

use std::net::SocketAddr;

use ambient::{Ambient, ManualClock};
use secure_messaging::app::App;
use secure_messaging::app::jobs::Jobs;
use secure_messaging::config::Config;
use secure_messaging::startup::Application;
use std::sync::Arc;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::{Account, Client};

/// When the tests' clock starts: a moment at the beginning of a bucket.
pub(crate) const START: u64 = 1_800_000_000;

/// A running server; it stops when this is dropped.
pub(crate) struct TestApp {
    pub address: SocketAddr,
    metrics_address: SocketAddr,
    pub clock: Arc<ManualClock>,
    pub app: Arc<App>,
    jobs: Jobs,
    handle: actix_web::dev::ServerHandle,
    setup_secret: String,
    _data: TempDir,
}

impl TestApp {
    /// Starts a server with limits that no test meets by accident.
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a server with a configuration of the test's own.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        Self::start_over(Arc::new(ambient::OsEntropy), change).await
    }

    /// Starts a server with randomness of the test's own.
    pub(crate) async fn start_over(
        entropy: Arc<dyn ambient::Entropy>,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let data = TempDir::new().unwrap();
        let clock = ManualClock::at(START);
        let mut config = config(&data);
        change(&mut config);
        // What fits into no vault is no setting; the vault itself says when it is full.
        let least = config.vault_bytes.min(config.vault_account_bytes);
        config.max_message_bytes = config.max_message_bytes.min(least);
        let ambient = Ambient::new(clock.clone(), entropy);
        let key = Zeroizing::new("a key of the tests".to_owned());
        let application = Application::build(config, Some(key), ambient)
            .await
            .unwrap();
        let link = application.setup_link().await.unwrap().unwrap();
        let setup_secret = link.split_once("/setup#").unwrap().1.to_owned();
        let this = Self {
            address: application.address(),
            metrics_address: application.metrics_address().unwrap(),
            clock,
            app: application.app(),
            jobs: application.jobs(),
            handle: application.handle(),
            setup_secret,
            _data: data,
        };
        actix_web::rt::spawn(application.serve_only());
        this
    }

    /// The secret of the set-up link.
    pub(crate) fn setup_secret(&self) -> &str {
        &self.setup_secret
    }

    /// A client that is not signed in.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The measurements, which have an address of their own.
    pub(crate) async fn metrics(&self) -> String {
        let answer = Client::new(self.metrics_address).get("/metrics").await;
        String::from_utf8(answer.expect(200).body.to_vec()).unwrap()
    }

    /// Moves the clock and runs what is due.
    pub(crate) async fn advance(&self, seconds: u64) {
        self.clock.advance_ms(seconds * 1000);
        self.app.links().tick().await;
        self.jobs.tick().await;
    }

    /// The first administrator, after which registration is open.
    pub(crate) async fn administrator(&self) -> Account {
        let admin = Account::administrator(self.client(), self.setup_secret());
        admin.await.unwrap()
    }

    /// An ordinary account; registration must be open.
    pub(crate) async fn account(&self, handle: &str) -> Account {
        Account::register(self.client(), handle, None)
            .await
            .unwrap()
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

fn config(data: &TempDir) -> Config {
    Config {
        data_dir: data.path().to_owned(),
        bundle_dir: data.path().join("no-bundle"),
        bind_addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        metrics_addr: Some(SocketAddr::from(([127, 0, 0, 1], 0))),
        kdf_iterations: 100_000,
        workers: 1,
        sign_ins_per_minute: 100_000,
        registrations_per_hour: 100_000,
        lookups_per_minute: 100_000,
        claims_per_minute: 100_000,
        new_people_per_hour: 100_000,
        messages_per_minute: 1_000_000,
        links_per_minute: 100_000,
        vault_unanswered_messages: 100_000,
        changes_per_hour: 100_000,
        administration_per_minute: 100_000,
        ..Config::default()
    }
}
