//! Version, suite and the type byte that starts every encoding.
//!
//! Specification: `docs/protocol/constants.md#type-bytes`.

/// The one protocol version.
pub const VERSION: u8 = 0x01;

/// The one suite: X25519, ML-KEM-1024, Ed25519 with ML-DSA-87, HKDF-SHA-512,
/// ChaCha20-Poly1305 and SHA3.
pub const SUITE: u8 = 0x01;

/// First byte of an encoding, so that no object can be read as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ObjectType {
    /// [`AccountKeys`](crate::identity::AccountKeys).
    AccountKeys = 0x10,
    /// [`SignedBatch`](crate::prekeys::SignedBatch).
    PrekeyBatch = 0x11,
    /// [`ClaimedPrekey`](crate::prekeys::ClaimedPrekey).
    ClaimedPrekey = 0x12,
    /// [`SessionBundle`](crate::prekeys::SessionBundle).
    SessionBundle = 0x13,
    /// One prekey leaf of a batch.
    PrekeyLeaf = 0x14,
    /// The signed head of a batch.
    BatchHead = 0x15,
    /// [`Handshake`](crate::epoch::Handshake).
    Handshake = 0x20,
    /// A sealed slot.
    Slot = 0x21,
    /// A sealed body.
    Body = 0x22,
    /// The content inside a body.
    Content = 0x23,
    /// The content inside a slot.
    SlotContent = 0x24,
    /// A sealed attachment chunk.
    AttachmentChunk = 0x25,
    /// [`Submission`](crate::envelope::Submission).
    Submission = 0x30,
    /// [`SlotSet`](crate::envelope::SlotSet).
    SlotSet = 0x31,
    /// [`Parcel`](crate::envelope::Parcel).
    Parcel = 0x32,
    /// The sealed key safe.
    KeySafe = 0x40,
    /// The sealed prekey safe.
    PrekeySafe = 0x41,
    /// Contents of the key safe.
    SafeContents = 0x42,
    /// Contents of the prekey safe.
    PrekeySafeContents = 0x43,
    /// The safe key wrapped under the passphrase.
    PassphraseWrap = 0x44,
    /// The safe key wrapped under the recovery key.
    RecoveryWrap = 0x45,
    /// The safe key wrapped for a reload.
    ResumeWrap = 0x46,
    /// The public half that the recovery key seeds.
    RecoveryPublic = 0x47,
    /// What was not sent when its owner locked; it never leaves the memory of a client.
    Unsent = 0x48,
    /// [`SignedBoot`](crate::boot::SignedBoot).
    SignedBoot = 0x50,
    /// The server's boot verify key.
    BootVerifyKey = 0x51,
    /// [`Hello`](crate::link::Hello).
    LinkHello = 0x60,
    /// [`Open`](crate::link::server::Open).
    LinkOpen = 0x61,
    /// The server's answer to an open.
    LinkOpened = 0x62,
    /// The client's account proof.
    LinkProof = 0x63,
    /// What is inside an account proof.
    LinkAccount = 0x64,
    /// The server's word that a link is active.
    LinkActive = 0x65,
    /// A client's fresh public halves inside a link.
    LinkRenew = 0x66,
    /// The server's answer to them.
    LinkRenewed = 0x67,
    /// [`Ticket`](crate::link::Ticket).
    LinkTicket = 0x68,
}
