//! What functions are given and what they answer.

use redis::Value;

use crate::{Config, Target, Unreachable};

/// Arguments of a function, in their order.
#[derive(Clone, Default)]
pub(super) struct Args(pub(super) Vec<Vec<u8>>);

impl Args {
    /// Appends bytes.
    pub(super) fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.push(bytes.as_ref().to_vec());
        self
    }

    /// Appends a number.
    pub(super) fn number(self, number: u64) -> Self {
        self.raw(number.to_string())
    }

    /// Appends a condition.
    pub(super) fn flag(self, flag: bool) -> Self {
        self.number(u64::from(flag))
    }

    /// Appends each of some bytes.
    pub(super) fn all<B: AsRef<[u8]>>(self, all: impl IntoIterator<Item = B>) -> Self {
        all.into_iter().fold(self, Self::raw)
    }
}

/// What a function answered.
pub(super) struct Reply {
    answer: Vec<Vec<u8>>,
    /// What the connections of this instance must be told.
    pub(super) events: Vec<Vec<u8>>,
}

impl Reply {
    /// Reads an answer; `None` if it has another form.
    pub(super) fn read(value: Value) -> Option<Self> {
        let Value::Array(parts) = value else {
            return None;
        };
        let [answer, events] = <[Value; 2]>::try_from(parts).ok()?;
        Some(Self {
            answer: strings(answer)?,
            events: strings(events)?,
        })
    }

    /// The first part as a word.
    pub(super) fn word(&self) -> &str {
        self.text(0)
    }

    fn text(&self, index: usize) -> &str {
        let part = self.answer.get(index).map(Vec::as_slice);
        part.and_then(|part| std::str::from_utf8(part).ok())
            .unwrap_or_default()
    }

    /// A part as a number.
    pub(super) fn number(&self, index: usize) -> Result<u64, Unreachable> {
        self.text(index).parse().map_err(|_| Unreachable)
    }

    /// Every part as a number.
    pub(super) fn numbers(&self) -> Result<Vec<u64>, Unreachable> {
        (0..self.answer.len()).map(|at| self.number(at)).collect()
    }

    /// Whether the first part says yes.
    pub(super) fn is_yes(&self) -> bool {
        self.word() == "1"
    }

    /// A part as it is.
    pub(super) fn part(&self, index: usize) -> Result<&[u8], Unreachable> {
        self.answer.get(index).map(Vec::as_slice).ok_or(Unreachable)
    }

    /// Every part as it is.
    pub(super) fn parts(&self) -> &[Vec<u8>] {
        &self.answer
    }
}

fn strings(value: Value) -> Option<Vec<Vec<u8>>> {
    let Value::Array(values) = value else {
        return None;
    };
    let string = |value| match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    };
    values.into_iter().map(string).collect()
}

/// The bounds that functions keep. A node keeps its part of those for everything together.
pub(super) fn bounds(config: &Config, nodes: usize) -> Vec<u8> {
    let nodes = nodes.max(1) as u64;
    let numbers = [
        config.lease.as_millis() as u64,
        config.account_messages,
        config.account_bytes,
        config.total_messages / nodes,
        config.total_bytes / nodes,
        config.message_bytes,
        config.slots_per_message as u64,
        config.tombstones as u64 / nodes,
        config.account_tombstones as u64,
    ];
    let floats = numbers.map(|number| (number as f64).to_be_bytes());
    floats.concat()
}

/// Length of an encoded target.
pub(super) const TARGET: usize = 33;

/// Encodes a target.
pub(super) fn target(target: Target) -> [u8; TARGET] {
    let mut bytes = [0; TARGET];
    let (account, rest) = bytes.split_at_mut(17);
    account[1..].copy_from_slice(target.account().as_bytes());
    if let Target::Live { live, .. } = target {
        account[0] = 1;
        rest.copy_from_slice(live.as_bytes());
    }
    bytes
}

/// Decodes a target.
pub(super) fn read_target(bytes: &[u8]) -> Option<Target> {
    let (kind, rest) = bytes.split_first()?;
    let (account, live) = rest.split_at_checked(16)?;
    let account = crate::UserId::from_slice(account)?;
    match kind {
        0 => Some(Target::Account(account)),
        _ => Some(Target::Live {
            account,
            live: crate::LiveId::from_slice(live)?,
        }),
    }
}
