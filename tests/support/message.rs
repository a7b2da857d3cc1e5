//! Messages of the tests: opaque bytes in the form that the server receives.

use protocol::envelope::{Slot, Submission, Target};
use protocol::ids::{LiveId, MessageId, UserId};

use super::{Account, Answer, random_id};

/// A slot that any session of the account may claim.
pub(crate) fn waiting_slot(account: [u8; 16], bytes: &[u8]) -> Slot {
    Slot {
        target: Target::Account {
            account: UserId::from_bytes(account),
        },
        prekey_id: Some(7),
        bytes: bytes.to_vec(),
    }
}

/// A slot that one live session may claim.
pub(crate) fn live_slot(account: [u8; 16], live: [u8; 16], bytes: &[u8]) -> Slot {
    Slot {
        target: Target::Live {
            account: UserId::from_bytes(account),
            live_id: LiveId::from_bytes(live),
        },
        prekey_id: None,
        bytes: bytes.to_vec(),
    }
}

/// An encoded message with a life of an hour.
pub(crate) fn submission(id: [u8; 16], burn: bool, slots: Vec<Slot>, body: &[u8]) -> Vec<u8> {
    Submission {
        message_id: MessageId::from_bytes(id),
        life_secs: 3600,
        burn_on_read: burn,
        slots,
        body: body.to_vec(),
    }
    .encode()
}

/// Posts a message that burns on reading and that any session of the recipient may claim.
pub(crate) async fn post_waiting(from: &Account, to: &Account) -> Answer {
    let slots = vec![waiting_slot(to.id(), b"slot")];
    let bytes = submission(random_id(), true, slots, b"sealed body");
    from.post(bytes).await
}
