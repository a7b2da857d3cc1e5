//! What subcommands print: answers on the standard output, hints on the standard error stream.
//!
//! Either may be closed, or a file on a full disk. An answer that cannot be written is an error; a
//! hint is not.

use std::fmt::Display;
use std::io::{self, Write};

/// The output could not be written.
#[derive(Debug, thiserror::Error)]
#[error(
    "the result cannot be written to the standard output ({0}); redirect it and run the command again \
     (what was changed stays changed)"
)]
pub struct OutputError(#[from] io::Error);

/// Writes one line to the standard output.
pub fn line(text: impl Display) -> Result<(), OutputError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

/// Writes one line to the standard error stream, if it takes any.
pub fn aside(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes one formatted line to the standard output.
macro_rules! say {
    ($($format:tt)*) => { $crate::faces::commands::output::line(format_args!($($format)*)) };
}

/// Writes one formatted line to the standard error stream, if it takes any.
macro_rules! hint {
    ($($format:tt)*) => { $crate::faces::commands::output::aside(format_args!($($format)*)) };
}

pub(crate) use {hint, say};
