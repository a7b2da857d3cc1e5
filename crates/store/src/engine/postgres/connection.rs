//! Connections and their settings.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Connect, Hook, HookError, Manager, ManagerConfig, Pool, PoolError,
    RecyclingMethod, Runtime,
};
use futures_util::future::BoxFuture;
use rustls::ClientConfig;
use tokio::task::JoinHandle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::OpenError;
use crate::engine::postgres::address;
use crate::engine::postgres::fault::described;
use crate::postgres::PostgresConfig;

/// What every connection begins with. `'server'` sees the rows of every account; a transaction that acts for
/// one account narrows it.
const SETTINGS: &str =
    "SET sm.account = 'server'; SET idle_in_transaction_session_timeout = '60s';";
/// What connections that only read have besides.
const ONLY_READS: &str = "SET default_transaction_read_only = on;";
/// What connections that write have besides: what is acknowledged is on the disk.
const WRITES: &str = "SET synchronous_commit = on; SET lock_timeout = '10s';";

/// How long a connection may take to come about, and how long a read waits for a free one.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may be silent before it is looked at.
const SILENCE: Duration = Duration::from_secs(30);

/// Where the database is, and how to get there.
#[derive(Clone)]
pub(crate) struct Way {
    config: Config,
    tls: Option<Arc<ClientConfig>>,
}

impl Way {
    /// Prepares for an address; nothing is connected yet.
    pub(crate) fn to(postgres: &PostgresConfig) -> Result<Self, OpenError> {
        let mut config = address::parse(postgres)?;
        config.application_name("secure-messaging");
        config.connect_timeout(PATIENCE);
        config.keepalives_idle(SILENCE);
        let tls = address::tls(&config, postgres)?;
        Ok(Self { config, tls })
    }

    async fn open(&self) -> Result<(Client, JoinHandle<()>), Error> {
        match &self.tls {
            Some(tls) => connect(&self.config, MakeRustlsConnect::new((**tls).clone())).await,
            None => connect(&self.config, NoTls).await,
        }
    }

    /// Connections that only read, so many of them at most.
    pub(crate) fn readers(&self, size: usize) -> Result<Pool, OpenError> {
        // Nothing but what every connection has stays set on one: acting for an account ends with its
        // transaction.
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_connect(self.config.clone(), self.clone(), recycling);
        let set_up = Hook::async_fn(|client: &mut ClientWrapper, _| {
            Box::pin(async move {
                let settings = format!("{SETTINGS}{ONLY_READS}");
                let set = client.batch_execute(&settings).await;
                set.map_err(HookError::Backend)
            })
        });
        Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(PATIENCE))
            .wait_timeout(Some(PATIENCE))
            .post_create(set_up)
            .build()
            .map_err(|error| OpenError::Address(error.to_string()))
    }

    /// One connection of its own that writes.
    pub(crate) async fn connect(&self) -> Result<ClientWrapper, String> {
        self.connect_with(WRITES).await
    }

    /// One connection of its own that only reads.
    pub(crate) async fn connect_to_read(&self) -> Result<ClientWrapper, String> {
        self.connect_with(ONLY_READS).await
    }

    async fn connect_with(&self, settings: &str) -> Result<ClientWrapper, String> {
        let (client, task) = self.open().await.map_err(|error| described(&error))?;
        let client = ClientWrapper::new(client, task);
        client
            .batch_execute(&format!("{SETTINGS}{settings}"))
            .await
            .map_err(|error| described(&error))?;
        Ok(client)
    }
}

async fn connect<T>(config: &Config, tls: T) -> Result<(Client, JoinHandle<()>), Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await?;
    let task = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(cause = %described(&error), "a connection to the database ended");
        }
    });
    Ok((client, task))
}

impl Connect for Way {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        Box::pin(self.open())
    }
}

/// Why no connection was to be had.
pub(crate) fn reason(error: &PoolError) -> String {
    match error {
        PoolError::Backend(error) | PoolError::PostCreateHook(HookError::Backend(error)) => {
            described(error)
        }
        other => other.to_string(),
    }
}
