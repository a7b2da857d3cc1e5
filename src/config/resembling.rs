//! Variables without this server's beginning that are spelt almost as one that it reads.

use std::fmt;

use super::secrets::SECRETS;
use super::sources::BARE;

/// The most letters that differ between a misspelt name and the one that is meant.
const EDITS: usize = 2;

/// Secrets that a first start makes if they are not set.
const MADE: [&str; 3] = ["DB_ENCRYPTION_KEY", "DB_ENCRYPTION_KEY_NEW", "BACKUP_KEY"];

/// A variable that is not a setting, and the setting that it resembles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resembling {
    found: String,
    meant: String,
}

impl Resembling {
    /// Whether the variable that is meant holds a key, without which another one would be made.
    pub(super) fn is_a_key(&self) -> bool {
        let secret = self.meant.strip_suffix("_FILE").unwrap_or(&self.meant);
        MADE.contains(&secret)
    }
}

impl fmt::Display for Resembling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { found, meant } = self;
        write!(
            f,
            "the environment sets {found}, which is not a setting; {meant} is probably meant"
        )
    }
}

/// Finds the variables that resemble one that is read, by name.
pub(super) fn resembling(variables: impl Iterator<Item = String>) -> Vec<Resembling> {
    let secrets = SECRETS
        .iter()
        .flat_map(|(name, _)| [(*name).to_owned(), format!("{name}_FILE")]);
    let bare = BARE.iter().map(|name| (*name).to_owned());
    let read: Vec<String> = bare.chain(secrets).collect();
    let is_read = |found: &String| {
        // Settings are found in either case, secrets are not.
        read.contains(found) || BARE.iter().any(|name| name.eq_ignore_ascii_case(found))
    };
    let mut all: Vec<Resembling> = variables
        .filter(|found| !is_read(found))
        .filter_map(|found| {
            let upper = found.to_ascii_uppercase();
            let near = read.iter().map(|name| (edits(&upper, name), name)).min()?;
            (near.0 <= EDITS).then(|| Resembling {
                meant: near.1.clone(),
                found,
            })
        })
        .collect();
    all.sort_by(|one, other| one.found.cmp(&other.found));
    all
}

/// Counts the letters to put in, take out or change that make one name of another.
fn edits(one: &str, other: &str) -> usize {
    if one.len().abs_diff(other.len()) > EDITS {
        return usize::MAX;
    }
    let other = other.as_bytes();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut above_left = at;
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
        for (column, same) in other.iter().map(|wanted| *wanted == letter).enumerate() {
            let changed = above_left + usize::from(!same);
            above_left = row[column + 1];
            row[column + 1] = changed.min(above_left + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> Option<(String, bool)> {
        let found = resembling([name.to_owned()].into_iter()).pop()?;
        Some((found.meant.clone(), found.is_a_key()))
    }

    #[test]
    fn a_misspelt_name_leads_to_the_one_that_is_meant() {
        for (name, meant, key) in [
            ("DB_ENCRYPTION_KEYS", "DB_ENCRYPTION_KEY", true),
            ("DB_ENCRYPTON_KEY", "DB_ENCRYPTION_KEY", true),
            ("db_encryption_key", "DB_ENCRYPTION_KEY", true),
            ("DB_ENCRYPTION_KEY_FLIE", "DB_ENCRYPTION_KEY_FILE", true),
            ("DB_ENCRYPTION_KEY_NWE", "DB_ENCRYPTION_KEY_NEW", true),
            ("BACKUPKEY", "BACKUP_KEY", true),
            ("BIND_ADRR", "BIND_ADDR", false),
            ("DATABASE_URI", "DATABASE_URL", false),
            ("PKCS_PIN", "PKCS11_PIN", false),
            ("AWS_ACCESS_KEYID", "AWS_ACCESS_KEY_ID", false),
        ] {
            let expected = Some((meant.to_owned(), key));
            assert_eq!(found(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_read_or_resembles_nothing_is_left_alone() {
        for (name, _) in SECRETS {
            assert_eq!(found(name), None);
            assert_eq!(found(&format!("{name}_FILE")), None);
        }
        for name in BARE {
            assert_eq!(found(name), None);
            assert_eq!(found(&name.to_lowercase()), None);
        }
        for name in [
            "PATH",
            "HOME",
            "BASE_URL",
            "AWS_REGION",
            "AWS_DEFAULT_REGION",
            "CREDENTIALS_DIRECTORY",
            "ENCRYPTION_KEY",
            "",
        ] {
            assert_eq!(found(name), None, "{name}");
        }
    }
}
