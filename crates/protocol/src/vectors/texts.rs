//! Vectors of what people type: one passphrase, however it is typed. Texts are hexadecimal UTF-8, so that
//! no editor changes their form.

use serde_json::{Value, json};

use super::fields::{Checked, Fields, Outcome};
use crate::passphrase;

/// What is typed, and what OPAQUE is given.
const PASSPHRASES: &[(&str, &str, &str)] = &[
    (
        "letters and marks",
        "cafe\u{301} gru\u{308}n",
        "caf\u{e9} gr\u{fc}n",
    ),
    (
        "composed letters",
        "caf\u{e9} gr\u{fc}n",
        "caf\u{e9} gr\u{fc}n",
    ),
    ("syllables in parts", "\u{1112}\u{1161}\u{11ab}", "\u{d55c}"),
    ("wide spaces", "a\u{a0}b\u{3000}c", "a b c"),
    ("wide letters", "\u{ff21}", "\u{ff21}"),
    (
        "six words of the list",
        " Abacus.abdomen ABIDE\u{2013}ability\nablaze, able ",
        "abacus-abdomen-abide-ability-ablaze-able",
    ),
    (
        "five words of the list",
        "Abacus abdomen abide ability ablaze",
        "Abacus abdomen abide ability ablaze",
    ),
];

pub(super) fn passphrase(fields: &Fields<'_>) -> Checked {
    let typed = String::from_utf8(fields.bytes("typed")?).map_err(|error| error.to_string())?;
    fields.expect("prepared", passphrase::prepare(&typed).as_bytes())?;
    Ok(Outcome::Accepted)
}

/// Every passphrase as a vector.
pub(super) fn all() -> impl Iterator<Item = Value> {
    PASSPHRASES.iter().map(|(name, typed, prepared)| {
        json!({
            "id": format!("passphrase of {name}"), "kind": "passphrase", "result": "accept",
            "typed": hex::encode(typed), "prepared": hex::encode(prepared),
        })
    })
}
