//! Generated passphrases: six words, 72 bits.
//!
//! The words are a selection from the EFF Large Wordlist (CC BY 3.0 US); `data/README.md`
//! names origin and changes.

use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

/// Words in a generated passphrase.
pub const WORDS: usize = 6;
/// Bits that every word adds.
pub const BITS_PER_WORD: u32 = 12;
/// Bits of a generated passphrase.
pub const BITS: u32 = 72;
/// Below this many bits a passphrase gets a warning.
pub const WARN_BELOW_BITS: u32 = 70;

const LIST: &str = include_str!("../data/words.txt");
const LIST_LEN: usize = 1 << BITS_PER_WORD;

/// Draws six words, joined by hyphens.
pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Zeroizing<String> {
    let list: Vec<&'static str> = LIST.lines().collect();
    debug_assert_eq!(list.len(), LIST_LEN);
    let mut passphrase = Zeroizing::new(String::with_capacity(WORDS * 8));
    let mut draw = [0_u8; 2];
    for index in 0..WORDS {
        rng.fill_bytes(&mut draw);
        // The list has a power of two of words: masking is uniform.
        let word = usize::from(u16::from_be_bytes(draw)) & (LIST_LEN - 1);
        if index > 0 {
            passphrase.push('-');
        }
        passphrase.push_str(list.get(word).copied().unwrap_or_default());
    }
    draw.zeroize();
    passphrase
}

/// The bits of a passphrase that has the form of a generated one: at least two words of the
/// list, joined by hyphens or spaces; `None` for any other.
///
/// It cannot tell who chose the words; it bounds what a guesser who knows the list needs.
pub fn bits_if_generated(passphrase: &str) -> Option<u32> {
    let mut bits = 0;
    for word in passphrase.split(['-', ' ']) {
        LIST.lines().find(|listed| *listed == word)?;
        bits += BITS_PER_WORD;
    }
    (bits > BITS_PER_WORD).then_some(bits)
}

/// The words, for showing suggestions while somebody types one of them.
pub fn words() -> impl Iterator<Item = &'static str> {
    LIST.lines()
}
