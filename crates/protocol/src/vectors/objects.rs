//! Vectors of the protocol's own objects.

use super::fields::{Checked, Fields, Outcome};
use super::{parcels, texts};
use crate::boot::SignedBoot;
use crate::envelope::{ContentKey, SlotSet, Submission, open_chunk};
use crate::identity::{AccountKeys, Fingerprint, safety_number};
use crate::ids::{AttachmentId, LiveId, UserId};
use crate::opaque::{self, ExportKey, OpaqueError, ServerSetup};
use crate::prekeys::{ClaimedPrekey, PrekeyError, SessionBundle, SignedBatch};
use crate::recovery_key::RecoveryKey;
use crate::safe::{
    ResumeHalf, SafeError, SafeKey, open_prekey_safe, open_safe, passphrase_unwrap,
    recovery_unwrap, resume_unwrap,
};

pub(super) fn run(kind: &str, fields: &Fields<'_>) -> Option<Checked> {
    Some(match kind {
        "account_keys" => account_keys(fields),
        "safety_number" => safety(fields),
        "recovery_key" => recovery_key(fields),
        "prekey_batch" => prekey_batch(fields),
        "claimed_prekey" => claimed_prekey(fields),
        "session_bundle" => session_bundle(fields),
        "parcel" => parcels::parcel(fields),
        "submission" => submission(fields),
        "slot_set" => slot_set(fields),
        "key_safe" => key_safe(fields),
        "prekey_safe" => prekey_safe(fields),
        "passphrase_wrap" | "recovery_wrap" | "resume_wrap" => wrap(kind, fields),
        "signed_boot" => signed_boot(fields),
        "sign_in" => sign_in(fields),
        "attachment_chunk" => attachment_chunk(fields),
        "passphrase" => texts::passphrase(fields),
        _ => return None,
    })
}

pub(super) fn outcome<T, E: core::fmt::Debug>(result: Result<T, E>) -> Outcome {
    match result {
        Ok(_) => Outcome::Accepted,
        Err(error) => Outcome::rejected(&error),
    }
}

pub(super) fn keys(fields: &Fields<'_>, name: &str) -> Result<AccountKeys, String> {
    AccountKeys::decode(&fields.bytes(name)?).map_err(|error| format!("{name}: {error}"))
}

pub(super) fn user_id(fields: &Fields<'_>) -> Result<UserId, String> {
    fields.array("user_id").map(UserId::from_bytes)
}

fn account_keys(fields: &Fields<'_>) -> Checked {
    match AccountKeys::decode(&fields.bytes("bytes")?) {
        Ok(keys) => {
            let pinned = Fingerprint::from_bytes(fields.array("fingerprint")?);
            if keys.encode() != fields.bytes("bytes")? {
                return Err("encoding again gives other bytes".to_owned());
            }
            Ok(outcome(keys.expect(&pinned)))
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn safety(fields: &Fields<'_>) -> Checked {
    let one = Fingerprint::from_bytes(fields.array("one")?);
    let other = Fingerprint::from_bytes(fields.array("other")?);
    let digits = fields.text("digits")?;
    for found in [safety_number(&one, &other), safety_number(&other, &one)] {
        if found != digits {
            return Err(format!("digits are {found}"));
        }
    }
    Ok(Outcome::Accepted)
}

fn recovery_key(fields: &Fields<'_>) -> Checked {
    match RecoveryKey::parse(fields.text("text")?) {
        Ok(key) => {
            fields.expect("bytes", key.expose())?;
            fields.expect("proof", key.sign_in_proof().expose())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn highest_seen(fields: &Fields<'_>) -> Result<u32, String> {
    u32::try_from(fields.number("highest_seen")?).map_err(|error| error.to_string())
}

fn prekey_batch(fields: &Fields<'_>) -> Checked {
    let keys = keys(fields, "keys")?;
    let (user_id, now) = (user_id(fields)?, fields.number("now")?);
    let seen = highest_seen(fields)?;
    Ok(outcome(
        SignedBatch::decode(&fields.bytes("bytes")?)
            .map_err(PrekeyError::from)
            .and_then(|batch| batch.verify(&keys, &user_id, now, seen)),
    ))
}

fn claimed_prekey(fields: &Fields<'_>) -> Checked {
    let keys = keys(fields, "keys")?;
    let (user_id, now) = (user_id(fields)?, fields.number("now")?);
    let seen = highest_seen(fields)?;
    Ok(outcome(
        ClaimedPrekey::decode(&fields.bytes("bytes")?)
            .map_err(PrekeyError::from)
            .and_then(|claimed| claimed.verify(&keys, &user_id, now, seen)),
    ))
}

fn session_bundle(fields: &Fields<'_>) -> Checked {
    let keys = keys(fields, "keys")?;
    let (user_id, now) = (user_id(fields)?, fields.number("now")?);
    let live_id = LiveId::from_bytes(fields.array("live_id")?);
    Ok(outcome(
        SessionBundle::decode(&fields.bytes("bytes")?)
            .map_err(PrekeyError::from)
            .and_then(|bundle| bundle.verify(&keys, &user_id, &live_id, now)),
    ))
}

fn submission(fields: &Fields<'_>) -> Checked {
    let bytes = fields.bytes("bytes")?;
    match Submission::decode(&bytes) {
        Ok(submission) => {
            fields.expect("message_id", submission.message_id.as_bytes())?;
            fields.expect("bytes", &submission.encode())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn slot_set(fields: &Fields<'_>) -> Checked {
    match SlotSet::decode(&fields.bytes("bytes")?) {
        Ok(set) => {
            fields.expect("message_id", set.message_id.as_bytes())?;
            fields.expect("bytes", &set.encode())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn key_safe(fields: &Fields<'_>) -> Checked {
    let key = SafeKey::from_bytes(&fields.array("key")?);
    let sealed = fields.bytes("sealed")?;
    match open_safe(&key, &user_id(fields)?, fields.number("version")?, &sealed) {
        Ok(contents) => {
            fields.expect("fingerprint", contents.secrets.fingerprint().as_bytes())?;
            fields.expect("write_proof", key.write_proof().expose())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn prekey_safe(fields: &Fields<'_>) -> Checked {
    let key = SafeKey::from_bytes(&fields.array("key")?);
    let sealed = fields.bytes("sealed")?;
    match open_prekey_safe(&key, &user_id(fields)?, fields.number("version")?, &sealed) {
        Ok(contents) => {
            let count = u64::try_from(contents.iter().count()).unwrap_or(u64::MAX);
            if count == fields.number("entries")? {
                Ok(Outcome::Accepted)
            } else {
                Err(format!("holds {count} entries"))
            }
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn wrap(kind: &str, fields: &Fields<'_>) -> Checked {
    let (user_id, wrapped) = (user_id(fields)?, fields.bytes("wrapped")?);
    let result: Result<SafeKey, SafeError> = match kind {
        "passphrase_wrap" => {
            let key = ExportKey::from_bytes(&fields.array("key")?);
            passphrase_unwrap(&key, &user_id, &wrapped)
        }
        "recovery_wrap" => {
            let key = RecoveryKey::from_bytes(&fields.array("key")?);
            recovery_unwrap(&key, &user_id, &wrapped)
        }
        _ => {
            let half = ResumeHalf::from_bytes(&fields.array("key")?);
            resume_unwrap(&half, &user_id, &wrapped)
        }
    };
    match result {
        Ok(key) => {
            fields.expect("safe_key", key.expose())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn signed_boot(fields: &Fields<'_>) -> Checked {
    let pinned = if fields.has("pinned") {
        Some(fields.array("pinned")?)
    } else {
        None
    };
    match SignedBoot::decode(&fields.bytes("bytes")?) {
        Ok(boot) => match boot.verify(pinned.as_ref()) {
            Ok(boot) => {
                fields.expect("boot_id", &boot.boot_id)?;
                fields.expect("fingerprint", &boot.fingerprint)?;
                Ok(Outcome::Accepted)
            }
            Err(error) => Ok(Outcome::rejected(&error)),
        },
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

/// Signs in once, both sides here.
fn sign_in(fields: &Fields<'_>) -> Checked {
    let (setup, record) = (fields.bytes("server_setup")?, fields.bytes("record")?);
    let id = fields.bytes("credential_id")?;
    let passphrase = fields.text("passphrase")?;
    let rng = &mut super::SeededRng::new(0);
    let mut attempt = || -> Result<ExportKey, OpaqueError> {
        let setup = ServerSetup::deserialize(&setup)?;
        let (client, request) = opaque::login_start(rng, passphrase.as_bytes())?;
        let (server, response) = opaque::login_respond(&setup, Some(&record), &request, &id, rng)?;
        let (finalization, export_key) = client.finish(rng, &response)?;
        opaque::login_finish(&server, &finalization)?;
        Ok(export_key)
    };
    match attempt() {
        Ok(export_key) => {
            fields.expect("export_key", export_key.expose())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn attachment_chunk(fields: &Fields<'_>) -> Checked {
    let key = ContentKey::from_bytes(&fields.array("key")?);
    let id = AttachmentId::from_bytes(fields.array("attachment")?);
    let place = |name| {
        fields
            .number(name)
            .and_then(|number| u32::try_from(number).map_err(|error| error.to_string()))
    };
    let sealed = fields.bytes("sealed")?;
    match open_chunk(&key, &id, place("index")?, place("total")?, &sealed) {
        Ok(chunk) => {
            fields.expect("chunk", &chunk)?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}
