//! What the core tells all tabs: one JSON object per event with the tag `e`.
//!
//! `{"e":"state","state":"unlocked","me":{"user_id":"…","handle":"alice",…}}`
//!
//! Events carry whole small views: a tab replaces what it shows and keeps no state of its own
//! beyond the last event of each kind. `code` fields are stable kebab-case strings; `text` fields are
//! English sentences that say what to do next.

mod account;
mod chat;

use serde::{Deserialize, Serialize};

pub use account::{Me, PersonView, Phase, ServerView, SettingsView, StateView, UnsentView};
pub use api::bodies::{Invite, Session};
pub use chat::{ChatView, MessageState, MessageView, RequestView, Spoken};

use crate::id::{ConversationId, MessageId, UserId};
use crate::secret_text::SecretText;

/// One piece of news for all tabs, tagged `e`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "e", rename_all = "snake_case")]
pub enum Event {
    /// `server` — what the server says of itself.
    Server(ServerView),
    /// `state` — signed out, locked or unlocked, and whose account it is.
    State(StateView),
    /// `connection` — whether the socket is up.
    Connection {
        /// Whether messages can be sent and received at this moment.
        online: bool,
        /// When the core tries again, unix milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_at_ms: Option<u64>,
        /// The server answers, but something on the way holds its sockets up.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        barred: bool,
    },
    /// `failed` — a command was not carried out; show `text`.
    Failed {
        /// The tag of the command (`sign_in`, `send`, …).
        during: String,
        /// A stable code (`sign-in-failed`, `handle-taken`, `offline`, …).
        code: String,
        /// What to do next, for people.
        text: String,
        /// The chat it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        chat: Option<ConversationId>,
        /// The message it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
        /// The tab's own text from a `send` that was not taken: the tab keeps what was typed.
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
        /// Seconds until another try makes sense, where the server said so.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_secs: Option<u32>,
    },
    /// `refused` — something the server or a sender delivered was refused by a security check.
    Refused {
        /// A stable code: `swapped-key`, `stale-batch`, `reordered`, `dropped`, `replayed`,
        /// `cross-delivered`, `moved-slot`, `forged-receipt`, `rolled-back-safe`, `lowered-kdf`,
        /// `unknown-suite`, `resend-other-key`, …
        code: String,
        /// What it means and what to do, for people.
        text: String,
        /// The chat it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        chat: Option<ConversationId>,
        /// The message it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<MessageId>,
    },
    /// `notice` — something worth knowing that needs no decision (`clock-skew`, `server-restarted`,
    /// `last-resort-used`, `safe-merged`, …); show as a passing line.
    Notice {
        /// A stable code.
        code: String,
        /// For people.
        text: String,
        /// The chat it was about.
        #[serde(skip_serializing_if = "Option::is_none")]
        chat: Option<ConversationId>,
    },

    /// `passphrase_offered` — six random words.
    PassphraseOffered {
        /// The words, joined by hyphens.
        passphrase: SecretText,
        /// Exact entropy in whole bits.
        bits: u32,
    },
    /// `registration_checked` — answer to `check_registration`: such a registration would be taken now.
    RegistrationChecked,
    /// `recovery_key` — shown once; ask the person to keep it and to type it back.
    RecoveryKey {
        /// Groups separated by dashes.
        recovery_key: SecretText,
        /// `register` or `recover`.
        during: String,
        /// When the server forgets this attempt, unix milliseconds.
        expires_ms: u64,
    },
    /// `passphrase_changed` — the change is stored.
    PassphraseChanged,
    /// `identity_replaced` — the new identity is stored; other sessions of the account lock.
    IdentityReplaced,

    /// `restored` — the server delivers an older state than this browser remembers, and says that it
    /// came out of a backup. Show both and ask: `accept_restored` or `cancel`.
    Restored {
        /// Of when the backup is, as the server says, unix seconds.
        at: u64,
        /// What it means and what to do, for people.
        text: String,
    },

    /// `clock_conflict` — the account was used at a time that neither this device's clock nor the
    /// server's has reached. Show them and ask: `accept_clock` or `cancel`.
    ClockConflict {
        /// The time that the account was used at, unix seconds.
        seen_at: u64,
        /// What time it is by the server, unix seconds.
        server_at: u64,
        /// What time it is by this device, unix seconds.
        device_at: u64,
        /// What it means and what to do, for people.
        text: String,
    },

    /// `settings` — the account's settings.
    Settings(SettingsView),
    /// `sessions` — where the account is signed in.
    Sessions {
        /// The current one first, then by last activity.
        sessions: Vec<Session>,
    },

    /// `looked_up` — answer to `lookup`; `person` is null when nobody has that handle.
    LookedUp {
        /// The handle asked for.
        handle: String,
        /// Who has it.
        person: Option<PersonView>,
    },
    /// `invite_created` — a new invite link.
    InviteCreated {
        /// The path with its fragment (`/i#…`); put the page's origin before it.
        link: String,
        /// The whole link as a QR code, an SVG document; null where the origin is not known.
        qr_svg: Option<String>,
        /// When it stops working, unix seconds.
        expires_at: u64,
    },
    /// `invites` — the links that were made and have not expired yet, used or not.
    Invites {
        /// Newest first.
        invites: Vec<Invite>,
    },
    /// `invite_opened` — answer to `open_invite`.
    InviteOpened {
        /// The inviter.
        user_id: UserId,
        /// True when signed in and the inviter's keys match the pin in the link; the chat exists now.
        added: bool,
        /// True when the person has to register or sign in first; pass the fragment to `register`, or
        /// send `open_invite` again after signing in.
        needs_account: bool,
    },
    /// `safety_number` — for comparing out loud or by camera.
    SafetyNumber {
        /// The person.
        chat: ConversationId,
        /// Twelve groups of five digits.
        groups: Vec<String>,
        /// The same as a QR code, an SVG document.
        qr_svg: String,
        /// Whether it was marked as compared.
        verified: bool,
    },
    /// `scan_checked` — answer to `check_scan`.
    ScanChecked {
        /// The person.
        chat: ConversationId,
        /// Whether the numbers are equal; if so the person is marked verified.
        equal: bool,
    },

    /// `chats` — the whole list, latest activity first; contacts and open requests of one's own.
    Chats {
        /// One row per chat.
        chats: Vec<ChatView>,
    },
    /// `requests` — unknown people who wrote: accept, refuse or block.
    Requests {
        /// Newest first.
        requests: Vec<RequestView>,
    },
    /// `blocked` — people whose messages are dropped.
    Blocked {
        /// By name.
        people: Vec<PersonView>,
    },
    /// `conversation` — all messages of one chat that are in memory, oldest first.
    Conversation {
        /// The chat.
        chat: ConversationId,
        /// The messages.
        messages: Vec<MessageView>,
    },
    /// `message` — one message is new or changed; replace the one with the same `id`.
    Message {
        /// The chat.
        chat: ConversationId,
        /// The message.
        message: MessageView,
    },
    /// `message_removed` — take it out of the list.
    MessageRemoved {
        /// The chat.
        chat: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// `draft` — what was typed in a chat and not sent; empty where nothing is left.
    Draft {
        /// The chat.
        chat: ConversationId,
        /// The whole text.
        text: SecretText,
        /// The tag of the command; none where a tab asked for everything.
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    },
    /// `typing` — the other person types; take the sign away at `until_ms`.
    Typing {
        /// The chat.
        chat: ConversationId,
        /// Unix milliseconds; now or earlier means they stopped.
        until_ms: u64,
    },
}
