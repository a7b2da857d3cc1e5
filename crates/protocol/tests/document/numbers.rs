//! Sizes and limits: of the protocol in both directions, of server and client as far as they are named.

use std::collections::BTreeSet;

use crate::tree::{code, number, table};
use crate::value::Crate;

/// Constants of the protocol that no second implementation needs: places in a buffer, and bounds of a
/// loop.
const OWN: &[(&str, &str)] = &[
    ("suite.rs", "VERSION"),
    ("suite.rs", "SUITE"),
    ("envelope/body.rs", "SEALED_AT"),
    ("envelope/slot.rs", "SEALED_AT"),
    ("epoch/handshake.rs", "CIPHERTEXT_AT"),
    ("name.rs", "LOOKED_AT"),
    ("passphrase.rs", "LIST_LEN"),
    ("primitives/kem.rs", "PRIVATE_LEN"),
    ("recovery_key.rs", "GROUP_BITS"),
    ("safe/prekey_entry.rs", "PrekeyEntry::MIN_LEN"),
    ("safe/seal.rs", "SEALED_AT"),
];

/// Compares the rows of a table with the constants of a folder; gives what the table names.
fn compared(heading: &str, folder: &Crate) -> BTreeSet<(String, String)> {
    let rows = table(heading).into_iter();
    let named = rows.map(|row| {
        let (file, name) = (code(&row[2]), code(&row[3]));
        let value = folder.value(&file, &name);
        assert_eq!(value, Some(number(&row[1])), "{heading}: {file} {name}");
        (file, name)
    });
    named.collect()
}

#[test]
fn every_number_of_the_protocol_is_in_the_document() {
    let protocol = Crate::read("crates/protocol/src");
    let mut named = compared("Sizes", &protocol);
    named.extend(compared("Limits of the protocol", &protocol));
    let own = OWN.iter().map(|(file, name)| (*file, *name));
    let constant = |(_, name): &(&str, &str)| name.ends_with(|c: char| c.is_ascii_uppercase());
    let known: BTreeSet<(&str, &str)> = protocol.all().filter(constant).collect();
    for (file, name) in own.clone() {
        assert!(known.contains(&(file, name)), "{file} has no {name}");
    }
    let own: BTreeSet<(&str, &str)> = own.collect();
    for (file, name) in known {
        // A secret that leaves no module is a step of a computation, not an object.
        let inner = matches!(
            name,
            "ChainKey::LEN" | "HintKey::LEN" | "BodyKey::LEN" | "ChunkKey::LEN"
        );
        let inner = inner || matches!(name, "ObjectKey::LEN" | "WrapKey::LEN");
        let inner = inner
            || matches!(
                name,
                "Root::LEN"
                    | "FrameKey::LEN"
                    | "PskKey::LEN"
                    | "HandshakeKey::LEN"
                    | "TicketKey::LEN"
            );
        let skipped = file.starts_with("vectors/") || file == "secret.rs" || inner;
        let documented = named.contains(&(file.to_owned(), name.to_owned()));
        assert!(
            skipped || documented || own.contains(&(file, name)),
            "{file} {name} is not in docs/protocol/constants.md"
        );
    }
}

#[test]
fn the_limits_of_the_server_are_those_of_the_document() {
    compared("Limits of the server", &Crate::read(""));
}

#[test]
fn the_limits_of_the_client_are_those_of_the_document() {
    compared("Limits of the client", &Crate::read("crates/client/src"));
}
