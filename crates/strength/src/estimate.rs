//! Patterns, dictionaries and keyboards.

use std::collections::BTreeSet;

/// From here on the estimator's own number says no more than "large".
const SATURATED_BITS: f64 = 63.0;
/// Longest piece that is estimated at once, characters.
const PIECE: usize = 12;

/// Estimated bits, and what the estimator advises.
///
/// The estimator counts guesses in 64 bits. Beyond that the text is cut at its separators, and
/// into pieces of twelve characters, and the bits of the distinct pieces are added.
pub(crate) fn bits_and_advice(passphrase: &str) -> (u32, String) {
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
    // Between 0 and a few thousand, so that the conversion loses nothing that matters.
    let bits = bits.clamp(0.0, 512.0).floor() as u32;
    (bits, advice.unwrap_or_default())
}

fn bits_of(entropy: &zxcvbn::Entropy) -> f64 {
    let bits = entropy.guesses_log10() * std::f64::consts::LOG2_10;
    if bits.is_finite() { bits.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use crate::measure;

    #[test]
    fn a_common_word_is_weak_and_gets_advice() {
        let strength = measure("password1");
        assert!(strength.bits < 20, "{} bits", strength.bits);
        assert!(strength.weak);
        assert!(!strength.advice.is_empty());
    }

    #[test]
    fn long_random_text_passes_seventy_bits_and_the_half_of_it_does_not() {
        assert!(!measure("kR7vq2Lw9xTz4Pm8dQe5Nf6hJ").weak);
        assert!(measure("kR7vq2Lw9xTz").weak);
    }

    #[test]
    fn saying_the_same_thing_ten_times_does_not_make_it_strong() {
        assert!(measure("horse horse horse horse horse horse horse horse").weak);
        let once = measure("Xk4vTq9Lm2Rz Xk4vTq9Lm2Rz Xk4vTq9Lm2Rz Xk4vTq9Lm2Rz");
        assert!(once.weak, "{} bits", once.bits);
    }

    #[test]
    fn nothing_typed_is_zero_bits() {
        assert_eq!(measure("").bits, 0);
    }
}
