//! Codes of refusals that a client finds by itself, with texts.

use crate::Words;

macro_rules! own {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $text:literal $(, wait $wait:literal)?;)+) => {
        /// Why a client refused a command, without asking the server.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Own {
            $($(#[$doc])* $name,)+
        }

        impl Own {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns what a person is told.
            pub const fn words(self) -> Words {
                match self {
                    $(Self::$name => Words {
                        code: $code,
                        text: $text,
                        wait: own!(@wait $($wait)?),
                    },)+
                }
            }
        }
    };
    (@wait) => { None };
    (@wait $wait:literal) => { Some($wait) };
}

own! {
    /// No answer came.
    Offline = "offline", "The server cannot be reached. Check the connection and try again.";
    /// Another flow is under way.
    Busy = "busy", "Something else is under way. Wait for it, or cancel it.";
    /// The server was asked for what was to be cancelled.
    CannotCancel = "cannot-cancel",
        "The server is doing this already, and nothing can call it back. Wait for its answer.";
    /// The keys are locked.
    NotUnlocked = "not-unlocked", "Unlock first.";
    /// Nobody is signed in here.
    NotSignedIn = "not-signed-in", "Sign in first.";
    /// The passphrase of the account that is locked here.
    WrongPassphrase = "wrong-passphrase", "The passphrase is wrong. Try again.";
    /// The text is not a recovery key.
    RecoveryKeyMalformed = "recovery-key-malformed",
        "That is not a recovery key: a group is missing or mistyped. Check it and try again.";
    /// The text is another recovery key.
    RecoveryKeyMismatch = "recovery-key-mismatch",
        "That is not the recovery key shown before. Compare it and type it again.";
    /// The question about a restore is over.
    NothingToAccept = "nothing-to-accept", "There is nothing to accept any more. Sign in again.";
    /// The flow with a new recovery key is over.
    NothingToConfirm = "nothing-to-confirm", "There is no recovery key to confirm. Start again.";
    /// The handle cannot be one.
    BadHandle = "bad-handle",
        "A handle has 1 to 32 letters, digits, dots, dashes or underscores.";
    /// The name cannot be one.
    BadAlias = "bad-alias", "A name has 1 to 64 characters.";
    /// Nothing was given.
    EmptyPassphrase = "empty-passphrase", "Choose a passphrase first.";
    /// The server does not know whom the invite is from.
    InviteInvalid = "invite-invalid",
        "This invite link was used, has expired or was withdrawn.";
    /// The link is incomplete.
    InviteMalformed = "invite-malformed",
        "This invite link is not complete. Copy the whole link.";
    /// The handle is the person's own.
    ThatIsYou = "that-is-you", "That is your own handle.";
    /// There is no such conversation.
    NoSuchChat = "no-such-chat", "This chat does not exist any more.";
    /// There is no such message.
    NoSuchMessage = "no-such-message", "This message does not exist any more.";
    /// Somebody else wrote the message.
    NotYours = "not-yours", "Only your own messages can be changed.";
    /// The message was written under an earlier identity.
    EarlierIdentity = "earlier-identity",
        "You wrote this under your earlier identity. Others let only that one change it.";
    /// Nothing was written.
    TextEmpty = "text-empty", "Write something first.";
    /// The text is above its limit.
    TextTooLong = "text-too-long", "A message has at most 64 KiB of text. Split it.";
    /// The life is out of range.
    BadLife = "bad-life", "A message may wait between 5 seconds and 7 days.";
    /// The time to burn is out of range.
    BadBurn = "bad-burn", "Burning can be set between 1 second and 1 day after reading.";
    /// The message is gone.
    MessageGone = "message-gone",
        "This message is gone: it was read elsewhere or its time ran out.";
    /// Another session of the account shows the message.
    MessageTaken = "message-taken", "Another browser of yours is showing this message.", wait 30;
    /// A message that burns cannot be edited.
    Burning = "burning", "A message that burns cannot be changed. Delete it instead.";
    /// This account has blocked the recipient.
    Blocked = "blocked", "You have blocked this person. Unblock them first.";
    /// The recipient has no keys to write to.
    NoKeys = "no-keys", "This person has no keys to write to. They must sign in once first.";
    /// The conversation is live-only and the recipient has no live session.
    NobodyLive = "nobody-live",
        "They are not here, and this chat is set to send only while you both are. Try again when they are \
         here, or change the setting in the chat's details.";
    /// The named thing does not exist.
    Missing = "not-found", "That does not exist any more.";
    /// Argon2id found no memory.
    Memory = "memory", "Signing in needs 64 MiB of memory. Close other tabs and try again.";
    /// A setting is out of range.
    BadSettings = "bad-settings", "That setting is out of range.";
    /// The answer cannot be read.
    ServerReply = "server-reply", "The server's answer could not be read. Reload the page.";
    /// The answer came from something between client and server.
    HeldUp = "held-up",
        "Something on the way to the server refused this. Try another network, or tell whoever runs \
         this server: its proxy may be set up wrongly.";
    /// An answer that is no problem document.
    ServerError = "server-error", "The server had a problem.", wait 30;
    /// Text that no client of this version gives a name to.
    Unknown = "unknown", "The server refused this for a reason that this page does not know. Reload the page.";
}

impl From<Own> for Words {
    fn from(own: Own) -> Self {
        own.words()
    }
}
