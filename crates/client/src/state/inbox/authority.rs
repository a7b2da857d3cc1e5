//! What a message may do: decided here, once, for every kind of content.
//!
//! An epoch proves an account and a fingerprint. They are compared with the contact and its pin, and that
//! alone decides; what the server shows at the moment does not. Words under other keys than the pinned
//! ones are shown with a warning. Nothing else is done under them, so that keys which nobody accepted
//! change no history, confirm nothing and rename nobody.
//!
//! Specification: `docs/protocol/messages.md#what-a-message-may-do`.

use protocol::envelope::ContentKind;
use protocol::identity::Fingerprint;

use crate::state::conversations::Origin;

/// Who a proven sender is to this account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Another session of this account.
    Own,
    /// A contact, under the pinned keys.
    Pinned,
    /// A contact, under other keys than the pinned ones.
    OtherKeys,
    /// No contact; either under the keys seen first, or seen for the first time.
    Stranger,
    /// No contact, under other keys than those seen first.
    StrangerOtherKeys,
    /// Somebody whom the person has blocked.
    Blocked,
}

/// What an opened message may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum May {
    /// All that its kind says.
    Act,
    /// Its words are shown with a warning, and nothing else happens.
    Words,
    /// It is put before the person as a request, or with one.
    Ask,
    /// It changes an earlier message where [`may_change`] says so.
    Change,
    /// Nothing, and the person is told.
    Refused,
    /// Nothing.
    Nothing,
    /// Neither shown nor acknowledged: a sender must not learn from it that they are blocked.
    Left,
}

impl Standing {
    /// Whether the keys are those that the person knows this sender by.
    pub(crate) const fn is_trusted(self) -> bool {
        !matches!(
            self,
            Self::OtherKeys | Self::StrangerOtherKeys | Self::Blocked
        )
    }

    /// What a message of this kind may do.
    pub(crate) const fn may(self, kind: ContentKind) -> May {
        use ContentKind::{Accept, Delete, Edit, Profile, Receipt, Request, Sync, Text, Typing};
        match (self, kind) {
            (Self::Blocked, _) => May::Left,
            (_, Edit | Delete) => May::Change,
            (Self::Own, Text | Request | Sync) => May::Act,
            (Self::Own, Receipt | Typing | Accept | Profile) => May::Nothing,
            (Self::Pinned, Text | Request | Receipt | Typing | Accept | Profile) => May::Act,
            (Self::OtherKeys, Text | Request) => May::Words,
            (Self::OtherKeys, Receipt | Accept | Profile) => May::Refused,
            (Self::Stranger | Self::StrangerOtherKeys, Text | Request) => May::Ask,
            (Self::Pinned, Sync)
            | (Self::OtherKeys, Typing | Sync)
            | (
                Self::Stranger | Self::StrangerOtherKeys,
                Receipt | Typing | Accept | Profile | Sync,
            ) => May::Nothing,
        }
    }
}

/// Whether a sender may change or take back an earlier message of theirs.
///
/// Only the fingerprint that wrote it may. Under keys that are not the pinned ones only what was shown
/// with the warning can be changed, never what was once taken for genuine.
pub(crate) fn may_change(standing: Standing, by: &Fingerprint, original: &Origin) -> bool {
    original.writer == *by && (standing.is_trusted() || !original.trusted)
}

#[cfg(test)]
mod tests {
    use protocol::envelope::ContentKind;
    use protocol::identity::Fingerprint;

    use super::{May, Standing, may_change};
    use crate::id::{ConversationId, MessageId, UserId};
    use crate::state::conversations::Origin;

    const KINDS: [ContentKind; 9] = [
        ContentKind::Text,
        ContentKind::Receipt,
        ContentKind::Typing,
        ContentKind::Request,
        ContentKind::Accept,
        ContentKind::Edit,
        ContentKind::Delete,
        ContentKind::Profile,
        ContentKind::Sync,
    ];

    #[test]
    fn nothing_acts_under_keys_that_nobody_accepted() {
        for kind in KINDS {
            for standing in [Standing::OtherKeys, Standing::StrangerOtherKeys] {
                assert_ne!(standing.may(kind), May::Act, "{standing:?} {kind:?}");
            }
            assert_eq!(Standing::Blocked.may(kind), May::Left);
        }
    }

    #[test]
    fn only_ones_own_sessions_speak_of_the_safe_and_they_confirm_nothing() {
        for standing in [Standing::Pinned, Standing::OtherKeys, Standing::Stranger] {
            assert_eq!(standing.may(ContentKind::Sync), May::Nothing);
        }
        assert_eq!(Standing::Own.may(ContentKind::Sync), May::Act);
        for kind in [
            ContentKind::Receipt,
            ContentKind::Typing,
            ContentKind::Accept,
            ContentKind::Profile,
        ] {
            assert_eq!(Standing::Own.may(kind), May::Nothing);
            assert_eq!(Standing::Stranger.may(kind), May::Nothing);
            assert_eq!(Standing::Pinned.may(kind), May::Act);
        }
    }

    #[test]
    fn only_the_fingerprint_that_wrote_a_message_changes_it() {
        let (old, new) = (
            Fingerprint::from_bytes([1; 64]),
            Fingerprint::from_bytes([2; 64]),
        );
        let original = |writer, trusted| Origin {
            chat: ConversationId::with(UserId::from_bytes([3; 16])),
            sender: UserId::from_bytes([3; 16]),
            id: MessageId::from_bytes([4; 16]),
            writer,
            trusted,
        };
        let genuine = original(old, true);
        assert!(may_change(Standing::Pinned, &old, &genuine));
        assert!(!may_change(Standing::Pinned, &new, &genuine));
        assert!(!may_change(Standing::OtherKeys, &new, &genuine));
        // The keys that wrote it were given up since.
        assert!(!may_change(Standing::OtherKeys, &old, &genuine));
        let warned = original(new, false);
        assert!(may_change(Standing::OtherKeys, &new, &warned));
        assert!(!may_change(Standing::Pinned, &old, &warned));
    }
}
