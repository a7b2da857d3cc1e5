//! nginx and systemd-analyze, which are shown the examples in `deployment/`.
//!
//! They are good to have and nothing more: where this machine has neither and they cannot be
//! fetched, the tests hold the files against rules of their own.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::apt::{Apt, is_unpacked, library_path};
use crate::process::on_path;
use crate::report::Report;
use crate::workspace::Workspace;

/// A program out of a Debian package.
struct Program {
    name: &'static str,
    package: &'static str,
    /// Where the package puts it.
    path: &'static str,
    /// The variable by which tests find it.
    variable: &'static str,
}

const PROGRAMS: [Program; 2] = [
    Program {
        name: "nginx",
        package: "nginx",
        path: "usr/sbin/nginx",
        variable: "SECURE_MESSAGING_TEST_NGINX",
    },
    Program {
        name: "systemd-analyze",
        package: "systemd",
        path: "usr/bin/systemd-analyze",
        variable: "SECURE_MESSAGING_TEST_SYSTEMD_ANALYZE",
    },
];

/// Finds or unpacks them; returns what the tests are told.
pub fn find(workspace: &Workspace, report: &mut Report) -> Vec<(&'static str, PathBuf)> {
    let mut found = Vec::new();
    for program in &PROGRAMS {
        let named = std::env::var_os(program.variable).is_some();
        if named || on_path(program.name) {
            continue;
        }
        println!("    looking for {} in Debian's packages", program.name);
        match fetch(workspace, program) {
            Ok(path) => found.push((program.variable, path)),
            Err(why) => report.not_tried(&format!(
                "the examples in deployment/ before {}: {why:#}",
                program.name
            )),
        }
    }
    found
}

fn fetch(workspace: &Workspace, program: &Program) -> anyhow::Result<PathBuf> {
    let root = workspace.tools.join(program.name);
    if !is_unpacked(&root) {
        Apt::private(workspace)?.unpack(&[program.package.to_owned()], &root)?;
    }
    start_script(&root, program)
}

/// A small script that starts the unpacked program with the libraries and units beside it.
fn start_script(root: &Path, program: &Program) -> anyhow::Result<PathBuf> {
    let inside = root.join(program.path);
    ensure!(inside.is_file(), "{} is not there", inside.display());
    let script = root.join(format!("start-{}", program.name));
    let units = ["usr/lib/systemd/system", "lib/systemd/system"];
    let units: Vec<String> = units
        .iter()
        .map(|folder| root.join(folder).display().to_string())
        .collect();
    fs::write(
        &script,
        format!(
            "#!/bin/sh\nexport LD_LIBRARY_PATH='{}'\nexport SYSTEMD_UNIT_PATH='{}'\n\
             exec '{}' \"$@\"\n",
            library_path(root),
            units.join(":"),
            inside.display()
        ),
    )?;
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    Ok(script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::answer;
    use crate::workspace::Scratch;
    use std::process::Command;

    #[test]
    fn an_unpacked_program_starts_with_the_units_beside_it() {
        let scratch = Scratch::new("operators");
        let program = &PROGRAMS[1];
        assert!(start_script(&scratch.0, program).is_err(), "not unpacked");
        scratch.write(program.path, b"#!/bin/sh\necho \"$SYSTEMD_UNIT_PATH $1\"\n");
        let inside = scratch.0.join(program.path);
        fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).expect("mode");
        let script = start_script(&scratch.0, program).expect("script");
        let said = answer(Command::new(script).arg("verify")).expect("starts");
        let units = scratch.0.join("usr/lib/systemd/system");
        assert!(said.starts_with(&units.display().to_string()), "{said}");
        assert!(said.trim().ends_with(" verify"), "{said}");
    }
}
