//! Structured logs, which hold no handle, address or id.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFormat, Logging};

/// Crates whose own lines could name what ours leave out, or say again what ours say.
const QUIET: &str = "actix_session=error,actix_http=error,actix_server=warn,actix_web=error,\
                     refinery_core=warn";

/// Reads the filter.
pub fn filter(config: &Logging) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(format!("{QUIET},{}", config.log))
}

/// Starts to write log lines to the standard error stream.
pub fn start(config: &Logging) {
    let filter = filter(config).unwrap_or_else(|_| EnvFilter::new(format!("{QUIET},info")));
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false);
    let started = match config.log_format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if let Err(error) = started {
        eprintln!("log lines cannot be written: {error}");
    }
}
