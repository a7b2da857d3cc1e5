//! Passphrases made of the words that we offer.

use std::collections::BTreeSet;

use protocol::passphrase;

/// Exact bits of a passphrase made of distinct words of our list; `None` for anything else.
pub(crate) fn bits(typed: &str) -> Option<u32> {
    let words: Vec<&str> = typed
        .split(['-', ' '])
        .filter(|word| !word.is_empty())
        .collect();
    let distinct: BTreeSet<&str> = words.iter().copied().collect();
    if words.len() < passphrase::WORDS || distinct.len() != words.len() {
        return None;
    }
    let known = passphrase::words()
        .filter(|word| distinct.contains(word))
        .count();
    if known != words.len() {
        return None;
    }
    u32::try_from(words.len())
        .ok()
        .map(|count| count * passphrase::BITS_PER_WORD)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::bits;

    /// Every fortieth word, so that none occurs twice.
    fn listed(count: usize) -> String {
        let words = protocol::passphrase::words().step_by(40).take(count);
        words.collect::<Vec<_>>().join("-")
    }

    #[test]
    fn generated_words_are_counted_exactly() {
        assert_eq!(bits(&listed(6)), Some(72));
        assert_eq!(bits(&listed(8).replace('-', " ")), Some(96));
    }

    #[test]
    fn fewer_repeated_and_unlisted_words_are_left_to_the_estimator() {
        assert_eq!(bits(&listed(5)), None);
        assert_eq!(bits("horse horse horse horse horse horse"), None);
        assert_eq!(bits(&format!("{}-zzyzx", listed(6))), None);
        assert_eq!(bits(""), None);
    }
}
