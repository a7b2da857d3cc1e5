//! Configuration: command line over environment over `secure-messaging.toml` over defaults.
//!
//! Names are flat. Settings that belong together may be a *group*: a struct in a file of its own,
//! with `#[serde(default)]`, which is a field of [`Config`] with `#[serde(skip)]` and stands in the
//! list that `groups!` is given. Its own checks go into [`Config::problems`].

mod audit;
mod backups;
mod contact;
mod contradictions;
mod key_services;
mod keys;
mod list;
mod logging;
mod nodes;
mod public_url;
mod ranges;
mod resembling;
mod secrets;
mod sources;
mod variables;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use figment::Figment;
use serde::{Deserialize, Serialize};
use store::PostgresConfig;
use zeroize::Zeroizing;

use crate::platform::net::AddressRange;

pub use audit::{Auditing, AuditingError, WitnessAddress};
pub use backups::Backups;
pub use contact::ContactError;
pub use contradictions::Contradiction;
pub use key_services::{AzureWrapping, HalfService, KeyServices};
pub use keys::{Cipher, Keys, Provider};
pub use logging::{LogFilterError, LogFormat, Logging};
pub use nodes::plane_nodes;
pub use public_url::{PublicUrl, PublicUrlError};
pub use ranges::OutOfRange;
pub use resembling::Resembling;
pub use secrets::{
    FoundSecret, SECRETS, SecretError, SecretSource, find_secret, secret_from_environment,
};
pub use sources::Setting;
use sources::Sources;

/// The address of a database in memory.
const MEMORY: &str = "memory:";

/// The name of the configuration file in the working directory.
pub const FILE: &str = "secure-messaging.toml";

/// Everything that can be set, under the names of the file and of `SECURE_MESSAGING_…`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Settings of the log.
    #[serde(skip)]
    pub logging: Logging,
    /// Settings of the audit log's proof.
    #[serde(skip)]
    pub auditing: Auditing,
    /// Settings of the keys.
    #[serde(skip)]
    pub keys: Keys,
    /// Settings of key services.
    #[serde(skip)]
    pub key_services: KeyServices,
    /// Where backups go, when, and which are kept.
    #[serde(skip)]
    pub backups: Backups,
    /// Where the database and the key file lie.
    pub data_dir: PathBuf,
    /// `sqlite:PATH`, `postgres://NAME@HOST/DATABASE` or `memory:`; the default is `secure_messaging.db` in the data
    /// directory.
    pub database_url: Option<String>,
    /// PEM file with the certificate of the authority that vouches for PostgreSQL; this machine's authorities
    /// where it is not set.
    pub database_ca: Option<PathBuf>,
    /// Connections to PostgreSQL that read.
    pub database_connections: usize,
    /// Replicas of PostgreSQL that answer look-ups, written as `database_url` is.
    #[serde(deserialize_with = "list::one_or_many")]
    pub database_replicas: Vec<String>,
    /// How many seconds a replica that answers may be behind.
    pub database_replica_lag_secs: u64,
    /// The address and port to listen on.
    pub bind_addr: SocketAddr,
    /// The address and port that measurements are read at; nowhere where it is not set.
    pub metrics_addr: Option<SocketAddr>,
    /// The address that people type; `http://` and the bound address where it is not set.
    pub public_url: Option<String>,
    /// The folder that `cargo xtask bundle` made.
    pub bundle_dir: PathBuf,
    /// PBKDF2 rounds of a *new* key stanza; at least 100,000.
    pub kdf_iterations: u32,
    /// PEM file of the certificate chain; TLS is on when this and `tls_key` are set.
    pub tls_cert: Option<PathBuf>,
    /// PEM file of the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "list::one_or_many")]
    pub trusted_proxies: Vec<AddressRange>,
    /// Connections and requests under way of one network, which is an IPv4 address or an IPv6 /64;
    /// a quarter of what the file descriptors allow, at most 512, where it is 0.
    pub connections_per_network: usize,
    /// Threads that answer requests; the number of processors where it is 0.
    pub workers: usize,
    /// Seconds for which a server that was asked to stop says that it is not ready and serves on.
    pub drain_secs: u64,
    /// Seconds without activity after which a session ends.
    pub session_idle_secs: u64,
    /// Seconds after which a session ends whatever happens.
    pub session_absolute_secs: u64,
    /// Sockets that one cookie may hold.
    pub sockets_per_session: usize,
    /// Sessions that one account may hold; the oldest makes room.
    pub sessions_per_account: usize,
    /// Bytes that the vault holds in total.
    pub vault_bytes: usize,
    /// Bytes that the vault holds for one posting account.
    pub vault_account_bytes: usize,
    /// Messages that the vault holds for one posting account.
    pub vault_account_messages: usize,
    /// Messages that the vault holds unread of a sender to whom the recipient has not written.
    pub vault_unanswered_messages: usize,
    /// Largest sealed body in bytes.
    pub max_message_bytes: usize,
    /// Sign-ins begun per minute, for an address, and for an account from it; recoveries and
    /// re-authentications likewise. A device from which somebody signed in before has its own count.
    pub sign_ins_per_minute: u32,
    /// Registrations begun per hour and address.
    pub registrations_per_hour: u32,
    /// Look-ups of people per minute and account.
    pub lookups_per_minute: u32,
    /// Bundle and prekey claims per minute and account.
    pub claims_per_minute: u32,
    /// Messages posted per minute and account.
    pub messages_per_minute: u32,
    /// Links begun per minute and account.
    pub links_per_minute: u32,
    /// People whom an account begins to write to per hour; a pair that wrote within a day is known.
    pub new_people_per_hour: u32,
    /// Changes per hour and account that the audit log keeps.
    pub changes_per_hour: u32,
    /// Requests of an administrator per minute.
    pub administration_per_minute: u32,
    /// Contact address that `/.well-known/security.txt` names.
    pub security_contact: String,
}

macro_rules! groups {
    ($($group:ident),* $(,)?) => {
        impl Config {
            /// Takes the values of every group out of the joined sources.
            fn extract(sources: &Figment) -> Result<Self, Box<figment::Error>> {
                let mut config: Self = sources.extract()?;
                $(config.$group = sources.extract()?;)*
                Ok(config)
            }

            /// Writes every group's values under their flat names.
            fn flat(&self) -> serde_json::Map<String, serde_json::Value> {
                let mut all = members(self);
                $(all.extend(members(&self.$group));)*
                all
            }
        }
    };
}

groups!(keys, key_services, logging, auditing, backups);

fn members(group: &impl Serialize) -> serde_json::Map<String, serde_json::Value> {
    match serde_json::to_value(group) {
        Ok(serde_json::Value::Object(members)) => members,
        _ => serde_json::Map::new(),
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            logging: Logging::default(),
            backups: Backups::default(),
            auditing: Auditing::default(),
            keys: Keys::default(),
            key_services: KeyServices::default(),
            data_dir: PathBuf::from("./data"),
            database_url: None,
            database_ca: None,
            database_connections: 16,
            database_replicas: Vec::new(),
            database_replica_lag_secs: 5,
            bind_addr: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_addr: None,
            public_url: None,
            bundle_dir: PathBuf::from("./target/bundle"),
            kdf_iterations: 600_000,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            connections_per_network: 0,
            workers: 0,
            drain_secs: 0,
            session_idle_secs: 1800,
            session_absolute_secs: 12 * 3600,
            sockets_per_session: 64,
            sessions_per_account: 64,
            vault_bytes: 256 << 20,
            vault_account_bytes: 64 << 20,
            vault_account_messages: 10_000,
            vault_unanswered_messages: 20,
            max_message_bytes: 1 << 20,
            sign_ins_per_minute: 20,
            registrations_per_hour: 60,
            lookups_per_minute: 60,
            claims_per_minute: 240,
            messages_per_minute: 6_000,
            links_per_minute: 120,
            new_people_per_hour: 100,
            changes_per_hour: 120,
            administration_per_minute: 600,
            security_contact: "mailto:security@localhost".to_owned(),
        }
    }
}

/// What the command line may set; what is left out leaves the other sources alone.
#[derive(Debug, Clone, Default, Serialize, clap::Args)]
pub struct Overrides {
    /// Directory of the database and the key file [default: ./data]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// sqlite:PATH, postgres://NAME@HOST/DATABASE or memory: [default: secure_messaging.db in the data directory]
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_addr: Option<SocketAddr>,
    /// Address that people type into their browsers
    #[arg(long, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// Folder that `cargo xtask bundle` made [default: ./target/bundle]
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_dir: Option<PathBuf>,
}

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A source holds a value that does not fit.
    #[error("the configuration does not fit: {0}; correct it or leave it out")]
    Unfit(Box<figment::Error>),
    /// A number is written as something else.
    #[error(
        "{name} ({}{}) is {found}, and a whole number is expected, without a unit; correct it or leave it out",
        variables::PREFIX, name.to_ascii_uppercase()
    )]
    NoNumber {
        /// The setting.
        name: String,
        /// What stands there.
        found: String,
    },
    /// The file holds a name that does not exist.
    #[error("{FILE} sets {0:?}, and there is no such setting; correct its name or leave it out")]
    UnknownName(String),
    /// A variable begins as a setting does and is none.
    #[error(
        "the environment sets {0}, and there is no such setting; correct its name or unset it \
         (`check-config` lists every setting)"
    )]
    UnknownVariable(String),
    /// A variable looks like one that holds a key; without it a first start would make a new key.
    #[error("{0}; correct its name or unset it")]
    MisspeltKey(Resembling),
    /// The file is there and cannot be read.
    #[error("{FILE} cannot be read ({0}); put a file there or remove it")]
    File(std::io::Error),
    /// The log's filter cannot be read, or would hide what the server says.
    #[error(transparent)]
    LogFilter(#[from] LogFilterError),
    /// Only one half of the TLS pair is set.
    #[error("TLS needs both tls_cert and tls_key; set the other one or neither")]
    HalfTls,
    /// A number is too small or too large.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
    /// A token is configured only in part.
    #[error("keys in a token need both pkcs11_module and pkcs11_token; set the other one too")]
    HalfToken,
    /// A key service is configured only in part.
    #[error(transparent)]
    HalfService(#[from] HalfService),
    /// The database is in memory, where only the server has it.
    #[error(
        "the database is in memory (DATABASE_URL is memory:): only the server that runs has it, and nothing of \
         it can be opened, copied or moved from outside"
    )]
    InMemory,
    /// The database is of a kind that there is not.
    #[error(
        "DATABASE_URL must begin with sqlite: or postgres://, or be memory:; leave it out for a file in the data directory"
    )]
    Database,
    /// The password of the database stands where it may be read.
    #[error(
        "{0} has the password behind its question mark, where it is shown: put it into DATABASE_PASSWORD"
    )]
    DatabasePassword(&'static str),
    /// A replica is of no kind that there is.
    #[error(
        "database_replicas must begin with postgres://, and so must DATABASE_URL: only PostgreSQL has \
         replicas; correct it or leave it out"
    )]
    Replica,
    /// Several replicas are written as one.
    #[error(
        "database_replicas has several addresses in one text; write them as [\"postgres://…\", \"postgres://…\"]"
    )]
    ReplicaList,
    /// The secret of the database was refused.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The database's address asks for something that this server does not do.
    #[error(
        "DATABASE_URL is sqlite: and a file's path, without parameters; {0:?} is something else: write \
         sqlite:/path/to/file.db, or memory: for a database that is gone when the server stops"
    )]
    DatabasePath(String),
    /// Which backups are kept cannot be read.
    #[error(transparent)]
    BackupPolicy(#[from] backup::PolicyError),
    /// The public address cannot be served safely.
    #[error(transparent)]
    PublicUrl(#[from] PublicUrlError),
    /// A setting of the audit log cannot be right.
    #[error(transparent)]
    Auditing(#[from] AuditingError),
    /// Settings contradict one another.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
    /// The contact cannot stand in a line of `security.txt`.
    #[error(transparent)]
    Contact(#[from] ContactError),
}

/// What `check-config` shows.
#[derive(Debug)]
pub struct Explained {
    /// Every setting, by name.
    pub settings: Vec<Setting>,
    /// The configuration that they make, not checked yet.
    pub config: Result<Config, ConfigError>,
}

impl Config {
    /// Reads every source.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        Sources::read(overrides)?.extract()?.checked()
    }

    /// Reads every source and says of each setting where it comes from.
    ///
    /// Unlike [`Self::load`] it leaves the checks of [`Self::problems`] to the caller.
    pub fn explain(overrides: &Overrides) -> Result<Explained, ConfigError> {
        let sources = Sources::read(overrides)?;
        Ok(Explained {
            settings: sources.settings(),
            config: sources.extract(),
        })
    }

    /// Returns the name of every setting.
    pub fn names() -> HashSet<String> {
        Self::default()
            .flat()
            .into_iter()
            .map(|(name, _)| name)
            .collect()
    }

    /// Returns every setting's default by its name.
    pub fn defaults() -> serde_json::Map<String, serde_json::Value> {
        Self::default().flat()
    }

    /// Returns every setting that is not its default, without secrets.
    pub fn shown(&self) -> serde_json::Map<String, serde_json::Value> {
        let defaults = Self::defaults();
        let mut shown = self.flat();
        shown.retain(|name, value| defaults.get(name) != Some(value));
        shown.values_mut().for_each(sources::redact);
        shown
    }

    /// Refuses a configuration with problems, before anything is created.
    pub fn checked(self) -> Result<Self, ConfigError> {
        match self.problems().into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(self),
        }
    }

    /// Finds every problem.
    pub fn problems(&self) -> Vec<ConfigError> {
        let mut problems = Vec::new();
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            problems.push(ConfigError::HalfTls);
        }
        let numbers = ranges::out_of_range(&self.flat());
        problems.extend(numbers.into_iter().map(Into::into));
        if self.keys.token_is_half_set() {
            problems.push(ConfigError::HalfToken);
        }
        let half = self.key_services.half_set(&self.keys);
        problems.extend(half.into_iter().map(Into::into));
        problems.extend(self.backups.policy().err().map(Into::into));
        problems.extend(self.logging.filter().err().map(Into::into));
        if !self.in_memory() {
            problems.extend(self.database_path().err());
        }
        problems.extend(self.replicas().err());
        problems.extend(self.auditing.problems().into_iter().map(Into::into));
        problems.extend(self.public_url_on(self.bind_addr).err());
        problems.extend(self.contradictions().into_iter().map(Into::into));
        problems.extend(contact::check(&self.security_contact).err().map(Into::into));
        problems
    }

    /// Finds settings that are allowed and probably a mistake.
    pub fn cautions(&self) -> Vec<String> {
        let mut cautions = Vec::new();
        if self.in_memory() {
            cautions.push(
                "nothing durable is configured (DATABASE_URL is memory:): accounts, keys of services, sessions \
                 and the audit log are in memory only, and gone when the server stops"
                    .to_owned(),
            );
        }
        if let Some(address) = self.metrics_addr.filter(|it| !it.ip().is_loopback()) {
            cautions.push(format!(
                "measurements are served at {address}, unencrypted and to whoever reaches it; set \
                 metrics_addr to a loopback address, or keep the port in a private network"
            ));
        }
        let Ok(public) = self.public_url_on(self.bind_addr) else {
            return cautions;
        };
        if public.is_https() && !self.tls() && self.trusted_proxies.is_empty() {
            cautions.push(
                "a proxy ends TLS, and trusted_proxies is empty: limits count the proxy and not \
                 people; add its address"
                    .to_owned(),
            );
        }
        if public.is_https() && self.security_contact.ends_with("@localhost") {
            cautions.push(
                "security_contact is the default: nobody can report a weakness; set an address"
                    .to_owned(),
            );
        }
        cautions
    }

    /// Returns whether this server itself speaks TLS.
    pub fn tls(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// Returns where PostgreSQL is, if that is where the database is.
    pub fn postgres(&self) -> Result<Option<PostgresConfig>, ConfigError> {
        let Some(url) = self.database_url.as_deref().filter(|url| is_postgres(url)) else {
            return Ok(None);
        };
        if shows_a_password(url) {
            return Err(ConfigError::DatabasePassword("DATABASE_URL"));
        }
        let mut postgres = PostgresConfig::new(url.to_owned());
        postgres.authority = self.database_ca.clone();
        postgres.readers = self.database_connections;
        postgres.password = secret_from_environment("DATABASE_PASSWORD")?;
        postgres.replica_lag = Duration::from_secs(self.database_replica_lag_secs);
        for replica in self.replicas()? {
            postgres.add_replica(replica.clone());
        }
        Ok(Some(postgres))
    }

    /// Returns the addresses of replicas.
    fn replicas(&self) -> Result<&[String], ConfigError> {
        let replicas = &self.database_replicas;
        let may_have = self.on_postgres();
        let several = |text: &String| text.matches("://").count() > 1;
        if replicas.iter().any(several) {
            return Err(ConfigError::ReplicaList);
        }
        let fits = |replica: &String| may_have && is_postgres(replica);
        if !replicas.iter().all(fits) {
            return Err(ConfigError::Replica);
        }
        if replicas.iter().any(|it| shows_a_password(it)) {
            return Err(ConfigError::DatabasePassword("database_replicas"));
        }
        Ok(replicas)
    }

    /// Returns whether the database is PostgreSQL.
    pub fn on_postgres(&self) -> bool {
        self.database_url.as_deref().is_some_and(is_postgres)
    }

    /// Returns whether the database is in memory and nowhere else.
    pub fn in_memory(&self) -> bool {
        self.database_url.as_deref() == Some(MEMORY)
    }

    /// Returns the file of the database; what stands beside it stands there for a database elsewhere too.
    pub fn database_path(&self) -> Result<PathBuf, ConfigError> {
        match self.database_url.as_deref() {
            None => Ok(self.data_dir.join("secure_messaging.db")),
            Some(MEMORY) => Err(ConfigError::InMemory),
            Some(url) if is_postgres(url) => Ok(self.data_dir.join("secure_messaging.db")),
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) => database_file(path),
                None => Err(ConfigError::Database),
            },
        }
    }

    /// Returns the public address, made from the bound one where none is set.
    pub fn public_url_on(&self, bound: SocketAddr) -> Result<PublicUrl, ConfigError> {
        let scheme = if self.tls() { "https" } else { "http" };
        Ok(match &self.public_url {
            Some(url) => PublicUrl::parse(url)?,
            None => PublicUrl::parse(&format!("{scheme}://{bound}"))?,
        })
    }

    /// Returns a sentence for each variable whose name was most likely misspelt.
    pub fn warnings() -> Vec<String> {
        resembling::resembling(variables::of_this_process())
            .iter()
            .filter(|one| !one.is_a_key())
            .map(|one| format!("{one}; correct its name if that is meant"))
            .collect()
    }

    /// Returns the key of everything sealed at rest, where one is given.
    pub fn encryption_key() -> Result<Option<Zeroizing<String>>, SecretError> {
        secret_from_environment("DB_ENCRYPTION_KEY")
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// Whether the password of an address stands where it is shown.
fn shows_a_password(url: &str) -> bool {
    let parameters = url.split_once('?').map_or("", |(_, after)| after);
    let mut each = parameters.split('&');
    each.any(|one| one.starts_with("password="))
}

/// Reads what stands behind `sqlite:`: a path, with or without `//` before it.
fn database_file(path: &str) -> Result<PathBuf, ConfigError> {
    let file = path.strip_prefix("//").unwrap_or(path);
    let names_a_file = !file.is_empty() && !file.ends_with('/');
    if !names_a_file || file.contains(['?', '#']) || file.starts_with(':') {
        return Err(ConfigError::DatabasePath(path.to_owned()));
    }
    Ok(PathBuf::from(file))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn path(url: &str) -> Result<PathBuf, ConfigError> {
        let config = Config {
            database_url: Some(url.to_owned()),
            ..Config::default()
        };
        config.database_path()
    }

    #[test]
    fn only_postgresql_has_replicas() {
        let with = |url: &str, replicas: &[&str]| {
            let config = Config {
                database_url: Some(url.to_owned()),
                database_replicas: replicas.iter().map(|it| (*it).to_owned()).collect(),
                ..Config::default()
            };
            config.replicas().map(<[String]>::len)
        };
        assert_eq!(with("sqlite:here.db", &[]).unwrap(), 0);
        let two = ["postgres://me@a/db", "postgresql://me:secret@b/db"];
        assert_eq!(with("postgres://me@c/db", &two).unwrap(), 2);
        let refused = with("sqlite:here.db", &two[..1]).unwrap_err();
        assert!(matches!(refused, ConfigError::Replica));
        let refused = with("postgres://me@c/db", &["sqlite:here.db"]).unwrap_err();
        assert!(matches!(refused, ConfigError::Replica));
        let both = ["postgres://me@a/db, postgres://me@b/db"];
        let refused = with("postgres://me@c/db", &both).unwrap_err();
        assert!(matches!(refused, ConfigError::ReplicaList));
        let refused = with("postgres://me@c/db", &["postgres://a/db?password=x"]).unwrap_err();
        assert!(matches!(
            refused,
            ConfigError::DatabasePassword("database_replicas")
        ));
    }

    #[test]
    fn a_database_is_a_file_and_nothing_else() {
        for (url, expected) in [
            ("sqlite:here.db", "here.db"),
            ("sqlite:/srv/here.db", "/srv/here.db"),
            ("sqlite:///srv/here.db", "/srv/here.db"),
            ("sqlite://here.db", "here.db"),
        ] {
            assert_eq!(path(url).unwrap(), PathBuf::from(expected), "{url}");
        }
        for url in [
            "sqlite:///srv/here.db?mode=rwc",
            "sqlite:here.db#part",
            "sqlite::memory:",
            "sqlite://",
            "sqlite:",
            "sqlite:///srv/",
        ] {
            let refused = path(url).unwrap_err();
            assert!(matches!(refused, ConfigError::DatabasePath(_)), "{url}");
        }
        assert!(matches!(path("mysql://x"), Err(ConfigError::Database)));
        assert!(matches!(path("memory:"), Err(ConfigError::InMemory)));
        // What stands beside a database file stands in the data folder.
        let beside = path("postgres://x").unwrap();
        assert_eq!(beside, PathBuf::from("./data/secure_messaging.db"));
    }
}
