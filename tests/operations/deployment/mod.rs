//! The files that others start the server with: what they say must be so.

mod alerts;
mod image;
mod kubernetes;
mod proxies;
mod rolling;
mod settings;
mod several;
mod through;
mod unit;

use std::path::{Path, PathBuf};

use crate::support::not_tried;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(name: &str) -> String {
    std::fs::read_to_string(top().join(name)).unwrap()
}

/// The value of a setting in a file of YAML that names it once.
fn setting(file: &str, name: &str) -> String {
    let file = text(file);
    let mut found = file
        .lines()
        .filter_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
    let value = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(found.next(), None, "{name}");
    value.trim_matches('"').to_owned()
}

/// A program that `cargo xtask test` names, or that is on the path, or that the test command left in
/// its folder of tools.
fn program(name: &str) -> Option<PathBuf> {
    let variable = name.to_uppercase().replace('-', "_");
    let variable = format!("SECURE_MESSAGING_TEST_{variable}");
    if let Some(named) = std::env::var_os(variable) {
        return Some(named.into());
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let tools = std::fs::read_dir(target.join("tools"));
    let fetched = tools.into_iter().flatten().flat_map(|folder| {
        let folder = folder.unwrap().path();
        [format!("start-{name}"), format!("bin/{name}")].map(|file| folder.join(file))
    });
    std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .chain(fetched)
        .find(|path| path.is_file())
        .or_else(|| {
            let why = "the program is not here, and could not be fetched";
            not_tried(&format!("the examples before {name}"), why);
            None
        })
}
