//! Padding of bodies: Padmé above 512 bytes, and only in its one form.

use proptest::prelude::*;
use protocol::DecodeError;
use protocol::envelope::{
    Content, ContentKey, EnvelopeError, GroupContext, open_body, padded_len, seal_body,
};
use protocol::ids::GroupId;
use protocol::primitives::{aead, kdf};
use protocol::{labels, suite::ObjectType};

use crate::support::SeededRng;

/// Header, commitment and tag of a sealed body.
const AROUND: usize = 3 + 32 + 16;

/// Seals as a sender would who does not keep to the form of what is inside.
fn seal_as_it_is(key: &ContentKey, padded: &[u8]) -> Vec<u8> {
    let derive = |label| {
        let mut derived = [0; 32];
        kdf::derive(&[key.expose()], &[label], &mut derived);
        derived
    };
    let mut bytes = vec![ObjectType::Body as u8, 1, 1];
    bytes.extend(derive(labels::COMMIT));
    let ad = bytes.clone();
    bytes.extend(padded);
    aead::seal(&derive(labels::BODY), &[0; 12], &ad, &mut bytes, ad.len());
    bytes
}

fn opened(padded: &[u8]) -> Result<Content, EnvelopeError> {
    let key = ContentKey::from_bytes(&[5; 32]);
    open_body(&key, &seal_as_it_is(&key, padded)).map(|opened| opened.content)
}

/// No group and "look at the safe", in 512 bytes with a length that may be a lie.
fn sync(len: u32) -> Vec<u8> {
    let mut padded = len.to_be_bytes().to_vec();
    padded.extend([0, ObjectType::Content as u8, 1, 1, 9]);
    padded.resize(512, 0);
    padded
}

fn refused(error: DecodeError) -> Result<Content, EnvelopeError> {
    Err(EnvelopeError::Decode(error))
}

#[test]
fn a_padded_length_is_padmes_of_the_next_and_at_least_512() {
    for (len, padded) in [
        (0, 512),
        (1, 512),
        (511, 512),
        (512, 512),
        // Nine bits below the first, of which four are kept: steps of 32.
        (513, 544),
        (544, 544),
        (545, 576),
        (1_000, 1_024),
        (1_023, 1_024),
        (1_024, 1_024),
        (1_025, 1_088),
        (65_535, 65_536),
        // Sixteen bits, of which five are kept: steps of 2,048.
        (65_536, 65_536),
        (65_537, 67_584),
        (1_000_000, 1_015_808),
        (1 << 20, 1 << 20),
        ((1 << 20) + 1, (1 << 20) + (1 << 15)),
        (usize::MAX, usize::MAX),
    ] {
        assert_eq!(padded_len(len), padded, "{len}");
    }
}

#[test]
fn padding_other_than_zeros_is_refused_wherever_it_stands() {
    assert_eq!(opened(&sync(5)), Ok(Content::Sync));
    for at in 9..512 {
        let mut padded = sync(5);
        padded[at] = 1;
        assert_eq!(opened(&padded), refused(DecodeError::NotCanonical), "{at}");
    }
    for (one, other) in [(1, 1), (0xff, 0xff), (1, 0x80)] {
        let mut padded = sync(5);
        (padded[100], padded[511]) = (one, other);
        assert_eq!(opened(&padded), refused(DecodeError::NotCanonical));
    }
}

#[test]
fn padding_longer_or_shorter_than_the_one_length_is_refused() {
    for len in [9, 10, 511, 513, 544, 1_024] {
        let mut padded = sync(5);
        padded.resize(len, 0);
        assert_eq!(opened(&padded), refused(DecodeError::NotCanonical), "{len}");
    }
}

#[test]
fn a_length_that_does_not_fit_the_content_is_refused() {
    for (len, error) in [
        // What is said then stands where zeros belong.
        (0, DecodeError::NotCanonical),
        (4, DecodeError::NotCanonical),
        (6, DecodeError::TrailingBytes),
        (508, DecodeError::TrailingBytes),
        (509, DecodeError::Truncated),
        (u32::MAX, DecodeError::Truncated),
    ] {
        assert_eq!(opened(&sync(len)), refused(error), "{len}");
    }
    for len in 0..4 {
        assert_eq!(opened(&[0; 4][..len]), refused(DecodeError::Truncated));
    }
}

#[test]
fn a_name_above_its_bound_is_not_read() {
    let profile = |len: u32| {
        let mut padded = (9 + len).to_be_bytes().to_vec();
        padded.extend([0, ObjectType::Content as u8, 1, 1, 8]);
        padded.extend(len.to_be_bytes());
        padded.resize(13 + len as usize, b'x');
        padded.resize(512, 0);
        opened(&padded)
    };
    let alias = "x".repeat(256).into();
    assert_eq!(profile(256), Ok(Content::Profile { alias }));
    assert_eq!(profile(257), refused(DecodeError::TooLong));
}

proptest! {
    /// Length, group flag, header and kind, answer flag, length of the text: 14 bytes; a group is 56 more.
    #[test]
    fn a_sealed_text_of_any_length_has_the_padded_length(
        len in 0_usize..5_000, group in any::<Option<([u8; 16], u64, [u8; 32])>>()
    ) {
        let group = group.map(|(id, membership_version, members)| GroupContext {
            id: GroupId::from_bytes(id),
            membership_version,
            members,
        });
        let content = Content::text("x".repeat(len));
        let sealed = seal_body(&mut SeededRng::new(1), &content, group.as_ref()).unwrap();
        let inside = 14 + len + if group.is_some() { 56 } else { 0 };
        prop_assert_eq!(sealed.bytes.len(), AROUND + padded_len(inside));
        let opened = open_body(&sealed.key, &sealed.bytes).unwrap();
        prop_assert_eq!((opened.content, opened.group), (content, group));
    }
}
