//! Behaviour of the protocol, one module per noun of the specification.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod batches;
mod boot;
mod bounds;
mod chains;
mod codec;
mod crafted;
mod differential;
mod envelope;
mod epoch;
mod hostile_bytes;
mod identity;
mod labels;
mod lengths;
mod link;
mod link_frames;
mod link_hostile;
mod merge;
mod merge_bounds;
mod merge_contacts;
mod merge_facts;
mod merge_prekeys;
mod name;
mod opaque;
mod padding;
mod prekey_safe;
mod prekeys;
mod public_keys;
mod redacted;
mod replay;
mod safe;
mod sealing;
mod sequence;
mod session_pairs;
mod settings;
mod slots;
mod support;
mod texts;
mod unsent;
mod vectors;
mod written;
#[path = "../../examples/support/wycheproof.rs"]
mod wycheproof;
