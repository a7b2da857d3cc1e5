use protocol::labels::ALL;

#[test]
fn no_purpose_string_is_another_or_its_beginning() {
    for (index, one) in ALL.iter().enumerate() {
        for (other_index, other) in ALL.iter().enumerate() {
            assert!(
                index == other_index || !other.starts_with(one),
                "{} begins {}",
                String::from_utf8_lossy(one),
                String::from_utf8_lossy(other)
            );
        }
        assert!(one.len() <= 255, "ML-DSA contexts have at most 255 bytes");
    }
}

#[test]
fn every_purpose_string_in_the_source_is_listed() {
    let source = include_str!("../../src/labels.rs");
    let declared = source.matches("b\"secure-messaging/1 ").count();
    assert_eq!(declared, ALL.len());
}

#[test]
fn every_object_type_is_distinct() {
    let source = include_str!("../../src/suite.rs");
    let mut bytes: Vec<&str> = source
        .lines()
        .filter_map(|line| line.trim().split_once(" = 0x"))
        .filter(|(name, _)| !name.contains("const"))
        .map(|(_, byte)| byte)
        .collect();
    let count = bytes.len();
    assert!(count >= 20);
    bytes.sort_unstable();
    bytes.dedup();
    assert_eq!(bytes.len(), count);
}
