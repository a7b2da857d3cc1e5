//! Vectors of whole messages, from the claimed parcel to the words.

use super::fields::{Checked, Fields, Outcome};
use super::objects::{keys, user_id};
use crate::codec::Reader;
use crate::envelope::{
    BodyHash, Content, EnvelopeError, Parcel, SealedSlot, SlotContent, open_body, open_slot,
};
use crate::epoch::{LocalParty, PendingEpoch, ReceiverPairs};
use crate::identity::{AccountKeys, AccountSecrets};
use crate::ids::{LiveId, UserId};
use crate::prekeys::PairSecrets;
use crate::primitives::agreement::AgreementSecret;
use crate::primitives::signature::{Ed25519Seed, MlDsaSeed, SigningKey};

/// Opens a parcel as a client does; each refusal is the client's own error.
pub(super) fn parcel(fields: &Fields<'_>) -> Checked {
    let me = AccountSecrets {
        identity: AgreementSecret::from_bytes(&fields.array("identity")?),
        signing: SigningKey::from_seeds(
            Ed25519Seed::from_bytes(&fields.array("ed25519")?),
            MlDsaSeed::from_bytes(&fields.array("ml_dsa")?),
        ),
    };
    let own_keys = keys(fields, "keys")?;
    let sender_keys = keys(fields, "sender_keys")?;
    let signed = pair(fields, "signed_pair")?;
    let one_time = if fields.has("one_time_pair") {
        Some(pair(fields, "one_time_pair")?)
    } else {
        None
    };
    let party = LocalParty {
        user_id: user_id(fields)?,
        secrets: &me,
        keys: &own_keys,
    };
    let pairs = ReceiverPairs {
        signed: &signed,
        one_time: one_time.as_ref(),
    };
    let live_id = LiveId::from_bytes(fields.array("live_id")?);
    let bytes = fields.bytes("parcel")?;
    let now = fields.number("now")?;
    match open(&bytes, &party, &live_id, pairs, &sender_keys, now) {
        Ok((slot, content)) => {
            let said = match &content {
                Content::Text { text, .. } => text.as_str(),
                _ => return Err("not a text".to_owned()),
            };
            if said != fields.text("text")? {
                return Err(format!("the words are {said}"));
            }
            let sender = UserId::from_bytes(fields.array("sender_id")?);
            if slot.sender != sender || slot.sequence != fields.number("sequence")? {
                return Err("sender or sequence differ".to_owned());
            }
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn open(
    bytes: &[u8],
    me: &LocalParty<'_>,
    live_id: &LiveId,
    pairs: ReceiverPairs<'_>,
    sender: &AccountKeys,
    now: u64,
) -> Result<(SlotContent, Content), EnvelopeError> {
    let parcel = Parcel::decode(bytes)?;
    if !parcel.target.is_for(&me.user_id, live_id) {
        return Err(EnvelopeError::WrongTarget);
    }
    let slot = SealedSlot::decode(&parcel.slot)?;
    let epoch = PendingEpoch::begin(&slot.handshake, pairs, now)?.finish(me, sender)?;
    let hash = BodyHash::of(&parcel.body);
    let opened = open_slot(&epoch, &slot, &parcel.target, &parcel.message_id, &hash)?;
    opened.conversation.peer(&me.user_id, &opened.sender)?;
    let body = open_body(&opened.key, &parcel.body)?;
    if body.content.kind() != opened.kind {
        return Err(EnvelopeError::KindMismatch);
    }
    Ok((opened, body.content))
}

fn pair(fields: &Fields<'_>, name: &str) -> Result<PairSecrets, String> {
    let bytes = fields.array::<{ PairSecrets::LEN }>(name)?;
    PairSecrets::read(&mut Reader::new(&bytes)).map_err(|error| error.to_string())
}
