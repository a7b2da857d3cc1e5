//! What is just within a bound is taken, and what is just above it refused.

use protocol::DecodeError;
use protocol::envelope::{
    CHUNK_LEN, Content, ContentKey, EnvelopeError, Parcel, Receipt, ReceiptState, SecretText, Slot,
    SlotSet, Submission, SubmissionHeader, Target, open_body, open_chunk, seal_body, seal_chunk,
};
use protocol::ids::{AttachmentId, MessageId, UserId};

use crate::support::SeededRng;

fn text(len: usize) -> SecretText {
    "x".repeat(len).into()
}

fn request(handle: usize, alias: usize, greeting: usize) -> Content {
    Content::Request {
        handle: text(handle),
        alias: text(alias),
        greeting: text(greeting),
        invite: None,
    }
}

fn accept(handle: usize, alias: usize) -> Content {
    Content::Accept {
        handle: text(handle),
        alias: text(alias),
    }
}

fn receipts(count: usize) -> Content {
    let receipt = Receipt {
        message_id: MessageId::from_bytes([3; 16]),
        state: ReceiptState::Read,
    };
    Content::Receipt(vec![receipt; count])
}

fn edit(len: usize) -> Content {
    Content::Edit {
        message_id: MessageId::from_bytes([3; 16]),
        text: text(len),
    }
}

#[test]
fn content_at_its_bounds_is_sealed_and_opened() {
    let rng = &mut SeededRng::new(1);
    for content in [
        Content::text(text(1 << 20)),
        edit(1 << 20),
        receipts(256),
        request(256, 256, 1_024),
        accept(256, 256),
        Content::Profile { alias: text(256) },
    ] {
        let sealed = seal_body(rng, &content, None).unwrap();
        let opened = open_body(&sealed.key, &sealed.bytes).unwrap();
        assert!(opened.content == content, "{:?}", content.kind());
    }
}

#[test]
fn content_with_one_field_above_its_bound_is_not_sealed() {
    let rng = &mut SeededRng::new(2);
    for content in [
        Content::text(text((1 << 20) + 1)),
        edit((1 << 20) + 1),
        receipts(257),
        request(257, 1, 1),
        request(1, 257, 1),
        request(1, 1, 1_025),
        accept(257, 1),
        accept(1, 257),
        Content::Profile { alias: text(257) },
    ] {
        let sealed = seal_body(rng, &content, None).map(|_| ());
        assert_eq!(sealed, Err(EnvelopeError::TooLong), "{:?}", content.kind());
    }
}

#[test]
fn a_chunk_has_at_most_64_kib_and_an_index_below_the_total() {
    let key = ContentKey::from_bytes(&[5; 32]);
    let id = AttachmentId::from_bytes([6; 16]);
    let chunk = vec![7; (64 << 10) + 1];
    let sealed = |index, total, len| seal_chunk(&key, &id, index, total, &chunk[..len]);
    assert_eq!(CHUNK_LEN, 64 << 10);
    for len in [0, 1, CHUNK_LEN - 1, CHUNK_LEN] {
        let sealed = sealed(1, 2, len).unwrap();
        assert_eq!(sealed.len(), 27 + len + 16);
        let opened = open_chunk(&key, &id, 1, 2, &sealed).unwrap();
        assert!(*opened == chunk[..len], "{len}");
    }
    for (index, total, len) in [(1, 2, CHUNK_LEN + 1), (2, 2, 1), (3, 2, 1), (0, 0, 1)] {
        assert_eq!(sealed(index, total, len), Err(EnvelopeError::TooLong));
    }
}

fn slot(n: u16, len: usize) -> Slot {
    let mut account = [0; 16];
    account[..2].copy_from_slice(&n.to_be_bytes());
    Slot {
        target: Target::Account {
            account: UserId::from_bytes(account),
        },
        prekey_id: None,
        bytes: vec![1; len],
    }
}

fn submission(life_secs: u32, slots: Vec<Slot>) -> Vec<u8> {
    let submission = Submission {
        message_id: MessageId::from_bytes([0; 16]),
        life_secs,
        burn_on_read: false,
        slots,
        body: vec![],
    };
    submission.encode()
}

#[test]
fn a_submission_at_each_of_its_bounds_is_taken_and_above_it_refused() {
    let read = |bytes: &[u8]| Submission::decode(bytes).map(|read| read.slots.len());
    assert_eq!(read(&submission(604_800, vec![slot(0, 1)])), Ok(1));
    let too_long = read(&submission(604_801, vec![slot(0, 1)]));
    assert_eq!(too_long, Err(DecodeError::InvalidValue("life")));

    let slots = |count| (0..count).map(|n| slot(n, 1)).collect::<Vec<_>>();
    assert_eq!(read(&submission(1, slots(256))), Ok(256));
    let too_many = read(&submission(1, slots(257)));
    assert_eq!(too_many, Err(DecodeError::TooLong));

    assert_eq!(read(&submission(1, vec![slot(0, 0)])), Ok(1));
    assert_eq!(read(&submission(1, vec![slot(0, 4_096)])), Ok(1));
    let too_large = read(&submission(1, vec![slot(0, 4_097)]));
    assert_eq!(too_large, Err(DecodeError::TooLong));

    let set = |count| {
        let message_id = MessageId::from_bytes([0; 16]);
        let slots = slots(count);
        SlotSet::decode(&SlotSet { message_id, slots }.encode()).map(|set| set.slots.len())
    };
    assert_eq!(set(256), Ok(256));
    assert_eq!(set(257), Err(DecodeError::TooLong));
    assert_eq!(set(0), Err(DecodeError::InvalidValue("slot count")));
}

#[test]
fn a_header_announces_a_body_of_at_most_64_mib() {
    let announced = |len: u32| {
        let mut bytes = submission(1, vec![slot(0, 1)]);
        let at = bytes.len() - 4;
        bytes[at..].copy_from_slice(&len.to_be_bytes());
        let header = SubmissionHeader::parse_prefix(&bytes)?;
        Ok(header.map(|(header, consumed)| (header.body_len, consumed == bytes.len())))
    };
    for len in [0, 1, 64 << 20] {
        assert_eq!(announced(len), Ok(Some((len as usize, true))));
    }
    for len in [(64 << 20) + 1, u32::MAX] {
        assert_eq!(announced(len), Err(DecodeError::TooLong));
    }
}

#[test]
fn what_stands_before_a_parcels_body_has_room_for_the_body() {
    let slot = slot(0, 100);
    let id = MessageId::from_bytes([0; 16]);
    let prefix = Parcel::encode_prefix(&id, &[0; 16], 30_000, &slot.target, &slot.bytes, 5_000);
    assert_eq!(prefix.capacity(), prefix.len() + 5_000);
}
