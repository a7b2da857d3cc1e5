//! Behaviour of the protocol, one module per noun of the specification.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod boot;
mod codec;
mod differential;
mod envelope;
mod epoch;
mod hostile_bytes;
mod identity;
mod labels;
mod merge;
mod merge_bounds;
mod name;
mod opaque;
mod prekeys;
mod public_keys;
mod redacted;
mod safe;
mod sequence;
mod support;
mod vectors;
mod written;
#[path = "../../examples/support/wycheproof.rs"]
mod wycheproof;
