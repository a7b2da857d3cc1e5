//! Secrets, which no configuration file and no command line may hold.
//!
//! Each comes from the variable `NAME`, or from the file that `NAME_FILE` names, or from the file
//! `NAME` in the folder that systemd's `LoadCredential=` fills (`CREDENTIALS_DIRECTORY`).

use std::collections::HashSet;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use keyring::regular_file;
use zeroize::{Zeroize, Zeroizing};

/// Every secret that this server knows, with what it is for.
pub const SECRETS: &[(&str, &str)] = &[
    ("DB_ENCRYPTION_KEY", "opens the database"),
    (
        "DB_ENCRYPTION_KEY_NEW",
        "opens the database after `rotate-keys --new-key`",
    ),
    ("DATABASE_PASSWORD", "opens the database of PostgreSQL"),
    ("PKCS11_PIN", "opens the token that holds the key"),
    ("VAULT_TOKEN", "lets Vault unwrap the key"),
    ("VAULT_SECRET_ID", "signs a role in to Vault"),
    ("AZURE_CLIENT_SECRET", "signs in to Azure Key Vault"),
    ("BACKUP_KEY", "opens backups"),
    (
        "AWS_ACCESS_KEY_ID",
        "names the account of the backups' store and of AWS KMS",
    ),
    (
        "AWS_SECRET_ACCESS_KEY",
        "opens the backups' store and AWS KMS",
    ),
    (
        "AWS_SESSION_TOKEN",
        "opens the backups' store and AWS KMS for a short time",
    ),
    (
        "VALKEY_URL",
        "names the nodes that hold messages, with their passwords",
    ),
    ("REDIS_URL", "is another name of VALKEY_URL"),
];

/// Longest secret that is read, in bytes.
const MAX_SECRET: u64 = 64 << 10;
/// Length of the shortest key without a warning, in characters.
const LEAST_KEY_CHARS: usize = 16;
/// Different characters of a key without a warning.
const LEAST_DIFFERENT_CHARS: usize = 8;

/// Why a secret was refused.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable and the variable with a file are both set.
    #[error("{0} and {0}_FILE are both set; unset one of them")]
    Both(String),
    /// Two names of one secret are both set.
    #[error("{0} and {1} mean the same and are both set; unset one of them")]
    Alias(&'static str, &'static str),
    /// The file cannot be read.
    #[error("{name} cannot be read from {}: {source}; correct the path or its permissions", path.display())]
    Unreadable {
        /// The secret.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder of credentials is not there.
    #[error(
        "CREDENTIALS_DIRECTORY is {}, which cannot be read ({source}); correct it or unset \
         it", folder.display()
    )]
    NoCredentials {
        /// The folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is longer than any secret.
    #[error("{0} is longer than 64 KiB, so it is not a secret; correct the path")]
    TooLong(String),
    /// It is not text.
    #[error("{0} is not UTF-8 text; put it there in hexadecimal digits or base64")]
    NotText(String),
    /// There is nothing, or nothing but white space.
    #[error("{0} is empty or blank; put the secret there, or unset it")]
    Blank(String),
}

/// Where a secret was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The variable itself.
    Environment,
    /// The file that `NAME_FILE` names.
    File(PathBuf),
    /// A file of `CREDENTIALS_DIRECTORY`.
    Credential(PathBuf),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("environment"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Credential(path) => write!(f, "credential {}", path.display()),
        }
    }
}

/// A secret, its source and warnings.
pub struct FoundSecret {
    /// The secret itself.
    pub value: Zeroizing<String>,
    /// Where it was.
    pub source: SecretSource,
    /// What its operator should put right.
    pub warnings: Vec<String>,
}

impl fmt::Debug for FoundSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundSecret")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// Reads a secret of this process; warnings go to the log.
pub fn secret_from_environment(name: &str) -> Result<Option<Zeroizing<String>>, SecretError> {
    let Some(found) = find_secret(name)? else {
        return Ok(None);
    };
    for warning in &found.warnings {
        tracing::warn!("{warning}");
    }
    Ok(Some(found.value))
}

/// Finds a secret of this process.
pub fn find_secret(name: &str) -> Result<Option<FoundSecret>, SecretError> {
    find_in(name, &|variable| std::env::var_os(variable))
}

fn find_in(
    name: &str,
    variable: &dyn Fn(&str) -> Option<OsString>,
) -> Result<Option<FoundSecret>, SecretError> {
    let direct = variable(name);
    let file = variable(&format!("{name}_FILE")).map(PathBuf::from);
    let (mut value, source) = match (direct, file) {
        (Some(_), Some(_)) => return Err(SecretError::Both(name.to_owned())),
        (Some(value), None) => {
            let text = value
                .into_string()
                .map_err(|_| SecretError::NotText(name.to_owned()))?;
            (Zeroizing::new(text), SecretSource::Environment)
        }
        (None, Some(path)) => (read(name, &path)?, SecretSource::File(path)),
        (None, None) => {
            let Some(path) = credential(name, variable("CREDENTIALS_DIRECTORY"))? else {
                return Ok(None);
            };
            (read(name, &path)?, SecretSource::Credential(path))
        }
    };
    strip_line_end(&mut value);
    if value.trim().is_empty() {
        return Err(SecretError::Blank(name.to_owned()));
    }
    let open = match &source {
        SecretSource::File(path) => open_to_others(name, path),
        SecretSource::Environment | SecretSource::Credential(_) => None,
    };
    let warnings = open.into_iter().chain(guessable(name, &value)).collect();
    Ok(Some(FoundSecret {
        value,
        source,
        warnings,
    }))
}

/// Finds the file of a credential; a folder that is set and cannot be looked into is an error, since
/// a first start would make a new key.
fn credential(name: &str, folder: Option<OsString>) -> Result<Option<PathBuf>, SecretError> {
    let Some(folder) = folder.filter(|it| !it.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    let unreadable = |source| SecretError::NoCredentials {
        folder: folder.clone(),
        source,
    };
    if !std::fs::metadata(&folder).map_err(unreadable)?.is_dir() {
        return Err(unreadable(io::ErrorKind::NotADirectory.into()));
    }
    let path = folder.join(name);
    let there = path.try_exists().map_err(unreadable)?;
    Ok(there.then_some(path))
}

/// Takes off the one line end that editors and `echo` put behind a secret.
fn strip_line_end(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
}

/// Warns of a key that somebody with a copy of the database could guess.
///
/// Other secrets need no warning: they have a form of their own, or guessing them locks the token.
fn guessable(name: &str, value: &str) -> Option<String> {
    if !["DB_ENCRYPTION_KEY", "DB_ENCRYPTION_KEY_NEW"].contains(&name) {
        return None;
    }
    let different: HashSet<char> = value.chars().collect();
    (value.chars().count() < LEAST_KEY_CHARS || different.len() < LEAST_DIFFERENT_CHARS).then(|| {
        format!(
            "{name} is short or repeats itself: whoever gets a copy of the database can find it by \
             trying; make one with `openssl rand -hex 32` and move to it with `rotate-keys --new-key`"
        )
    })
}

/// Reads a file of text.
fn read(name: &str, path: &Path) -> Result<Zeroizing<String>, SecretError> {
    let unreadable = |source| SecretError::Unreadable {
        name: name.to_owned(),
        path: path.to_owned(),
        source,
    };
    let file = regular_file::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_SECRET + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_SECRET {
        return Err(SecretError::TooLong(name.to_owned()));
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(SecretError::NotText(name.to_owned()))
        }
    }
}

fn open_to_others(name: &str, path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o007 != 0).then(|| {
        format!(
            "{name}: every user of this machine may read {} (mode {mode:o}); run chmod o= on it",
            path.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs::Permissions;

    use super::*;

    fn find(
        name: &str,
        variables: &[(&str, &str)],
    ) -> Result<Option<(String, SecretSource, bool)>, SecretError> {
        let variables: HashMap<_, _> = variables.iter().copied().collect();
        let found = find_in(name, &|asked| variables.get(asked).map(OsString::from))?;
        Ok(found.map(|found| {
            (
                found.value.to_string(),
                found.source,
                !found.warnings.is_empty(),
            )
        }))
    }

    fn file(content: &[u8], mode: u32) -> (tempfile::TempDir, String) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("A_SECRET");
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (folder, path)
    }

    #[test]
    fn a_variable_wins_over_a_credential_and_a_file_does_too() {
        let (folder, path) = file(b"of the file\n", 0o600);
        let credentials = ("CREDENTIALS_DIRECTORY", folder.path().to_str().unwrap());
        let (value, source, _) = find("A_SECRET", &[credentials, ("A_SECRET", "direct")])
            .unwrap()
            .unwrap();
        assert_eq!(
            (value.as_str(), source),
            ("direct", SecretSource::Environment)
        );
        let (other, other_path) = file(b"of another file", 0o600);
        let (value, source, _) = find("A_SECRET", &[credentials, ("A_SECRET_FILE", &other_path)])
            .unwrap()
            .unwrap();
        assert_eq!(value, "of another file");
        assert_eq!(source, SecretSource::File(other.path().join("A_SECRET")));
        let (value, source, _) = find("A_SECRET", &[credentials]).unwrap().unwrap();
        assert_eq!(value, "of the file");
        assert_eq!(source, SecretSource::Credential(path.into()));
        assert!(find("ANOTHER", &[credentials]).unwrap().is_none());
    }

    #[test]
    fn a_folder_of_credentials_that_is_not_there_is_refused_where_it_is_needed() {
        let (folder, path) = file(b"a value", 0o600);
        let gone = folder.path().join("gone");
        for none in [gone.to_str().unwrap(), &path] {
            let credentials = ("CREDENTIALS_DIRECTORY", none);
            let refused = find("A_SECRET", &[credentials]).unwrap_err();
            assert!(matches!(refused, SecretError::NoCredentials { .. }));
            let direct = find("A_SECRET", &[credentials, ("A_SECRET", "direct")]);
            assert_eq!(direct.unwrap().unwrap().0, "direct");
        }
        let unset = find("A_SECRET", &[("CREDENTIALS_DIRECTORY", "")]);
        assert!(unset.unwrap().is_none());
    }

    #[test]
    fn a_variable_and_a_file_together_are_refused() {
        let error = find("A_SECRET", &[("A_SECRET", "a"), ("A_SECRET_FILE", "b")]).unwrap_err();
        assert!(matches!(error, SecretError::Both(_)), "{error}");
    }

    #[test]
    fn one_line_end_is_taken_off_wherever_a_secret_stands_and_nothing_else() {
        for (content, expected) in [
            (" two \n\n", " two \n"),
            ("windows\r\n", "windows"),
            ("\nfirst", "\nfirst"),
            ("as it is", "as it is"),
        ] {
            let (folder, path) = file(content.as_bytes(), 0o600);
            let folder = folder.path().to_str().unwrap();
            for place in [
                ("A_SECRET_FILE", path.as_str()),
                ("A_SECRET", content),
                ("CREDENTIALS_DIRECTORY", folder),
            ] {
                let found = find("A_SECRET", &[place]).unwrap();
                assert_eq!(found.unwrap().0, expected, "{}", place.0);
            }
        }
    }

    #[test]
    fn a_key_that_can_be_guessed_is_taken_with_a_warning() {
        for (name, value, warned) in [
            ("DB_ENCRYPTION_KEY", "secret", true),
            (
                "DB_ENCRYPTION_KEY_NEW",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                true,
            ),
            (
                "DB_ENCRYPTION_KEY",
                "0123456789abcdef0123456789abcdef",
                false,
            ),
            ("PKCS11_PIN", "1234", false),
        ] {
            let found = find(name, &[(name, value)]).unwrap().unwrap();
            assert_eq!(found.2, warned, "{name} {value}");
        }
    }

    #[test]
    fn a_file_that_everybody_may_read_is_taken_with_a_warning() {
        for (mode, warned) in [(0o644, true), (0o640, false), (0o600, false)] {
            let (_folder, path) = file(b"x", mode);
            let found = find("A_SECRET", &[("A_SECRET_FILE", &path)]).unwrap();
            assert_eq!(found.unwrap().2, warned, "{mode:o}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_with_its_own_reason() {
        let refusal = |content: &[u8]| {
            let (_folder, path) = file(content, 0o600);
            find("A_SECRET", &[("A_SECRET_FILE", &path)]).unwrap_err()
        };
        for blank in ["", "\n", "\n\n", " ", "\t \r\n"] {
            assert!(matches!(refusal(blank.as_bytes()), SecretError::Blank(_)));
            let direct = find("A_SECRET", &[("A_SECRET", blank)]).unwrap_err();
            assert!(matches!(direct, SecretError::Blank(_)), "{blank:?}");
        }
        assert!(matches!(refusal(&[0xff, 0xfe]), SecretError::NotText(_)));
        let long = vec![b'a'; MAX_SECRET as usize + 1];
        assert!(matches!(refusal(&long), SecretError::TooLong(_)));
        for none in ["/", "/dev/zero"] {
            let error = find("A_SECRET", &[("A_SECRET_FILE", none)]).unwrap_err();
            assert!(error.to_string().contains("no regular file"), "{error}");
        }
        let missing = find("A_SECRET", &[("A_SECRET_FILE", "/nowhere/at/all")]).unwrap_err();
        assert!(matches!(missing, SecretError::Unreadable { .. }));
    }

    #[test]
    fn a_found_secret_does_not_show_in_debug_output() {
        let found = find_in("A_SECRET", &|name| {
            (name == "A_SECRET").then(|| OsString::from("very secret"))
        });
        let shown = format!("{found:?}");
        assert!(!shown.contains("very secret") && shown.contains("Environment"));
    }
}
