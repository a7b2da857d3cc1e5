//! Hostile bytes for every parser.
//!
//! A [`Target`] is a parser and inputs that it accepts. [`Target::run`] changes the inputs in the ways
//! in which parsers break, from one fixed seed, and keeps each changed input that made the parser say
//! something new, so that later changes begin there. It runs inside an ordinary test:
//!
//! ```
//! let target = fuzz::Target::new("demo", "cargo test --package fuzz").seed(b"7");
//! target.run(|bytes| std::str::from_utf8(bytes).ok()?.parse::<u8>().ok());
//! ```
//!
//! [`SECONDS`] in the environment says for how long. An input at which the parser panics is shrunk and
//! printed in hex, together with the command that runs it again.

#![allow(clippy::disallowed_methods, reason = "a budget of real seconds")]

mod mutate;
mod random;

use std::any::Any;
use std::collections::HashSet;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mutate::Mutator;
use random::Random;

/// For how long each target runs; a second where it is not set.
pub const SECONDS: &str = "SECURE_MESSAGING_FUZZ_SECONDS";

/// One input in hex, which is all that a target then runs.
pub const INPUT: &str = "SECURE_MESSAGING_FUZZ_INPUT";

/// Inputs that are kept because the parser said something new.
const MOST_KEPT: usize = 4_000;

/// Inputs between two looks at the clock.
const BATCH: usize = 16;

/// A parser's name, the inputs that changes begin with, and the words of its language.
pub struct Target {
    name: &'static str,
    again: &'static str,
    seeds: Vec<Vec<u8>>,
    mutator: Mutator,
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Inputs that the parser was given.
    pub inputs: u64,
    /// Different things that it said.
    pub said: usize,
}

/// An input at which a parser panicked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// The input, as short as it could be made.
    pub input: Vec<u8>,
    /// What the panic said.
    pub said: String,
}

impl Target {
    /// Names a target; `again` is the command that runs it alone.
    pub fn new(name: &'static str, again: &'static str) -> Self {
        Self {
            name,
            again,
            seeds: Vec::new(),
            mutator: Mutator::default(),
        }
    }

    /// Adds an input that changes begin with.
    #[must_use]
    pub fn seed(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.seeds.push(bytes.as_ref().to_vec());
        self
    }

    /// Adds inputs that changes begin with.
    #[must_use]
    pub fn seeds(mut self, all: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        self.seeds
            .extend(all.into_iter().map(|bytes| bytes.as_ref().to_vec()));
        self
    }

    /// Adds words of the parser's language, which changes put in.
    #[must_use]
    pub fn words(mut self, words: &[&str]) -> Self {
        self.mutator.add_words(words);
        self
    }

    /// Makes no input longer than this.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.mutator.most = bytes;
        self
    }

    /// Runs the target for as long as the environment says, or one input of the environment's.
    ///
    /// What `parse` returns is only looked at for whether it is new; it should tell the parser's ways
    /// apart, and not the inputs.
    #[allow(clippy::panic, reason = "this is how a test fails")]
    pub fn run<O: Debug>(self, parse: impl Fn(&[u8]) -> O) {
        if let Ok(hex) = std::env::var(INPUT) {
            let input = hex::decode(hex.trim()).unwrap_or_else(|error| panic!("{INPUT}: {error}"));
            println!("{}: {:?}", self.name, parse(&input));
            return;
        }
        let seconds = std::env::var(SECONDS)
            .ok()
            .and_then(|text| text.parse().ok());
        let life = Duration::from_secs_f64(seconds.unwrap_or(1.0));
        let (name, again) = (self.name, self.again);
        match self.search(life, parse) {
            Ok(summary) => println!(
                "proof: {}",
                serde_json::json!({
                    "promise": format!("hostile bytes break nothing: {name}"),
                    "measured": format!(
                        "{} inputs, {} different answers, no crash",
                        summary.inputs, summary.said
                    ),
                    "holds": true,
                })
            ),
            Err(crash) => {
                let input = hex::encode(&crash.input);
                panic!(
                    "{name} broke: {}\nwith {} bytes: {input}\nagain: {INPUT}={input} {again}",
                    crash.said,
                    crash.input.len()
                );
            }
        }
    }

    /// Looks for an input at which `parse` panics, for so long.
    pub fn search<O: Debug>(
        mut self,
        life: Duration,
        parse: impl Fn(&[u8]) -> O,
    ) -> Result<Summary, Crash> {
        let quiet = Quiet::begin();
        let mut random = Random::from_text(self.name);
        let mut summary = Summary { inputs: 0, said: 0 };
        let mut known = HashSet::new();
        if self.seeds.is_empty() {
            self.seeds.push(Vec::new());
        }
        for seed in self.seeds.clone() {
            summary.inputs += 1;
            known.insert(attempt(&parse, &seed)?);
        }
        let begun = Instant::now();
        while begun.elapsed() < life {
            for _ in 0..BATCH {
                let input = self.mutator.change(&mut random, &self.seeds);
                summary.inputs += 1;
                if known.insert(attempt(&parse, &input)?) && self.seeds.len() < MOST_KEPT {
                    self.seeds.push(input);
                }
            }
        }
        drop(quiet);
        summary.said = known.len();
        Ok(summary)
    }
}

/// Gives the parser one input; returns what it said, or a short input at which it panics.
fn attempt<O: Debug>(parse: &impl Fn(&[u8]) -> O, input: &[u8]) -> Result<String, Crash> {
    said(parse, input).map_err(|_| shrink(parse, input))
}

fn said<O: Debug>(parse: &impl Fn(&[u8]) -> O, input: &[u8]) -> Result<String, String> {
    catch_unwind(AssertUnwindSafe(|| format!("{:?}", parse(input)))).map_err(|cause| text(&*cause))
}

/// Cuts pieces out for as long as it still breaks.
fn shrink<O: Debug>(parse: &impl Fn(&[u8]) -> O, input: &[u8]) -> Crash {
    let mut input = input.to_vec();
    let mut piece = input.len().div_ceil(2);
    while piece > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input[..at].to_vec();
            shorter.extend_from_slice(&input[(at + piece).min(input.len())..]);
            if said(parse, &shorter).is_err() {
                input = shorter;
            } else {
                at += piece;
            }
        }
        piece /= 2;
    }
    let said = said(parse, &input).err().unwrap_or_default();
    Crash { input, said }
}

fn text(cause: &(dyn Any + Send)) -> String {
    let literal = cause.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let formatted = || cause.downcast_ref::<String>().cloned();
    literal
        .or_else(formatted)
        .unwrap_or_else(|| "a panic".to_owned())
}

thread_local! {
    static QUIET: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// While it lives, panics of this thread are not printed: each of them is caught, and told at the end.
struct Quiet;

impl Quiet {
    fn begin() -> Self {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if !QUIET.get() {
                    before(panic);
                }
            }));
        });
        QUIET.set(true);
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        QUIET.set(false);
    }
}
