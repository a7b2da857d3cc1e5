//! The account's settings and those of a chat.

use super::Safe;
use crate::command::{Burn, ChatChange, SettingsChange};
use crate::effects::Effect;
use crate::event::{Event, SettingsView};
use crate::failure::Failure;
use crate::id::ConversationId;
use crate::io::Io;
use crate::state::outbox::{LIFE_SECS, burn_in_range};
use api::Own;

/// Default life of a message: a day.
const DEFAULT_LIFE_SECS: u32 = 86_400;
/// Idle seconds until the lock, when it is on.
const LOCK_SECS: std::ops::RangeInclusive<u32> = 60..=1_800;

const RECEIPTS: &str = "receipts";
const TYPING: &str = "typing";
const LOCK: &str = "lock-after";
const LIFE: &str = "life";
const BURN: &str = "burn";

impl Safe {
    /// The account's settings.
    pub(crate) fn settings(&self) -> SettingsView {
        let settings = &self.contents.settings;
        let number = |name, default: u32| {
            u32::try_from(settings.number(name, u64::from(default))).unwrap_or(default)
        };
        SettingsView {
            receipts: settings.switch(RECEIPTS, true),
            typing: settings.switch(TYPING, true),
            lock_after_secs: number(LOCK, 0),
            life_secs: number(LIFE, DEFAULT_LIFE_SECS),
            burn: settings.get(BURN).map_or(Burn::Never, burn_from),
        }
    }

    /// The burn rule of a chat, where it has one.
    pub(crate) fn chat_burn(&self, chat: ConversationId) -> Option<Burn> {
        match self.contents.settings.get(&burn_name(chat)) {
            None | Some("") => None,
            Some(text) => Some(burn_from(text)),
        }
    }
}

impl Safe {
    pub(crate) fn emit_settings(&self, io: &mut Io) {
        io.event(Event::Settings(self.settings()));
    }

    /// `set_settings`.
    pub(crate) fn set_settings(&mut self, io: &mut Io, change: &SettingsChange) {
        let sound = change
            .lock_after_secs
            .is_none_or(|secs| secs == 0 || LOCK_SECS.contains(&secs))
            && change
                .life_secs
                .is_none_or(|secs| LIFE_SECS.contains(&secs))
            && change.burn.is_none_or(burn_in_range);
        if !sound {
            io.failed("set_settings", Failure::new(Own::BadSettings));
            return;
        }
        let now = io.stamp();
        let settings = &mut self.edit().settings;
        if let Some(on) = change.receipts {
            settings.set_switch(RECEIPTS, on, now);
        }
        if let Some(on) = change.typing {
            settings.set_switch(TYPING, on, now);
        }
        if let Some(secs) = change.lock_after_secs {
            settings.set_number(LOCK, u64::from(secs), now);
        }
        if let Some(secs) = change.life_secs {
            settings.set_number(LIFE, u64::from(secs), now);
        }
        if let Some(burn) = change.burn {
            settings.set(BURN, &burn_text(burn), now);
        }
        io.ask(Effect::TellSettings);
    }

    /// `set_chat`.
    pub(crate) fn set_chat(&mut self, io: &mut Io, chat: ConversationId, change: &ChatChange) {
        let sound = change
            .life_secs
            .is_none_or(|secs| LIFE_SECS.contains(&secs))
            && change.burn.is_none_or(burn_in_range);
        let known = self.contact(chat).is_some();
        if !sound || !known {
            let code = if known {
                Own::BadSettings
            } else {
                Own::NoSuchChat
            };
            io.failed_at("set_chat", Failure::new(code), Some(chat), None);
            return;
        }
        let now = io.stamp();
        let contents = self.edit();
        if let Some(burn) = change.burn {
            contents
                .settings
                .set(&burn_name(chat), &burn_text(burn), now);
        }
        if let Some(on) = change.live_only {
            contents.settings.set_switch(&live_name(chat), on, now);
        }
        if let Some(contact) = contents.contacts.get_mut(&chat.peer()) {
            if let Some(on) = change.receipts {
                contact.receipts.set(now, Some(on));
            }
            if let Some(on) = change.muted {
                contact.muted.set(now, on);
            }
            if let Some(secs) = change.life_secs {
                contact.life_secs.set(now, Some(secs));
            }
        }
        io.ask(Effect::TellChats);
    }

    /// Burn rule and life of a new message in a chat.
    pub(crate) fn defaults_of(&self, chat: ConversationId) -> (Burn, u32) {
        let settings = self.settings();
        let life = self
            .contact(chat)
            .and_then(|contact| contact.life_secs.value);
        (
            self.chat_burn(chat).unwrap_or(settings.burn),
            life.unwrap_or(settings.life_secs),
        )
    }

    /// Whether receipts go out in a chat.
    pub(crate) fn sends_receipts(&self, chat: ConversationId) -> bool {
        self.contact(chat)
            .is_some_and(|contact| contact.receipts.value.unwrap_or(self.settings().receipts))
    }

    /// Whether what is said in a chat goes to live sessions or nowhere.
    pub(crate) fn is_live_only(&self, chat: ConversationId) -> bool {
        let settings = &self.contents().settings;
        settings.switch(&live_name(chat), false)
    }
}

fn live_name(chat: ConversationId) -> String {
    format!("live/{chat}")
}

fn burn_name(chat: ConversationId) -> String {
    format!("burn/{chat}")
}

fn burn_text(burn: Burn) -> String {
    match burn {
        Burn::Never => "never".to_owned(),
        Burn::OnRead => "on-read".to_owned(),
        Burn::After(secs) => secs.to_string(),
    }
}

fn burn_from(text: &str) -> Burn {
    match text {
        "on-read" => Burn::OnRead,
        other => other.parse().map_or(Burn::Never, Burn::After),
    }
}
