//! The end-to-end protocol: keys, PQXDH epochs, envelopes, key safe, safety numbers.
//!
//! Sans-I/O: every function takes its randomness (`&mut impl rand_core::CryptoRng`) and its
//! time (`now`, unix seconds); nothing here reads a clock, a socket or a file. Objects come
//! from the wire through `decode`, which refuses whatever is not exactly one object, and go
//! out through `encode`. What was checked is a type of its own ([`epoch::VerifiedTarget`],
//! [`identity::AccountKeys`], [`boot::VerifiedBoot`]) that only the check can make.
//!
//! # Overview
//! | module | what it holds |
//! |---|---|
//! | [`ids`] | [`ids::UserId`], [`ids::MessageId`], [`ids::LiveId`], [`ids::AttachmentId`], [`ids::GroupId`] |
//! | [`identity`] | private [`identity::AccountSecrets`], public [`identity::AccountKeys`], fingerprint, safety number |
//! | [`opaque`] | sign-in: client and server halves of OPAQUE |
//! | [`prekeys`] | Merkle batches ([`prekeys::generate_batch`], [`prekeys::SignedBatch`], [`prekeys::ClaimedPrekey`]) and session bundles |
//! | [`epoch`] | PQXDH: [`epoch::SenderEpoch`], [`epoch::Handshake`], [`epoch::ReceiverEpoch`], [`epoch::ReplayMap`] |
//! | [`envelope`] | bodies, slots, contents, [`envelope::Submission`], [`envelope::SlotSet`], [`envelope::Parcel`] |
//! | [`safe`] | [`safe::SafeContents`], [`safe::PrekeySafe`], sealing, merging, wraps, proofs |
//! | [`recovery_key`], [`passphrase`] | what a person writes down |
//! | [`boot`] | the server's signed boot id |
//! | [`link`] | the sealed link between a client and a server: handshake, frames, tickets |
//!
//! # Sending a message
//! 1. Fetch [`identity::AccountKeys`] and compare with the pin
//!    ([`identity::AccountKeys::expect`]); verify each [`prekeys::SessionBundle`] or the
//!    [`prekeys::ClaimedPrekey`] into an [`epoch::VerifiedTarget`].
//! 2. [`epoch::SenderEpoch::start`] per target, kept while [`epoch::SenderEpoch::is_open`].
//! 3. [`envelope::seal_body`] once, [`envelope::seal_slot`] per target, then
//!    [`envelope::Submission`].
//!
//! # Receiving a message
//! 1. [`envelope::Parcel::decode`], [`envelope::SealedSlot::decode`].
//! 2. Find the pairs that its handshake names ([`prekeys::SessionSecrets::pairs_for`] or
//!    [`safe::PrekeySafe::pairs_for`]); [`epoch::PendingEpoch::begin`] opens the hint: a
//!    *claim* of who sent it.
//! 3. Find or fetch the claimed sender's keys; [`epoch::PendingEpoch::finish`] gives a
//!    [`epoch::ReceiverEpoch`]; [`envelope::open_slot`] verifies the tag and with it the
//!    sender; [`envelope::open_body`] opens the content.
//! 4. Show, [`epoch::ReplayMap::mark`], store, acknowledge.
//!
//! Specification: `docs/protocol.md`.
#![forbid(unsafe_code)]

pub mod boot;
pub mod codec;
pub mod envelope;
pub mod epoch;
pub mod identity;
pub mod ids;
pub mod labels;
pub mod link;
pub mod name;
pub mod normal;
pub mod opaque;
pub mod passphrase;
pub mod prekeys;
pub mod primitives;
pub mod recovery_key;
pub mod safe;
mod secret;
pub mod suite;
#[cfg(feature = "vectors")]
pub mod vectors;

pub use codec::DecodeError;
