//! What a process takes from the system around it: time, randomness and memory.
//!
//! [`Clock`] and [`Entropy`] are traits that are handed to whoever needs them, so that tests own them.
//! [`SystemClock`] and [`OsEntropy`] are the only readers of the system's clock and generator; clippy
//! refuses any other (`disallowed-methods` in `clippy.toml`). Timers are those of tokio, which tests
//! pause.
//!
//! [`alloc`] is the allocator that overwrites memory before it is freed, [`LockedKey`] a key in memory
//! that is not swapped.
#![deny(unsafe_code)]

#[cfg(unix)]
pub mod alloc;
mod clock;
mod entropy;
#[cfg(unix)]
mod locked;
mod pair;
mod rng;
#[cfg(feature = "testing")]
pub mod testing;

pub use clock::{Clock, ManualClock, Stopwatch};
#[cfg(unix)]
pub use clock::{ClockNotSet, SystemClock};
pub use entropy::{Entropy, EntropyError, OsEntropy};
#[cfg(unix)]
pub use locked::{LOCKED_KEY_LEN, LockedKey, LockedSecret, memory_locked};
pub use pair::Ambient;
pub use rng::Rng;
