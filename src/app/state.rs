//! The parts of the server that requests use.

use std::sync::Arc;

use ephemeral::{Ephemeral, MessageVault, Unreachable};
use protocol::opaque::ServerSetup;
use store::Store;

use crate::app::accounts::{Claims, Setup};
use crate::app::audit::{Auditor, Repeats};
use crate::app::backups::Backups;
use crate::app::boot::Boot;
use crate::app::keys::KeyService;
use crate::app::limits::Limits;
use crate::app::links::Links;
use crate::app::messages::Hub;
use crate::app::metrics::Metrics;
use crate::app::probe::Probe;
use crate::app::readiness::Drain;
use crate::app::sessions::{Devices, Registry};
use crate::app::tokens::Tokens;
use crate::config::{Config, PublicUrl};
use ambient::Ambient;

/// The server's parts, joined by [`crate::startup::Application::build`].
pub struct App {
    pub(crate) config: Config,
    pub(crate) public_url: PublicUrl,
    pub(crate) ambient: Ambient,
    pub(crate) store: Store,
    pub(crate) plane: Ephemeral,
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
    pub(crate) links: Arc<Links>,
    pub(crate) bundle_hash: Option<String>,
    pub(crate) metrics: Metrics,
    pub(crate) auditor: Auditor,
    pub(crate) keys: KeyService,
    pub(crate) key_health: Probe,
    pub(crate) database_health: Probe,
    pub(crate) plane_health: Probe,
    pub(crate) backups: Arc<Backups>,
    pub(crate) drain: Drain,
}

macro_rules! parts {
    ($($(#[$doc:meta])* $name:ident: $kind:ty),+ $(,)?) => {
        impl App {
            $($(#[$doc])* pub fn $name(&self) -> &$kind { &self.$name })+
        }
    };
}

impl App {
    /// The vault: waiting messages.
    pub fn vault(&self) -> &dyn MessageVault {
        self.plane.vault()
    }

    /// The boot id of the present life of the plane, which may have begun anew.
    pub(crate) async fn present_boot(&self) -> Result<&Boot, Unreachable> {
        let id = self.plane.drawn().boot_id().await?;
        if self.boot.follow(id, &self.ambient) {
            self.links.begin_anew(id);
            tracing::warn!(boot = %id, "the ephemeral plane has begun anew; what waited there is gone");
        }
        Ok(&self.boot)
    }
}

parts! {
    /// The configuration.
    config: Config,
    /// The public address.
    public_url: PublicUrl,
    /// Clock and randomness.
    ambient: Ambient,
    /// The database: accounts, keys, safes, sessions and audit log.
    store: Store,
    /// The ephemeral plane: what is never written to a disk.
    plane: Ephemeral,
    /// Connected sockets.
    hub: Arc<Hub>,
    /// Sessions.
    sessions: Arc<Registry>,
    /// Sealed tokens between two messages of a sign-in or registration.
    tokens: Tokens,
    /// Rate limits.
    limits: Limits,
    /// Audit records of refusals and reads, counted beyond a rate.
    repeats: Repeats,
    /// Known devices.
    devices: Devices,
    /// Recently claimed prekeys.
    claims: Claims,
    /// The set-up link and the registration mode.
    setup: Setup,
    /// OPAQUE's keys.
    opaque: ServerSetup,
    /// The signed boot id that was met last, and when this server started.
    boot: Boot,
    /// The links of this instance.
    links: Arc<Links>,
    /// The hash of the browser bundle, if there is one.
    bundle_hash: Option<String>,
    /// Counters.
    metrics: Metrics,
    /// The auditor, which signs and verifies the audit log.
    auditor: Auditor,
    /// Key jobs.
    keys: KeyService,
    /// Probe of the keys.
    key_health: Probe,
    /// Probe of the database.
    database_health: Probe,
    /// Probe of the ephemeral plane.
    plane_health: Probe,
    /// Backups.
    backups: Arc<Backups>,
    /// Whether the server was asked to stop.
    drain: Drain,
}
