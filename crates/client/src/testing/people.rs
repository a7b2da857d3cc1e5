//! What people do in the world, and what they see.

use super::world::{PASSPHRASE, World};
use crate::command::{Burn, Command};
use crate::event::{ChatView, Event, MessageView, Phase, RequestView};
use crate::id::{ConversationId, MessageId};

impl World {
    /// Registers in a new browser and confirms the recovery key; gives tab and recovery key.
    pub fn register(&mut self, handle: &str) -> (usize, String) {
        let tab = self.browser();
        self.command(
            tab,
            Command::Register {
                handle: handle.to_owned(),
                alias: String::new(),
                passphrase: PASSPHRASE.into(),
                setup: None,
                invite: None,
            },
        );
        let key = self.recovery_key(tab);
        self.command(
            tab,
            Command::ConfirmRecoveryKey {
                typed: key.as_str().into(),
            },
        );
        assert_eq!(
            self.phase(tab),
            Phase::Unlocked,
            "{:?}",
            self.tab(tab).events
        );
        (tab, key)
    }

    /// The recovery key that was shown last.
    #[must_use]
    pub fn recovery_key(&self, tab: usize) -> String {
        let shown = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::RecoveryKey { recovery_key, .. } => Some(recovery_key.expose().to_owned()),
                _ => None,
            });
        shown.unwrap_or_else(|| panic!("no recovery key: {:?}", self.tab(tab).events))
    }

    /// Signs in in a new browser.
    pub fn sign_in(&mut self, handle: &str) -> usize {
        let tab = self.browser();
        self.command(
            tab,
            Command::SignIn {
                handle: handle.to_owned(),
                passphrase: PASSPHRASE.into(),
                device_name: None,
            },
        );
        tab
    }

    /// Two people who are contacts: (tab, tab, how one names the chat, how the other does).
    pub fn friends(&mut self) -> Friends {
        let (alice, _) = self.register("alice");
        let (bob, _) = self.register("bob");
        self.befriend(alice, bob, "bob");
        let to_bob = self.id("bob");
        let to_alice = self.id("alice");
        Friends {
            alice,
            bob,
            to_bob,
            to_alice,
        }
    }

    /// Contacts who have exchanged a message each way and let what was fetched grow old.
    pub fn acquainted(&mut self) -> Friends {
        let f = self.friends();
        self.say(f.alice, f.to_bob, "one");
        self.say(f.bob, f.to_alice, "two");
        self.advance(4_000);
        f
    }

    /// One asks, the other accepts.
    pub fn befriend(&mut self, asks: usize, accepts: usize, handle: &str) {
        self.command(
            asks,
            Command::RequestContact {
                handle: handle.to_owned(),
                greeting: "".into(),
            },
        );
        let request = self.requests(accepts).pop().expect("a request");
        self.command(accepts, Command::AcceptRequest { chat: request.chat });
        self.advance(3_000);
    }

    /// The conversation with somebody.
    #[must_use]
    pub fn id(&self, handle: &str) -> ConversationId {
        ConversationId::with(self.server.user(handle))
    }

    /// Sends a text with the defaults; gives its id.
    pub fn say(&mut self, tab: usize, chat: ConversationId, text: &str) -> MessageId {
        self.say_with(tab, chat, text, None, None)
    }

    /// The newest invite link that a tab has made.
    #[must_use]
    pub fn invite_link(&self, tab: usize) -> String {
        let mut events = self.tab(tab).events.iter().rev();
        let link = events.find_map(|event| match event {
            Event::InviteCreated { link, .. } => Some(link.clone()),
            _ => None,
        });
        link.expect("an invite link")
    }

    /// Gives an own text other words.
    pub fn edit(&mut self, tab: usize, chat: ConversationId, message: MessageId, text: &str) {
        let text = text.into();
        self.command(
            tab,
            Command::Edit {
                chat,
                message,
                text,
            },
        );
    }

    /// Sends a text with a burn rule and a life.
    pub fn say_with(
        &mut self,
        tab: usize,
        chat: ConversationId,
        text: &str,
        burn: Option<Burn>,
        life_secs: Option<u32>,
    ) -> MessageId {
        let tag = format!("tag of {text}");
        self.command(
            tab,
            Command::Send {
                chat,
                text: text.into(),
                burn,
                life_secs,
                tag: Some(tag.clone()),
            },
        );
        let found = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Message { message, .. } if message.tag.as_deref() == Some(tag.as_str()) => {
                    Some(message.id)
                }
                _ => None,
            });
        found.unwrap_or_else(|| panic!("not sent: {:?}", self.tab(tab).events))
    }

    /// Says that messages are on the screen.
    pub fn show(&mut self, tab: usize, chat: ConversationId, messages: Vec<MessageId>) {
        self.command(tab, Command::Shown { chat, messages });
    }

    /// The last view of a message that a tab was told, if it was not removed.
    #[must_use]
    pub fn message(&self, tab: usize, id: MessageId) -> Option<MessageView> {
        let mut last = None;
        for event in &self.tab(tab).events {
            match event {
                Event::Message { message, .. } if message.id == id => last = Some(message.clone()),
                Event::Conversation { messages, .. } => {
                    if let Some(message) = messages.iter().find(|m| m.id == id) {
                        last = Some(message.clone());
                    }
                }
                Event::MessageRemoved { message, .. } if *message == id => last = None,
                _ => {}
            }
        }
        last
    }

    /// Texts of a chat in order, as `open_chat` gives them.
    pub fn texts(&mut self, tab: usize, chat: ConversationId) -> Vec<String> {
        let messages = self.conversation(tab, chat).into_iter();
        messages
            .filter_map(|message| message.text.map(|text| text.expose().to_owned()))
            .collect()
    }

    /// Ids of a chat's messages in order, as `open_chat` gives them.
    pub fn ids(&mut self, tab: usize, chat: ConversationId) -> Vec<MessageId> {
        let messages = self.conversation(tab, chat).into_iter();
        messages.map(|message| message.id).collect()
    }

    fn conversation(&mut self, tab: usize, chat: ConversationId) -> Vec<MessageView> {
        self.command(tab, Command::OpenChat { chat });
        let mut events = self.tab(tab).events.iter().rev();
        let told = events.find_map(|event| match event {
            Event::Conversation { chat: of, messages } if *of == chat => Some(messages.clone()),
            _ => None,
        });
        told.unwrap_or_default()
    }

    /// The chat list that a tab was told last.
    #[must_use]
    pub fn chats(&self, tab: usize) -> Vec<ChatView> {
        let found = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Chats { chats } => Some(chats.clone()),
                _ => None,
            });
        found.unwrap_or_default()
    }

    /// The requests that a tab was told last.
    #[must_use]
    pub fn requests(&self, tab: usize) -> Vec<RequestView> {
        let found = self
            .tab(tab)
            .events
            .iter()
            .rev()
            .find_map(|event| match event {
                Event::Requests { requests } => Some(requests.clone()),
                _ => None,
            });
        found.unwrap_or_default()
    }

    /// Codes of everything that a tab refused.
    #[must_use]
    pub fn refusals(&self, tab: usize) -> Vec<String> {
        let refused = self.tab(tab).events.iter().filter_map(|event| match event {
            Event::Refused { code, .. } => Some(code.clone()),
            _ => None,
        });
        refused.collect()
    }

    /// Codes of every command that failed in a tab.
    #[must_use]
    pub fn failures(&self, tab: usize) -> Vec<String> {
        let failed = self.tab(tab).events.iter().filter_map(|event| match event {
            Event::Failed { code, .. } => Some(code.clone()),
            _ => None,
        });
        failed.collect()
    }
}

/// Two contacts.
#[derive(Debug, Clone, Copy)]
pub struct Friends {
    /// Alice's tab.
    pub alice: usize,
    /// Bob's tab.
    pub bob: usize,
    /// How Alice names the chat.
    pub to_bob: ConversationId,
    /// How Bob names the chat.
    pub to_alice: ConversationId,
}
