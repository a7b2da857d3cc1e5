//! Names of backups: time, kind and a random part, so that a list sorts by time.

use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

use crate::date::{format_time, parse_time};

/// Whether a backup stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Every page.
    Full,
    /// The pages that differ from the backup before.
    Incremental,
}

impl Kind {
    /// The kind in one word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
        }
    }
}

/// The name of one backup, such as `20261122T023000Z-full-1a2b3c4d`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BackupId(String);

/// How far ahead of the present a backup may be dated: clocks are put right by minutes all the time.
pub(crate) const TOLERANCE: u64 = 3_600;

impl BackupId {
    /// Makes a name with a random part.
    pub fn new(time: u64, kind: Kind, rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut random = [0; 4];
        rng.fill_bytes(&mut random);
        let random = hex::encode(random);
        Self(format!("{}-{}-{random}", format_time(time), kind.as_str()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Unix seconds of the snapshot.
    pub fn time(&self) -> u64 {
        self.0
            .split('-')
            .next()
            .and_then(parse_time)
            .unwrap_or_default()
    }

    /// Whether it was made by a clock that was ahead, or that of now is behind.
    pub fn is_of_the_future(&self, now: u64) -> bool {
        self.time() > now.saturating_add(TOLERANCE)
    }

    /// Whether it stands alone.
    pub fn kind(&self) -> Kind {
        match self.0.split('-').nth(1) {
            Some("full") => Kind::Full,
            _ => Kind::Incremental,
        }
    }

    /// The name of one of its objects.
    pub(crate) fn object(&self, part: &str) -> String {
        format!("{}/{part}", self.0)
    }
}

/// Not the name of a backup.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the name of a backup: see `backup list`")]
pub struct NotAnId(String);

impl FromStr for BackupId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let parts: Vec<&str> = text.split('-').collect();
        let sound = match parts.as_slice() {
            [time, "full" | "incremental", random] => {
                time.len() == 16
                    && parse_time(time).map(format_time).as_deref() == Some(time)
                    && random.len() == 8
                    && random
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
            }
            _ => false,
        };
        sound
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| NotAnId(text.to_owned()))
    }
}

impl TryFrom<String> for BackupId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<BackupId> for String {
    fn from(id: BackupId) -> Self {
        id.0
    }
}

impl fmt::Display for BackupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_name_says_when_and_of_what_kind() {
        let id: BackupId = "20270115T080000Z-full-00c0ffee".parse().unwrap();
        assert_eq!((id.time(), id.kind()), (1_800_000_000, Kind::Full));
    }

    #[test]
    fn other_names_are_refused() {
        for name in [
            "",
            "lost+found",
            "20270115T080000Z-full-00C0FFEE",
            "20270115T080000Z-half-00c0ffee",
            "20270230T080000Z-full-00c0ffee",
            "../20270115T080000Z-full-00c0ffee",
        ] {
            assert!(name.parse::<BackupId>().is_err(), "{name}");
        }
    }
}
