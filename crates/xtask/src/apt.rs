//! Debian packages: installed by root, otherwise unpacked into a private folder.
//!
//! The private way keeps its own package lists, so it needs no root, sees today's packages even
//! where the machine's lists are old, and changes nothing outside the tools folder. `apt-get
//! download` checks the archive's signatures.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::process::{answer, is_root, on_path, run_quietly};
use crate::workspace::{Workspace, files_under};

const UPDATE_LIMIT: Duration = Duration::from_secs(180);
const DOWNLOAD_LIMIT: Duration = Duration::from_secs(900);

/// Names a folder as complete; written last.
const STAMP: &str = ".unpacked";

/// Options under which apt-get takes the machine for an empty one.
const EMPTY: &[&str] = &["-o", "Dir::State::status=/dev/null"];

/// Whether this process has fetched the lists.
static UPDATED: Mutex<bool> = Mutex::new(false);

/// Keys that sign every release of Debian.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Debian's package lists, kept in the tools folder.
pub(crate) struct Apt<'a> {
    workspace: &'a Workspace,
    options: Vec<String>,
    /// Whether what is unpacked must bring its own C library, because it is of another release.
    other_release: bool,
}

impl<'a> Apt<'a> {
    /// Fetches the lists; an error where this is no Debian or its archive cannot be reached.
    pub(crate) fn private(workspace: &'a Workspace) -> anyhow::Result<Self> {
        if !on_path("apt-get") || !on_path("dpkg-deb") {
            bail!("this machine has no apt-get and dpkg-deb");
        }
        let (apt, lists) = Self::with_lists(workspace, "apt")?;
        let mut is_updated = UPDATED.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_updated {
            let update = apt.update();
            // One broken third-party source fails the whole command; what counts is what arrived.
            let any = fs::read_dir(&lists)?
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().contains("Packages"));
            if !any {
                update?;
                bail!("apt-get update brought no package lists");
            }
            *is_updated = true;
        }
        Ok(apt)
    }

    /// The lists of another release, from where this machine has its own.
    pub(crate) fn of_release(workspace: &'a Workspace, release: &str) -> anyhow::Result<Self> {
        let (mut apt, lists) = Self::with_lists(workspace, &format!("apt-{release}"))?;
        let format = "$(REPO_URI) $(LABEL) $(COMPONENT)";
        let mut targets = Command::new("apt-get");
        targets.args(["indextargets", "--format", format, "Created-By: Packages"]);
        let targets = answer(&mut targets)?;
        let archive = targets
            .lines()
            .find_map(|line| line.strip_suffix(" Debian main"))
            .context("this machine does not say where its archive of Debian is")?;
        let sources = lists.with_file_name("sources.list");
        fs::write(
            &sources,
            format!("deb [signed-by={KEYS}] {archive} {release} main\n"),
        )?;
        for option in [
            format!("Dir::Etc::sourcelist={}", sources.display()),
            "Dir::Etc::sourceparts=-".into(),
            "Dir::State::status=/dev/null".into(),
        ] {
            apt.options.extend(["-o".into(), option]);
        }
        apt.other_release = true;
        apt.update()?;
        Ok(apt)
    }

    fn with_lists(workspace: &'a Workspace, name: &str) -> anyhow::Result<(Self, PathBuf)> {
        let home = workspace.tools.join(name);
        let lists = home.join("lists");
        let cache = home.join("cache");
        fs::create_dir_all(lists.join("partial"))?;
        fs::create_dir_all(cache.join("archives/partial"))?;
        let mut options = Vec::new();
        for option in [
            format!("Dir::State::lists={}", lists.display()),
            format!("Dir::Cache={}", cache.display()),
            "Acquire::Languages=none".into(),
            "APT::Sandbox::User=".into(),
        ] {
            options.push("-o".into());
            options.push(option);
        }
        let apt = Self {
            workspace,
            options,
            other_release: false,
        };
        Ok((apt, lists))
    }

    fn update(&self) -> anyhow::Result<()> {
        run_quietly(
            self.command("apt-get").arg("update"),
            &self.workspace.log("apt-update"),
            UPDATE_LIMIT,
        )
    }

    /// The names of everything that an empty machine would need for `packages`, themselves included.
    pub(crate) fn needs(&self, packages: &[&str]) -> anyhow::Result<BTreeSet<String>> {
        self.simulate(packages, EMPTY)
    }

    /// Puts `roots`, and what of their needs this machine lacks, under `into`.
    pub(crate) fn unpack(&self, roots: &[&str], into: &Path) -> anyhow::Result<()> {
        let mut wanted: BTreeSet<String> = roots.iter().map(ToString::to_string).collect();
        // Where this machine's packages stand in the way, what an empty machine would need: nothing is
        // installed, so nothing can clash.
        let as_is = self.simulate(roots, &[]).map(|plan| (plan, &[][..]));
        let (plan, status) = as_is.or_else(|_| anyhow::Ok((self.needs(roots)?, EMPTY)))?;
        wanted.extend(plan);
        if !self.other_release {
            // A second C library beside the machine's own loader crashes whatever is started with it.
            wanted.retain(|name| !is_c_library(name));
        }
        let scratch = into.with_extension("new");
        let packages = into.with_extension("packages");
        for dir in [&scratch, &packages, &into.to_path_buf()] {
            if dir.exists() {
                fs::remove_dir_all(dir)?;
            }
        }
        fs::create_dir_all(&scratch)?;
        fs::create_dir_all(&packages)?;
        println!(
            "    unpacking {} Debian packages for {}",
            wanted.len(),
            roots.join(" ")
        );
        run_quietly(
            self.command("apt-get")
                .args(status)
                .arg("download")
                .args(&wanted)
                .current_dir(&packages),
            &self.workspace.log("apt-download"),
            DOWNLOAD_LIMIT,
        )?;
        for entry in fs::read_dir(&packages)? {
            answer(
                Command::new("dpkg-deb")
                    .arg("--extract")
                    .arg(entry?.path())
                    .arg(&scratch),
            )?;
        }
        fs::write(scratch.join(STAMP), "")?;
        fs::remove_dir_all(&packages)?;
        fs::rename(&scratch, into)?;
        Ok(())
    }

    /// What installing `packages` would bring.
    fn simulate(&self, packages: &[&str], status: &[&str]) -> anyhow::Result<BTreeSet<String>> {
        let plan = answer(
            self.command("apt-get")
                .args(status)
                .args(["--simulate", "--no-install-recommends", "install"])
                .args(packages),
        )?;
        Ok(parse_simulation(&plan))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.args(&self.options).env("LC_ALL", "C");
        command
    }
}

/// Whether `unpack` finished into that folder.
pub(crate) fn is_unpacked(dir: &Path) -> bool {
    dir.join(STAMP).is_file()
}

/// Whether what the machine has is to be left alone.
pub(crate) fn private() -> bool {
    std::env::var_os("SECURE_MESSAGING_PRIVATE_TOOLS").is_some()
}

/// Whether packages are to be installed rather than unpacked.
pub(crate) fn may_install() -> bool {
    !private() && on_path("apt-get") && is_root()
}

/// Installs packages on this machine; only root can.
pub(crate) fn install(workspace: &Workspace, packages: &[&str]) -> anyhow::Result<()> {
    println!("    installing Debian packages: {}", packages.join(" "));
    // A third-party source that fails must not stop the installation from Debian's own.
    let _ = run_quietly(
        Command::new("apt-get").arg("update"),
        &workspace.log("apt-update"),
        UPDATE_LIMIT,
    );
    run_quietly(
        Command::new("apt-get")
            .args(["install", "--yes", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
        &workspace.log("apt-install"),
        DOWNLOAD_LIMIT,
    )
}

/// The folders of shared libraries below an unpacked root, for `LD_LIBRARY_PATH`: Debian's own and
/// those inside them that some libraries name with an absolute path.
pub(crate) fn library_path(root: &Path) -> String {
    let files = files_under(root).unwrap_or_default();
    let is_library = |file: &&PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("lib") && name.contains(".so")
    };
    let folders: BTreeSet<String> = files
        .iter()
        .filter(is_library)
        .filter_map(|file| Some(root.join(file.parent()?).display().to_string()))
        .filter(|folder| folder.contains("-linux-gnu"))
        .collect();
    Vec::from_iter(folders).join(":")
}

/// Names of the packages that a simulated installation would bring.
fn parse_simulation(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("Inst "))
        .filter_map(|rest| rest.split_whitespace().next())
        .map(|name| name.split(':').next().unwrap_or(name).to_owned())
        .collect()
}

fn is_c_library(name: &str) -> bool {
    name.starts_with("libc6") || ["libc-bin", "libc-dev-bin", "libc-l10n"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    const SIMULATION: &str = "\
NOTE: This is only a simulation!
Reading package lists...
Remv rustc [1.63.0+dfsg1-2]
Inst libllvm22 (1:22.1.8-1~deb12u1 Debian-Security:12/oldstable-security [amd64])
Inst libz3-4 [4.8.12-3] (4.8.12-3.1 Debian:12.13/oldstable [amd64]) []
Inst chromium:amd64 (156.0.8078.79-1~deb12u1 Debian:12.13/oldstable [amd64])
Conf libllvm22 (1:22.1.8-1~deb12u1 Debian-Security:12/oldstable-security [amd64])
";

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_simulated_installation_names_what_is_new_or_newer() {
        assert_eq!(
            parse_simulation(SIMULATION),
            set(&["libllvm22", "libz3-4", "chromium"])
        );
    }

    #[test]
    fn libraries_are_found_in_debians_folders_and_in_those_within() {
        let scratch = Scratch::new("libraries");
        scratch.write("usr/lib/some-linux-gnu/libone.so.1", b"");
        scratch.write("usr/lib/some-linux-gnu/pulse/libtwo-1.so", b"");
        scratch.write("usr/lib/some-linux-gnu/data/table.bin", b"");
        scratch.write("usr/lib/chromium/libthree.so", b"");
        let lib = scratch.0.join("usr/lib/some-linux-gnu");
        assert_eq!(
            library_path(&scratch.0),
            format!("{}:{}", lib.display(), lib.join("pulse").display())
        );
    }

    #[test]
    fn the_c_library_stays_the_machines_own() {
        assert!(is_c_library("libc6") && is_c_library("libc6-dev") && is_c_library("libc-bin"));
        assert!(!is_c_library("libc-ares2") && !is_c_library("libcairo2"));
    }
}
