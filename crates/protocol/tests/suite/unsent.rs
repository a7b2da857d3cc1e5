//! What was not sent when its owner locked, sealed.

use protocol::DecodeError;
use protocol::ids::UserId;
use protocol::labels;
use protocol::primitives::{aead, kdf};
use protocol::safe::{SafeError, SafeKey, UnsentFront, open_unsent, seal_unsent};

use crate::support::SeededRng;

fn key(byte: u8) -> SafeKey {
    SafeKey::from_bytes(&[byte; 32])
}

fn front(chats: usize) -> UnsentFront {
    let chat = |n: usize| UserId::from_bytes([u8::try_from(n % 251).unwrap(); 16]);
    UnsentFront {
        user_id: UserId::from_bytes([9; 16]),
        chats: (0..chats).map(|n| (chat(n), 7)).collect(),
    }
}

fn sealed(front: UnsentFront, contents: &[u8]) -> Vec<u8> {
    let rng = &mut SeededRng::new(90);
    seal_unsent(rng, &key(1), front, &|writer| {
        writer.raw(contents);
    })
}

#[test]
fn it_opens_with_its_key_and_its_front_is_read_without_one() {
    for (chats, contents) in [(0, &b""[..]), (1, b"words"), (3, &[5; 100_000])] {
        let sealed = sealed(front(chats), contents);
        assert_eq!(UnsentFront::decode(&sealed), Ok(front(chats)));
        assert_eq!(open_unsent(&key(1), &sealed).unwrap().as_slice(), contents);
        assert_eq!(open_unsent(&key(2), &sealed), Err(SafeError::BadSeal));
    }
}

#[test]
fn every_byte_of_it_counts() {
    let sealed = sealed(front(2), b"words");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(open_unsent(&key(1), &changed).is_err(), "{at}");
        assert!(open_unsent(&key(1), &sealed[..at]).is_err(), "{at}");
    }
    let shortest = sealed.len() - b"words".len();
    for len in 0..sealed.len() {
        let read = UnsentFront::decode(&sealed[..len]);
        assert_eq!(read.is_ok(), len >= shortest, "{len}");
    }
}

#[test]
fn its_key_is_derived_under_a_purpose_of_its_own_and_its_front_is_bound_to_it() {
    let bytes = sealed(front(1), b"words");
    let start = 3 + 16 + 2 + 20;
    let (ad, rest) = bytes.split_at(start);
    let (nonce, sealed) = rest.split_first_chunk::<24>().unwrap();
    let mut derived = [0; 32];
    kdf::derive(&[key(1).expose()], &[labels::UNSENT], &mut derived);
    let mut buffer = sealed.to_vec();
    let opened = aead::open_x(&derived, nonce, ad, &mut buffer).unwrap();
    assert_eq!(opened, b"words");
}

#[test]
fn more_chats_than_are_named_go_unnamed() {
    let sealed = sealed(front(4_097), b"words");
    assert_eq!(UnsentFront::decode(&sealed).unwrap().chats.len(), 4_096);
    assert_eq!(open_unsent(&key(1), &sealed).unwrap().as_slice(), b"words");
    let mut more = sealed;
    more[19..21].copy_from_slice(&4_097_u16.to_be_bytes());
    assert_eq!(UnsentFront::decode(&more), Err(DecodeError::TooLong));
}
