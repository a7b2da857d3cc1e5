//! moto, an S3-compatible store for the tests of backups, from PyPI.

use std::path::PathBuf;

use anyhow::Context;

use crate::python::Program;
use crate::workspace::Workspace;

/// Names the command to the tests, and to this command where it is already there.
pub(crate) const VARIABLE: &str = "SECURE_MESSAGING_TEST_MOTO";

const PROGRAM: Program = Program {
    folder: "moto-5.2.5",
    file: "moto_server",
    packages: &["moto[server]==5.2.5"],
    complete: false,
};

/// The command that starts the store.
pub(crate) struct Moto {
    server: PathBuf,
}

impl Moto {
    /// The variables that tests read.
    pub(crate) fn environment(&self) -> Vec<(&'static str, PathBuf)> {
        vec![(VARIABLE, self.server.clone())]
    }
}

/// Finds or installs it; the error says what to install by hand.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<Moto> {
    if let Some(named) = std::env::var_os(VARIABLE) {
        return Ok(Moto {
            server: named.into(),
        });
    }
    let server = PROGRAM.ensure(workspace).with_context(|| {
        format!("no moto for the tests of backups to S3; name moto_server in {VARIABLE}, or")
    })?;
    Ok(Moto { server })
}
