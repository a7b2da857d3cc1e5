//! Tests of backups: the sealed form, the policy, and the same conformance suite over a folder and
//! over an S3-compatible store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod conformance;
mod folder;
mod format;
mod moto;
mod policy;
mod support;
