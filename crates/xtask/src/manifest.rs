//! The bundle's manifest: what the browser is given, file by file, and one hash that names it all.
//!
//! The bundle hash is the SHA-256 over the files in the order of their names, each as
//! `name NUL size-in-decimal NUL sha256-hex LF`. Anybody can compute it again from the files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256, Sha384};

/// The SHA-256 of these bytes in 64 hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// SHA-384 in base64, as integrity attributes want it after `sha384-`.
fn sha384_base64(bytes: &[u8]) -> String {
    STANDARD.encode(Sha384::digest(bytes))
}

/// One file of the bundle.
pub(crate) struct File {
    /// Path below `static`, with slashes.
    pub name: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// All files of one bundle, in the order of their names.
pub(crate) struct Manifest {
    files: Vec<File>,
    hash: String,
}

impl Manifest {
    /// Orders and hashes the files.
    pub(crate) fn new(mut files: Vec<File>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hash = Sha256::new();
        for file in &files {
            let digest = sha256(&file.bytes);
            let line = format!("{}\0{}\0{digest}\n", file.name, file.bytes.len());
            hash.update(line);
        }
        let hash = hex::encode(hash.finalize());
        Self { files, hash }
    }

    /// The hash that names the whole bundle: 64 hexadecimal digits.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// The files in order.
    pub(crate) fn files(&self) -> &[File] {
        &self.files
    }

    /// Where a file lies in the bundle's folder and below `/static/`: the first 16 digits of the
    /// bundle hash, then its name, so that modules import each other by relative paths.
    pub(crate) fn path(&self, file: &File) -> String {
        format!("{}/{}", &self.hash[..16], file.name)
    }

    /// `manifest.json`: `{version, bundle_hash, files: [{name, path, sha384_integrity, sha256_hex,
    /// size}]}`.
    pub(crate) fn json(&self) -> String {
        let files: Vec<serde_json::Value> = self
            .files
            .iter()
            .map(|file| {
                serde_json::json!({
                    "name": file.name,
                    "path": self.path(file),
                    "sha384_integrity": format!("sha384-{}", sha384_base64(&file.bytes)),
                    "sha256_hex": sha256(&file.bytes),
                    "size": file.bytes.len(),
                })
            })
            .collect();
        let whole = serde_json::json!({
            "version": 1,
            "bundle_hash": self.hash,
            "files": files,
        });
        format!("{whole:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> File {
        File {
            name: name.into(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_bundle_hash_does_not_depend_on_the_order_of_listing() {
        let one = Manifest::new(vec![file("a.js", "1"), file("b.css", "2")]);
        let two = Manifest::new(vec![file("b.css", "2"), file("a.js", "1")]);
        assert_eq!(one.hash(), two.hash());
        assert_eq!(one.json(), two.json());
    }

    #[test]
    fn the_bundle_hash_follows_content_name_and_number_of_files() {
        let base = Manifest::new(vec![file("a.js", "1")]).hash().to_owned();
        for other in [
            vec![file("a.js", "2")],
            vec![file("b.js", "1")],
            vec![file("a.js", "1"), file("b.js", "")],
            vec![],
        ] {
            assert_ne!(Manifest::new(other).hash(), base);
        }
    }

    #[test]
    fn the_documented_rule_gives_the_bundle_hash() {
        // printf 'a.js\0002\000%s\n' "$(printf hi | sha256sum | cut -d' ' -f1)" | sha256sum
        let manifest = Manifest::new(vec![file("a.js", "hi")]);
        assert_eq!(
            manifest.hash(),
            "39a4422d249d5377e59af51d54a945cd96bf5eac1f02e659861ca9499f2a70f2"
        );
    }

    #[test]
    fn the_manifest_gives_integrity_and_a_path_named_after_the_bundle() {
        let manifest = Manifest::new(vec![file("js/app.js", "")]);
        let json: serde_json::Value = serde_json::from_str(&manifest.json()).expect("JSON");
        let entry = &json["files"][0];
        assert_eq!(json["bundle_hash"], manifest.hash());
        assert_eq!(
            entry["path"],
            format!("{}/js/app.js", &manifest.hash()[..16])
        );
        // The published digests of the empty string.
        assert_eq!(
            entry["sha384_integrity"],
            "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb"
        );
        assert_eq!(
            entry["sha256_hex"],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(entry["size"], 0);
    }
}
