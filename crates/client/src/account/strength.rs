//! How strong a passphrase is, in bits.

use std::collections::BTreeSet;

use protocol::passphrase;
use zxcvbn::feedback::{Suggestion, Warning};

use crate::core::Core;
use crate::event::Event;
use crate::secret_text::SecretText;

/// Below this a person is warned: guessing offline by a malicious server has to stay hopeless.
pub(crate) const ENOUGH_BITS: u32 = 70;

/// Entropy of a generated passphrase.
const GENERATED_BITS: u32 = passphrase::WORDS as u32 * passphrase::BITS_PER_WORD;

/// What an estimate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strength {
    pub(crate) bits: u32,
    pub(crate) advice: String,
}

/// Estimates by patterns, dictionaries and keyboards; at most 128 characters are looked at.
pub(crate) fn estimate(passphrase: &str) -> Strength {
    if passphrase.is_empty() {
        return Strength {
            bits: 0,
            advice: String::new(),
        };
    }
    let entropy = zxcvbn::zxcvbn(passphrase, &[]);
    // log2 of the guesses; the crate's own integer saturates at 64 bits, its logarithm does not.
    let bits = (entropy.guesses_log10() * std::f64::consts::LOG2_10).floor();
    let advice = entropy
        .feedback()
        .map(|feedback| {
            let mut lines: Vec<String> = Vec::new();
            lines.extend(feedback.warning().map(|w: Warning| w.to_string()));
            lines.extend(
                feedback
                    .suggestions()
                    .iter()
                    .map(|s: &Suggestion| s.to_string()),
            );
            lines.join(" ")
        })
        .unwrap_or_default();
    Strength {
        // Between 0 and a few thousand, so that the conversion loses nothing that matters.
        bits: if bits.is_finite() && bits > 0.0 {
            bits.min(512.0) as u32
        } else {
            0
        },
        advice,
    }
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
    fn long_random_text_passes_seventy_bits() {
        assert!(estimate("kR7#vq2Lw9!xTz4Pm8&d").bits >= 70 - 5);
        assert!(estimate("kR7#vq2Lw9!xTz4Pm8&dQe5Nf6").bits >= 70);
    }

    #[test]
    fn nothing_typed_is_zero_bits() {
        assert_eq!(estimate("").bits, 0);
    }
}
