//! The browser bundle: every file under `static`, in a folder named after them all.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::manifest::{File, Manifest};
use crate::report::Report;
use crate::wasm;
use crate::workspace::{Workspace, files_under};

/// Builds the core when it is stale, then `target/bundle`; says where that is.
pub(crate) fn ensure(
    workspace: &Workspace,
    report: &mut Report,
    force: bool,
) -> anyhow::Result<PathBuf> {
    wasm::ensure(workspace, report, force)?;
    let out = workspace.bundle_dir();
    let manifest = Manifest::new(collect(&workspace.root.join("static"))?);
    if !force && is_current(&out, &manifest) {
        report.skip("browser bundle", "unchanged");
        return Ok(out);
    }
    report.step("browser bundle", || {
        write(&manifest, &out)?;
        let bytes: usize = manifest.files().iter().map(|file| file.bytes.len()).sum();
        println!(
            "    {} files, {} KiB, bundle {}",
            manifest.files().len(),
            bytes / 1024,
            manifest.hash()
        );
        Ok(())
    })?;
    Ok(out)
}

/// Writes the bundle beside `out` first, so that a server never reads half of one.
pub(crate) fn write(manifest: &Manifest, out: &Path) -> anyhow::Result<()> {
    let scratch = out.with_extension("new");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    fs::create_dir_all(&scratch)?;
    for file in manifest.files() {
        let path = scratch.join(manifest.path(file));
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &file.bytes)?;
        for (ending, pack) in PACKERS {
            let packed = match packed_before(out, file, ending) {
                Some(packed) => Some(packed),
                None => spared(&file.bytes, pack)?,
            };
            if let Some(packed) = packed {
                fs::write(packed_path(&path, ending), packed)?;
            }
        }
    }
    fs::write(scratch.join("manifest.json"), manifest.json())?;
    wasm::replace(&scratch, out)
}

/// The files that the browser may load.
pub(crate) fn collect(dir: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    for path in files_under(dir)? {
        let name = path
            .to_str()
            .with_context(|| format!("{} is no UTF-8 name", path.display()))?
            .replace(std::path::MAIN_SEPARATOR, "/");
        if is_shipped(&name) {
            let bytes = fs::read(dir.join(&path))?;
            files.push(File { name, bytes });
        }
    }
    Ok(files)
}

/// Types, notes and hidden files stay at home.
fn is_shipped(name: &str) -> bool {
    let hidden = name.split('/').any(|part| part.starts_with('.'));
    !hidden && !name.ends_with(".d.ts") && !name.ends_with(".md") && !name.ends_with('~')
}

fn is_current(out: &Path, manifest: &Manifest) -> bool {
    let written = fs::read_to_string(out.join("manifest.json")).unwrap_or_default();
    written == manifest.json()
        && manifest
            .files()
            .iter()
            .all(|file| out.join(manifest.path(file)).is_file())
}

/// The packed form of a file that the bundle before this one had as well: the core takes long to pack.
fn packed_before(out: &Path, file: &File, ending: &str) -> Option<Vec<u8>> {
    fs::read_dir(out).ok()?.flatten().find_map(|folder| {
        let path = folder.path().join(&file.name);
        let same = fs::read(&path).is_ok_and(|bytes| bytes == file.bytes);
        same.then(|| fs::read(packed_path(&path, ending)).ok())?
    })
}

/// Packs bytes; the same for the same.
type Pack = fn(&[u8]) -> std::io::Result<Vec<u8>>;

/// The endings of packed forms and what makes them.
const PACKERS: [(&str, Pack); 2] = [(".br", brotli), (".gz", gzip)];

/// Where a packed form of a file lies: beside it.
fn packed_path(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Packs a file where that spares a fifth of it or more.
///
/// Only what is public and the same for everybody is ever packed: lengths of packed secrets tell.
fn spared(bytes: &[u8], pack: Pack) -> std::io::Result<Option<Vec<u8>>> {
    let packed = pack(bytes)?;
    Ok((packed.len() < bytes.len() / 5 * 4).then_some(packed))
}

fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(bytes)?;
    packer.finish()
}

fn brotli(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let params = ::brotli::enc::BrotliEncoderParams::default();
    ::brotli::BrotliCompress(&mut &bytes[..], &mut packed, &params)?;
    Ok(packed)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn types_and_hidden_files_are_not_shipped() {
        let scratch = Scratch::new("collect");
        for name in [
            "js/app.js",
            "wasm/core.d.ts",
            "wasm/.inputs",
            ".DS/x",
            "css/a.css",
        ] {
            scratch.write(name, b"x");
        }
        let names: Vec<String> = collect(&scratch.0)
            .expect("collect")
            .into_iter()
            .map(|file| file.name)
            .collect();
        assert_eq!(names, ["css/a.css", "js/app.js"]);
    }

    #[test]
    fn a_written_bundle_is_current_until_a_file_changes_or_disappears() {
        let scratch = Scratch::new("written");
        scratch.write("static/js/app.js", b"let a;");
        let read = || Manifest::new(collect(&scratch.0.join("static")).expect("collect"));
        let out = scratch.0.join("bundle");
        let manifest = read();
        assert!(!is_current(&out, &manifest));
        write(&manifest, &out).expect("write");
        assert!(is_current(&out, &manifest));
        let path = out.join(manifest.path(&manifest.files()[0]));
        assert_eq!(fs::read(&path).expect("bundled file"), b"let a;");

        scratch.write("static/js/app.js", b"let b;");
        assert!(!is_current(&out, &read()));
        fs::remove_file(path).expect("remove");
        assert!(!is_current(&out, &manifest));
    }

    #[test]
    fn what_has_not_changed_is_not_packed_again() {
        let out = crate::workspace::Scratch::new("packed-before");
        let folder = out.0.join("0123456789abcdef/js");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join("app.js"), b"a script").expect("written");
        fs::write(folder.join("app.js.br"), b"packed").expect("written");
        let before = |bytes: &[u8], ending: &str| {
            let file = File {
                name: "js/app.js".to_owned(),
                bytes: bytes.to_vec(),
            };
            packed_before(&out.0, &file, ending)
        };
        assert_eq!(before(b"a script", ".br"), Some(b"packed".to_vec()));
        assert_eq!(before(b"a script", ".gz"), None, "it was not packed so");
        assert_eq!(before(b"another", ".br"), None, "it has changed");
    }

    #[test]
    fn packing_spares_text_always_alike_and_leaves_what_it_cannot_spare() {
        let text = b"a line of a script\n".repeat(100);
        for (ending, pack) in PACKERS {
            let packed = spared(&text, pack).expect("packs").expect("is smaller");
            assert_eq!(Some(&packed), spared(&text, pack).expect("packs").as_ref());
            let mut back = Vec::new();
            let unpacked = match ending {
                ".gz" => flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut back),
                _ => ::brotli::Decompressor::new(&packed[..], 4_096).read_to_end(&mut back),
            };
            unpacked.expect("unpacks");
            assert_eq!(back, text);
            assert_eq!(spared(b"short", pack).expect("packs"), None);
        }
    }
}
