//! Makes the protocol's own vectors.

use serde_json::{Value, json};

use super::rng::SeededRng;
use super::{link, rejects, texts};
use crate::boot::BootSigningKey;
use crate::codec::Writer;
use crate::envelope::{
    Content, ContentKey, Conversation, EnvelopeError, Parcel, SlotContent, SlotSet, Submission,
    seal_body, seal_chunk, seal_slot,
};
use crate::epoch::{LocalParty, SenderEpoch, VerifiedTarget};
use crate::identity::{AccountKeys, AccountSecrets, safety_number};
use crate::ids::{AttachmentId, LiveId, MessageId, UserId};
use crate::opaque::{
    ExportKey, OpaqueError, ServerSetup, register_record, register_respond, register_start,
};
use crate::prekeys::{PairSecrets, SessionSecrets, generate_batch};
use crate::recovery_key::RecoveryKey;
use crate::safe::{
    PrekeySafe, ResumeHalf, SafeContents, SafeKey, passphrase_wrap, recovery_wrap, resume_wrap,
    seal_prekey_safe, seal_safe,
};

/// The second at which the vectors happen.
const NOW: u64 = 1_800_000_000;

const ALICE_KEYS: &str = "@account keys of alice/bytes";
const BOB_KEYS: &str = "@account keys of bob/bytes";

pub(super) struct Person {
    pub user_id: UserId,
    pub live_id: LiveId,
    pub secrets: AccountSecrets,
    pub keys: AccountKeys,
}

impl Person {
    fn new(rng: &mut SeededRng) -> Self {
        let secrets = AccountSecrets::generate(rng);
        let keys = secrets.account_keys(rng);
        Self {
            user_id: UserId::random(rng),
            live_id: LiveId::random(rng),
            secrets,
            keys,
        }
    }

    fn party(&self) -> LocalParty<'_> {
        LocalParty {
            user_id: self.user_id,
            secrets: &self.secrets,
            keys: &self.keys,
        }
    }
}

/// All vectors of a seed as JSON, accepted and refused ones, one vector a line.
///
/// The same seed gives the same bytes natively and in WebAssembly.
pub fn produce(seed: u64) -> Result<String, String> {
    let mut rng = SeededRng::new(seed);
    let mut accepted = Vec::new();
    let alice = Person::new(&mut rng);
    let bob = Person::new(&mut rng);
    identities(&mut accepted, &alice, &bob);
    messages(&mut accepted, &mut rng, &alice, &bob).ok_or("a message could not be made")?;
    safes(&mut accepted, &mut rng, &alice).ok_or("a safe could not be made")?;
    boot(&mut accepted, &mut rng)?;
    sign_in(&mut accepted, &mut rng).map_err(|error| error.to_string())?;
    attachment(&mut accepted, &mut rng).map_err(|error| error.to_string())?;
    link::produce(&mut accepted, &mut rng, NOW).ok_or("a link could not be made")?;
    accepted.extend(texts::all());
    let rejected = rejects::all();
    let lines: Vec<String> = accepted
        .iter()
        .chain(&rejected)
        .map(|vector| format!("    {vector}"))
        .collect();
    Ok(format!(
        "{{\n  \"vectors\": [\n{}\n  ]\n}}\n",
        lines.join(",\n")
    ))
}

fn identities(out: &mut Vec<Value>, alice: &Person, bob: &Person) {
    for (name, person) in [("alice", alice), ("bob", bob)] {
        out.push(json!({
            "id": format!("account keys of {name}"),
            "kind": "account_keys", "result": "accept",
            "bytes": hex::encode(person.keys.encode()),
            "fingerprint": hex::encode(person.keys.fingerprint().as_bytes()),
        }));
    }
    let (one, other) = (alice.keys.fingerprint(), bob.keys.fingerprint());
    out.push(json!({
        "id": "safety number of alice and bob",
        "kind": "safety_number", "result": "accept",
        "one": hex::encode(one.as_bytes()),
        "other": hex::encode(other.as_bytes()),
        "digits": safety_number(one, other),
    }));
}

fn messages(out: &mut Vec<Value>, rng: &mut SeededRng, alice: &Person, bob: &Person) -> Option<()> {
    let (session, bundle) =
        SessionSecrets::generate(rng, &bob.secrets, bob.user_id, bob.live_id, NOW);
    out.push(json!({
        "id": "session bundle of bob", "kind": "session_bundle", "result": "accept",
        "keys": BOB_KEYS,
        "user_id": bob.user_id.to_string(), "live_id": bob.live_id.to_string(),
        "now": NOW, "bytes": hex::encode(bundle.encode()),
    }));
    let target = bundle
        .verify(&bob.keys, &bob.user_id, &bob.live_id, NOW)
        .ok()?;
    message(
        out,
        rng,
        "live",
        (alice, bob),
        &target,
        (session.pair(), None),
    )?;

    let taken = Default::default();
    let batch = generate_batch(rng, &bob.secrets, bob.user_id, 7, 2, NOW, &taken);
    let facts = json!({
        "keys": BOB_KEYS,
        "user_id": bob.user_id.to_string(), "now": NOW, "highest_seen": 7,
    });
    let mut vector = json!({
        "id": "prekey batch of bob", "kind": "prekey_batch", "result": "accept",
        "bytes": hex::encode(batch.signed.encode()),
    });
    extend(&mut vector, &facts);
    out.push(vector);
    let last = batch.secrets.last().map(|(_, _, pair)| pair)?;
    let (one_time_id, _, one_time) = batch.secrets.get(1)?;
    for (name, id, one_time) in [
        ("one-time", Some(*one_time_id), Some(one_time)),
        ("last-resort", None, None),
    ] {
        let claimed = batch.signed.claimed(id)?;
        let mut vector = json!({
            "id": format!("claimed {name} prekey of bob"),
            "kind": "claimed_prekey", "result": "accept",
            "bytes": hex::encode(claimed.encode()),
        });
        extend(&mut vector, &facts);
        out.push(vector);
        let target = claimed.verify(&bob.keys, &bob.user_id, NOW, 7).ok()?;
        message(out, rng, name, (alice, bob), &target, (last, one_time))?;
    }
    Some(())
}

fn message(
    out: &mut Vec<Value>,
    rng: &mut SeededRng,
    name: &str,
    (alice, bob): (&Person, &Person),
    target: &VerifiedTarget,
    (signed, one_time): (&PairSecrets, Option<&PairSecrets>),
) -> Option<()> {
    let mut epoch = SenderEpoch::start(rng, NOW, &alice.party(), target).ok()?;
    for sequence in 1..=2_u64 {
        let text = format!("{name} message {sequence}: grüße");
        let message_id = MessageId::random(rng);
        let body = seal_body(rng, &Content::text(text.as_str()), None).ok()?;
        let content = SlotContent {
            key: body.key.duplicate(),
            sender: alice.user_id,
            session: alice.live_id,
            conversation: Conversation::Direct {
                recipient: bob.user_id,
            },
            sequence,
            previous: [0; 32],
            earlier: crate::envelope::EarlierEnds::default(),
            sent_at: NOW,
            life_secs: 86_400,
            burn_on_read: true,
            burn_after_secs: 0,
            kind: crate::envelope::ContentKind::Text,
            safe_mark: None,
        };
        let slot = seal_slot(&mut epoch, NOW, &message_id, &body.hash, &content).ok()?;
        let parcel = Parcel {
            message_id,
            token: [0x5a; 16],
            lease_ms: 30_000,
            target: slot.target,
            slot: slot.bytes.clone(),
            body: body.bytes.clone(),
        };
        let mut vector = json!({
            "id": format!("{name} parcel {sequence}"), "kind": "parcel", "result": "accept",
            "identity": hex::encode(bob.secrets.identity.expose()),
            "ed25519": hex::encode(bob.secrets.signing.ed25519().expose()),
            "ml_dsa": hex::encode(bob.secrets.signing.ml_dsa().expose()),
            "keys": BOB_KEYS,
            "sender_keys": ALICE_KEYS,
            "sender_id": alice.user_id.to_string(),
            "user_id": bob.user_id.to_string(), "live_id": bob.live_id.to_string(),
            "signed_pair": pair_hex(signed),
            "now": NOW, "parcel": hex::encode(parcel.encode()),
            "text": text, "sequence": sequence,
        });
        if let Some(one_time) = one_time {
            extend(&mut vector, &json!({"one_time_pair": pair_hex(one_time)}));
        }
        out.push(vector);
        if sequence == 1 {
            let set = SlotSet {
                message_id,
                slots: vec![slot.clone()],
            };
            out.push(json!({
                "id": format!("{name} slot set"), "kind": "slot_set", "result": "accept",
                "message_id": message_id.to_string(), "bytes": hex::encode(set.encode()),
            }));
            let submission = Submission {
                message_id,
                life_secs: 86_400,
                burn_on_read: true,
                slots: vec![slot],
                body: body.bytes,
            };
            out.push(json!({
                "id": format!("{name} submission"), "kind": "submission", "result": "accept",
                "message_id": message_id.to_string(),
                "bytes": hex::encode(submission.encode()),
            }));
        }
    }
    Some(())
}

fn safes(out: &mut Vec<Value>, rng: &mut SeededRng, alice: &Person) -> Option<()> {
    let safe_key = SafeKey::random(rng);
    let user_id = alice.user_id;
    let contents = SafeContents::new(alice.secrets.duplicate(), NOW);
    let sealed = seal_safe(rng, &safe_key, &user_id, 3, &contents);
    out.push(json!({
        "id": "key safe of alice", "kind": "key_safe", "result": "accept",
        "key": hex::encode(safe_key.expose()), "user_id": user_id.to_string(),
        "version": 3, "sealed": hex::encode(sealed),
        "fingerprint": hex::encode(alice.keys.fingerprint().as_bytes()),
        "write_proof": hex::encode(safe_key.write_proof().expose()),
    }));
    let mut prekeys = PrekeySafe::default();
    let taken = prekeys.taken_ids();
    let batch = generate_batch(rng, &alice.secrets, user_id, 1, 3, NOW, &taken);
    prekeys.add_batch(batch);
    let sealed = seal_prekey_safe(rng, &safe_key, &user_id, 9, &prekeys);
    out.push(json!({
        "id": "prekey safe of alice", "kind": "prekey_safe", "result": "accept",
        "key": hex::encode(safe_key.expose()), "user_id": user_id.to_string(),
        "version": 9, "sealed": hex::encode(sealed), "entries": 4,
    }));
    let export_key = ExportKey::random(rng);
    let recovery_key = RecoveryKey::random(rng);
    let half = ResumeHalf::random(rng);
    let wrapped = [
        (
            "passphrase_wrap",
            export_key.expose().as_slice(),
            passphrase_wrap(rng, &safe_key, &export_key, &user_id),
        ),
        (
            "recovery_wrap",
            recovery_key.expose().as_slice(),
            recovery_wrap(rng, &safe_key, &recovery_key.public(), &user_id).ok()?,
        ),
        (
            "resume_wrap",
            half.expose().as_slice(),
            resume_wrap(rng, &safe_key, &half, &user_id),
        ),
    ];
    for (kind, key, wrapped) in wrapped {
        out.push(json!({
            "id": format!("{} of alice", kind.replace('_', " ")),
            "kind": kind, "result": "accept",
            "key": hex::encode(key), "user_id": user_id.to_string(),
            "wrapped": hex::encode(wrapped), "safe_key": hex::encode(safe_key.expose()),
        }));
    }
    out.push(json!({
        "id": "recovery key of alice", "kind": "recovery_key", "result": "accept",
        "text": recovery_key.display().as_str(),
        "bytes": hex::encode(recovery_key.expose()),
        "proof": hex::encode(recovery_key.sign_in_proof().expose()),
    }));
    Some(())
}

fn boot(out: &mut Vec<Value>, rng: &mut SeededRng) -> Result<(), String> {
    let signed = BootSigningKey::generate(rng).sign(rng, [0xb0; 16], NOW);
    let verified = signed.verify(None).map_err(|error| error.to_string())?;
    out.push(json!({
        "id": "signed boot id", "kind": "signed_boot", "result": "accept",
        "bytes": hex::encode(signed.encode()),
        "boot_id": hex::encode(verified.boot_id),
        "fingerprint": hex::encode(verified.fingerprint),
        "pinned": hex::encode(verified.fingerprint),
    }));
    Ok(())
}

fn sign_in(out: &mut Vec<Value>, rng: &mut SeededRng) -> Result<(), OpaqueError> {
    let setup = ServerSetup::generate(rng);
    let passphrase = crate::passphrase::generate(rng);
    let (state, request) = register_start(rng, passphrase.as_bytes())?;
    let response = register_respond(&setup, &request, b"alice")?;
    let (upload, export_key) = state.finish(rng, &response)?;
    out.push(json!({
        "id": "sign-in of alice", "kind": "sign_in", "result": "accept",
        "server_setup": hex::encode(setup.serialize()),
        "record": hex::encode(register_record(&upload)?),
        "credential_id": hex::encode("alice"), "passphrase": passphrase.as_str(),
        "export_key": hex::encode(export_key.expose()),
    }));
    Ok(())
}

fn attachment(out: &mut Vec<Value>, rng: &mut SeededRng) -> Result<(), EnvelopeError> {
    let key = ContentKey::random(rng);
    let attachment = AttachmentId::random(rng);
    out.push(json!({
        "id": "attachment chunk", "kind": "attachment_chunk", "result": "accept",
        "key": hex::encode(key.expose()), "index": 1, "total": 3,
        "attachment": hex::encode(attachment.as_bytes()),
        "sealed": hex::encode(seal_chunk(&key, &attachment, 1, 3, b"the second of three")?),
        "chunk": hex::encode("the second of three"),
    }));
    Ok(())
}

fn pair_hex(pair: &PairSecrets) -> String {
    let mut writer = Writer::default();
    pair.write(&mut writer);
    hex::encode(writer.into_bytes())
}

fn extend(vector: &mut Value, more: &Value) {
    if let (Some(vector), Some(more)) = (vector.as_object_mut(), more.as_object()) {
        vector.extend(more.clone());
    }
}
