//! What proofs measured: lines that tests print and this program collects.
//!
//! A line carries `proof: ` and one JSON object: `{"promise", "measured", "holds"}`.

use serde_json::Value;

/// One measured promise.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// What is promised.
    pub promise: String,
    /// What was seen.
    pub measured: String,
    /// Whether the promise held.
    pub holds: bool,
}

/// Reads a proof line; anything else is `None`.
pub(crate) fn proof(line: &str) -> Option<Proof> {
    const TAG: &str = "proof: ";
    // libtest writes `test name ... ` in front of what a test prints.
    let at = line.find(TAG)?;
    let json: Value = serde_json::from_str(line[at + TAG.len()..].trim()).ok()?;
    Some(Proof {
        promise: json["promise"].as_str()?.to_owned(),
        measured: text(&json["measured"])?,
        holds: json["holds"].as_bool()?,
    })
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_lines_are_found_behind_the_test_runners_own_words() {
        let line = "test burned ... proof: {\"promise\":\"burned\",\"measured\":0,\"holds\":true}";
        assert_eq!(
            proof(line),
            Some(Proof {
                promise: "burned".into(),
                measured: "0".into(),
                holds: true
            })
        );
        assert_eq!(proof("test burned ... ok"), None);
        assert_eq!(proof("proof: not JSON"), None);
    }
}
