//! What every request can reach.

use api::Code;
use std::sync::Arc;

use protocol::opaque::ServerSetup;
use store::{Fault, Store};
use vault::Vault;

use crate::accounts::{Claims, Setup};
use crate::audit::{Auditor, Repeats};
use crate::backups::Backups;
use crate::boot::Boot;
use crate::config::{Config, PublicUrl};
use crate::http::Problem;
use crate::keys::KeyService;
use crate::limits::Limits;
use crate::messages::Hub;
use crate::metrics::Metrics;
use crate::pages::Pages;
use crate::probe::Probe;
use crate::sessions::{Devices, Registry};
use crate::tokens::Tokens;
use ambient::Ambient;

/// The server's parts, joined by [`crate::startup::Application::build`].
pub struct App {
    pub(crate) config: Config,
    pub(crate) public_url: PublicUrl,
    pub(crate) ambient: Ambient,
    pub(crate) store: Store,
    pub(crate) vault: Arc<Vault>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) sessions: Arc<Registry>,
    pub(crate) tokens: Tokens,
    pub(crate) limits: Limits,
    pub(crate) repeats: Repeats,
    pub(crate) devices: Devices,
    pub(crate) claims: Claims,
    pub(crate) setup: Setup,
    pub(crate) opaque: ServerSetup,
    pub(crate) boot: Boot,
    pub(crate) pages: Pages,
    pub(crate) metrics: Metrics,
    pub(crate) auditor: Auditor,
    pub(crate) keys: KeyService,
    pub(crate) key_health: Probe,
    pub(crate) database_health: Probe,
    pub(crate) backups: Arc<Backups>,
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $kind:ty),+ $(,)?) => {
        impl App {
            $($(#[$doc])* pub fn $name(&self) -> &$kind { &self.$name })+
        }
    };
}

parts! {
    /// The configuration.
    config: Config,
    /// The address that people type.
    public_url: PublicUrl,
    /// Clock and randomness.
    ambient: Ambient,
    /// The durable plane.
    store: Store,
    /// The ephemeral plane.
    vault: Arc<Vault>,
    /// Connected sockets.
    hub: Arc<Hub>,
    /// Sessions that are signed in.
    sessions: Arc<Registry>,
    /// State that travels with the client.
    tokens: Tokens,
    /// Rate limits.
    limits: Limits,
    /// Audit records that are counted where there are many.
    repeats: Repeats,
    /// Browsers from which somebody signed in before.
    devices: Devices,
    /// Prekeys that were handed out lately.
    claims: Claims,
    /// The set-up link and who may register.
    setup: Setup,
    /// OPAQUE's keys.
    opaque: ServerSetup,
    /// Which start of the server this is.
    boot: Boot,
    /// Pages and assets.
    pages: Pages,
    /// Counters.
    metrics: Metrics,
    /// What proves the audit log.
    auditor: Auditor,
    /// Key jobs.
    keys: KeyService,
    /// Whether the keys can be used.
    key_health: Probe,
    /// Whether the database takes writes.
    database_health: Probe,
    /// Backups.
    backups: Arc<Backups>,
}

impl From<&Fault> for Problem {
    fn from(fault: &Fault) -> Self {
        if matches!(fault, Fault::Full) {
            tracing::error!(cause = %fault, "the disk is full");
            Problem::new(
                Code::DiskFull,
                "Nothing was changed. Tell the server's operator, who can free some space; then \
                 try again.",
            )
            .retry_after(60)
        } else if matches!(fault, Fault::Keys(_)) {
            Problem::keys_unreachable(fault)
        } else if fault.is_temporary() {
            tracing::error!(cause = %fault, "the store did not answer");
            Problem::new(
                Code::Unavailable,
                "Nothing was changed. Try again in a moment.",
            )
            .retry_after(5)
        } else {
            Problem::internal(fault)
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::from(&fault)
    }
}
