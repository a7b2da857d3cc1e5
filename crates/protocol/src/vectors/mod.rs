//! Published vectors: what every implementation has to accept and to refuse.
//!
//! A file is `{"vectors": [{"id", "kind", "result": "accept" | "reject", "error"?, …}]}`;
//! byte strings are hexadecimal. A text `@id/field` stands for that field of the vector `id`.
//! A vector `{"from", "field", "op", "at"?, "value"?}` is another one with one field changed:
//! `flip` the lowest bit of the byte at `at` (from the end where negative), `set` that byte,
//! `shorten` or `lengthen` by a byte, or `replace` the field.
//!
//! [`run`] checks a file, natively and in WebAssembly alike; [`produce`] makes the
//! protocol's own, the same bytes on every platform.

mod fields;
mod link;
mod objects;
mod parcels;
mod patch;
mod primitives;
mod produce;
mod rejects;
mod rng;
mod texts;

pub use produce::produce;
pub use rng::SeededRng;

use fields::{Fields, Outcome};

/// Checks every vector of a file.
///
/// Gives how many were checked; an error names the first vector that does not hold.
pub fn run(json: &str) -> Result<usize, String> {
    let file: serde_json::Value =
        serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"))?;
    let vectors = file
        .get("vectors")
        .and_then(serde_json::Value::as_array)
        .ok_or("no list named vectors")?;
    for vector in vectors {
        let fields = Fields::new(vector, vectors);
        let id = fields.text("id")?;
        let checked = match patch::resolve(vector, vectors)? {
            Some(changed) => check(&Fields::new(&changed, vectors)),
            None => check(&fields),
        };
        checked.map_err(|error| format!("{id}: {error}"))?;
    }
    Ok(vectors.len())
}

fn check(fields: &Fields<'_>) -> Result<(), String> {
    let kind = fields.text("kind")?;
    let outcome = match primitives::run(kind, fields) {
        Some(outcome) => outcome?,
        None => match objects::run(kind, fields) {
            Some(outcome) => outcome?,
            None => match link::run(kind, fields) {
                Some(outcome) => outcome?,
                None => return Err(format!("unknown kind {kind}")),
            },
        },
    };
    match (fields.text("result")?, outcome) {
        ("accept", Outcome::Accepted) => Ok(()),
        ("accept", Outcome::Rejected(error)) => Err(format!("was refused with {error}")),
        ("reject", Outcome::Accepted) => Err("was accepted".to_owned()),
        ("reject", Outcome::Rejected(error)) => match fields.text("error") {
            Ok(expected) if expected != error => {
                Err(format!("was refused with {error} instead of {expected}"))
            }
            _ => Ok(()),
        },
        (other, _) => Err(format!("unknown result {other}")),
    }
}
