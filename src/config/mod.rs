//! Configuration: command line over environment over `secure-messaging.toml` over defaults.

mod public_url;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use public_url::{PublicUrl, PublicUrlError};

/// The name of the configuration file in the working directory.
pub const FILE: &str = "secure-messaging.toml";

/// Everything that can be set, under the names of the file and of `SECURE_MESSAGING_…`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the database and the key file lie.
    pub data_dir: PathBuf,
    /// `sqlite:PATH`; the default is `secure_messaging.db` in the data directory.
    pub database_url: Option<String>,
    /// The address and port to listen on.
    pub bind_addr: SocketAddr,
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
    pub trusted_proxies: Vec<IpAddr>,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// A filter such as `info` or `info,secure_messaging=debug`.
    pub log: String,
    /// Threads that answer requests; the number of processors where it is 0.
    pub workers: usize,
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
    /// Largest sealed body in bytes.
    pub max_message_bytes: usize,
    /// Sign-ins and recoveries begun per minute, for an address and for an account.
    pub sign_ins_per_minute: u32,
    /// Registrations begun per hour and address.
    pub registrations_per_hour: u32,
    /// Look-ups of people per minute and account.
    pub lookups_per_minute: u32,
    /// Bundle and prekey claims per minute and account.
    pub claims_per_minute: u32,
    /// Messages posted per minute and account.
    pub messages_per_minute: u32,
    /// Contact address that `/.well-known/security.txt` names.
    pub security_contact: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./data"),
            database_url: None,
            bind_addr: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            bundle_dir: PathBuf::from("./target/bundle"),
            kdf_iterations: 600_000,
            tls_cert: None,
            tls_key: None,
            trusted_proxies: Vec::new(),
            log_format: LogFormat::Text,
            log: "info".to_owned(),
            workers: 0,
            session_idle_secs: 1800,
            session_absolute_secs: 12 * 3600,
            sockets_per_session: 64,
            sessions_per_account: 64,
            vault_bytes: 256 << 20,
            vault_account_bytes: 64 << 20,
            vault_account_messages: 10_000,
            max_message_bytes: 1 << 20,
            sign_ins_per_minute: 20,
            registrations_per_hour: 60,
            lookups_per_minute: 60,
            claims_per_minute: 240,
            messages_per_minute: 6_000,
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
    /// sqlite:PATH [default: secure_messaging.db in the data directory]
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
    /// A source holds a value that does not fit, or a name that does not exist.
    #[error("the configuration does not fit: {0}; correct it or leave it out")]
    Unfit(Box<figment::Error>),
    /// Only one half of the TLS pair is set.
    #[error("TLS needs both tls_cert and tls_key; set the other one or neither")]
    HalfTls,
    /// Fewer rounds than the least that is safe.
    #[error("kdf_iterations is {0}, which is too few; set at least 100000")]
    FewIterations(u32),
    /// The database is of a kind that this build does not have.
    #[error("DATABASE_URL must begin with sqlite: in this version; leave it out for the default")]
    Database,
    /// The public address cannot be served safely.
    #[error(transparent)]
    PublicUrl(#[from] PublicUrlError),
}

impl Config {
    /// Reads every source.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        // Other programs of this project read variables of the same beginning.
        let known = Self::names();
        let config: Self = Figment::from(Serialized::defaults(Self::default()))
            .merge(Toml::file(FILE))
            .merge(
                Env::prefixed("SECURE_MESSAGING_")
                    .filter(move |name| known.contains(&name.as_str().to_ascii_lowercase())),
            )
            .merge(Env::raw().only(&["DATABASE_URL", "BIND_ADDR", "PUBLIC_URL"]))
            .merge(Serialized::defaults(overrides))
            .extract()
            .map_err(|error| ConfigError::Unfit(Box::new(error)))?;
        config.checked()
    }

    fn names() -> std::collections::HashSet<String> {
        match serde_json::to_value(Self::default()) {
            Ok(serde_json::Value::Object(members)) => members.keys().cloned().collect(),
            _ => std::collections::HashSet::new(),
        }
    }

    /// Refuses what cannot be right, before anything is created.
    pub fn checked(self) -> Result<Self, ConfigError> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::HalfTls);
        }
        if self.kdf_iterations < 100_000 {
            return Err(ConfigError::FewIterations(self.kdf_iterations));
        }
        self.database_path()?;
        self.public_url_on(self.bind_addr)?;
        Ok(self)
    }

    /// Returns whether this server itself speaks TLS.
    pub fn tls(&self) -> bool {
        self.tls_cert.is_some()
    }

    /// Returns the file of the database.
    pub fn database_path(&self) -> Result<PathBuf, ConfigError> {
        match &self.database_url {
            None => Ok(self.data_dir.join("secure_messaging.db")),
            Some(url) => match url.strip_prefix("sqlite:") {
                Some(path) if !path.is_empty() => {
                    Ok(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))
                }
                _ => Err(ConfigError::Database),
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

    /// Returns `DB_ENCRYPTION_KEY`, which only the environment may hold.
    pub fn encryption_key() -> Option<Zeroizing<String>> {
        std::env::var("DB_ENCRYPTION_KEY").ok().map(Zeroizing::new)
    }
}
