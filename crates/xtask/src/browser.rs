//! Chromium and its driver for the browser tests, from Debian.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::apt::{self, Apt, is_unpacked, library_path};
use crate::process::{answer, on_path};
use crate::workspace::Workspace;

/// A browser and the program that drives it.
pub(crate) struct Browser {
    /// Chromium.
    pub chromium: PathBuf,
    /// ChromeDriver.
    pub driver: PathBuf,
}

const PACKAGES: [&str; 3] = ["chromium", "chromium-driver", "fonts-dejavu-core"];

/// Finds, installs or unpacks them; the error says what to install by hand.
pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<Browser> {
    let found = find_or_fetch(workspace).context(
        "no Chromium for the browser tests: install Debian's chromium and chromium-driver, or \
         name both in SECURE_MESSAGING_TEST_CHROMIUM and SECURE_MESSAGING_TEST_CHROMEDRIVER",
    )?;
    for program in [&found.chromium, &found.driver] {
        let version = answer(Command::new(program).arg("--version"))?;
        println!("    {}", version.trim());
    }
    Ok(found)
}

fn find_or_fetch(workspace: &Workspace) -> anyhow::Result<Browser> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if let (Some(chromium), Some(driver)) = (
        named("SECURE_MESSAGING_TEST_CHROMIUM"),
        named("SECURE_MESSAGING_TEST_CHROMEDRIVER"),
    ) {
        return Ok(Browser { chromium, driver });
    }
    let private = std::env::var_os("SECURE_MESSAGING_PRIVATE_TOOLS").is_some();
    if !private && on_path("chromium") && on_path("chromedriver") {
        return Ok(installed());
    }
    if apt::may_install() {
        apt::install(workspace, &PACKAGES)?;
        return Ok(installed());
    }
    let root = workspace.tools.join("chromium");
    if !is_unpacked(&root) {
        Apt::private(workspace)?.unpack(&PACKAGES.map(String::from), &root)?;
    }
    unpacked(&root)
}

fn installed() -> Browser {
    Browser {
        chromium: "chromium".into(),
        driver: "chromedriver".into(),
    }
}

/// Small scripts that start the unpacked programs with the libraries and fonts beside them.
fn unpacked(root: &Path) -> anyhow::Result<Browser> {
    let fonts = root.join("fonts.conf");
    fs::write(&fonts, font_configuration(root))?;
    let libraries = library_path(root);
    let start = |name: &str, program: &str| -> anyhow::Result<PathBuf> {
        let script = root.join(name);
        let program = root.join(program);
        fs::write(
            &script,
            format!(
                "#!/bin/sh\nexport LD_LIBRARY_PATH='{libraries}'\nexport FONTCONFIG_FILE='{}'\n\
                 exec '{}' \"$@\"\n",
                fonts.display(),
                program.display()
            ),
        )?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
        Ok(script)
    };
    Ok(Browser {
        chromium: start("start-chromium", "usr/lib/chromium/chromium")?,
        driver: start("start-chromedriver", "usr/bin/chromedriver")?,
    })
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
    use crate::workspace::Scratch;

    #[test]
    fn an_unpacked_program_starts_with_its_own_libraries() {
        let scratch = Scratch::new("browser");
        fs::create_dir_all(scratch.0.join("usr/lib/some-linux-gnu")).expect("folder");
        scratch.write(
            "usr/bin/chromedriver",
            b"#!/bin/sh\necho \"$LD_LIBRARY_PATH $1\"\n",
        );
        let program = scratch.0.join("usr/bin/chromedriver");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("mode");
        let browser = unpacked(&scratch.0).expect("scripts");
        let said = answer(Command::new(browser.driver).arg("--version")).expect("starts");
        let library = scratch.0.join("usr/lib/some-linux-gnu");
        assert_eq!(said.trim(), format!("{} --version", library.display()));
    }
}
