//! Every purpose string of a key derivation, signature or hash, in one place.
//!
//! All are distinct, and none is a prefix of another, so that `label ‖ data` of one use can
//! never be read as that of another; a test keeps it so.
//!
//! Specification: `docs/protocol/constants.md#labels-of-the-protocol`.

/// All labels, for the test that they are distinct and for auditors.
pub const ALL: &[&[u8]] = &[
    FINGERPRINT,
    ACCOUNT_KEYS,
    SAFETY_NUMBER,
    PREKEY_LEAF,
    PREKEY_BATCH,
    SESSION_BUNDLE,
    HINT,
    EPOCH,
    TRANSCRIPT,
    MESSAGE,
    CHAIN,
    BODY,
    COMMIT,
    ATTACHMENT,
    MESSAGE_LINK,
    MEMBERS,
    KEY_SAFE,
    PREKEY_SAFE,
    WRITE_PROOF,
    PASSPHRASE_WRAP,
    RECOVERY_SIGN_IN,
    RECOVERY_AGREEMENT,
    RECOVERY_KEM,
    RECOVERY_WRAP,
    RECOVERY_CHECKSUM,
    RESUME_WRAP,
    BOOT,
    BOOT_FINGERPRINT,
    CHAT_SPOT,
    UNSENT,
    LINK_HELLO,
    LINK_HELLO_HASH,
    LINK_TRANSCRIPT,
    LINK_HANDSHAKE,
    LINK_ACCOUNT,
    LINK_PROOF_TRANSCRIPT,
    LINK_START,
    LINK_FRAME,
    LINK_RENEWAL_TRANSCRIPT,
    LINK_RENEWAL,
];

/// Hash of an account's public keys.
pub const FINGERPRINT: &[u8] = b"secure-messaging/1 fingerprint";
/// Signature of an account over its own public keys.
pub const ACCOUNT_KEYS: &[u8] = b"secure-messaging/1 account keys";
/// Hash behind the sixty digits that people compare.
pub const SAFETY_NUMBER: &[u8] = b"secure-messaging/1 safety number";
/// Purpose field of a prekey leaf.
pub const PREKEY_LEAF: &[u8] = b"secure-messaging/1 prekey leaf";
/// Signature over the head of a prekey batch.
pub const PREKEY_BATCH: &[u8] = b"secure-messaging/1 prekey batch";
/// Signature over a session bundle.
pub const SESSION_BUNDLE: &[u8] = b"secure-messaging/1 session bundle";
/// Key under which the sender's claim travels.
pub const HINT: &[u8] = b"secure-messaging/1 sender";
/// Epoch secret.
pub const EPOCH: &[u8] = b"secure-messaging/1 epoch";
/// Hash of everything both sides agreed on.
pub const TRANSCRIPT: &[u8] = b"secure-messaging/1 transcript";
/// Message key and nonce from a chain key.
pub const MESSAGE: &[u8] = b"secure-messaging/1 message";
/// Next chain key.
pub const CHAIN: &[u8] = b"secure-messaging/1 chain";
/// Body key from a content key.
pub const BODY: &[u8] = b"secure-messaging/1 body";
/// Commitment to a content key.
pub const COMMIT: &[u8] = b"secure-messaging/1 commit";
/// Key of one attachment chunk from a content key.
pub const ATTACHMENT: &[u8] = b"secure-messaging/1 attachment chunk";
/// Hash of a message that the next one of its sending session carries.
pub const MESSAGE_LINK: &[u8] = b"secure-messaging/1 previous message";
/// Hash of the sorted fingerprints of a group.
pub const MEMBERS: &[u8] = b"secure-messaging/1 members";
/// Key of the key safe.
pub const KEY_SAFE: &[u8] = b"secure-messaging/1 key safe";
/// Key of the prekey safe.
pub const PREKEY_SAFE: &[u8] = b"secure-messaging/1 prekey safe";
/// Proof that a writer holds the safe key.
pub const WRITE_PROOF: &[u8] = b"secure-messaging/1 write";
/// Wrapping key from OPAQUE's export key.
pub const PASSPHRASE_WRAP: &[u8] = b"secure-messaging/1 passphrase wrap";
/// Proof that someone holds the recovery key.
pub const RECOVERY_SIGN_IN: &[u8] = b"secure-messaging/1 sign-in";
/// X25519 secret from the recovery key.
pub const RECOVERY_AGREEMENT: &[u8] = b"secure-messaging/1 recovery x25519";
/// ML-KEM seed from the recovery key.
pub const RECOVERY_KEM: &[u8] = b"secure-messaging/1 recovery ml-kem";
/// Wrapping key from a hybrid encapsulation to the recovery key.
pub const RECOVERY_WRAP: &[u8] = b"secure-messaging/1 recovery wrap";
/// Checksum at the end of a written recovery key.
pub const RECOVERY_CHECKSUM: &[u8] = b"secure-messaging/1 recovery checksum";
/// Wrapping key from the server's half of a resume wrap.
pub const RESUME_WRAP: &[u8] = b"secure-messaging/1 resume wrap";
/// Signature over a boot id.
pub const BOOT: &[u8] = b"secure-messaging/1 boot id";
/// Hash of the server's boot verify key.
pub const BOOT_FINGERPRINT: &[u8] = b"secure-messaging/1 boot verify key";

/// OPAQUE's context string ([RFC 9807, 6.4](https://www.rfc-editor.org/rfc/rfc9807#section-6.4)).
pub const OPAQUE_CONTEXT: &[u8] = b"secure-messaging/1";
/// Name of a chat in the address of a page.
pub const CHAT_SPOT: &[u8] = b"secure-messaging/1 chat spot";
/// Key of what was not sent when its owner locked.
pub const UNSENT: &[u8] = b"secure-messaging/1 unsent";

/// Signature of a server over an instance's link pair.
pub const LINK_HELLO: &[u8] = b"secure-messaging/1 link hello";
/// Hash by which the later messages of a link name its hello.
pub const LINK_HELLO_HASH: &[u8] = b"secure-messaging/1 hash of a link hello";
/// Hash of a link's hello, origin, open and opened: th1.
pub const LINK_TRANSCRIPT: &[u8] = b"secure-messaging/1 link transcript";
/// Handshake keys of a link.
pub const LINK_HANDSHAKE: &[u8] = b"secure-messaging/1 link handshake";
/// Signature of an account over a link's transcript.
pub const LINK_ACCOUNT: &[u8] = b"secure-messaging/1 link account";
/// Hash of a link's transcript and account proof: th2.
pub const LINK_PROOF_TRANSCRIPT: &[u8] = b"secure-messaging/1 link proof transcript";
/// Chains, root and next pre-shared key of a link.
pub const LINK_START: &[u8] = b"secure-messaging/1 link start";
/// Key of a frame and the next chain key.
pub const LINK_FRAME: &[u8] = b"secure-messaging/1 link frame";
/// Hash of the two messages of a link's renewal.
pub const LINK_RENEWAL_TRANSCRIPT: &[u8] = b"secure-messaging/1 renewal transcript of a link";
/// Chains and root of a renewed link.
pub const LINK_RENEWAL: &[u8] = b"secure-messaging/1 link renewal";
