//! Bits and advice for a passphrase of somebody's own.

use std::collections::BTreeSet;

use crate::advice::advice;
use crate::dictionary::Dictionary;
use crate::guesses::best_guesses;

/// From here on a text is measured piece by piece.
const PIECES_FROM_BITS: f64 = 63.0;
/// Longest piece that is estimated at once, characters.
const PIECE: usize = 12;
/// What is measured of a long text, characters.
const MEASURED: usize = 100;

/// Estimated bits, and what is advised.
///
/// The estimate is that of zxcvbn: the fewest guesses that cover the text with words, keyboard walks,
/// repeats, sequences, dates and unknown letters. Beyond 63 bits the text is cut at its separators, and
/// into pieces of twelve characters, and the bits of the distinct pieces are added.
pub(crate) fn bits_and_advice(passphrase: &str, dictionary: &Dictionary) -> (u32, String) {
    let text: Vec<char> = passphrase.chars().take(MEASURED).collect();
    let whole = best_guesses(&text, dictionary);
    let mut bits = bits_of(whole.total);
    if bits >= PIECES_FROM_BITS {
        let pieces: BTreeSet<Vec<char>> = passphrase
            .split(|c: char| !c.is_alphanumeric())
            .flat_map(|word| {
                let letters: Vec<char> = word.chars().collect();
                let pieces = letters.chunks(PIECE).map(<[char]>::to_vec);
                pieces.collect::<Vec<_>>()
            })
            .collect();
        let measured = pieces.iter().map(|piece| best_guesses(piece, dictionary));
        bits = measured.map(|piece| bits_of(piece.total)).sum();
    }
    // Between 0 and a few thousand, so that the conversion loses nothing that matters.
    let bits = bits.clamp(0.0, 512.0).floor() as u32;
    (bits, advice(&text, &whole.parts, whole.total))
}

fn bits_of(guesses: f64) -> f64 {
    guesses.max(1.0).log2()
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
