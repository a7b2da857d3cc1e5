//! The WebAssembly modules: compiled, given their JavaScript faces, checked for machine paths.
//!
//! `core` is what every page starts; `strength` is fetched where somebody chooses a passphrase.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use wasm_bindgen_cli_support::Bindgen;

use crate::manifest::sha256;
use crate::process::run_shown;
use crate::report::Report;
use crate::wasm_route::{self, Route, TARGET};
use crate::workspace::Workspace;

/// The crates that become modules, and the stems of the generated files' names.
const MODULES: [(&str, &str); 2] = [("browser", "core"), ("strength", "strength")];

/// The core's exports that only the run of the vectors uses; browsers are not given them.
const FOR_VECTORS: [&str; 2] = ["run_vectors", "produce_vectors"];

/// Holds the digests of what the generated files were made from.
const STAMP: &str = ".inputs";

/// Builds `static/wasm`, and the core with its vectors, unless they are already what these sources
/// and this compiler give.
pub(crate) fn ensure(
    workspace: &Workspace,
    report: &mut Report,
    force: bool,
) -> anyhow::Result<()> {
    let route = report.step("wasm32 compiler", || {
        let route = wasm_route::find(workspace)?;
        println!("    {}", route.name);
        Ok(route)
    })?;
    report.step("WebAssembly modules", || {
        let vectors = workspace.vectors_wasm();
        if force && vectors.exists() {
            fs::remove_dir_all(&vectors)?;
        }
        let target = &workspace.target;
        build(
            workspace,
            &route,
            target,
            &workspace.static_wasm(),
            &vectors,
        )
    })
}

/// Compiles with `route` into `target`; writes what browsers get to `out`, and the core with its
/// vectors to `vectors`.
pub(crate) fn build(
    workspace: &Workspace,
    route: &Route,
    target: &Path,
    out: &Path,
    vectors: &Path,
) -> anyhow::Result<()> {
    let mut cargo = workspace.cargo();
    cargo.arg("build");
    for (name, _) in MODULES {
        cargo.args(["--package", name]);
    }
    cargo
        .args(["--lib", "--profile", "wasm", "--target", TARGET])
        .args(workspace.locked())
        .arg("--target-dir")
        .arg(target)
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace, route));
    route.apply(&mut cargo);
    run_shown(&mut cargo)?;
    let compiled = MODULES.map(|(name, stem)| {
        let file = format!("{}/{TARGET}/wasm/{name}.wasm", target.display());
        let bytes = fs::read(&file).context(file)?;
        anyhow::Ok((stem, bytes))
    });
    let compiled: Vec<_> = compiled.into_iter().collect::<Result<_, _>>()?;
    // How faces are made lies in this program.
    let mut stamp = sha256(&fs::read(std::env::current_exe()?)?);
    for (_, bytes) in &compiled {
        stamp.push_str(&sha256(bytes));
    }
    let stems = MODULES.map(|(_, stem)| stem);
    if is_fresh(out, &stems, &stamp) && is_fresh(vectors, &stems[..1], &stamp) {
        println!("    unchanged");
        return Ok(());
    }
    let private = private_paths(workspace, route);
    let faces = empty(&out.with_file_name(".wasm"))?;
    for (stem, compiled) in compiled {
        face(without(&compiled, &FOR_VECTORS)?, stem, &faces)?;
        let binary = fs::read(faces.join(format!("{stem}_bg.wasm")))?;
        if let Some(path) = path_in(&binary, &private) {
            bail!("the WebAssembly module {stem} names a folder of this machine: {path}");
        }
        if stem == stems[0] {
            let with_vectors = empty(&target.join("wasm-bindgen-vectors"))?;
            face(compiled, stem, &with_vectors)?;
            fs::write(with_vectors.join(STAMP), &stamp)?;
            replace(&with_vectors, vectors)?;
        }
    }
    fs::write(faces.join(STAMP), &stamp)?;
    replace(&faces, out)
}

/// Writes a module and its JavaScript face.
fn face(compiled: Vec<u8>, stem: &str, out: &Path) -> anyhow::Result<()> {
    Bindgen::new()
        .input_bytes(stem, compiled)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        // The page hashes the bytes before it starts them; without a default path it must pass
        // them itself.
        .omit_default_module_path(true)
        // After a lock the worker overwrites the memory and starts a clean instance.
        .reset_state_function(true)
        .generate(out)
        .context("wasm-bindgen")
}

/// The module without these exports: what only they reach goes with them when its face is made.
///
/// So the browser runs the very functions that the vectors ran, and does not load the vectors.
fn without(compiled: &[u8], exports: &[&str]) -> anyhow::Result<Vec<u8>> {
    let mut module = walrus::ModuleConfig::new()
        // As wasm-bindgen itself reads it: the compiler's output is taken as well-formed.
        .strict_validate(false)
        .parse(compiled)
        .context("the compiled module cannot be read")?;
    let unwanted: Vec<_> = module
        .exports
        .iter()
        .filter(|export| exports.iter().any(|name| export.name.contains(name)))
        .map(walrus::Export::id)
        .collect();
    for export in unwanted {
        module.exports.delete(export);
    }
    Ok(module.emit_wasm())
}

/// A folder with nothing in it.
fn empty(folder: &Path) -> anyhow::Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Ok(folder.to_owned())
}

/// Whether the faces of these modules were made from what the stamp names, and are all there.
fn is_fresh(out: &Path, stems: &[&str], stamp: &str) -> bool {
    fs::read_to_string(out.join(STAMP)).is_ok_and(|found| found == stamp)
        && stems
            .iter()
            .flat_map(|stem| [".js", ".d.ts", "_bg.wasm"].map(|ending| format!("{stem}{ending}")))
            .all(|name| out.join(name).is_file())
}

/// Flags that keep this machine's folders out of panic messages, so that every machine with this
/// compiler builds the same bytes.
fn flags(workspace: &Workspace, route: &Route) -> String {
    let mut flags = vec![
        // Sources below the registry lie in a folder named after the registry's host.
        format!("--remap-path-prefix={}=/source", workspace.root.display()),
    ];
    let registry = cargo_home().join("registry/src");
    for entry in fs::read_dir(&registry).into_iter().flatten().flatten() {
        flags.push(format!(
            "--remap-path-prefix={}=/deps",
            entry.path().display()
        ));
    }
    flags.push(format!(
        "--remap-path-prefix={}=/rust",
        route.sysroot.join("lib/rustlib/src/rust").display()
    ));
    flags.join("\u{1f}")
}

fn private_paths(workspace: &Workspace, route: &Route) -> Vec<String> {
    [
        workspace.root.clone(),
        workspace.tools.clone(),
        cargo_home(),
        route.sysroot.clone(),
    ]
    .iter()
    .map(|path| path.display().to_string())
    .collect()
}

fn cargo_home() -> PathBuf {
    match std::env::var_os("CARGO_HOME") {
        Some(home) => home.into(),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
    }
}

/// The first of `paths` that occurs in `bytes`.
fn path_in(bytes: &[u8], paths: &[String]) -> Option<String> {
    paths
        .iter()
        .find(|path| {
            path.len() > 1
                && bytes
                    .windows(path.len())
                    .any(|window| window == path.as_bytes())
        })
        .cloned()
}

/// Puts the folder `new` in the place of `old`, beside which it lies.
pub(crate) fn replace(new: &Path, old: &Path) -> anyhow::Result<()> {
    if old.exists() {
        fs::remove_dir_all(old)?;
    }
    if let Some(parent) = old.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::rename(new, old)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn a_machine_path_in_the_core_is_found_and_its_absence_too() {
        let paths = vec!["/home/someone/tree".to_owned()];
        let tainted = b"\0asm..panicked at /home/someone/tree/src/lib.rs".as_slice();
        assert_eq!(path_in(tainted, &paths), Some(paths[0].clone()));
        assert_eq!(path_in(b"\0asm..panicked at /source/lib.rs", &paths), None);
    }

    #[test]
    fn generated_files_are_stale_when_one_is_missing_or_the_stamp_differs() {
        let scratch = Scratch::new("fresh");
        for name in ["core.js", "core.d.ts", "core_bg.wasm"] {
            scratch.write(name, b"x");
        }
        assert!(!is_fresh(&scratch.0, &["core"], "1"));
        scratch.write(STAMP, b"1");
        assert!(is_fresh(&scratch.0, &["core"], "1"));
        assert!(!is_fresh(&scratch.0, &["core", "other"], "1"));
        assert!(!is_fresh(&scratch.0, &["core"], "2"));
        fs::remove_file(scratch.0.join("core.js")).expect("remove");
        assert!(!is_fresh(&scratch.0, &["core"], "1"));
    }

    #[test]
    fn an_export_that_is_taken_out_takes_along_what_only_it_reaches() {
        let mut module = walrus::Module::default();
        for name in ["kept", "run_vectors"] {
            let function = walrus::FunctionBuilder::new(&mut module.types, &[], &[]);
            let id = function.finish(vec![], &mut module.funcs);
            module.exports.add(name, id);
        }
        let whole = module.emit_wasm();
        let rest = without(&whole, &FOR_VECTORS).expect("a module");
        let mut rest = walrus::Module::from_buffer(&rest).expect("a module");
        walrus::passes::gc::run(&mut rest);
        let names: Vec<&str> = rest.exports.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["kept"]);
        assert_eq!(rest.funcs.iter().count(), 1);
    }

    #[test]
    fn replacing_a_folder_leaves_nothing_of_the_old_one() {
        let scratch = Scratch::new("replace");
        scratch.write("new/a", b"1");
        scratch.write("old/b", b"2");
        replace(&scratch.0.join("new"), &scratch.0.join("old")).expect("replace");
        assert_eq!(
            crate::workspace::files_under(&scratch.0).expect("listing"),
            [PathBuf::from("old/a")]
        );
    }
}
