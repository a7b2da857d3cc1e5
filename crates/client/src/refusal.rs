//! What the core refuses although the server, or a sender, delivered it.

/// A security check said no; each clause has its own stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// The server offered, or a message used, keys other than the pinned ones.
    #[error(
        "These are not the keys this person had before. Compare the safety number before you write."
    )]
    SwappedKey,
    /// A prekey batch with a number below the highest one seen.
    #[error("The server offered old keys of this person. Nothing was sent to them.")]
    StaleBatch,
    /// A prekey or bundle whose signature, owner or proof does not hold.
    #[error("The server offered keys that this person did not sign. Nothing was sent to them.")]
    BadPrekeys,
    /// A session bundle of another five minutes.
    #[error("The server offered keys whose time is over. Nothing was sent to them.")]
    StaleBundle,
    /// A message arrived after one that was sent later, or does not follow its predecessor.
    #[error("This message did not arrive in the order in which it was sent.")]
    Reordered,
    /// Messages between the last one and this one are missing.
    #[error(
        "Messages before this one did not arrive here: they expired, were opened in another browser of yours, or were held back."
    )]
    Dropped,
    /// A message that was shown before was delivered again.
    #[error("A message arrived a second time and was not shown again.")]
    Replayed,
    /// A slot that was made for another account or session.
    #[error("Something came that was made for somebody else. It was not opened.")]
    CrossDelivered,
    /// A slot that was made for another body, or with another message id.
    #[error(
        "A message was put together from parts of others, by the server or by whoever sent it. It was not opened."
    )]
    MovedSlot,
    /// A receipt from somebody who never had the message.
    #[error("Somebody confirmed a message that they never had. It was ignored.")]
    ForgedReceipt,
    /// An edit or deletion from somebody who is not the author.
    #[error("Somebody tried to change a message that is not theirs. It was ignored.")]
    ForgedEdit,
    /// Keys that nobody accepted were used for more than to write.
    #[error(
        "Keys that you have not accepted were used in this person's name, to change or confirm something. It was ignored. Compare the safety number."
    )]
    UnacceptedKeys,
    /// Another message came under the id of one that was opened before.
    #[error(
        "The server put another message in the place of one that you had not read. It was not shown."
    )]
    Exchanged,
    /// The key safe is older than one this browser has seen.
    #[error(
        "The server delivered an old version of your key safe. Do not go on; ask the administrator."
    )]
    RolledBackSafe,
    /// The key safe does not open under the key that belongs to it.
    #[error("Your key safe was damaged or exchanged. Ask the administrator.")]
    DamagedSafe,
    /// The account that is delivered is not the one that was signed in to.
    #[error(
        "The server signed you in to one account and delivered another. Nothing was opened; ask the administrator."
    )]
    OtherAccount,
    /// The server asked for a cheaper hardening of the passphrase.
    #[error("The server asked for a weaker protection of your passphrase. Nothing was sent.")]
    LoweredKdf,
    /// An object of a cipher suite that this program does not speak.
    #[error("This was made with a cipher suite that is not known here. Reload the page.")]
    UnknownSuite,
    /// An object of a version that this program does not speak.
    #[error("This was made by another version of the program. Reload the page.")]
    UnknownVersion,
    /// A repetition was asked for, but the recipient's keys are no longer those first sent to.
    #[error("The server asked to send a message again to other keys. It was not sent.")]
    ResendOtherKey,
    /// A repetition was asked for a second time, or after a receipt.
    #[error("The server asked too often to send a message again. It was not sent.")]
    ResendAgain,
    /// The times in a message are too far in the past or the future.
    #[error("This message is from another time. Check the clock of this device.")]
    OutOfTime,
    /// A new boot id without the server's signature, or from another server key.
    #[error("The server's restart was not signed by the server known here.")]
    ForgedBoot,
    /// The hello of a link that the known server key did not sign.
    #[error(
        "The server's link is not signed by the server known here. Nothing was sent; do not use this server, and ask its administrator why."
    )]
    OtherServer,
    /// The hello of a link that is over, or not begun, by this device's clock.
    #[error(
        "The server's link is of another time than this device's clock. Set the clock of this device; the connection is tried again."
    )]
    LinkClock,
    /// A message of a link that is not the one that belongs there, or that does not open.
    #[error(
        "Something on the way to the server, or the server, changed what came. Nothing of it was believed; the connection is tried again."
    )]
    BrokenLink,
    /// The invite link's pin and the inviter's keys differ.
    #[error("The invite link belongs to other keys than the server shows. Ask for a new link.")]
    InvitePin,
    /// Bytes that are no such object at all.
    #[error(
        "Something unreadable came, from the server or from whoever sent it. It was not opened."
    )]
    Malformed,
    /// The keys for this message are not here.
    #[error("A message could not be opened; its sender is asked to send it again.")]
    CannotOpen,
}

impl Refusal {
    /// A stable kebab-case name, used in events and tests.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SwappedKey => "swapped-key",
            Self::StaleBatch => "stale-batch",
            Self::BadPrekeys => "bad-prekeys",
            Self::StaleBundle => "stale-bundle",
            Self::Reordered => "reordered",
            Self::Dropped => "dropped",
            Self::Replayed => "replayed",
            Self::CrossDelivered => "cross-delivered",
            Self::MovedSlot => "moved-slot",
            Self::ForgedReceipt => "forged-receipt",
            Self::ForgedEdit => "forged-edit",
            Self::UnacceptedKeys => "unaccepted-keys",
            Self::Exchanged => "exchanged-message",
            Self::RolledBackSafe => "rolled-back-safe",
            Self::DamagedSafe => "damaged-safe",
            Self::OtherAccount => "other-account",
            Self::LoweredKdf => "lowered-kdf",
            Self::UnknownSuite => "unknown-suite",
            Self::UnknownVersion => "unknown-version",
            Self::ResendOtherKey => "resend-other-key",
            Self::ResendAgain => "resend-again",
            Self::OutOfTime => "out-of-time",
            Self::ForgedBoot => "forged-boot",
            Self::OtherServer => "other-server",
            Self::LinkClock => "link-clock",
            Self::BrokenLink => "broken-link",
            Self::InvitePin => "invite-pin",
            Self::Malformed => "malformed",
            Self::CannotOpen => "cannot-open",
        }
    }
}
