//! The same thing twice or more.

use super::{Kind, Match};
use crate::dictionary::Dictionary;
use crate::guesses::best_guesses;

pub(super) fn find(text: &[char], dictionary: &Dictionary, found: &mut Vec<Match>) {
    let mut first = 0;
    while first < text.len() {
        let Some((base, times)) = repeated(&text[first..]) else {
            first += 1;
            continue;
        };
        let guesses = best_guesses(&text[first..first + base], dictionary).total * times as f64;
        let last = first + base * times - 1;
        let kind = Kind::Repeat { base };
        found.push(Match::new(first, last, text.len(), guesses, kind));
        first = last + 1;
    }
}

/// What the text begins with at least twice: letters of it, and how often.
///
/// Of the shortest and the longest such beginning, the one that covers more: `a` in `aaaaa`, but `aab`
/// in `aabaab`.
fn repeated(text: &[char]) -> Option<(usize, usize)> {
    let times = |base: usize| {
        let beginning = &text[..base];
        text.chunks_exact(base)
            .take_while(|part| *part == beginning)
            .count()
    };
    let mut bases = 1..=text.len() / 2;
    let shortest = bases.clone().find(|base| times(*base) > 1)?;
    let longest = bases.rfind(|base| times(*base) > 1)?;
    let covered = longest * times(longest);
    if covered <= shortest * times(shortest) {
        return Some((shortest, times(shortest)));
    }
    // What is repeated may repeat something itself.
    let base = (1..=longest).find(|base| covered % base == 0 && times(*base) >= covered / base)?;
    Some((base, covered / base))
}

#[cfg(test)]
mod tests {
    use super::repeated;

    #[test]
    fn the_shortest_or_longest_repeat_is_found_by_what_it_covers() {
        for (text, expected) in [
            ("aaaaa", Some((1, 5))),
            ("aabaab", Some((3, 2))),
            ("aabaabaabaab", Some((3, 4))),
            ("abcabcx", Some((3, 2))),
            ("abc", None),
            ("", None),
        ] {
            let letters: Vec<char> = text.chars().collect();
            assert_eq!(repeated(&letters), expected, "{text}");
        }
    }
}
