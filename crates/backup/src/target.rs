//! Targets of backups: a folder, or a bucket of an S3-compatible store.

use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt, TryStreamExt};
use keyring::regular_file;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart};
use zeroize::Zeroizing;

use crate::id::BackupId;
use crate::manifest::MANIFEST;

/// Bytes of one part of an upload; a store takes at most 10,000 of them.
const PART: usize = 16 * 1024 * 1024;
/// Bytes that are read of a file at once.
const PIECE: usize = 1024 * 1024;
/// Parts that are uploaded at the same time.
pub(crate) const PARTS_AT_ONCE: usize = 2;

/// Settings of a bucket beside its name.
#[derive(Default)]
pub struct S3Options {
    /// Address of the service; the provider's own by default.
    pub endpoint: Option<String>,
    /// Region; `us-east-1` by default.
    pub region: Option<String>,
    /// Name of the access key.
    pub access_key_id: Option<String>,
    /// The access key's secret.
    pub secret_access_key: Option<Zeroizing<String>>,
    /// The session token of a temporary access key.
    pub session_token: Option<Zeroizing<String>>,
    /// Whether the cloud's metadata service may be asked for a key where none is given.
    pub instance_role: bool,
}

impl S3Options {
    /// Refuses an incomplete access key, and a missing one if the machine's role is not to be used.
    pub fn check(&self) -> Result<(), TargetError> {
        let reason = match (&self.access_key_id, &self.secret_access_key) {
            (Some(_), Some(_)) => return Ok(()),
            (None, None) if self.instance_role => return Ok(()),
            (None, None) => {
                "there is no access key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or \
                 backup_s3_instance_role = true where the machine has a role of its own"
            }
            _ => "an access key has an id and a secret, and one of them is missing",
        };
        Err(TargetError::Settings(reason.to_owned()))
    }
}

impl fmt::Debug for S3Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Options")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// Why a target could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The address has an unknown form.
    #[error(
        "{0:?} is no place for backups: write file:/absolute/path or s3://bucket/prefix into \
         backup_target"
    )]
    Address(String),
    /// The folder cannot be made or used.
    #[error("the folder {} cannot be used ({reason}): make it and let this user write there", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// The bucket's settings do not fit together.
    #[error("the object store cannot be used ({0}): check the backup_s3 settings")]
    Settings(String),
    /// There is no such object.
    #[error("{0} is not in the target: it was removed, or never finished")]
    Missing(String),
    /// Something else is in the place of an object.
    #[error("{name} in the target is no object of a backup ({reason}): move it away")]
    NoFile {
        /// The object.
        name: String,
        /// Why.
        reason: String,
    },
    /// The store refuses access.
    #[error("the target refuses {name} ({reason}): check the access key and what it may do")]
    Refused {
        /// The object.
        name: String,
        /// Why.
        reason: String,
    },
    /// Another error of the store.
    #[error("the target failed on {name} ({reason}): check that it can be reached and has space")]
    Failed {
        /// The object.
        name: String,
        /// Why.
        reason: String,
    },
}

/// A parsed address.
enum Named<'a> {
    /// Bucket and prefix.
    Bucket(&'a str),
    Folder(PathBuf),
}

fn named(address: &str) -> Result<Named<'_>, TargetError> {
    let refused = || TargetError::Address(address.to_owned());
    if address.contains(['?', '#']) {
        return Err(refused());
    }
    if let Some(rest) = address.strip_prefix("s3://") {
        return Ok(Named::Bucket(rest));
    }
    let path = address
        .strip_prefix("file://")
        .or(address.strip_prefix("file:"));
    let folder = path.map(PathBuf::from).filter(|it| it.is_absolute());
    folder.map(Named::Folder).ok_or_else(refused)
}

/// A target of backups; clones share it.
#[derive(Clone)]
pub struct Target {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    folder: Option<PathBuf>,
    address: String,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.address)
    }
}

impl Target {
    /// Opens `file:/path`, which is made where it is missing, or `s3://bucket/prefix`.
    pub fn open(address: &str, s3: &S3Options) -> Result<Self, TargetError> {
        match named(address)? {
            Named::Bucket(rest) => Self::bucket(address, rest, s3),
            Named::Folder(folder) => Self::folder(address, folder),
        }
    }

    /// Makes the checks of [`Self::open`] without creating or contacting anything; returns the folder, if it
    /// is one.
    pub fn check(address: &str, s3: &S3Options) -> Result<Option<PathBuf>, TargetError> {
        match named(address)? {
            Named::Bucket(rest) => Self::bucket(address, rest, s3).map(|_| None),
            Named::Folder(folder) => Ok(Some(folder)),
        }
    }

    fn folder(address: &str, folder: PathBuf) -> Result<Self, TargetError> {
        let failed = |reason: String| TargetError::Folder {
            folder: folder.clone(),
            reason,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| failed(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(&folder)
            .map_err(|error| failed(error.to_string()))?
            .with_fsync(true);
        Ok(Self {
            store: Arc::new(store),
            prefix: Path::default(),
            folder: Some(folder),
            address: address.to_owned(),
        })
    }

    fn bucket(address: &str, rest: &str, options: &S3Options) -> Result<Self, TargetError> {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(TargetError::Address(address.to_owned()));
        }
        let client = ClientOptions::new()
            .with_connect_timeout(Duration::from_secs(10))
            .with_timeout(Duration::from_secs(300));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(options.region.as_deref().unwrap_or("us-east-1"))
            .with_client_options(client)
            .with_retry(RetryConfig {
                max_retries: 5,
                retry_timeout: Duration::from_secs(60),
                ..RetryConfig::default()
            });
        if let Some(endpoint) = &options.endpoint {
            builder = builder
                .with_endpoint(endpoint.trim_end_matches('/'))
                .with_allow_http(endpoint.starts_with("http://"));
        }
        options.check()?;
        if let (Some(id), Some(secret)) = (&options.access_key_id, &options.secret_access_key) {
            builder = builder
                .with_access_key_id(id.as_str())
                .with_secret_access_key(secret.as_str());
        }
        if let Some(token) = &options.session_token {
            builder = builder.with_token(token.as_str());
        }
        let store = builder
            .build()
            .map_err(|error| TargetError::Settings(error.to_string()))?;
        Ok(Self {
            store: Arc::new(store),
            prefix: Path::from(prefix),
            folder: None,
            address: address.trim_end_matches('/').to_owned(),
        })
    }

    /// The address as it was given; it holds no secret.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn path(&self, name: &str) -> Path {
        name.split('/')
            .fold(self.prefix.clone(), |path, part| path.join(part))
    }

    /// Starts an upload, which becomes visible when it is finished.
    pub(crate) async fn upload(&self, name: &str) -> Result<WriteMultipart, TargetError> {
        let upload = self.store.put_multipart(&self.path(name)).await;
        let upload = upload.map_err(|error| sort(name, &error))?;
        Ok(WriteMultipart::new_with_chunk_size(upload, PART))
    }

    /// Writes a small object at once.
    pub(crate) async fn put(&self, name: &str, bytes: Vec<u8>) -> Result<(), TargetError> {
        self.store
            .put(&self.path(name), bytes.into())
            .await
            .map(drop)
            .map_err(|error| sort(name, &error))
    }

    /// Reads an object piece by piece.
    pub(crate) async fn read(
        &self,
        name: &str,
    ) -> Result<BoxStream<'static, Result<Bytes, TargetError>>, TargetError> {
        if let Some(folder) = &self.folder {
            return pieces(&folder.join(name), name);
        }
        let found = self.store.get(&self.path(name)).await;
        let found = found.map_err(|error| sort(name, &error))?;
        let name = name.to_owned();
        Ok(found
            .into_stream()
            .map_err(move |error| sort(&name, &error))
            .boxed())
    }

    /// Lists everything with the name of a backup, oldest first, finished or not.
    pub(crate) async fn ids(&self) -> Result<Vec<BackupId>, TargetError> {
        let found = self.store.list_with_delimiter(Some(&self.prefix)).await;
        let found = found.map_err(|error| sort("the list of backups", &error))?;
        let mut ids: Vec<BackupId> = found
            .common_prefixes
            .iter()
            .filter_map(|path| path.filename()?.parse().ok())
            .collect();
        ids.sort();
        Ok(ids)
    }

    /// Removes what a failed backup left behind.
    pub(crate) fn discard(&self, id: &BackupId) {
        if let Some(folder) = &self.folder {
            // What stays goes with what is unfinished, at the next backup.
            let _ = std::fs::remove_dir_all(folder.join(id.as_str()));
        }
    }

    /// Removes a backup, its manifest first, so that a partly removed one does not count.
    pub(crate) async fn remove(&self, id: &BackupId) -> Result<(), TargetError> {
        let name = id.object(MANIFEST);
        match self.store.delete(&self.path(&name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(sort(&name, &error)),
        }
        if let Some(folder) = &self.folder {
            // The folder itself as well, and uploads that were cut.
            let folder = folder.join(id.as_str());
            return match std::fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(TargetError::Folder {
                        folder,
                        reason: error.to_string(),
                    })
                }
                _ => Ok(()),
            };
        }
        let path = self.path(id.as_str());
        let objects: Vec<_> = self
            .store
            .list(Some(&path))
            .try_collect()
            .await
            .map_err(|error| sort(id.as_str(), &error))?;
        for object in objects {
            match self.store.delete(&object.location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(sort(id.as_str(), &error)),
            }
        }
        Ok(())
    }
}

/// Reads a regular file of a folder piece by piece; opens nothing that could block.
fn pieces(
    path: &std::path::Path,
    name: &str,
) -> Result<BoxStream<'static, Result<Bytes, TargetError>>, TargetError> {
    let opened = regular_file::open_unfollowed(OpenOptions::new().read(true), path);
    let file = opened.map_err(|error| sort_file(name, &error))?;
    let read = move |(mut file, name): (File, String)| async move {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece) {
            Ok(0) => Ok(None),
            Ok(len) => {
                piece.truncate(len);
                Ok(Some((Bytes::from(piece), (file, name))))
            }
            Err(error) => Err(sort_file(&name, &error)),
        }
    };
    Ok(stream::try_unfold((file, name.to_owned()), read).boxed())
}

fn sort_file(name: &str, error: &std::io::Error) -> TargetError {
    use std::io::ErrorKind as K;
    let (name, reason) = (name.to_owned(), error.to_string());
    match error.kind() {
        K::NotFound | K::NotADirectory => TargetError::Missing(name),
        K::InvalidInput => TargetError::NoFile { name, reason },
        K::PermissionDenied => TargetError::Refused { name, reason },
        _ => TargetError::Failed { name, reason },
    }
}

/// Sorts a store's errors by what can be done about them.
pub(crate) fn sort(name: &str, error: &object_store::Error) -> TargetError {
    use object_store::Error as E;
    let name = name.to_owned();
    match error {
        E::NotFound { .. } => TargetError::Missing(name),
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => TargetError::Refused {
            name,
            reason: error.to_string(),
        },
        _ => TargetError::Failed {
            name,
            reason: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_bucket_without_a_key_is_refused_unless_the_machine_has_a_role() {
        let mut options = S3Options::default();
        let refused = Target::open("s3://bucket/prefix", &options).unwrap_err();
        assert!(
            refused.to_string().contains("AWS_ACCESS_KEY_ID"),
            "{refused}"
        );
        options.instance_role = true;
        assert!(Target::open("s3://bucket/prefix", &options).is_ok());
        options.access_key_id = Some("id".to_owned());
        let half = Target::open("s3://bucket/prefix", &options).unwrap_err();
        assert!(
            half.to_string().contains("one of them is missing"),
            "{half}"
        );
        options.secret_access_key = Some(Zeroizing::new("secret".to_owned()));
        options.instance_role = false;
        assert!(Target::open("s3://bucket/prefix", &options).is_ok());
    }

    #[test]
    fn an_address_with_parameters_is_refused() {
        for address in ["s3://bucket/prefix?region=x", "file:/srv/backups#a"] {
            let refused = Target::open(address, &S3Options::default()).unwrap_err();
            assert!(matches!(refused, TargetError::Address(_)), "{address}");
        }
    }
}
