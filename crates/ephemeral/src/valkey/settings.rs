//! What the backend is told, and why it does not start.

use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

use super::Unfit;

/// Takes the name of a node and what went wrong there.
pub type Report = Box<dyn Fn(&str, &str) + Send + Sync>;

/// Where the nodes are, and what instances share beside them.
pub struct Settings {
    /// Addresses: `valkey://[user:password@]host[:port]`, or `valkeys://` for TLS; `redis://` and
    /// `rediss://` mean the same. Every instance is given the same ones.
    pub nodes: Vec<Zeroizing<String>>,
    /// Thirty-two secret bytes that every instance has and no node sees.
    pub secret: Zeroizing<[u8; 32]>,
    /// Begins the name of every key, so that an engine may be shared.
    pub prefix: String,
    /// Is told what went wrong at which node, for the log; no word of it is from what messages carry.
    pub report: Report,
    /// How far a node's clock may be from the instance's; `None` does not compare them.
    pub apart: Option<Duration>,
}

/// The backend did not start.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// There is no address.
    #[error("no node is named; name at least one, as valkey://host:6379")]
    NoNodes,
    /// An address cannot be read.
    #[error(
        "address {} in the list of nodes cannot be read; write valkey://host:6379, or \
         valkeys://user:password@host:6380 for TLS",
        .0 + 1
    )]
    Address(usize),
    /// An address is named twice.
    #[error("the node {0} is named twice; name each once")]
    Repeated(String),
    /// A node does not answer.
    #[error(
        "the node {node} does not answer: {cause}; check its address, its password, whether it speaks TLS (valkeys://) \
         and that it runs"
    )]
    Unreachable {
        /// Host and port.
        node: String,
        /// What the connection said.
        cause: String,
    },
    /// A node would keep what it must forget, or lose what it must keep.
    #[error("the node {node} is not set up for this: {unfit}")]
    Unfit {
        /// Host and port.
        node: String,
        /// What to change.
        unfit: Unfit,
    },
    /// Clocks differ.
    #[error(
        "the clock of the node {node} is {} s from this machine's; set both by a time server",
        .apart.as_secs()
    )]
    Clock {
        /// Host and port.
        node: String,
        /// How far apart.
        apart: Duration,
    },
    /// The thread could not be started.
    #[error("no thread for the nodes could be started: {0}; raise the limit of processes")]
    Thread(String),
    /// The thread ended early.
    #[error("the thread for the nodes has ended; start again")]
    Ended,
}
