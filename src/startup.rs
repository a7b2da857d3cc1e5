//! Builds, starts and stops the server.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use ::audit::HeadSigningKey;
use actix_web::cookie::Key;
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::Data;
use ambient::Ambient;
use api::{Action, close};
use ephemeral::Ephemeral;
use ephemeral::valkey::{Settings, Valkey};
use protocol::boot::BootSigningKey;
use protocol::opaque::ServerSetup;
use serde_json::json;
use store::{KeySource, OpenError, Store, StoreConfig};
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::accounts::{Claims, Setup, audit};
use crate::app::audit::{self as proof, Auditor, Backoff, Repeats, Witnesses};
use crate::app::backups::{BackupError, Backups, half_restored};
use crate::app::boot::Boot;
use crate::app::jobs::Jobs;
use crate::app::keys::{self, KeyService, SourceError, providers};
use crate::app::limits::Limits;
use crate::app::links::Links;
use crate::app::messages::Hub;
use crate::app::metrics::Metrics;
use crate::app::probe::Probe;
use crate::app::readiness::Drain;
use crate::app::sessions::{Devices, Registry};
use crate::app::tokens::Tokens;
use crate::config::{Config, ConfigError};
use crate::faces::control::Control;
use crate::faces::http::operations::Measurements;
use crate::faces::http::pages::{BundleError, Pages};
use crate::faces::http::{
    Crowd, Early, access_log, explain_failures, limit_crowd, middleware, refuse_foreign,
    refuse_other_charsets, security_headers,
};
use crate::platform::lock::{DatabaseLock, LockError};
use crate::platform::net;
use crate::platform::tls::TlsError;
use crate::preflight::{FileError, Passed, Preflight};
use crate::routes;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration was refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database was refused.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Fault),
    /// The ephemeral plane does not answer.
    #[error(transparent)]
    Plane(#[from] ephemeral::Unreachable),
    /// A node of the ephemeral plane is not there, or is set up in another way than it must be.
    #[error("VALKEY_URL: {0}")]
    Nodes(#[from] ephemeral::valkey::ConnectError),
    /// The addresses of the nodes cannot be read.
    #[error(transparent)]
    Addresses(crate::config::SecretError),
    /// Another process has the database.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Backups were refused.
    #[error(transparent)]
    Backups(#[from] BackupError),
    /// A restore into this database was interrupted.
    #[error(
        "a restore was cut off here ({} is what there is of it): run restore again, or remove that \
         file to begin with an empty database", .0.display()
    )]
    HalfRestored(std::path::PathBuf),
    /// A key provider was refused.
    #[error(transparent)]
    Keys(#[from] SourceError),
    /// A stored secret of the server is damaged.
    #[error("the server's secret {0} is damaged; restore the database from a backup")]
    Secret(&'static str),
    /// A file or a folder that the configuration names was refused.
    #[error(transparent)]
    File(#[from] FileError),
    /// The bundle was refused.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Certificate or key was refused.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be bound.
    #[error("{0} cannot be bound ({1}); stop what listens there, or set BIND_ADDR")]
    Bind(SocketAddr, io::Error),
    /// The thread of an audit witness cannot start.
    #[error("a witness of the audit log could not be started ({0}); allow more threads")]
    Witness(io::Error),
    /// The address of the measurements cannot be bound.
    #[error(
        "measurements cannot be read at {0} ({1}); stop what listens there, or set metrics_addr"
    )]
    Measurements(SocketAddr, io::Error),
    /// The listener failed.
    #[error("the server stopped: {0}")]
    Serve(io::Error),
}

/// A server that has been built and bound.
pub struct Application {
    app: Arc<App>,
    jobs: Jobs,
    server: actix_server::Server,
    address: SocketAddr,
    measurements: Option<Measurements>,
    /// Held while nobody else may have the database; `None` if it is in memory.
    _lock: Option<DatabaseLock>,
}

/// Takes the lock of the database's file.
fn take_database(config: &Config) -> Result<DatabaseLock, StartError> {
    let path = config.database_path()?;
    let lock = DatabaseLock::take(&path)?;
    match half_restored(&path) {
        Some(partial) => Err(StartError::HalfRestored(partial)),
        None => Ok(lock),
    }
}

/// Opens the configured store; makes it and its folder if needed.
pub fn open_store(
    config: &Config,
    encryption_key: Option<Zeroizing<String>>,
    ambient: &Ambient,
) -> Result<Store, StartError> {
    Ok(Store::open(&store_config(
        config,
        encryption_key,
        ambient,
    )?)?)
}

/// How the configured store is opened.
pub fn store_config(
    config: &Config,
    encryption_key: Option<Zeroizing<String>>,
    ambient: &Ambient,
) -> Result<StoreConfig, StartError> {
    let mut options = store_options(config, encryption_key, ambient)?;
    options.ambient = ambient.clone();
    options.sources = providers(config)?;
    Ok(options)
}

/// Opens the configured store if it is there; none is made.
pub fn open_existing_store(
    config: &Config,
    encryption_key: Option<Zeroizing<String>>,
    ambient: &Ambient,
) -> Result<Store, StartError> {
    let mut options = store_config(config, encryption_key, ambient)?;
    options.existing = true;
    Ok(Store::open(&options)?)
}

/// Checks that the operator's key opens the database, if it exists; asks no other provider and changes
/// nothing.
pub fn check_key(
    config: &Config,
    encryption_key: Option<Zeroizing<String>>,
) -> Result<(), StartError> {
    let options = store_options(config, encryption_key, &Ambient::system())?;
    Ok(Store::check_key(&options)?)
}

fn store_options(
    config: &Config,
    encryption_key: Option<Zeroizing<String>>,
    ambient: &Ambient,
) -> Result<StoreConfig, ConfigError> {
    let given = encryption_key.map(|key| key.to_string());
    let mut options = if config.in_memory() {
        StoreConfig::memory(given, ambient)
    } else {
        let path = config.database_path()?;
        let key = KeySource::beside(given, &path);
        match config.postgres()? {
            Some(postgres) => StoreConfig::server(postgres, key),
            None => StoreConfig::new(&path, key),
        }
    };
    options.iterations = config.kdf_iterations;
    options.provider = config.keys.kek_provider.tag();
    options.suite = config.keys.suite.suite();
    Ok(options)
}

impl Application {
    /// Opens, checks and joins all parts, and binds the address; port 0 picks a free one.
    pub async fn build(
        config: Config,
        encryption_key: Option<Zeroizing<String>>,
        ambient: Ambient,
    ) -> Result<Self, StartError> {
        let Passed { tls, pages } = Preflight::of(&config).pass(&config)?;
        let listener = bind(config.bind_addr)?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::Bind(config.bind_addr, error))?;
        let public_url = config.public_url_on(address)?;
        let measured_at = config.metrics_addr.map(bind_measurements).transpose()?;
        let mut lock = (!config.in_memory())
            .then(|| take_database(&config))
            .transpose()?;
        let store = open_store(&config, encryption_key, &ambient)?;
        if let Some(lock) = &mut lock {
            lock.cover()?;
        }
        let backups = Arc::new(Backups::start(&config, &store, &ambient).await?);
        let secrets = Secrets::load(&store, &ambient).await?;
        let auditor = audited(&config, &store, &ambient, secrets.audit).await?;
        let plane = plane(&config, &store, &ambient).await?;
        let boot = Boot::new(&secrets.boot, plane.drawn().boot_id().await?, &ambient);
        let links = Arc::new(Links::new(&secrets.boot, boot.id(), ambient.clone()));
        links.tick().await;
        let hub = Hub::new(plane.clone());
        let sessions = Registry::new(
            &config,
            store.clone(),
            ambient.clone(),
            Arc::clone(&hub),
            Arc::clone(&links),
            plane.clone(),
        );
        let setup = Setup::new(plane.clone(), store.server_settings().await?);
        let app = Arc::new(App {
            limits: Limits::new(&config, plane.clone()),
            repeats: Repeats::new(&config, &ambient),
            devices: Devices::new(&secrets.device),
            tokens: Tokens::new(ambient.clone(), plane.clone()),
            claims: Claims::new(plane.clone()),
            metrics: Metrics::default(),
            auditor,
            keys: KeyService::default(),
            key_health: Probe::new("keys"),
            database_health: Probe::new("database"),
            plane_health: Probe::new("ephemeral plane"),
            backups,
            drain: Drain::default(),
            opaque: secrets.opaque,
            public_url,
            store,
            plane,
            hub,
            sessions,
            setup,
            boot,
            links,
            bundle_hash: pages.bundle_hash().map(str::to_owned),
            ambient,
            config,
        });
        let jobs = Jobs::new(Arc::clone(&app));
        jobs.at_start().await?;
        let configuration = app.config().shown();
        note(
            &app,
            Action::ServerStarted,
            json!({ "configuration": configuration }),
        )
        .await?;
        app.auditor().sign_now(app.store(), app.ambient()).await?;
        // A retention that was cut off goes on.
        app.auditor().tick(app.store(), app.ambient()).await;
        let server =
            serve(&app, pages, listener, tls, secrets.cookie).map_err(StartError::Serve)?;
        let measurements = measured_at.map(|listener| Measurements::serve(&app, listener));
        let measurements = measurements.transpose().map_err(StartError::Serve)?;
        Ok(Self {
            app,
            jobs,
            server,
            address,
            measurements,
            _lock: lock,
        })
    }

    /// Returns the bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the measurements, if they are served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.measurements.as_ref().map(|it| it.address)
    }

    /// Returns the parts.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Returns the jobs.
    pub fn jobs(&self) -> Jobs {
        self.jobs.clone()
    }

    /// Returns the set-up link, unless it has been used.
    pub async fn setup_link(&self) -> Result<Option<Zeroizing<String>>, StartError> {
        let origin = self.app.public_url().origin();
        Ok(self.app.setup().link(origin).await?)
    }

    /// Returns the handle that stops the listener.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves without jobs until the handle stops it, for tests that set the clock.
    pub async fn serve_only(self) -> Result<(), StartError> {
        let _measurements = self.measurements.map(Measurements::run);
        self.server.await.map_err(StartError::Serve)
    }

    /// Serves until `stop` resolves, and on for as long as the configuration says or until `at_once` resolves;
    /// then closes sockets, wipes the vault and cleans up.
    pub async fn run_until(
        mut self,
        stop: impl Future<Output = ()>,
        at_once: impl Future<Output = ()>,
    ) -> Result<(), StartError> {
        let handle = self.server.handle();
        let measurements = self.measurements.take().map(Measurements::run);
        let jobs = actix_web::rt::spawn(self.jobs.clone().run());
        let links = Arc::clone(self.app.links()).run(Duration::from_secs(1));
        let links = actix_web::rt::spawn(links);
        let keys = actix_web::rt::spawn(keys::run(self.app()));
        let control = match Control::bind(&self.app) {
            Ok(control) => Some(actix_web::rt::spawn(control.run(self.app()))),
            Err(cause) => {
                tracing::warn!(%cause, "no subcommand can reach this server");
                None
            }
        };
        let server = self.server;
        let app = Arc::clone(&self.app);
        let stop = async {
            stop.await;
            app.drain().run(app.config().drain_secs, at_once).await;
        };
        tokio::pin!(server, stop);
        tokio::select! {
            ended = &mut server => ended.map_err(StartError::Serve)?,
            () = &mut stop => {
                tracing::info!("shutting down");
                self.app.hub().close_all(close::SHUTTING_DOWN);
                let wiped = self.app.vault().wipe_all().await.unwrap_or(0);
                tracing::info!(messages = wiped, "messages were wiped");
                let stopped = handle.stop(true);
                tokio::pin!(stopped);
                tokio::select! {
                    () = &mut stopped => {}
                    _ = &mut server => {}
                }
            }
        }
        drop(measurements);
        jobs.abort();
        links.abort();
        keys.abort();
        if let Some(control) = control {
            control.abort();
        }
        let _wiped = self.app.vault().wipe_all().await;
        self.jobs.at_shutdown().await?;
        note(&self.app, Action::ServerStopped, json!({})).await?;
        let (store, ambient) = (self.app.store(), self.app.ambient());
        self.app.auditor().sign_now(store, ambient).await?;
        let app = Arc::clone(&self.app);
        // A witness may be slow, but not for ever: each tries once.
        let _ = tokio::task::spawn_blocking(move || app.auditor().close()).await;
        Ok(self.app.store().close()?)
    }
}

/// Starts the auditor.
async fn audited(
    config: &Config,
    store: &Store,
    ambient: &Ambient,
    key: HeadSigningKey,
) -> Result<Auditor, StartError> {
    let settings = config.auditing.clone();
    let addresses = settings.witnesses().map_err(ConfigError::from)?;
    let names = &settings.audit_witnesses;
    let witnesses = Witnesses::start(&addresses, names, ambient, Backoff::default())
        .map_err(StartError::Witness)?;
    Ok(Auditor::start(store, ambient, key, settings, witnesses).await?)
}

async fn note(
    app: &App,
    action: Action,
    mut details: serde_json::Value,
) -> Result<(), store::Fault> {
    details["version"] = env!("CARGO_PKG_VERSION").into();
    details["boot_id"] = app.boot().id().to_string().into();
    let record = audit::event(None, action, app.ambient().now(), details);
    app.store().append_audit(vec![record]).await
}

fn bind_measurements(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| StartError::Measurements(address, error))
}

fn bind(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| StartError::Bind(address, error))
}

fn serve(
    app: &Arc<App>,
    pages: Pages,
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    cookie: Key,
) -> io::Result<actix_server::Server> {
    let mut limits = net::Limits::with_workers(app.config().workers);
    limits
        .shared_peers
        .clone_from(&app.config().trusted_proxies);
    let mut limits = limits.within_descriptors();
    if app.config().connections_per_network > 0 {
        limits.connections_per_network = app.config().connections_per_network;
    }
    let pages = Data::new(pages);
    let crowd = Data::new(Crowd::new(limits.connections_per_network));
    let app = Data::from(Arc::clone(app));
    let unreadable = Arc::clone(app.metrics().unreadable_requests());
    let early = Arc::new(Early::new(app.public_url()));
    let refusal = move |request: &_| early.refusal(request);
    net::serve(
        vec![listener],
        tls,
        &limits,
        &unreadable,
        refusal,
        move || {
            actix_web::App::new()
                .app_data(Data::clone(&app))
                .app_data(Data::clone(&pages))
                .app_data(Data::clone(&crowd))
                .wrap(middleware(
                    Arc::clone(app.sessions()),
                    app.config(),
                    app.public_url(),
                    cookie.clone(),
                ))
                .wrap(from_fn(refuse_other_charsets))
                .wrap(from_fn(explain_failures))
                .wrap(from_fn(refuse_foreign))
                .wrap(from_fn(limit_crowd))
                .wrap(from_fn(security_headers))
                .wrap(from_fn(access_log))
                .configure(routes::configure)
        },
    )
}

/// How far the clocks of nodes may be from this machine's.
const APART: Duration = Duration::from_secs(5);

/// Makes the ephemeral plane: over the nodes that are named, or in this process.
async fn plane(config: &Config, store: &Store, ambient: &Ambient) -> Result<Ephemeral, StartError> {
    let nodes = crate::config::plane_nodes().map_err(StartError::Addresses)?;
    if nodes.is_empty() {
        return Ok(Ephemeral::memory(vault_config(config), ambient.clone()));
    }
    // No node sees it: whoever reads a node's memory cannot make what is derived from it.
    let random = Zeroizing::new(ambient.random::<32>());
    let generate = Box::new(move || Zeroizing::new(random.to_vec()));
    let kept = store.get_or_create_secret("plane", generate, ambient.now());
    let kept = kept.await?;
    let mut secret = Zeroizing::new([0; 32]);
    if kept.expose().len() != secret.len() {
        return Err(StartError::Secret("plane"));
    }
    secret.copy_from_slice(kept.expose());
    let settings = Settings {
        nodes,
        secret,
        prefix: "sm:".to_owned(),
        report: Box::new(|node, what| tracing::warn!(node, what, "a node holding messages")),
        apart: Some(APART),
    };
    let valkey = Valkey::connect(settings, vault_config(config), ambient.clone()).await?;
    Ok(Ephemeral::over(valkey))
}

fn vault_config(config: &Config) -> ephemeral::Config {
    let defaults = ephemeral::Config::default();
    ephemeral::Config {
        message_bytes: (config.max_message_bytes as u64).max(defaults.message_bytes),
        account_messages: config.vault_account_messages as u64,
        account_bytes: config.vault_account_bytes as u64,
        total_bytes: config.vault_bytes as u64,
        ..defaults
    }
}

/// Reads the key that signs heads of the audit log, made at the first start.
pub async fn head_key(store: &Store, ambient: &Ambient) -> Result<HeadSigningKey, StartError> {
    let mut rng = ambient.rng();
    let generate = Box::new(move || {
        let key = HeadSigningKey::generate(&mut rng);
        Zeroizing::new(key.to_bytes().to_vec())
    });
    let kept = store
        .get_or_create_secret(proof::SECRET, generate, ambient.now())
        .await?;
    let seeds = kept
        .expose()
        .try_into()
        .map_err(|_| StartError::Secret(proof::SECRET))?;
    Ok(HeadSigningKey::from_bytes(seeds))
}

/// The server's own secrets, which the store keeps sealed.
struct Secrets {
    opaque: ServerSetup,
    boot: BootSigningKey,
    cookie: Key,
    device: Zeroizing<Vec<u8>>,
    audit: HeadSigningKey,
}

impl Secrets {
    async fn load(store: &Store, ambient: &Ambient) -> Result<Self, StartError> {
        let now = ambient.now();
        let mut rng = ambient.rng();
        let generate = Box::new(move || ServerSetup::generate(&mut rng).serialize());
        let opaque = store.get_or_create_secret("opaque", generate, now).await?;
        let opaque =
            ServerSetup::deserialize(opaque.expose()).map_err(|_| StartError::Secret("opaque"))?;
        let mut rng = ambient.rng();
        let generate = Box::new(move || {
            Zeroizing::new(BootSigningKey::generate(&mut rng).to_bytes().to_vec())
        });
        let boot = store.get_or_create_secret("boot", generate, now).await?;
        let boot = boot
            .expose()
            .try_into()
            .map_err(|_| StartError::Secret("boot"))?;
        let random = Zeroizing::new(ambient.random::<64>());
        let generate = Box::new(move || Zeroizing::new(random.to_vec()));
        let cookie = store.get_or_create_secret("cookie", generate, now).await?;
        let cookie = Key::try_from(cookie.expose()).map_err(|_| StartError::Secret("cookie"))?;
        let random = Zeroizing::new(ambient.random::<32>());
        let generate = Box::new(move || Zeroizing::new(random.to_vec()));
        let device = store.get_or_create_secret("device", generate, now).await?;
        let device = Zeroizing::new(device.expose().to_vec());
        Ok(Self {
            opaque,
            device,
            boot: BootSigningKey::from_bytes(boot),
            cookie,
            audit: head_key(store, ambient).await?,
        })
    }
}
