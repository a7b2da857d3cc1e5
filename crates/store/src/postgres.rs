//! Where a database server is.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// A database of PostgreSQL.
#[derive(Clone)]
pub struct PostgresConfig {
    address: Zeroizing<String>,
    /// The password, where it does not stand in the address.
    pub password: Option<Zeroizing<String>>,
    /// A file with the certificate of the authority that vouches for the database; this machine's
    /// authorities where there is none.
    pub authority: Option<PathBuf>,
    /// Connections that read.
    pub readers: usize,
    /// Replicas that answer look-ups.
    pub replicas: Vec<Self>,
    /// How far behind a replica that answers may be.
    pub replica_lag: Duration,
}

/// Connections that read, where nobody says how many.
const READERS: usize = 16;
/// How far behind a replica may be, where nobody says it.
const LAG: Duration = Duration::from_secs(5);

impl PostgresConfig {
    /// The database at an address such as `postgres://name:password@host/database`.
    pub fn new(address: String) -> Self {
        Self {
            address: Zeroizing::new(address),
            password: None,
            authority: None,
            readers: READERS,
            replicas: Vec::new(),
            replica_lag: LAG,
        }
    }

    /// Names a replica, which is reached as the database itself is.
    pub fn add_replica(&mut self, address: String) {
        self.replicas.push(Self {
            address: Zeroizing::new(address),
            password: self.password.clone(),
            authority: self.authority.clone(),
            readers: self.readers,
            replicas: Vec::new(),
            replica_lag: self.replica_lag,
        });
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The address without name, password and options.
    pub fn shown(&self) -> PathBuf {
        let (scheme, rest) = self.address.split_once("://").unwrap_or(("postgres", ""));
        // A password may hold any sign, also one that ends it for whoever reads the address.
        let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        let rest = rest.split('?').next().unwrap_or_default();
        PathBuf::from(format!("{scheme}://{rest}"))
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("address", &self.shown())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (address, shown) in [
            (
                "postgres://a:s3cret@host:5432/db?sslmode=require",
                "postgres://host:5432/db",
            ),
            ("postgresql://host/db", "postgresql://host/db"),
            ("postgres://a:p%40ss@[::1]/db", "postgres://[::1]/db"),
            ("postgres://a:s3cret/b?c@host/db", "postgres://host/db"),
            ("host=here password=s3cret", "postgres://"),
        ] {
            let config = PostgresConfig::new(address.to_owned());
            assert_eq!(config.shown(), PathBuf::from(shown));
            assert!(!format!("{config:?}").contains("s3cret"));
        }
    }
}
