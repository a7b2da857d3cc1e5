//! How strong a passphrase is, in bits.

use std::collections::BTreeSet;

use protocol::passphrase;

use crate::core::Core;
use crate::event::Event;
use crate::secret_text::SecretText;

/// Below this a person is warned: guessing offline by a malicious server has to stay hopeless.
pub(crate) const ENOUGH_BITS: u32 = 70;

/// Entropy of a generated passphrase.
const GENERATED_BITS: u32 = passphrase::WORDS as u32 * passphrase::BITS_PER_WORD;

/// From here on the estimator's own number says no more than "large".
const SATURATED_BITS: f64 = 63.0;
/// Longest piece that is estimated at once, characters.
const PIECE: usize = 12;

/// What an estimate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strength {
    pub(crate) bits: u32,
    pub(crate) advice: String,
}

/// Estimates by patterns, dictionaries and keyboards.
///
/// The estimator counts guesses in 64 bits. Beyond that the text is cut at its separators, and
/// into pieces of twelve characters, and the bits of the distinct pieces are added.
pub(crate) fn estimate(passphrase: &str) -> Strength {
    let whole = zxcvbn::zxcvbn(passphrase, &[]);
    let mut bits = bits_of(&whole);
    if bits >= SATURATED_BITS {
        let pieces: BTreeSet<String> = passphrase
            .split(|c: char| !c.is_alphanumeric())
            .flat_map(|word| {
                let letters: Vec<char> = word.chars().collect();
                let pieces = letters.chunks(PIECE).map(|part| part.iter().collect());
                pieces.collect::<Vec<String>>()
            })
            .collect();
        bits = pieces
            .iter()
            .map(|piece| bits_of(&zxcvbn::zxcvbn(piece, &[])))
            .sum();
    }
    let advice = whole.feedback().map(|feedback| {
        let warning = feedback.warning().map(|warning| warning.to_string());
        let suggestions = feedback.suggestions().iter().map(ToString::to_string);
        warning
            .into_iter()
            .chain(suggestions)
            .collect::<Vec<String>>()
            .join(" ")
    });
    Strength {
        // Between 0 and a few thousand, so that the conversion loses nothing that matters.
        bits: bits.clamp(0.0, 512.0).floor() as u32,
        advice: advice.unwrap_or_default(),
    }
}

fn bits_of(entropy: &zxcvbn::Entropy) -> f64 {
    let bits = entropy.guesses_log10() * std::f64::consts::LOG2_10;
    if bits.is_finite() { bits.max(0.0) } else { 0.0 }
}

/// Exact bits of a passphrase made of distinct words of our list; `None` for anything else.
fn bits_of_words(typed: &str) -> Option<u32> {
    let words: Vec<&str> = typed
        .split(['-', ' '])
        .filter(|word| !word.is_empty())
        .collect();
    let known: BTreeSet<&str> = passphrase::words().collect();
    let distinct: BTreeSet<&str> = words.iter().copied().collect();
    if words.len() < passphrase::WORDS
        || distinct.len() != words.len()
        || !words.iter().all(|word| known.contains(word))
    {
        return None;
    }
    u32::try_from(words.len())
        .ok()
        .map(|count| count * passphrase::BITS_PER_WORD)
}

impl Core {
    /// Six random words.
    pub(crate) fn offer_passphrase(&mut self) {
        let passphrase = protocol::passphrase::generate(&mut self.io.rng);
        self.io.event(Event::PassphraseOffered {
            passphrase: SecretText::new(passphrase.as_str().to_owned()),
            bits: GENERATED_BITS,
        });
    }

    /// The meter beside the field.
    pub(crate) fn measure_passphrase(&mut self, passphrase: &SecretText) {
        // Words of our own list are counted exactly; the estimator would call them common.
        let strength = match bits_of_words(passphrase.expose()) {
            Some(bits) => Strength {
                bits,
                advice: String::new(),
            },
            None => estimate(passphrase.expose()),
        };
        self.io.event(Event::PassphraseMeasured {
            bits: strength.bits,
            weak: strength.bits < ENOUGH_BITS,
            advice: strength.advice,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::estimate;

    #[test]
    fn a_common_word_is_weak_and_gets_advice() {
        let strength = estimate("password1");
        assert!(strength.bits < 20, "{} bits", strength.bits);
        assert!(!strength.advice.is_empty());
    }

    #[test]
    fn long_random_text_passes_seventy_bits_and_the_half_of_it_does_not() {
        assert!(estimate("kR7vq2Lw9xTz4Pm8dQe5Nf6hJ").bits >= 70);
        assert!(estimate("kR7vq2Lw9xTz").bits < 70);
    }

    #[test]
    fn saying_the_same_thing_ten_times_does_not_make_it_strong() {
        assert!(estimate("horse horse horse horse horse horse horse horse").bits < 70);
        let once = estimate("Xk4vTq9Lm2Rz Xk4vTq9Lm2Rz Xk4vTq9Lm2Rz Xk4vTq9Lm2Rz");
        assert!(once.bits < 70, "{} bits", once.bits);
    }

    #[test]
    fn generated_words_are_counted_exactly() {
        let words = protocol::passphrase::generate(&mut crate::testing::SeededRng::new(7));
        assert_eq!(super::bits_of_words(&words), Some(72));
        assert_eq!(
            super::bits_of_words("horse horse horse horse horse horse"),
            None
        );
    }

    #[test]
    fn nothing_typed_is_zero_bits() {
        assert_eq!(estimate("").bits, 0);
    }
}
