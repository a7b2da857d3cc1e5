//! What in a text can be guessed in fewer tries than its letters one by one.

mod dates;
mod keyboards;
mod repeats;
mod sequences;
mod words;

use crate::dictionary::{Dictionary, Ranked};

/// Least tries for one letter that is a part of a text.
const LEAST_LETTER: f64 = 10.0;
/// Least tries for a longer part of a text.
const LEAST_PART: f64 = 50.0;
/// Tries that each letter multiplies where nothing is known of a part.
const PER_LETTER: f64 = 10.0;
/// Dates and years are counted from here.
const REFERENCE_YEAR: u16 = 2026;
/// Least years that a guesser tries.
const LEAST_YEARS: u16 = 20;

/// A part of a text, and why it is easy to guess.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Match {
    /// Index of the first letter.
    pub(crate) first: usize,
    /// Index of the last letter.
    pub(crate) last: usize,
    pub(crate) guesses: f64,
    pub(crate) kind: Kind,
}

/// The ways in which a part can be guessed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Letter by letter.
    BruteForce,
    Word {
        ranked: Ranked,
        reversed: bool,
        substituted: bool,
    },
    Keys {
        turns: usize,
    },
    Repeat {
        /// Letters of what is repeated.
        base: usize,
    },
    Sequence,
    Year,
    Date,
}

impl Match {
    /// A part of a text of `whole` letters; no part takes fewer tries than the least.
    fn new(first: usize, last: usize, whole: usize, guesses: f64, kind: Kind) -> Self {
        let len = last - first + 1;
        let least = match len {
            _ if len == whole => 1.0,
            1 => LEAST_LETTER,
            _ => LEAST_PART,
        };
        Self {
            first,
            last,
            guesses: guesses.max(least),
            kind,
        }
    }

    /// A part of which nothing is known: a try more than the least, so that anything known goes first.
    pub(crate) fn brute_force(first: usize, last: usize) -> Self {
        let len = last - first + 1;
        let least = if len == 1 { LEAST_LETTER } else { LEAST_PART };
        let guesses = (0..len).fold(1.0, |tries, _| tries * PER_LETTER);
        Self {
            first,
            last,
            guesses: guesses.max(least + 1.0),
            kind: Kind::BruteForce,
        }
    }

    /// How many letters the part has.
    pub(crate) fn len(&self) -> usize {
        self.last - self.first + 1
    }
}

/// Finds all matches, sorted by their last and then their first letter.
pub(crate) fn all(text: &[char], dictionary: &Dictionary) -> Vec<Match> {
    let mut found = Vec::new();
    words::find(text, dictionary, &mut found);
    keyboards::find(text, &mut found);
    repeats::find(text, dictionary, &mut found);
    sequences::find(text, &mut found);
    dates::find(text, &mut found);
    found.sort_by_key(|part| (part.last, part.first));
    found
}

/// How many ways there are to choose `k` of `n`.
fn choose(n: usize, k: usize) -> f64 {
    (0..k.min(n)).fold(1.0, |ways, step| {
        ways * (n - step) as f64 / (step + 1) as f64
    })
}

/// How many ways there are to choose up to `most` of `n`, and at least one.
fn choose_up_to(n: usize, most: usize) -> f64 {
    (1..=most).map(|k| choose(n, k)).sum()
}
