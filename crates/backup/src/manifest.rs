//! The manifest: the description of a backup, written last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha3::{Digest, Sha3_256};

use crate::id::{BackupId, Kind};

/// The layout that this program writes and reads.
pub(crate) const FORMAT: u32 = 1;
pub(crate) const MANIFEST: &str = "manifest";
pub(crate) const PAGES: &str = "pages";
pub(crate) const HASHES: &str = "hashes";
pub(crate) const KEY: &str = "key";

/// SHA3-256.
pub(crate) type Hash = [u8; 32];

/// The newest audit record at the time of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Id of the newest record.
    pub id: u64,
    /// Its hash, in hexadecimal digits.
    pub hash: String,
}

/// The backup that an incremental one builds on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parent {
    /// Its name.
    pub id: BackupId,
    /// SHA3-256 of its manifest, so that no other backup of that name fits.
    #[serde(with = "hex::serde")]
    pub digest: Hash,
}

/// One sealed object of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Object {
    /// Bytes before sealing.
    pub bytes: u64,
    /// SHA3-256 of them.
    #[serde(with = "hex::serde")]
    pub digest: Hash,
}

/// The description of a backup; sealed like everything else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout.
    pub(crate) format: u32,
    /// Name of the backup; also says its time and kind.
    pub id: BackupId,
    /// The base of an incremental backup.
    pub parent: Option<Parent>,
    /// Version of the program.
    pub program: String,
    /// Version of the database's schema.
    pub schema: u32,
    /// Unix seconds of the snapshot.
    pub created_at: u64,
    /// Bytes of a page.
    pub page_size: u32,
    /// Pages of the file.
    pub pages: u64,
    /// Pages in this backup.
    pub stored_pages: u64,
    /// SHA3-256 over the hashes of all pages of the file.
    #[serde(with = "hex::serde")]
    pub content: Hash,
    /// Whether the key file of the database is inside.
    pub key_inside: bool,
    /// The newest audit record at the time of the backup.
    pub audit: AuditHead,
    /// Rows of each table.
    pub tables: BTreeMap<String, u64>,
    /// The objects beside the manifest.
    pub(crate) objects: BTreeMap<String, Object>,
}

impl Manifest {
    /// Returns whether the backup is a full one.
    pub fn kind(&self) -> Kind {
        self.id.kind()
    }

    /// Bytes of the file that it restores to.
    pub fn file_bytes(&self) -> u64 {
        self.pages * u64::from(self.page_size)
    }

    /// Bytes that this backup holds, before sealing.
    pub fn stored_bytes(&self) -> u64 {
        self.objects.values().map(|object| object.bytes).sum()
    }

    /// The bytes that are sealed.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Only maps with keys that are no text cannot be written, and there are none.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what [`Manifest::encode`] wrote for the backup of this name.
    pub(crate) fn decode(id: &BackupId, bytes: &[u8]) -> Option<Self> {
        let manifest: Self = serde_json::from_slice(bytes).ok()?;
        let whole = manifest.format == FORMAT
            && manifest.id == *id
            && manifest.page_size.is_power_of_two()
            && (512..=65_536).contains(&manifest.page_size)
            && manifest.objects.contains_key(PAGES)
            && manifest.objects.contains_key(HASHES)
            && manifest.key_inside == manifest.objects.contains_key(KEY)
            && manifest.parent.is_some() == (manifest.kind() == Kind::Incremental);
        whole.then_some(manifest)
    }

    /// Returns the reference by which an incremental backup names this one.
    pub(crate) fn as_parent(&self) -> Parent {
        Parent {
            id: self.id.clone(),
            digest: Sha3_256::digest(self.encode()).into(),
        }
    }
}
