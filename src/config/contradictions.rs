//! Settings that fit by themselves and not together.

use std::net::SocketAddr;

use super::Config;
/// Two settings contradict one another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// Both listeners have the same address.
    #[error("metrics_addr {0} is the address that people use (bind_addr {1}); set another port")]
    SameAddress(SocketAddr, SocketAddr),
    /// Backups of what is in memory only.
    #[error(
        "backup_target is set, and DATABASE_URL is memory:, of which no backup is made; take one of them out"
    )]
    BackupOfMemory,
    /// A limit is above the limit that bounds it.
    #[error("{larger} is more than {smaller}, which it must fit into; set it to {smaller} at most")]
    Larger {
        /// The setting that is too large.
        larger: &'static str,
        /// The setting that bounds it.
        smaller: &'static str,
    },
}

impl Config {
    /// Finds settings that contradict one another.
    pub(super) fn contradictions(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        if let Some(metrics) = self.metrics_addr
            && overlap(metrics, self.bind_addr)
        {
            found.push(Contradiction::SameAddress(metrics, self.bind_addr));
        }
        if self.in_memory() && self.backups.backup_target.is_some() {
            found.push(Contradiction::BackupOfMemory);
        }
        let bytes = |bytes: usize| bytes as u64;
        for (larger, value, smaller, bound) in [
            (
                "max_message_bytes",
                bytes(self.max_message_bytes),
                "vault_bytes",
                bytes(self.vault_bytes),
            ),
            (
                "max_message_bytes",
                bytes(self.max_message_bytes),
                "vault_account_bytes",
                bytes(self.vault_account_bytes),
            ),
            (
                "session_idle_secs",
                self.session_idle_secs,
                "session_absolute_secs",
                self.session_absolute_secs,
            ),
        ] {
            if value > bound {
                found.push(Contradiction::Larger { larger, smaller });
            }
        }
        found
    }
}

/// Whether two listeners need the same port.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let everywhere = |address: SocketAddr, beside: SocketAddr| {
        address.ip().is_unspecified() && (address.is_ipv6() || beside.is_ipv4())
    };
    let same = one.ip().to_canonical() == other.ip().to_canonical();
    one.port() != 0
        && one.port() == other.port()
        && (same || everywhere(one, other) || everywhere(other, one))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn two_listeners_meet_where_one_port_is_meant_twice() {
        for (metrics, bind, met) in [
            ("127.0.0.1:80", "127.0.0.1:80", true),
            ("127.0.0.1:80", "0.0.0.0:80", true),
            ("0.0.0.0:80", "10.0.0.1:80", true),
            ("127.0.0.1:80", "[::]:80", true),
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true),
            ("127.0.0.1:0", "127.0.0.1:0", false),
            ("127.0.0.1:81", "127.0.0.1:80", false),
            ("127.0.0.2:80", "127.0.0.1:80", false),
            ("[::1]:80", "0.0.0.0:80", false),
        ] {
            let config = Config {
                metrics_addr: Some(metrics.parse().unwrap()),
                bind_addr: bind.parse().unwrap(),
                ..Config::default()
            };
            assert_eq!(!config.contradictions().is_empty(), met, "{metrics} {bind}");
        }
    }

    #[test]
    fn what_is_in_memory_has_no_backup() {
        let mut config = Config::default();
        config.backups.backup_target = Some("file:/srv/backups".to_owned());
        assert_eq!(config.contradictions(), []);
        config.database_url = Some("memory:".to_owned());
        assert_eq!(config.contradictions(), [Contradiction::BackupOfMemory]);
    }

    #[test]
    fn what_has_to_fit_into_something_is_not_larger_than_it() {
        assert_eq!(Config::default().contradictions(), []);
        for change in [
            (|it: &mut Config| it.max_message_bytes = it.vault_account_bytes + 1)
                as fn(&mut Config),
            |it| it.vault_bytes = it.max_message_bytes - 1,
            |it| it.session_idle_secs = it.session_absolute_secs + 1,
        ] {
            let mut config = Config::default();
            change(&mut config);
            assert_eq!(config.contradictions().len(), 1);
        }
        let equal = Config {
            session_idle_secs: 60,
            session_absolute_secs: 60,
            ..Config::default()
        };
        assert_eq!(equal.contradictions(), []);
    }
}
