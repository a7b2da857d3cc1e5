//! Safes of a new account, and safes under a new key.

use api::WrapKind;
use protocol::identity::AccountSecrets;
use protocol::opaque::ExportKey;
use protocol::prekeys::{ONE_TIME_AT_REGISTRATION, generate_batch};
use protocol::recovery_key::RecoveryKey;
use protocol::safe::{
    PrekeySafe, RecoveryAnchor, SafeContents, SafeError, SafeKey, SafeMark, passphrase_wrap,
    proof_hash, recovery_wrap, seal_prekey_safe, seal_safe,
};
use rand_core::CryptoRng;

use super::Marks;
use crate::id::UserId;
use crate::wire::{Blob, NewWrap, SafeData, SafeWrite};

/// Everything a registration uploads besides OPAQUE's record.
pub(crate) struct NewSafes {
    pub(crate) public_keys: Vec<u8>,
    pub(crate) safe: SafeWrite,
    pub(crate) prekey_safe: SafeData,
    pub(crate) batch: Vec<u8>,
    pub(crate) key: SafeKey,
    pub(crate) marks: Marks,
}

/// The number that the safes of a new account start with.
const FIRST_VERSION: u64 = 1;

impl NewSafes {
    /// Makes identity, prekeys and both safes of a new account.
    pub(crate) fn make(
        rng: &mut (impl CryptoRng + ?Sized),
        user: UserId,
        export: &ExportKey,
        recovery: &RecoveryKey,
        now: u64,
    ) -> Result<Self, SafeError> {
        let secrets = AccountSecrets::generate(rng);
        let public_keys = secrets.account_keys(rng).encode();
        let mut prekeys = PrekeySafe::default();
        let batch = generate_batch(
            rng,
            &secrets,
            user,
            1,
            ONE_TIME_AT_REGISTRATION,
            now,
            &prekeys.taken_ids(),
        );
        let batch = prekeys.add_batch(batch).encode();
        let mut contents = SafeContents::new(secrets, now);
        contents.batch_number = 1;
        contents.recovery = Some((now, RecoveryAnchor::of(recovery)));
        let key = SafeKey::random(rng);
        let safe = write_of(rng, user, &key, export, &contents, FIRST_VERSION)?;
        let safe_mark = SafeMark::of(safe.version, &safe.data);
        prekeys.safe_mark = Some(safe_mark);
        let data = seal_prekey_safe(rng, &key, &user, FIRST_VERSION, &prekeys);
        let marks = Marks {
            safe: safe_mark,
            prekeys: SafeMark::of(FIRST_VERSION, &data),
        };
        Ok(Self {
            marks,
            public_keys,
            safe,
            prekey_safe: SafeData {
                version: FIRST_VERSION,
                data: Blob::from(data),
            },
            batch,
            key,
        })
    }
}

/// Seals a key safe with all its wraps and hashes.
fn write_of(
    rng: &mut (impl CryptoRng + ?Sized),
    user: UserId,
    key: &SafeKey,
    export: &ExportKey,
    contents: &SafeContents,
    version: u64,
) -> Result<SafeWrite, SafeError> {
    let Some((_, anchor)) = &contents.recovery else {
        return Err(SafeError::BadWrap);
    };
    Ok(SafeWrite {
        version,
        data: Blob::from(seal_safe(rng, key, &user, version, contents)),
        wraps: vec![
            NewWrap {
                kind: WrapKind::Passphrase,
                data: Blob::from(passphrase_wrap(rng, key, export, &user)),
            },
            NewWrap {
                kind: WrapKind::RecoveryKey,
                data: Blob::from(recovery_wrap(rng, key, &anchor.public, &user)?),
            },
        ],
        write_proof_hash: Blob::from(proof_hash(key.write_proof().expose()).as_slice()),
        recovery_proof_hash: Blob::from(anchor.proof_hash.as_slice()),
    })
}

/// Both safes under a new key, one version on.
pub(crate) fn reseal(
    rng: &mut (impl CryptoRng + ?Sized),
    user: UserId,
    key: &SafeKey,
    export: &ExportKey,
    (contents, prekeys): (&SafeContents, &mut PrekeySafe),
    (safe_version, prekey_version): (u64, u64),
) -> Result<(SafeWrite, SafeData, Marks), SafeError> {
    let safe = write_of(
        rng,
        user,
        key,
        export,
        contents,
        safe_version.saturating_add(1),
    )?;
    let version = prekey_version.saturating_add(1);
    let safe_mark = SafeMark::of(safe.version, &safe.data);
    let before = prekeys.safe_mark.replace(safe_mark);
    let data = seal_prekey_safe(rng, key, &user, version, prekeys);
    // Nothing has been replaced yet.
    prekeys.safe_mark = before;
    let marks = Marks {
        safe: safe_mark,
        prekeys: SafeMark::of(version, &data),
    };
    let prekey_safe = SafeData {
        version,
        data: Blob::from(data),
    };
    Ok((safe, prekey_safe, marks))
}
