//! Limits of connections.

use std::time::Duration;

use super::range::AddressRange;

/// Bounds of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Worker threads.
    pub workers: usize,
    /// Connections for each worker at once; more wait until they are accepted.
    pub connections_per_worker: usize,
    /// Connections of all workers at once; more are refused.
    pub connections: usize,
    /// Connections of one network at once; more are refused.
    pub connections_per_network: usize,
    /// Proxies, whose connections belong to many clients.
    pub shared_peers: Vec<AddressRange>,
    /// Whether connections from this machine belong to many clients too.
    pub loopback_is_shared: bool,
    /// How long a connection may stay idle between requests.
    pub keep_alive: Duration,
    /// How long a client may take to close.
    pub disconnect: Duration,
    /// How long requests under way may take when the server shuts down; whole seconds.
    pub shutdown: Duration,
    /// Time limits of clients.
    pub waits: Waits,
}

/// Time limits of clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// The whole head of a request, from its first byte.
    pub head: Duration,
    /// The next piece of a body.
    pub body_piece: Duration,
    /// A body that hardly progresses, without the server's own time. Received bytes earn time again, up to this
    /// limit.
    pub body: Duration,
    /// Bytes of a body that earn a second.
    pub body_bytes_per_second: u64,
    /// For room to write more of a response.
    pub write: Duration,
    /// The end of a connection whose last request was answered.
    pub end: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            body_piece: Duration::from_secs(10),
            body: Duration::from_secs(20),
            body_bytes_per_second: 1024,
            write: Duration::from_secs(30),
            end: Duration::from_secs(2),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(2, usize::from),
            connections_per_worker: 25_000,
            connections: usize::MAX,
            connections_per_network: MOST_PER_NETWORK,
            shared_peers: Vec::new(),
            loopback_is_shared: true,
            keep_alive: Duration::from_secs(75),
            disconnect: Duration::from_secs(2),
            shutdown: Duration::from_secs(5),
            waits: Waits::default(),
        }
    }
}

/// Connections of one network where many are possible.
const MOST_PER_NETWORK: usize = 512;

/// One network takes no more than this part of all connections.
const PART_PER_NETWORK: usize = 4;

/// File descriptors that are not for connections: the database's files, logs, sockets of the
/// server's own, and connections that are being refused.
const OWN_DESCRIPTORS: u64 = 44;

/// The same for each worker.
const WORKER_DESCRIPTORS: u64 = 4;

/// Connections that there is room for at least.
const LEAST_CONNECTIONS: u64 = 4;

/// The process may have too few files open at once.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this process may have {allowed} files open at once (`ulimit -n`), and a server with {workers} worker \
     threads needs {needed} at least, better 1024: raise LimitNOFILE or `ulimit -n`"
)]
pub struct FewDescriptors {
    allowed: u64,
    needed: u64,
    workers: usize,
}

/// Raises the limit of file descriptors as far as the system allows; returns it.
fn most_descriptors() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// Connections that may be in the course of being refused.
const REFUSED_AT_ONCE: usize = 8;

impl Limits {
    /// The usual bounds with so many worker threads; 0 for one for each core.
    pub fn with_workers(workers: usize) -> Self {
        let usual = Self::default();
        Self {
            workers: if workers == 0 { usual.workers } else { workers },
            ..usual
        }
    }

    /// Refuses where the process may not have enough files open for a server; call it before anything
    /// is opened.
    pub fn check_descriptors(&self) -> Result<(), FewDescriptors> {
        self.check(most_descriptors())
    }

    fn check(&self, descriptors: Option<u64>) -> Result<(), FewDescriptors> {
        let needed = self.own_descriptors().saturating_add(LEAST_CONNECTIONS);
        match descriptors {
            Some(allowed) if allowed < needed => Err(FewDescriptors {
                allowed,
                needed,
                workers: self.workers,
            }),
            _ => Ok(()),
        }
    }

    fn own_descriptors(&self) -> u64 {
        OWN_DESCRIPTORS.saturating_add(WORKER_DESCRIPTORS.saturating_mul(self.workers as u64))
    }

    /// Caps connections so that file descriptors remain for the database, logs and sockets.
    ///
    /// It first raises the limit of descriptors as far as the system allows.
    pub fn within_descriptors(self) -> Self {
        self.within(most_descriptors())
    }

    fn within(mut self, descriptors: Option<u64>) -> Self {
        let Some(descriptors) = descriptors else {
            return self;
        };
        let left = descriptors
            .saturating_sub(self.own_descriptors())
            .max(LEAST_CONNECTIONS);
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        if left < 256 {
            tracing::warn!(
                connections = left,
                descriptors,
                "few file descriptors: few connections; raise LimitNOFILE or `ulimit -n`"
            );
        }
        self.connections = self.connections.min(left);
        let part = (self.connections / PART_PER_NETWORK).max(1);
        self.connections_per_network = self.connections_per_network.min(part);
        let accepted = self.connections.saturating_add(REFUSED_AT_ONCE);
        let accepted = accepted.div_ceil(self.workers.max(1));
        self.connections_per_worker = self.connections_per_worker.min(accepted);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_room_for_the_files_of_the_database() {
        let limits = Limits {
            workers: 2,
            ..Limits::default()
        };
        let few = limits.clone().within(Some(128));
        assert_eq!(few.connections, 128 - 44 - 8);
        assert_eq!(few.connections_per_worker, (few.connections + 8) / 2);
        assert_eq!(limits.clone().within(Some(10)).connections, 4);
        let many = limits.clone().within(Some(1 << 20));
        assert_eq!(many.connections_per_worker, 25_000);
        assert_eq!(limits.clone().within(None), limits);
    }

    #[test]
    fn fewer_descriptors_than_a_server_needs_are_refused() {
        let limits = Limits {
            workers: 2,
            ..Limits::default()
        };
        assert_eq!(limits.check(Some(44 + 8 + 4)), Ok(()));
        assert_eq!(limits.check(None), Ok(()));
        let refused = limits
            .check(Some(44 + 8 + 3))
            .err()
            .map(|it| it.to_string());
        let said = refused.unwrap_or_default();
        assert!(
            said.contains("55 files") && said.contains("56 at least"),
            "{said}"
        );
    }

    #[test]
    fn one_network_takes_a_quarter_of_the_connections_at_most() {
        let limits = Limits {
            workers: 2,
            ..Limits::default()
        };
        let few = limits.clone().within(Some(1024));
        assert_eq!(few.connections_per_network, few.connections / 4);
        let many = limits.clone().within(Some(1 << 20));
        assert_eq!(many.connections_per_network, 512);
        assert_eq!(limits.within(Some(10)).connections_per_network, 1);
    }
}
