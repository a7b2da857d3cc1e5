//! Hostile bytes for what is sealed in slots and bodies, as if their keys were known.

use fuzz::Target;

use super::{Content, Receipt, ReceiptState, SlotContent};
use crate::codec::{DecodeError, Reader, Writer};
use crate::ids::MessageId;

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

#[test]
fn hostile_contents_of_slots_break_nothing() {
    let target = Target::new("contents of slots", AGAIN)
        .seed([0; 256])
        .seed([1; 187]);
    target.run(|bytes| SlotContent::decode(bytes).map(drop));
}
