//! What parts ask of one another.
//!
//! A part that needs another one asks for an effect. The core does it after the input was taken.

use std::collections::BTreeSet;

use crate::id::ConversationId;

/// Something that a part asks for. Effects are done in the order of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Effect {
    /// The keys of a chat were replaced: nothing more is sealed under the old ones.
    DropEpochs(ConversationId),
    /// The keys of a chat are agreed on again: what was held for it goes out.
    Release(ConversationId),
    /// Queued messages are given to the server.
    Send,
    /// The next message is claimed.
    Claim,
    /// Tabs are told the settings.
    TellSettings,
    /// Tabs are told who asks for contact.
    TellRequests,
    /// Tabs are told the list of chats.
    TellChats,
    /// The keys are of no use any more: the account locks, for this reason.
    Lock(&'static str),
}

/// The effects that were asked for and are not done, each once.
#[derive(Debug, Default)]
pub(crate) struct Effects(BTreeSet<Effect>);

impl Effects {
    pub(crate) fn ask(&mut self, effect: Effect) {
        self.0.insert(effect);
    }

    pub(crate) fn is_asked(&self, effect: Effect) -> bool {
        self.0.contains(&effect)
    }

    /// Takes the first, unless it comes after `last` in the order.
    pub(crate) fn next_up_to(&mut self, last: Effect) -> Option<Effect> {
        let first = self.0.pop_first()?;
        if first > last {
            self.0.insert(first);
            return None;
        }
        Some(first)
    }

    /// Takes the next.
    pub(crate) fn next(&mut self) -> Option<Effect> {
        self.0.pop_first()
    }

    /// Forgets all effects, because the account locked.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Effects};

    #[test]
    fn what_is_asked_twice_is_done_once_and_in_order() {
        let mut effects = Effects::default();
        for effect in [Effect::TellChats, Effect::Send, Effect::Claim, Effect::Send] {
            effects.ask(effect);
        }
        assert_eq!(effects.next_up_to(Effect::Claim), Some(Effect::Send));
        assert_eq!(effects.next_up_to(Effect::Claim), Some(Effect::Claim));
        assert_eq!(effects.next_up_to(Effect::Claim), None);
        assert_eq!(effects.next(), Some(Effect::TellChats));
        assert_eq!(effects.next(), None);
    }
}
