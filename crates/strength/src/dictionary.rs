//! The ranked words: which class a word is of, and about how many guesses come before it.
//!
//! `data/README.md` describes the encoding, its origin and its licence.

use std::sync::LazyLock;

/// Sorted words that share beginnings with the one before.
const RANKED: &str = include_str!("../data/ranked.txt");
/// Longest word of the list, bytes.
pub(crate) const LONGEST: usize = 19;
/// The rank that stands for all of a tier: the geometric middle of 1, 10, 100, 316, 1,000, 3,162 and 10,000.
const MIDDLE: [f64; 6] = [3.0, 32.0, 178.0, 562.0, 1_778.0, 5_623.0];

/// Where a word is common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// In leaked passwords.
    Password,
    /// In an encyclopedia.
    English,
    /// In films and television.
    Film,
    /// As a name of people.
    Name,
}

/// What is known of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ranked {
    pub(crate) class: Class,
    /// Index of the tier, the most common words first.
    pub(crate) tier: usize,
}

impl Ranked {
    /// About how many guesses find the word.
    pub(crate) fn guesses(self) -> f64 {
        MIDDLE.get(self.tier).copied().unwrap_or(1.0)
    }

    /// Reads the capital letter that ends a word of the list.
    fn from_letter(letter: u8) -> Self {
        let code = letter.saturating_sub(b'A');
        let class = match code % 4 {
            0 => Class::Password,
            1 => Class::English,
            2 => Class::Film,
            _ => Class::Name,
        };
        let tier = usize::from(code / 4);
        Self { class, tier }
    }
}

/// The words, unpacked.
pub(crate) struct Dictionary {
    text: Vec<u8>,
    /// Where a word ends in the text, and what is known of it; sorted by the word.
    words: Vec<(usize, Ranked)>,
}

impl Dictionary {
    /// The words that this program was built with.
    pub(crate) fn common() -> &'static Self {
        static COMMON: LazyLock<Dictionary> = LazyLock::new(|| Dictionary::unpack(RANKED));
        &COMMON
    }

    /// Unpacks a list; what is no list gives a dictionary that knows less.
    pub(crate) fn unpack(packed: &str) -> Self {
        let mut dictionary = Self {
            text: Vec::new(),
            words: Vec::new(),
        };
        let mut before = 0;
        let mut word: Option<usize> = None;
        for byte in packed.bytes() {
            match (byte, word) {
                // The first capital letter says how much of the word before is kept.
                (b'A'..=b'Z', None) => {
                    let start = dictionary.text.len();
                    let kept = before..before + usize::from(byte - b'A');
                    if kept.end <= start {
                        dictionary.text.extend_from_within(kept);
                    }
                    word = Some(start);
                }
                (b'A'..=b'Z', Some(start)) => {
                    let ranked = Ranked::from_letter(byte);
                    dictionary.words.push((dictionary.text.len(), ranked));
                    before = start;
                    word = None;
                }
                (b'\n', _) => {}
                _ => dictionary.text.push(byte),
            }
        }
        dictionary
    }

    /// Looks a word up, in lower case.
    pub(crate) fn find(&self, word: &str) -> Option<Ranked> {
        if word.len() > LONGEST {
            return None;
        }
        let (mut low, mut high) = (0, self.words.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.word(middle)?.cmp(word.as_bytes()) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(self.words.get(middle)?.1),
            }
        }
        None
    }

    fn word(&self, index: usize) -> Option<&[u8]> {
        let start = match index.checked_sub(1) {
            Some(before) => self.words.get(before)?.0,
            None => 0,
        };
        self.text.get(start..self.words.get(index)?.0)
    }

    /// All words, for tests.
    #[cfg(test)]
    pub(crate) fn words(&self) -> impl Iterator<Item = (&str, Ranked)> {
        let words = (0..self.words.len()).filter_map(|index| self.word(index));
        words.zip(&self.words).map(|(word, (_, ranked))| {
            let word = std::str::from_utf8(word).unwrap_or_default();
            (word, *ranked)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_every_one_is_found() {
        let dictionary = Dictionary::common();
        let words: Vec<_> = dictionary.words().collect();
        assert!(words.len() > 40_000, "{}", words.len());
        assert!(words.is_sorted_by(|one, two| one.0 < two.0));
        assert_eq!(words.iter().map(|(it, _)| it.len()).max(), Some(LONGEST));
        for (word, ranked) in words {
            assert_eq!(dictionary.find(word), Some(ranked), "{word}");
        }
        for unknown in ["", "\u{fc}", "zzzzzzzz", "passwo", "a sentence of words"] {
            assert_eq!(dictionary.find(unknown), None, "{unknown}");
        }
        let first = dictionary.find("password").unwrap();
        assert_eq!((first.class, first.tier), (Class::Password, 0));
        assert_eq!(dictionary.find("smith").unwrap().class, Class::Name);
    }

    #[test]
    fn what_is_no_list_is_read_without_harm() {
        for packed in ["", "Z", "ZaA", "AaBZ", "abc", "AaAZbA\nBcA"] {
            let dictionary = Dictionary::unpack(packed);
            assert!(dictionary.words().count() <= 3);
            assert_eq!(dictionary.find("q"), None);
        }
    }
}
