//! What a tab asks of the core: the JSON that JavaScript sends, one object with the tag `c`.
//!
//! `{"c":"send","chat":"<32 hex>","text":"hello","burn":"never"}`
//!
//! - Identifiers are 32 lower-case hex digits; a chat is named by the other person's user id.
//! - Times are unix **milliseconds** in commands and events of this crate when the name ends in `_ms`,
//!   unix seconds when it ends in `_at`; lengths of time are seconds and end in `_secs`.
//! - A field documented as optional may be left out.
//! - The core serves all tabs of a browser and keeps no state per tab: which chat is open, what is
//!   typed and what is scrolled to are the tab's own. Each event goes to all tabs.
//! - A command that cannot be carried out answers with [`crate::event::Event::Failed`], whose
//!   `during` is the command's tag.
//! - `{"c":"measure_passphrase","passphrase":"…"}` never arrives here: what hosts the core measures with
//!   the crate `strength` and tells the tab that asked
//!   `{"e":"passphrase_measured","bits":72,"weak":false,"advice":""}`, weak being under 70 bits.

mod settings;
mod tag;

use serde::{Deserialize, Serialize};

pub use settings::{Burn, ChatChange, SettingsChange};
pub(crate) use tag::tag_of;

use crate::id::{ConversationId, MessageId};
use crate::secret_text::SecretText;

/// One request of a tab, tagged `c`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "c", rename_all = "snake_case")]
pub enum Command {
    /// `{"c":"start"}` — first command after the core was made: asks the server for its state, resumes
    /// a session after a reload where it can, and answers with `server` and `state`.
    ///
    /// Harmless when repeated.
    Start,
    /// `{"c":"snapshot"}` — says everything again (`server`, `state`, `connection`, `settings`, `chats`,
    /// `requests`, `blocked`, `draft`) for a tab that has just joined.
    Snapshot,
    /// `{"c":"user_active"}` — a person pressed a key or moved the pointer; send it as often as you
    /// like, the core passes it on at most once a minute. Also what keeps the idle lock away.
    UserActive,

    // Registration and sign-in
    /// `{"c":"offer_passphrase"}` → `passphrase_offered`: six random words.
    OfferPassphrase,
    /// `{"c":"check_registration","handle","alias","setup"?,"invite"?}` → `registration_checked`, or
    /// `failed` with what a registration would be refused for; nothing is kept of it.
    CheckRegistration {
        /// The handle that is wanted.
        handle: String,
        /// The name others see; empty means the handle.
        alias: String,
        /// The secret of the set-up link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        setup: Option<SecretText>,
        /// The whole fragment of an invite link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<String>,
    },
    /// `{"c":"register","handle","alias","passphrase","setup"?,"invite"?}` → `recovery_key`, and after
    /// `confirm_recovery_key` → `state` unlocked.
    Register {
        /// The handle that is wanted, at most 32 characters.
        handle: String,
        /// The name others see, at most 64 characters; empty means the handle.
        alias: String,
        /// The passphrase; it never leaves this core.
        passphrase: SecretText,
        /// The secret of the set-up link (fragment of `/setup#…`), for the first administrator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        setup: Option<SecretText>,
        /// The whole fragment of an invite link `/i#…`; the inviter becomes a contact.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invite: Option<String>,
    },
    /// `{"c":"confirm_recovery_key","typed":"…"}` — what the person typed or pasted back; finishes a
    /// registration or a recovery. Wrong: `failed` with code `recovery-key-mismatch`, try again.
    ConfirmRecoveryKey {
        /// The whole recovery key; case, dashes and spaces do not matter.
        typed: SecretText,
    },
    /// `{"c":"cancel"}` — gives up a registration, sign-in, recovery or change that is under way. Once the
    /// server was asked for what cannot be called back, nothing happens and its answer counts.
    Cancel,
    /// `{"c":"sign_in","handle","passphrase","device_name"?}` → `state` unlocked.
    SignIn {
        /// The handle.
        handle: String,
        /// The passphrase; it never leaves this core.
        passphrase: SecretText,
        /// A name for this browser in the list of sessions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device_name: Option<String>,
    },
    /// `{"c":"recover","handle","recovery_key","passphrase"}` → a new `recovery_key`, and after
    /// `confirm_recovery_key` → `state` unlocked. All other sessions are signed out.
    Recover {
        /// The handle.
        handle: String,
        /// The recovery key; case, dashes and spaces do not matter.
        recovery_key: SecretText,
        /// The new passphrase.
        passphrase: SecretText,
    },
    /// `{"c":"change_passphrase","current","new"}` → `passphrase_changed`.
    ChangePassphrase {
        /// The passphrase of now.
        current: SecretText,
        /// The passphrase from now on.
        new: SecretText,
    },
    /// `{"c":"accept_restored"}` — the person read what `restored` said and goes on with the state of
    /// the backup; → `state` unlocked. `cancel` declines, and nothing is changed.
    AcceptRestored,
    /// `{"c":"accept_clock"}` — the person says that this device's clock is right, after
    /// `clock_conflict`; → `state`. `cancel` locks.
    AcceptClock,
    /// `{"c":"sign_out"}` → `state` signed_out.
    SignOut,
    /// `{"c":"lock"}` → `state` locked; every key and every message text in memory is overwritten.
    Lock,
    /// `{"c":"unlock","passphrase"}` → `state` unlocked.
    Unlock {
        /// The passphrase.
        passphrase: SecretText,
    },

    // The account
    /// `{"c":"set_alias","alias"}` → `state` with the new alias.
    SetAlias {
        /// The name others see, 1 to 64 characters.
        alias: String,
    },
    /// `{"c":"set_settings",…}` — changes what is given; → `settings`.
    SetSettings(SettingsChange),
    /// `{"c":"list_sessions"}` → `sessions`.
    ListSessions,
    /// `{"c":"revoke_session","id"}` → `sessions`.
    RevokeSession {
        /// The `id` from `sessions`.
        id: String,
    },
    /// `{"c":"revoke_other_sessions","passphrase"}` → `sessions`: every other session ends, and the key
    /// that opens the safe is replaced, so that what they kept of it opens nothing any more.
    RevokeOtherSessions {
        /// The passphrase; it stays the same.
        passphrase: SecretText,
    },
    /// `{"c":"new_identity","passphrase"}` → `identity_replaced`: new keys in place of old ones. All
    /// others see that they changed; what was sent to the old ones and not opened stays closed.
    NewIdentity {
        /// The passphrase; it stays the same.
        passphrase: SecretText,
    },
    /// `{"c":"delete_account","passphrase"}` → `state` signed_out with the reason `deleted`: the server
    /// erases the account, and this browser what it kept of it.
    DeleteAccount {
        /// The passphrase, as proof.
        passphrase: SecretText,
    },
    /// `{"c":"set_registration","mode"}` — administrators only; → `server`.
    SetRegistration {
        /// `closed`, `invite` or `open`.
        mode: String,
    },

    // People
    /// `{"c":"lookup","handle"}` → `looked_up`.
    Lookup {
        /// The handle of the person sought.
        handle: String,
    },
    /// `{"c":"request_contact","handle","greeting"?}` → `chats` with the new chat in state `requested`.
    RequestContact {
        /// The handle of the person.
        handle: String,
        /// A first line, at most 280 characters.
        #[serde(default)]
        greeting: SecretText,
    },
    /// `{"c":"accept_request","chat"}` — the person becomes a contact and is told.
    AcceptRequest {
        /// The sender of the request.
        chat: ConversationId,
    },
    /// `{"c":"refuse_request","chat"}` — the request is deleted; the sender is told nothing.
    RefuseRequest {
        /// The sender of the request.
        chat: ConversationId,
    },
    /// `{"c":"block","chat"}` — nothing of this person is shown any more.
    Block {
        /// The person.
        chat: ConversationId,
    },
    /// `{"c":"unblock","chat"}` → `blocked`.
    Unblock {
        /// The person.
        chat: ConversationId,
    },
    /// `{"c":"remove_contact","chat"}` — forgets the chat, its messages here and its pin.
    RemoveContact {
        /// The person.
        chat: ConversationId,
    },
    /// `{"c":"create_invite","life_secs"?}` → `invite_created` with link and QR.
    CreateInvite {
        /// How long the link works; default 7 days.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        life_secs: Option<u32>,
    },
    /// `{"c":"list_invites"}` → `invites`.
    ListInvites,
    /// `{"c":"revoke_invite","id"}` → `invites`.
    RevokeInvite {
        /// The `id` from `invites`.
        id: String,
    },
    /// `{"c":"open_invite","fragment"}` → `invite_opened`. Signed in: also uses the invite and asks the
    /// inviter, after the keys matched the pin in the link. An inviter who is a contact already is only
    /// named.
    OpenInvite {
        /// What follows the `#` of `/i#…`.
        fragment: String,
    },
    /// `{"c":"safety_number","chat"}` → `safety_number`.
    SafetyNumber {
        /// The person.
        chat: ConversationId,
    },
    /// `{"c":"set_verified","chat","verified"}` → `chats`.
    SetVerified {
        /// The person.
        chat: ConversationId,
        /// Whether the numbers were compared and equal.
        verified: bool,
    },
    /// `{"c":"check_scan","chat","scanned"}` → `scan_checked`: compares the text of a scanned QR code.
    CheckScan {
        /// The person.
        chat: ConversationId,
        /// The text in the code.
        scanned: String,
    },
    /// `{"c":"accept_changed_key","chat"}` — the person saw the notice and wants to write to the new
    /// keys; held messages go out. The verified mark is gone.
    AcceptChangedKey {
        /// The person.
        chat: ConversationId,
    },
    /// `{"c":"acknowledge_keys","chat"}` — the person saw that other keys than the pinned ones were shown
    /// or used for a while; → `chats`.
    AcknowledgeKeys {
        /// The person.
        chat: ConversationId,
    },

    // Chats
    /// `{"c":"open_chat","chat"}` → `conversation` with all messages in memory.
    OpenChat {
        /// The chat.
        chat: ConversationId,
    },
    /// `{"c":"set_chat",…}` — changes what is given for one chat; → `chats`.
    SetChat {
        /// The chat.
        chat: ConversationId,
        /// The changes.
        #[serde(flatten)]
        change: ChatChange,
    },
    /// `{"c":"send","chat","text","burn"?,"life_secs"?,"tag"?}` → `message` in state `sending`.
    Send {
        /// The chat.
        chat: ConversationId,
        /// What is said, at most 64 KiB of UTF-8.
        text: SecretText,
        /// The burn rule; default is the chat's, else the account's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        burn: Option<Burn>,
        /// How long it may wait unread, 5 s to 604,800 s; default is the chat's, else the account's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        life_secs: Option<u32>,
        /// Any text of the tab's own; comes back in the message so that the tab knows its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    },
    /// `{"c":"send_again","chat","message"}` — for messages that vanished, expired or failed: the same
    /// text as a new message; the old one goes.
    SendAgain {
        /// The chat.
        chat: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// `{"c":"edit","chat","message","text"}` — replaces an own text on both sides.
    Edit {
        /// The chat.
        chat: ConversationId,
        /// An own message that is not burned.
        message: MessageId,
        /// The new text.
        text: SecretText,
    },
    /// `{"c":"delete","chat","message","everywhere"}` — takes a message away here, and there if asked.
    Delete {
        /// The chat.
        chat: ConversationId,
        /// The message.
        message: MessageId,
        /// Also ask the other side to take it away (own messages only).
        everywhere: bool,
    },
    /// `{"c":"reveal","chat","message"}` — opens a message with `sealed: true` (one that burns). When
    /// this session wins it → `message` with its text; else the message goes to state `gone`.
    Reveal {
        /// The chat.
        chat: ConversationId,
        /// The message.
        message: MessageId,
    },
    /// `{"c":"shown","chat","messages"}` — these are on the screen of a focused tab: they are marked,
    /// acknowledged, a receipt is sent and burn timers start. Ignored for sealed ones.
    Shown {
        /// The chat.
        chat: ConversationId,
        /// Incoming messages now visible.
        messages: Vec<MessageId>,
    },
    /// `{"c":"hide","chat","messages"}` — shown `on_read` messages that were dismissed, or whose chat
    /// was left: they burn now.
    Hide {
        /// The chat.
        chat: ConversationId,
        /// The messages.
        messages: Vec<MessageId>,
    },
    /// `{"c":"draft","chat","text","tag"}` → `draft` — what stands in the composer now; send it on each
    /// key. Empty where nothing is left.
    Draft {
        /// The chat.
        chat: ConversationId,
        /// The whole text.
        text: SecretText,
        /// Comes back in the event: whoever typed knows its own.
        tag: Option<String>,
    },
    /// `{"c":"typing","chat"}` — the person is typing; send it on each key, the core spares the rest.
    Typing {
        /// The chat.
        chat: ConversationId,
    },
}
