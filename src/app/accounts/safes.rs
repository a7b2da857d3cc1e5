//! The two client-sealed safes, written by compare-and-swap.
//!
//! Specification: `docs/protocol/accounts.md#writing-and-reading-the-safes`.

use ambient::Ambient;
use api::bodies::{
    KnownSafes, NewWrap, PrekeySafeChange, SafeChange, SafeData, SafeRead, SafeWrite, Safes,
};
use api::{Blob, Code};
use serde_json::json;
use sha3::{Digest, Sha3_256};
use store::{SafeConflict, SafeError, SafeUpdate, Wrap, WrapId, WrapKind};

use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::server::restored;

/// The most bytes of a wrap.
const MAX_WRAP: usize = 4_096;

/// Makes the key safe as it is read.
pub(super) fn shown(safe: store::SafeRead) -> SafeRead {
    SafeRead {
        version: safe.version,
        data: Blob::new(safe.data),
        wraps: safe.wraps,
    }
}

/// Makes the prekey safe as it is read.
pub(super) fn shown_prekeys(safe: store::PrekeySafe) -> SafeData {
    SafeData {
        version: safe.version,
        data: Blob::new(safe.data),
    }
}

/// Reads a prekey safe that is to be stored.
pub(super) fn prekey_safe(safe: SafeData) -> store::PrekeySafe {
    store::PrekeySafe {
        version: safe.version,
        data: safe.data.into_vec(),
    }
}

/// Reads a key safe that is to be stored.
pub(super) fn write(app: &App, safe: SafeWrite) -> Result<store::SafeWrite, Problem> {
    Ok(store::SafeWrite {
        version: safe.version,
        write_proof_hash: digest(&safe.write_proof_hash)?,
        recovery_proof_hash: digest(&safe.recovery_proof_hash)?,
        data: safe.data.into_vec(),
        wraps: wraps(app.ambient(), safe.wraps)?,
    })
}

/// Gives wraps an id and a time; there has to be one of each kind that every account has, and no other.
fn wraps(ambient: &Ambient, wraps: Vec<NewWrap>) -> Result<Vec<Wrap>, Problem> {
    let kinds = WrapKind::OF_EVERY_ACCOUNT;
    let has = |kind: &WrapKind| wraps.iter().any(|wrap| wrap.kind == *kind);
    if wraps.len() != kinds.len() || !kinds.iter().all(has) {
        let text = "A safe has one wrap for the passphrase and one for the recovery key.";
        return Err(Problem::malformed(text));
    }
    if wraps.iter().any(|wrap| wrap.data.len() > MAX_WRAP) {
        return Err(Problem::malformed("A wrap has at most 4,096 bytes."));
    }
    let kept = wraps.into_iter().map(|NewWrap { kind, data }| Wrap {
        id: WrapId::from_bytes(ambient.random()),
        kind,
        made: ambient.now(),
        data,
    });
    Ok(kept.collect())
}

fn digest(bytes: &[u8]) -> Result<[u8; 32], Problem> {
    bytes
        .try_into()
        .map_err(|_| Problem::malformed("A proof's hash has 32 bytes."))
}

impl From<&SafeConflict> for Problem {
    fn from(conflict: &SafeConflict) -> Self {
        let current = SafeData {
            version: conflict.version,
            data: Blob::new(conflict.data.clone()),
        };
        Problem::new(Code::SafeConflict, "Merge with `current` and try again.")
            .with("current", json!(current))
    }
}

impl From<SafeError> for Problem {
    fn from(error: SafeError) -> Self {
        match &error {
            SafeError::NoSuchUser => Problem::signed_out(),
            SafeError::WrongProof => Problem::new(Code::WrongProof, error.to_string()),
            SafeError::VersionNotAbove => Problem::malformed(error.to_string()),
            SafeError::Conflict(conflict) => Problem::from(conflict),
            SafeError::Fault(fault) => Problem::from(fault),
        }
    }
}

/// Both safes of the account, or nothing where the reader has these versions already.
pub async fn read(app: &App, who: &SignedIn, known: &KnownSafes) -> Result<Option<Safes>, Problem> {
    let (safe, prekey_safe) = app
        .store()
        .safes(who.user_id())
        .await?
        .ok_or_else(Problem::signed_out)?;
    if known.version == Some(safe.version) && known.prekey_version == Some(prekey_safe.version) {
        return Ok(None);
    }
    Ok(Some(Safes {
        safe: shown(safe),
        prekey_safe: shown_prekeys(prekey_safe),
        restored: restored(app),
    }))
}

/// Replaces the key safe's data.
pub async fn replace(app: &App, who: &SignedIn, body: SafeChange) -> Result<(), Problem> {
    let SafeChange {
        write_proof,
        expected_version,
        safe,
    } = body;
    let change = update(who, &write_proof, expected_version, safe);
    let version = change.version;
    app.store().write_safe(change).await?;
    app.hub().safe_written(who, Some(version), None).await;
    Ok(())
}

/// Replaces the prekey safe.
pub async fn replace_prekeys(
    app: &App,
    who: &SignedIn,
    body: PrekeySafeChange,
) -> Result<(), Problem> {
    let PrekeySafeChange {
        write_proof,
        expected_version,
        prekey_safe,
    } = body;
    let change = update(who, &write_proof, expected_version, prekey_safe);
    let version = change.version;
    app.store().write_prekey_safe(change).await?;
    app.hub().safe_written(who, None, Some(version)).await;
    Ok(())
}

fn update(who: &SignedIn, write_proof: &[u8], expected_version: u64, safe: SafeData) -> SafeUpdate {
    SafeUpdate {
        user_id: who.user_id(),
        expected_version,
        write_proof_hash: Sha3_256::digest(write_proof).into(),
        version: safe.version,
        data: safe.data.into_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(kind: &str, len: usize) -> NewWrap {
        NewWrap {
            kind: kind.to_owned().into(),
            data: Blob::new(vec![7; len]),
        }
    }

    #[test]
    fn a_safe_has_one_wrap_of_each_kind_and_the_server_says_when_it_came() {
        let ambient = Ambient::system();
        let sent = || vec![new("recovery_key", MAX_WRAP), new("passphrase", 1)];
        let kept = wraps(&ambient, sent()).unwrap();
        for (kept, sent) in kept.iter().zip(sent()) {
            assert_eq!((&kept.kind, &kept.data), (&sent.kind, &sent.data));
            assert!(kept.made.abs_diff(ambient.now()) < 60);
        }
        assert_ne!(kept[0].id, kept[1].id);
        for refused in [
            vec![],
            vec![new("passphrase", 1)],
            vec![new("passphrase", 1), new("passphrase", 1)],
            vec![new("passphrase", 1), new("of_a_later_version", 1)],
            [sent(), vec![new("passphrase", 1)]].concat(),
            [sent(), vec![new("of_a_later_version", 1)]].concat(),
            vec![new("passphrase", 1), new("recovery_key", MAX_WRAP + 1)],
        ] {
            let kinds: Vec<_> = refused.iter().map(|wrap| wrap.kind.clone()).collect();
            assert!(wraps(&ambient, refused).is_err(), "{kinds:?}");
        }
    }
}
