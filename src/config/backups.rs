//! Settings of backups.

use backup::{Policy, S3Options};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::secrets::{SecretError, secret_from_environment};

/// Where backups go, when, and which are kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Backups {
    /// `file:/path` or `s3://bucket/prefix`; no backups where nothing is said.
    pub backup_target: Option<String>,
    /// Minutes between backups of what changed; 0 for none by itself.
    pub backup_incremental_minutes: u64,
    /// Hours between full backups; 0 for none by itself after the first.
    pub backup_full_hours: u64,
    /// How many are kept: hours of all, then one of each day, week and month.
    pub backup_keep: String,
    /// Address of an S3-compatible service; Amazon's own where nothing is said.
    pub backup_s3_endpoint: Option<String>,
    /// Region of the bucket.
    pub backup_s3_region: String,
    /// Whether the cloud's metadata service is asked for an access key where none is given.
    pub backup_s3_instance_role: bool,
}

impl Default for Backups {
    fn default() -> Self {
        Self {
            backup_target: None,
            backup_incremental_minutes: 60,
            backup_full_hours: 24,
            backup_keep: Policy::default().to_string(),
            backup_s3_endpoint: None,
            backup_s3_region: "us-east-1".to_owned(),
            backup_s3_instance_role: false,
        }
    }
}

impl Backups {
    /// Returns which backups are kept.
    pub fn policy(&self) -> Result<Policy, backup::PolicyError> {
        self.backup_keep.parse()
    }

    /// Returns what a bucket needs, with its secrets.
    pub fn s3(&self) -> Result<S3Options, SecretError> {
        let plain = |secret: Zeroizing<String>| secret.as_str().to_owned();
        Ok(S3Options {
            endpoint: self.backup_s3_endpoint.clone(),
            region: Some(self.backup_s3_region.clone()),
            access_key_id: secret_from_environment("AWS_ACCESS_KEY_ID")?.map(plain),
            secret_access_key: secret_from_environment("AWS_SECRET_ACCESS_KEY")?,
            session_token: secret_from_environment("AWS_SESSION_TOKEN")?,
            instance_role: self.backup_s3_instance_role,
        })
    }
}
