//! The control socket: subcommands ask a running server, on the same machine and as the same user.
//!
//! `control.sock` in the data directory, one JSON object a line: a question, then answers until one
//! says that it is the last. Only the user that runs the server, and root, may connect.

pub mod client;
mod server;

use std::path::PathBuf;

use api::bodies::KeyJob;
use backup::Standing;
use serde::{Deserialize, Serialize};
use store::Statistics;
use zeroize::Zeroizing;

pub use server::Control;
pub(crate) use server::new_key;

use crate::app::administration::accounts;
use crate::app::audit;
use crate::app::backups::{Report, Work};
use crate::app::service_keys;
use crate::config::Config;

/// What a subcommand asks.
#[derive(Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum Question {
    /// Begin a job and tell how far it is until it is done.
    Keys {
        /// Which one.
        work: KeyWork,
    },
    /// Administer accounts.
    Accounts {
        /// What to do.
        question: accounts::Question,
    },
    /// Tell the figures of the database.
    Figures {},
    /// Make or try a backup, and tell how far that is until it is done.
    Backups {
        /// What to do.
        work: Work,
        /// The target in the subcommand's configuration.
        target: Option<String>,
    },
    /// Administer keys of services.
    ServiceKeys {
        /// What to do.
        question: service_keys::Question,
    },
    /// Give the lines of the audit log.
    Export {
        /// Which.
        wanted: audit::Wanted,
    },
}

/// A job on the keys.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyWork {
    /// A new key-encryption key.
    Rotate {
        /// What the new key is made from.
        key: Wanted,
    },
    /// New data keys.
    Renew,
}

/// What a new key is made from.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// What the server is configured with.
    Configured,
    /// A new key file.
    KeyFile,
    /// This key of the operator.
    Given(Zeroizing<String>),
}

/// What the server answers; the last answer is any but `progress` of a job that goes on, `working` and `line`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// How far it is.
    Progress(KeyJob),
    /// What became of accounts.
    Accounts(accounts::Answer),
    /// The figures.
    Figures(Statistics),
    /// What became of keys of services.
    ServiceKeys(Box<service_keys::Answer>),
    /// How far work on backups is.
    Working(Standing),
    /// What came of it.
    Reported(Report),
    /// A line of an export.
    Line(String),
    /// An export is whole, but for these records.
    Exported(audit::Damaged),
    /// Why it does not go on.
    Failed(String),
}

/// Where the socket of a server with this configuration is.
pub fn socket_path(config: &Config) -> PathBuf {
    config.data_dir.join("control.sock")
}
