//! Ids as commands and events spell them: lower-case hexadecimal digits.
//!
//! Specification: `docs/protocol.md#identifiers`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub(crate) use api::ids::{BootId, LiveId, RestoreId, TargetId};
pub use api::ids::{MessageId, NotAnId, UserId};

/// A conversation of this account. One between two people is named by the other's user id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConversationId(UserId);

impl ConversationId {
    /// The conversation with one other person.
    #[must_use]
    pub const fn with(peer: UserId) -> Self {
        Self(peer)
    }

    /// The other person.
    #[must_use]
    pub const fn peer(self) -> UserId {
        self.0
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConversationId(…)")
    }
}

impl FromStr for ConversationId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::ConversationId;

    #[test]
    fn an_id_is_spelt_in_one_way_only() {
        let spelt = "000102030405060708090a0b0c0d0eff";
        let id: Result<ConversationId, _> = spelt.parse();
        assert_eq!(id.map(|id| id.to_string()), Ok(spelt.to_owned()));
        let json = format!("\"{spelt}\"");
        assert_eq!(id.map(|id| serde_json::to_string(&id).unwrap()), Ok(json));
        for other in [
            "",
            "00",
            &spelt.to_uppercase(),
            &spelt[1..],
            &"g".repeat(32),
        ] {
            assert!(other.parse::<ConversationId>().is_err(), "{other}");
            let json = format!("\"{other}\"");
            assert!(serde_json::from_str::<ConversationId>(&json).is_err());
        }
    }

    #[test]
    fn a_conversation_does_not_stand_in_debug_output() {
        let chat: ConversationId = "5a".repeat(16).parse().unwrap();
        assert_eq!(format!("{chat:?}"), "ConversationId(…)");
    }
}
