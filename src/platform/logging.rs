//! Structured logs, which hold no handle, address or id.

use std::panic::Location;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogFilterError, LogFormat, Logging};
use crate::faces::commands::output;

/// Starts to write log lines to the standard error stream, and one for each panic.
pub fn start(config: &Logging) -> Result<(), LogFilterError> {
    let registry = tracing_subscriber::registry().with(config.filter()?);
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // A line that cannot be written is lost: to say so there as well would panic.
        .log_internal_errors(false)
        .with_target(false);
    let started = match config.log_format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if let Err(error) = started {
        output::aside(format_args!("log lines cannot be written: {error}"));
    }
    std::panic::set_hook(Box::new(|panic| told(panic.location())));
    Ok(())
}

/// Logs the place of a panic without its message, which may quote a client.
fn told(place: Option<&Location<'_>>) {
    let place = place.map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panicked: a fault of this program; please report it");
}
