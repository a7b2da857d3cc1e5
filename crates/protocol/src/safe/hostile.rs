//! Hostile bytes for what lies in a safe, as if its key were known.

use fuzz::Target;
use getrandom::SysRng;
use rand_core::UnwrapErr;

use super::{PrekeySafe, SafeContents};
use crate::codec::{DecodeError, Writer};
use crate::identity::AccountSecrets;
use crate::ids::UserId;

const AGAIN: &str = "cargo test --package protocol --lib -- --exact --nocapture";

fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::default();
    write(&mut writer);
    writer.into_bytes()
}

#[test]
fn hostile_contents_of_a_key_safe_break_nothing() {
    let secrets = AccountSecrets::generate(&mut UnwrapErr(SysRng));
    let mut safe = SafeContents::new(secrets, 1_800_000_000);
    let empty = written(|writer| safe.write(writer));
    safe.set_blocked(UserId::from_bytes([7; 16]), true, 1_800_000_001);
    let seed = written(|writer| safe.write(writer));
    assert!(SafeContents::decode(&seed).is_ok(), "the control");
    let target = Target::new("contents of a key safe", AGAIN).seeds([empty, seed]);
    target.run(|bytes| {
        let read = SafeContents::decode(bytes)?;
        let again = written(|writer| read.write(writer));
        assert!(
            again == bytes,
            "it is written in another way than it was read"
        );
        Ok::<_, DecodeError>(())
    });
}

#[test]
fn hostile_contents_of_a_prekey_safe_break_nothing() {
    let seed = written(|writer| PrekeySafe::default().write(writer));
    assert!(PrekeySafe::decode(&seed).is_ok(), "the control");
    let target = Target::new("contents of a prekey safe", AGAIN).seed(seed);
    target.run(|bytes| {
        let read = PrekeySafe::decode(bytes)?;
        let again = written(|writer| read.write(writer));
        assert!(
            again == bytes,
            "it is written in another way than it was read"
        );
        Ok::<_, DecodeError>(())
    });
}
