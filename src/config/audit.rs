//! Settings of the audit log's proof: heads, witnesses, retention.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How often heads are signed, who witnesses them, how long records stay.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Auditing {
    /// Records after which a head is signed.
    pub audit_head_every: u64,
    /// Seconds after which a head is signed when there is a new record.
    pub audit_head_secs: u64,
    /// Days that a record stays; 2557 are seven years, 0 is for ever.
    pub audit_retention_days: u64,
    /// Where each head is sent: `file:/path`, `syslog:`, `syslog:127.0.0.1:514`, `https://…`.
    #[serde(deserialize_with = "super::list::one_or_many")]
    pub audit_witnesses: Vec<String>,
}

impl Default for Auditing {
    fn default() -> Self {
        Self {
            audit_head_every: 1_000,
            audit_head_secs: 60,
            audit_retention_days: 2_557,
            audit_witnesses: Vec::new(),
        }
    }
}

/// Where heads go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WitnessAddress {
    /// A file that only grows.
    File(PathBuf),
    /// The system's log over its socket.
    SyslogSocket(PathBuf),
    /// The system's log over UDP on this machine.
    SyslogUdp(SocketAddr),
    /// A service that takes a POST.
    Http(String),
}

/// Why a setting of the audit log was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditingError {
    /// The text is not the address of a witness.
    #[error(
        "audit_witnesses has {0:?}, which is not one of file:/absolute/path, syslog:, \
         syslog:/path/of/socket, syslog:127.0.0.1:514 and https://…; correct it or leave it out"
    )]
    Witness(String),
}

impl Auditing {
    /// Reads the witnesses.
    pub fn witnesses(&self) -> Result<Vec<WitnessAddress>, AuditingError> {
        let read = |text: &String| {
            WitnessAddress::parse(text).ok_or_else(|| AuditingError::Witness(text.clone()))
        };
        self.audit_witnesses.iter().map(read).collect()
    }

    /// Finds what cannot be right.
    pub fn problems(&self) -> Vec<AuditingError> {
        self.witnesses().err().into_iter().collect()
    }
}

impl WitnessAddress {
    fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("file:") {
            let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
            return path.is_absolute().then_some(Self::File(path));
        }
        if let Some(rest) = text.strip_prefix("syslog:") {
            if rest.is_empty() {
                return Some(Self::SyslogSocket(PathBuf::from("/dev/log")));
            }
            if rest.starts_with('/') {
                return Some(Self::SyslogSocket(PathBuf::from(rest)));
            }
            let address: SocketAddr = rest.parse().ok()?;
            return address
                .ip()
                .is_loopback()
                .then_some(Self::SyslogUdp(address));
        }
        let host = |rest: &str| {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            (!authority.is_empty() && !authority.contains('@')).then(|| authority.to_owned())
        };
        if let Some(rest) = text.strip_prefix("https://") {
            return host(rest).map(|_| Self::Http(text.to_owned()));
        }
        // Without TLS only where nobody else is on the line.
        let authority = host(text.strip_prefix("http://")?)?;
        let name = authority.rsplit_once(':').map_or(&authority[..], |it| it.0);
        let local = name == "localhost"
            || name
                .trim_matches(['[', ']'])
                .parse::<IpAddr>()
                .is_ok_and(|address| address.is_loopback());
        local.then(|| Self::Http(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn witnesses_are_read_and_what_is_none_is_refused() {
        let path = || PathBuf::from("/var/log/heads");
        for (text, expected) in [
            ("file:/var/log/heads", Some(WitnessAddress::File(path()))),
            ("file:///var/log/heads", Some(WitnessAddress::File(path()))),
            ("file:heads", None),
            (
                "syslog:",
                Some(WitnessAddress::SyslogSocket("/dev/log".into())),
            ),
            (
                "syslog:/run/log",
                Some(WitnessAddress::SyslogSocket("/run/log".into())),
            ),
            (
                "syslog:127.0.0.1:514",
                Some(WitnessAddress::SyslogUdp(SocketAddr::from((
                    [127, 0, 0, 1],
                    514,
                )))),
            ),
            ("syslog:192.0.2.1:514", None),
            (
                "https://witness.example/heads",
                Some(WitnessAddress::Http(
                    "https://witness.example/heads".to_owned(),
                )),
            ),
            (
                "http://127.0.0.1:9000/",
                Some(WitnessAddress::Http("http://127.0.0.1:9000/".to_owned())),
            ),
            ("http://witness.example/", None),
            ("http://127.0.0.1.example/", None),
            ("https://", None),
            ("ftp://witness.example", None),
            ("", None),
        ] {
            assert_eq!(WitnessAddress::parse(text), expected, "{text}");
        }
    }
}
