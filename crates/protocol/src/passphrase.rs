//! Passphrases: six generated words, 72 bits; and the one form that every typed one is brought into.
//!
//! The words are a selection from the EFF Large Wordlist (CC BY 3.0 US); `data/README.md`
//! names origin and changes.
//!
//! Specification: `docs/protocol/accounts.md#passphrases`.

use crate::normal::form_c;
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

/// The form of a typed passphrase that OPAQUE is given: the same characters on another keyboard or
/// system give the same bytes.
///
/// The mappings of PRECIS `OpaqueString` ([RFC 8265, 4.2]): every kind of space is a plain one, and the
/// text is in normalization form C. Nothing is refused: a character that is newer than our tables stays as it is.
/// Six words of the list are the same passphrase whatever their case and whatever stands between them.
///
/// [RFC 8265, 4.2]: https://www.rfc-editor.org/rfc/rfc8265#section-4.2
pub fn prepare(typed: &str) -> Zeroizing<String> {
    // No space of another width takes fewer bytes than a plain one, so that it never grows.
    let mut spaced = Zeroizing::new(String::with_capacity(typed.len()));
    spaced.extend(typed.chars().map(plain_space));
    let text = Zeroizing::new(form_c(&spaced));
    listed_words(&text).unwrap_or(text)
}

/// Spaces of other widths are mapped to the ordinary one.
const fn plain_space(c: char) -> char {
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        other => other,
    }
}

/// Six words of the list as [`generate`] writes them; `None` for anything else.
fn listed_words(text: &str) -> Option<Zeroizing<String>> {
    let between = |c: char| {
        c.is_whitespace() || matches!(c, '-' | '.' | ',' | '\u{2010}'..='\u{2015}' | '\u{2212}')
    };
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let words = || lower.split(between).filter(|word| !word.is_empty());
    let known = |word: &str| LIST.lines().any(|listed| listed == word);
    if words().count() != WORDS || !words().all(known) {
        return None;
    }
    let mut joined = Zeroizing::new(String::with_capacity(lower.len()));
    for word in words() {
        if !joined.is_empty() {
            joined.push('-');
        }
        joined.push_str(word);
    }
    Some(joined)
}

/// The words, for showing suggestions while somebody types one of them.
pub fn words() -> impl Iterator<Item = &'static str> {
    LIST.lines()
}
