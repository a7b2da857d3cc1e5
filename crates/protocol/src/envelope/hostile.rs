//! Hostile bytes for what is sealed in slots and bodies, as if their keys were known.

use fuzz::Target;

use super::{
    Content, ContentKey, ContentKind, Conversation, EarlierEnds, Receipt, ReceiptState, SlotContent,
};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::{GroupId, LiveId, MessageId, UserId};
use crate::safe::SafeMark;

const AGAIN: &str = "cargo test --package protocol --lib -- --exact --nocapture";

fn read(bytes: &[u8]) -> Result<Content, DecodeError> {
    let mut reader = Reader::new(bytes);
    let content = Content::read(&mut reader)?;
    reader.finish()?;
    Ok(content)
}

#[test]
fn hostile_contents_of_messages_break_nothing() {
    let receipt = Receipt {
        message_id: MessageId::from_bytes([7; 16]),
        state: ReceiptState::Read,
    };
    let all = [
        Content::text("hello"),
        Content::Receipt(vec![receipt]),
        Content::Typing { active: true },
        Content::Sync,
    ];
    let seeds = all.map(|content| {
        let mut writer = Writer::default();
        content.write(&mut writer);
        writer.into_bytes()
    });
    assert!(seeds.iter().all(|seed| read(seed).is_ok()), "the control");
    Target::new("contents of messages", AGAIN)
        .seeds(seeds)
        .run(|bytes| {
            let content = read(bytes)?;
            let mut writer = Writer::default();
            content.write(&mut writer);
            assert!(
                writer.into_bytes() == bytes,
                "it is written in another way than it was read"
            );
            Ok::<_, DecodeError>(content.kind())
        });
}

fn slot(safe_mark: Option<SafeMark>) -> Vec<u8> {
    let content = SlotContent {
        key: ContentKey::from_bytes(&[1; 32]),
        sender: UserId::from_bytes([2; 16]),
        session: LiveId::from_bytes([3; 16]),
        conversation: Conversation::Group {
            id: GroupId::from_bytes([4; 16]),
        },
        sequence: 5,
        previous: [6; 32],
        earlier: EarlierEnds::default(),
        sent_at: 7,
        life_secs: 8,
        burn_on_read: true,
        burn_after_secs: 9,
        kind: ContentKind::Sync,
        safe_mark,
    };
    Writer::exact(0, &|writer| content.write(writer))
}

#[test]
fn hostile_contents_of_slots_break_nothing() {
    let seeds = [slot(None), slot(Some(SafeMark::of(9, b"sealed")))];
    Target::new("contents of slots", AGAIN)
        .seeds(seeds)
        .run(|bytes| {
            let content = SlotContent::decode(bytes)?;
            assert!(
                Writer::exact(0, &|writer| content.write(writer)) == bytes,
                "it is written in another way than it was read"
            );
            Ok::<_, DecodeError>(content.kind)
        });
}

#[test]
fn each_field_of_a_slot_has_one_form() {
    let bytes = slot(None);
    assert_eq!(bytes.len(), 215);
    assert!(SlotContent::decode(&bytes).is_ok());
    let changed = |at: usize, byte| {
        let mut changed = bytes.clone();
        changed[at] = byte;
        SlotContent::decode(&changed).unwrap_err()
    };
    use DecodeError::{InvalidValue, NotCanonical};
    for (at, byte, error) in [
        (67, 0, InvalidValue("conversation kind")),
        (67, 3, InvalidValue("conversation kind")),
        (168, 2, InvalidValue("burn rule")),
        (173, 0, InvalidValue("content kind")),
        (173, 10, InvalidValue("content kind")),
        (174, 2, InvalidValue("safe mark")),
        // Without a mark its version and hash are zeros.
        (175, 1, NotCanonical),
        (182, 1, NotCanonical),
        (183, 1, NotCanonical),
        (214, 1, NotCanonical),
    ] {
        assert_eq!(changed(at, byte), error, "byte {at} as {byte}");
    }
}
