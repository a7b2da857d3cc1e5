//! Structured logs, which hold no handle, address or id.

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFilterError, LogFormat, Logging};

/// Starts to write log lines to the standard error stream.
pub fn start(config: &Logging) -> Result<(), LogFilterError> {
    let registry = tracing_subscriber::registry().with(config.filter()?);
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
    Ok(())
}
