//! Fields of one vector.

use serde_json::Value;

/// What became of a vector's input.
pub(super) enum Outcome {
    Accepted,
    Rejected(String),
}

pub(super) type Checked = Result<Outcome, String>;

impl Outcome {
    /// Names the error by its innermost variant.
    pub(super) fn rejected(error: &impl core::fmt::Debug) -> Self {
        let text = format!("{error:?}");
        let mut rest = text.as_str();
        for wrapper in ["Epoch(", "Identity(", "Decode("] {
            rest = rest.strip_prefix(wrapper).unwrap_or(rest);
        }
        let name = rest
            .split(|character: char| !character.is_alphanumeric())
            .next()
            .unwrap_or(rest);
        Self::Rejected(name.to_owned())
    }
}

pub(super) struct Fields<'a> {
    vector: &'a Value,
    all: &'a [Value],
}

impl<'a> Fields<'a> {
    pub(super) fn new(vector: &'a Value, all: &'a [Value]) -> Self {
        Self { vector, all }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.vector.get(name).is_some()
    }

    pub(super) fn text(&self, name: &str) -> Result<&'a str, String> {
        let text = self
            .vector
            .get(name)
            .and_then(Value::as_str)
            .ok_or_else(|| format!("no text {name}"))?;
        match text.strip_prefix('@').and_then(|rest| rest.split_once('/')) {
            Some((id, field)) => find(self.all, id)
                .and_then(|vector| vector.get(field))
                .and_then(Value::as_str)
                .ok_or_else(|| format!("{text} stands for nothing")),
            None => Ok(text),
        }
    }

    pub(super) fn number(&self, name: &str) -> Result<u64, String> {
        self.vector
            .get(name)
            .and_then(Value::as_u64)
            .ok_or_else(|| format!("no number {name}"))
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        hex::decode(self.text(name)?).map_err(|error| format!("{name}: {error}"))
    }

    pub(super) fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], String> {
        self.bytes(name)?
            .try_into()
            .map_err(|_| format!("{name} is not {N} bytes"))
    }

    /// Compares an output with the expected one.
    pub(super) fn expect(&self, name: &str, found: &[u8]) -> Result<(), String> {
        if self.bytes(name)? == found {
            Ok(())
        } else {
            Err(format!("{name} is {}", hex::encode(found)))
        }
    }
}

/// The vector of that id.
pub(super) fn find<'a>(all: &'a [Value], id: &str) -> Option<&'a Value> {
    all.iter()
        .find(|vector| vector.get("id").and_then(Value::as_str) == Some(id))
}
