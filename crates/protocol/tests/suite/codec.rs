use proptest::prelude::*;
use protocol::DecodeError;
use protocol::codec::{Reader, Writer};
use protocol::ids::MessageId;
use protocol::suite::ObjectType;

#[test]
fn a_header_of_another_type_version_or_suite_is_refused_by_its_own_error() {
    let header = |bytes: &[u8]| Reader::new(bytes).header(ObjectType::Parcel);
    assert_eq!(header(&[0x32, 1, 1]), Ok(()));
    assert_eq!(
        header(&[0x30, 1, 1]),
        Err(DecodeError::WrongType {
            expected: 0x32,
            found: 0x30
        })
    );
    assert_eq!(header(&[0x32, 2, 1]), Err(DecodeError::UnknownVersion(2)));
    assert_eq!(header(&[0x32, 0, 1]), Err(DecodeError::UnknownVersion(0)));
    assert_eq!(header(&[0x32, 1, 2]), Err(DecodeError::UnknownSuite(2)));
    assert_eq!(header(&[0x32, 1]), Err(DecodeError::Truncated));
}

#[test]
fn a_count_that_the_bytes_cannot_hold_reserves_nothing() {
    let mut reader = Reader::new(&[0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
    assert_eq!(reader.count32(usize::MAX, 16), Err(DecodeError::Truncated));
    let mut reader = Reader::new(&[0, 5, 0, 0]);
    assert_eq!(reader.count16(4, 0), Err(DecodeError::TooLong));
}

#[test]
fn a_field_may_be_as_long_as_its_bound_and_no_longer() {
    let read16 = |max| Reader::new(&[0, 3, 1, 2, 3]).bytes16(max).map(<[u8]>::len);
    let read32 = |max| {
        Reader::new(&[0, 0, 0, 3, 1, 2, 3])
            .bytes32(max)
            .map(<[u8]>::len)
    };
    for max in [3, 4, usize::MAX] {
        assert_eq!((read16(max), read32(max)), (Ok(3), Ok(3)), "{max}");
    }
    for max in [0, 2] {
        assert_eq!(read16(max), Err(DecodeError::TooLong), "{max}");
        assert_eq!(read32(max), Err(DecodeError::TooLong), "{max}");
    }
    let short = |bytes: &[u8]| Reader::new(bytes).bytes32(9).map(<[u8]>::len);
    assert_eq!(short(&[0, 0, 0, 3, 1, 2]), Err(DecodeError::Truncated));
}

#[test]
fn an_exact_buffer_has_the_length_of_what_is_written_and_the_room_that_was_asked_for() {
    for spare in [0, 1, 16] {
        let bytes = Writer::exact(spare, &|writer| {
            writer.header(ObjectType::Body).u64(7).bytes16(b"words");
        });
        assert_eq!(bytes, b"\x22\x01\x01\0\0\0\0\0\0\0\x07\0\x05words");
        assert_eq!(bytes.capacity(), 18 + spare);
    }
}

#[test]
fn identifiers_are_thirty_two_lower_case_digits_and_nothing_else() {
    let id = MessageId::from_bytes([0xab; 16]);
    assert_eq!(id.to_string(), "ab".repeat(16));
    assert_eq!(id.to_string().parse(), Ok(id));
    for wrong in [
        "AB".repeat(16),
        "ab".repeat(15),
        "ag".repeat(16),
        "é".repeat(16),
    ] {
        assert!(wrong.parse::<MessageId>().is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(a: u8, b: u16, c: u32, d: u64, flag: bool, bytes: Vec<u8>, text: String) {
        let mut writer = Writer::default();
        writer.u8(a).u16(b).u32(c).u64(d).bool(flag).bytes16(&bytes).bytes32(text.as_bytes());
        let encoded = writer.into_bytes();
        let mut reader = Reader::new(&encoded);
        prop_assert_eq!(reader.u8(), Ok(a));
        prop_assert_eq!(reader.u16(), Ok(b));
        prop_assert_eq!(reader.u32(), Ok(c));
        prop_assert_eq!(reader.u64(), Ok(d));
        prop_assert_eq!(reader.bool("flag"), Ok(flag));
        prop_assert_eq!(reader.bytes16(usize::MAX), Ok(bytes.as_slice()));
        prop_assert_eq!(reader.text32(usize::MAX), Ok(text.as_str()));
        prop_assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn identifiers_survive_their_text(bytes: [u8; 16]) {
        let id = MessageId::from_bytes(bytes);
        prop_assert_eq!(id.to_string().parse(), Ok(id));
    }
}
