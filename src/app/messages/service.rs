//! The operations on messages that HTTP and WebSocket share.
//!
//! Specification: `docs/protocol/messages.md#submissions`.

use std::time::Duration;

use ephemeral::{
    Ciphertext, Claim, ClaimToken, Full, LiveId, MessageId, NewMessage, NewSlot, PutOutcome,
    Reservation, StatusItem, Target, UserId, WaitingItem,
};
use protocol::envelope::{MAX_SLOT_LEN, Parcel, Slot, SlotSet, SubmissionHeader};

use crate::app::App;
use crate::app::Problem;
use crate::app::sessions::{Deed, SignedIn};

/// Seconds for `Retry-After` if too many messages wait for a person who never wrote back.
const UNANSWERED_RETRY: Duration = Duration::from_secs(60);

/// The most messages of one query of states.
const MAX_STATUS: usize = 256;

/// The most bytes of a submission before its body.
pub(crate) fn max_header(app: &App) -> usize {
    // A slot's address goes before each slot.
    64 + app.vault().config().slots_per_message * (MAX_SLOT_LEN + 64)
}

/// The bytes are no submission or no set of slots.
pub(crate) fn unreadable(error: &dyn std::fmt::Display) -> Problem {
    Problem::malformed(error.to_string())
}

/// Parses a claim token; one of another length fits no claim.
pub(crate) fn token(bytes: &[u8]) -> Result<ClaimToken, Problem> {
    let bytes: [u8; 16] = bytes
        .try_into()
        .map_err(|_| Problem::from(ephemeral::LeaseError::StaleClaim))?;
    Ok(ClaimToken::from_bytes(bytes))
}

/// Counts a submission and reserves memory for it, before its body is read.
pub(crate) async fn reserve(
    app: &App,
    who: &SignedIn,
    header: &SubmissionHeader,
) -> Result<Reservation, Problem> {
    app.limits().message(who.key()).await?;
    app.sessions().note(who.session(), Deed::Post);
    let poster = who.user_id();
    let max_body = app.config().max_message_bytes;
    if header.body_len > max_body {
        return Err(Problem::too_large(max_body));
    }
    may_write(app, poster, header.message_id, &header.slots).await?;
    let slots: usize = header.slots.iter().map(|slot| slot.bytes.len()).sum();
    let payload = header.body_len.saturating_add(slots) as u64;
    let reserved = app.vault().reserve(poster, payload, header.slots.len());
    Ok(reserved.await??)
}

/// Puts a submission into the vault.
pub(crate) async fn put(
    app: &App,
    reservation: Reservation,
    header: SubmissionHeader,
    body: Ciphertext,
) -> Result<PutOutcome, Problem> {
    // Once more: others may have been put while the body was read.
    has_room(app, reservation.poster(), header.message_id, &header.slots).await?;
    let targets: Vec<Target> = header.slots.iter().map(|s| target(&s.target)).collect();
    let id = header.message_id;
    let message = NewMessage {
        id,
        life: Duration::from_secs(header.life_secs.into()),
        burn_on_read: header.burn_on_read,
        slots: slots(header.slots),
        body,
    };
    let outcome = app.vault().put(reservation, message).await??;
    app.plane().presence().mark_absent(id, &targets).await?;
    Ok(outcome)
}

/// Adds slots to a message of the same poster.
pub(crate) async fn add_slots(app: &App, who: &SignedIn, set: SlotSet) -> Result<(), Problem> {
    app.limits().message(who.key()).await?;
    app.sessions().note(who.session(), Deed::AddSlots);
    let poster = who.user_id();
    may_write(app, poster, set.message_id, &set.slots).await?;
    let id = set.message_id;
    let targets: Vec<Target> = set.slots.iter().map(|s| target(&s.target)).collect();
    let slots = slots(set.slots);
    app.vault().add_slots(id, poster, slots).await??;
    Ok(app.plane().presence().mark_absent(id, &targets).await?)
}

/// Returns the states of the poster's own messages.
pub(crate) async fn status(
    app: &App,
    who: &SignedIn,
    ids: &[MessageId],
) -> Result<Vec<StatusItem>, Problem> {
    if ids.len() > MAX_STATUS {
        return Err(Problem::malformed("At most 256 messages at a time."));
    }
    app.sessions().note(who.session(), Deed::Status);
    Ok(app.vault().status(who.user_id(), ids).await?)
}

/// Acknowledges a claim.
pub(crate) async fn acknowledge(
    app: &App,
    who: &SignedIn,
    id: MessageId,
    given: &[u8],
) -> Result<(), Problem> {
    let token = token(given)?;
    app.sessions().note(who.session(), Deed::Acknowledge);
    app.vault().acknowledge(id, who.user_id(), &token).await??;
    Ok(())
}

/// Extends a lease; returns its remaining milliseconds.
pub(crate) async fn extend(
    app: &App,
    who: &SignedIn,
    id: MessageId,
    given: &[u8],
) -> Result<u64, Problem> {
    let token = token(given)?;
    app.sessions().note(who.session(), Deed::Extend);
    let lease = app.vault().extend(id, who.user_id(), &token).await??;
    Ok(lease.as_millis() as u64)
}

/// Returns a claim as unreadable.
pub(crate) async fn cannot_open(
    app: &App,
    who: &SignedIn,
    id: MessageId,
    given: &[u8],
) -> Result<(), Problem> {
    let token = token(given)?;
    app.sessions().note(who.session(), Deed::CannotOpen);
    app.vault().cannot_open(id, who.user_id(), &token).await??;
    Ok(())
}

/// Returns what was claimed over a socket and is too large for a frame.
pub(crate) async fn fetch(
    app: &App,
    who: &SignedIn,
    id: MessageId,
    given: &[u8],
) -> Result<Claim, Problem> {
    let token = token(given)?;
    Ok(app.vault().fetch(id, who.user_id(), &token).await??)
}

/// Lists what waits for a caller.
pub(crate) async fn waiting(
    app: &App,
    who: &SignedIn,
    live: Option<LiveId>,
) -> Result<Vec<WaitingItem>, Problem> {
    Ok(app.vault().waiting_for(who.user_id(), live).await?)
}

/// Claims a message for one reader.
pub(crate) async fn claim(
    app: &App,
    who: &SignedIn,
    id: MessageId,
    live: Option<LiveId>,
) -> Result<Claim, Problem> {
    app.sessions().note(who.session(), Deed::Claim);
    Ok(app.vault().claim(id, who.user_id(), live).await??)
}

/// Claims a message for a live session that did not ask: no activity of the person.
pub(crate) async fn claim_unasked(
    app: &App,
    who: &SignedIn,
    id: MessageId,
    live: LiveId,
) -> Result<Claim, Problem> {
    Ok(app.vault().claim(id, who.user_id(), Some(live)).await??)
}

/// Counts the poster's new recipients, and the messages that wait for people who never wrote back.
async fn may_write(
    app: &App,
    poster: UserId,
    message: MessageId,
    slots: &[Slot],
) -> Result<(), Problem> {
    has_room(app, poster, message, slots).await?;
    app.limits().writes_to(poster, &recipients(slots)).await
}

fn recipients(slots: &[Slot]) -> Vec<UserId> {
    slots.iter().map(|slot| *slot.target.account()).collect()
}

/// Limits the messages that wait for a person who never wrote to the poster, so that strangers cannot fill an
/// inbox.
async fn has_room(
    app: &App,
    poster: UserId,
    message: MessageId,
    slots: &[Slot],
) -> Result<(), Problem> {
    let most = app.config().vault_unanswered_messages.max(1);
    let others = recipients(slots).into_iter().filter(|to| *to != poster);
    let others: Vec<_> = others.collect();
    let strangers = app.limits().never_wrote_to(poster, &others).await?;
    let held = app.vault().holds_unread(poster, &strangers, most, message);
    if held.await? {
        let retry_after = UNANSWERED_RETRY;
        return Err(Full::Account { retry_after }.into());
    }
    Ok(())
}

fn slots(slots: Vec<Slot>) -> Vec<NewSlot> {
    slots
        .into_iter()
        .map(|slot| NewSlot {
            target: target(&slot.target),
            prekey: slot.prekey_id,
            bytes: Ciphertext::copy_of(&slot.bytes),
        })
        .collect()
}

fn target(target: &protocol::envelope::Target) -> Target {
    let account = *target.account();
    match target.live_id() {
        Some(live) => Target::Live {
            account,
            live: *live,
        },
        None => Target::Account(account),
    }
}

/// Returns the length of the claim's parcel in bytes.
pub(crate) fn parcel_len(claim: &Claim) -> usize {
    let target = match claim.target {
        Target::Live { .. } => 1 + 16 + 16,
        Target::Account(_) => 1 + 16,
    };
    // Header, id, token, lease, target and both lengths.
    3 + 16 + 16 + 4 + target + 2 + 4 + claim.slot.len() + claim.body.len()
}

/// Encodes the claim's parcel.
pub(crate) fn parcel(id: MessageId, claim: &Claim) -> Vec<u8> {
    let account = claim.target.account();
    let target = match claim.target {
        Target::Live { live, .. } => protocol::envelope::Target::Live {
            account,
            live_id: live,
        },
        Target::Account(_) => protocol::envelope::Target::Account { account },
    };
    let mut bytes = Parcel::encode_prefix(
        &id,
        claim.token.as_bytes(),
        u32::try_from(claim.lease.as_millis()).unwrap_or(u32::MAX),
        &target,
        claim.slot.expose(),
        claim.body.len(),
    );
    bytes.extend_from_slice(claim.body.expose());
    bytes
}
