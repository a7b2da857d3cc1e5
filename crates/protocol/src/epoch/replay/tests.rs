use super::*;

fn entries(senders: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(senders.len()).unwrap().to_be_bytes().to_vec();
    for sender in senders {
        bytes.extend([*sender; 16]);
        bytes.extend([7; 32]);
        bytes.push(EpochPath::LastResort as u8);
        bytes.extend(9_u32.to_be_bytes());
        bytes.extend(6_000_000_u64.to_be_bytes());
        bytes.extend(0b101_u64.to_be_bytes());
    }
    bytes
}

fn read(bytes: &[u8]) -> Result<ReplayMap, DecodeError> {
    let mut reader = Reader::new(bytes);
    let map = ReplayMap::read(&mut reader)?;
    reader.finish()?;
    Ok(map)
}

#[test]
fn a_record_is_read_as_it_is_written() {
    for senders in [&[][..], &[1], &[1, 2, 3]] {
        let bytes = entries(senders);
        let map = read(&bytes).unwrap();
        let expected = ReplayEntry {
            key: KeyRef {
                path: EpochPath::LastResort,
                id: 9,
            },
            bucket: 6_000_000,
            marks: 0b101,
        };
        assert!(map.iter().all(|(.., entry)| *entry == expected));
        let found: Vec<u8> = map.iter().map(|(id, ..)| id.as_bytes()[0]).collect();
        assert_eq!(found, senders);
        assert_eq!(Writer::exact(0, &|writer| map.write(writer)), bytes);
    }
}

#[test]
fn entries_in_another_order_or_given_twice_are_refused() {
    for senders in [&[2, 1][..], &[1, 1], &[1, 3, 2], &[1, 2, 2]] {
        let read = read(&entries(senders)).map(|map| map.len());
        assert_eq!(read, Err(DecodeError::NotCanonical), "{senders:?}");
    }
}

#[test]
fn a_count_above_what_is_there_is_refused() {
    let mut bytes = entries(&[1, 2]);
    for count in [3, u32::MAX] {
        bytes[..4].copy_from_slice(&count.to_be_bytes());
        assert_eq!(read(&bytes), Err(DecodeError::Truncated), "{count}");
    }
    bytes[..4].copy_from_slice(&1_u32.to_be_bytes());
    assert_eq!(read(&bytes), Err(DecodeError::TrailingBytes));
}
