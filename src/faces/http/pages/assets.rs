//! The bundle's files, read once and checked against their manifest.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use actix_web::web::Bytes;
use keyring::regular_file;
use serde::Deserialize;

use super::forms::Forms;

/// Why a bundle was refused.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A file cannot be read.
    #[error("the bundle's file {0} cannot be read ({1}); run cargo xtask bundle")]
    Read(PathBuf, io::Error),
    /// The manifest is not valid.
    #[error("the bundle's manifest does not fit ({0}); run cargo xtask bundle")]
    Manifest(serde_json::Error),
    /// A file is not what the manifest says.
    #[error("the bundle's file {0} is not what its manifest says; run cargo xtask bundle")]
    Changed(String),
    /// A page could not be rendered.
    #[error("a page could not be rendered ({0}); report this")]
    Render(#[from] askama::Error),
    /// A page could not be packed.
    #[error("a page could not be packed ({0}); report this")]
    Pack(io::Error),
}

#[derive(Deserialize)]
struct Manifest {
    bundle_hash: String,
    files: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    path: String,
    sha384_integrity: String,
    sha256_hex: String,
    size: u64,
}

/// One file.
pub(super) struct File {
    pub(super) content_type: &'static str,
    pub(super) forms: Forms,
}

struct Named {
    url: String,
    integrity: String,
}

/// The bundle: files by path, and what templates ask about them by name.
pub struct Assets {
    hash: String,
    files: HashMap<String, File>,
    names: HashMap<String, Named>,
}

impl Assets {
    /// Reads a bundle; `None` where there is no manifest.
    pub(super) fn load(folder: &Path) -> Result<Option<Self>, BundleError> {
        let manifest = folder.join("manifest.json");
        let text = match regular_file::read(&manifest) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BundleError::Read(manifest, error)),
        };
        let manifest: Manifest = serde_json::from_slice(&text).map_err(BundleError::Manifest)?;
        let mut files = HashMap::new();
        let mut names = HashMap::new();
        for entry in manifest.files {
            let path = folder.join(&entry.path);
            let bytes = read(&path)?;
            if bytes.len() as u64 != entry.size || sha256(&bytes) != entry.sha256_hex {
                return Err(BundleError::Changed(entry.path));
            }
            let url = format!("/static/{}", entry.path);
            files.insert(
                entry.path,
                File {
                    content_type: content_type(&entry.name),
                    forms: forms(&path, bytes, &entry.sha256_hex)?,
                },
            );
            let integrity = entry.sha384_integrity;
            names.insert(entry.name, Named { url, integrity });
        }
        Ok(Some(Self {
            hash: manifest.bundle_hash,
            files,
            names,
        }))
    }

    /// Returns the hash of the whole bundle.
    pub fn bundle_hash(&self) -> &str {
        &self.hash
    }

    /// Returns the address of a file, or nothing where there is none of this name.
    pub fn url(&self, name: &str) -> &str {
        self.names.get(name).map_or("", |named| &named.url)
    }

    /// Returns the `integrity` of a file.
    pub fn integrity(&self, name: &str) -> &str {
        self.names.get(name).map_or("", |named| &named.integrity)
    }

    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, BundleError> {
    regular_file::read(path).map_err(|error| BundleError::Read(path.to_owned(), error))
}

/// Reads what the bundle has packed beside a file; browsers check it by the file's `integrity`.
fn forms(path: &Path, bytes: Vec<u8>, sha256_hex: &str) -> Result<Forms, BundleError> {
    let mut forms = Forms::plain(Bytes::from(bytes), sha256_hex);
    for (encoding, ending) in [("br", ".br"), ("gzip", ".gz")] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        let path = PathBuf::from(name);
        if path.exists() {
            forms.add(encoding, Bytes::from(read(&path)?), sha256_hex);
        }
    }
    Ok(forms)
}

pub(super) fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(bytes))
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, ending)| ending) {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("webmanifest") => "application/manifest+json",
        Some("json") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
