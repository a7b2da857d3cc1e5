//! Words of the dictionary: as they are, backwards, and with digits and signs for letters.

use super::{Kind, Match, choose_up_to};
use crate::dictionary::{Dictionary, LONGEST};

/// Signs that people write for letters; some stand for more than one.
const SIGNS: [(char, &[char]); 19] = [
    ('4', &['a']),
    ('@', &['a']),
    ('8', &['b']),
    ('(', &['c']),
    ('{', &['c']),
    ('[', &['c']),
    ('<', &['c']),
    ('3', &['e']),
    ('6', &['g']),
    ('9', &['g']),
    ('1', &['i', 'l']),
    ('!', &['i']),
    ('|', &['i', 'l']),
    ('7', &['l', 't']),
    ('0', &['o']),
    ('$', &['s']),
    ('5', &['s']),
    ('+', &['t']),
    ('2', &['z']),
];

/// Of the signs that stand for two letters, which one is meant: every choice for the three of them.
const READINGS: usize = 8;

pub(super) fn find(text: &[char], dictionary: &Dictionary, found: &mut Vec<Match>) {
    let lower: Vec<char> = text.iter().copied().map(lowered).collect();
    let whole = text.len();
    let mut add = |first: usize, last: usize, kind: Kind, guesses: f64| {
        found.push(Match::new(first, last, whole, guesses, kind));
    };
    each_word(&lower, dictionary, &mut |first, last, ranked| {
        let cases = case_variations(&text[first..=last]);
        let kind = Kind::Word {
            ranked,
            reversed: false,
            substituted: false,
        };
        add(first, last, kind, ranked.guesses() * cases);
    });
    let reversed: Vec<char> = lower.iter().rev().copied().collect();
    each_word(&reversed, dictionary, &mut |first, last, ranked| {
        let (first, last) = (whole - 1 - last, whole - 1 - first);
        let cases = case_variations(&text[first..=last]);
        let kind = Kind::Word {
            ranked,
            reversed: true,
            substituted: false,
        };
        add(first, last, kind, ranked.guesses() * cases * 2.0);
    });
    let mut read_before: Vec<Vec<char>> = vec![lower.clone()];
    for reading in 0..READINGS {
        let read: Vec<char> = lower.iter().map(|&c| letter(c, reading)).collect();
        if read_before.contains(&read) {
            continue;
        }
        each_word(&read, dictionary, &mut |first, last, ranked| {
            let (written, meant) = (&lower[first..=last], &read[first..=last]);
            if written == meant {
                return;
            }
            let cases = case_variations(&text[first..=last]);
            let signs = sign_variations(written, meant);
            let kind = Kind::Word {
                ranked,
                reversed: false,
                substituted: true,
            };
            add(first, last, kind, ranked.guesses() * cases * signs);
        });
        read_before.push(read);
    }
}

/// Calls for every part that is a word.
fn each_word(
    lower: &[char],
    dictionary: &Dictionary,
    call: &mut dyn FnMut(usize, usize, crate::dictionary::Ranked),
) {
    let mut word = String::new();
    for first in 0..lower.len() {
        word.clear();
        for (offset, c) in lower[first..].iter().take(LONGEST).enumerate() {
            word.push(*c);
            if let Some(ranked) = dictionary.find(&word) {
                call(first, first + offset, ranked);
            }
        }
    }
}

/// The lower-case form where it is one character.
fn lowered(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// The letter that a sign stands for in one of the readings.
fn letter(c: char, reading: usize) -> char {
    let bit = match c {
        '1' => 0,
        '|' => 1,
        _ => 2,
    };
    let Some((_, letters)) = SIGNS.iter().find(|(sign, _)| *sign == c) else {
        return c;
    };
    let choice = (reading >> bit) & 1;
    letters
        .get(choice)
        .or(letters.first())
        .copied()
        .unwrap_or(c)
}

/// In how many ways people would write these letters large and small.
fn case_variations(token: &[char]) -> f64 {
    let upper = token.iter().filter(|c| c.is_uppercase()).count();
    if upper == 0 {
        return 1.0;
    }
    let is_upper = |c: Option<&char>| c.is_some_and(|c| c.is_uppercase());
    let at_an_end = upper == 1 && (is_upper(token.first()) || is_upper(token.last()));
    let lower = token.iter().filter(|c| c.is_lowercase()).count();
    if at_an_end || lower == 0 {
        return 2.0;
    }
    choose_up_to(upper + lower, upper.min(lower))
}

/// In how many ways people would write signs for these letters.
fn sign_variations(written: &[char], meant: &[char]) -> f64 {
    let mut variations = 1.0;
    let mut seen = Vec::new();
    for (&sign, &letter) in written.iter().zip(meant) {
        if sign == letter || seen.contains(&sign) {
            continue;
        }
        seen.push(sign);
        let signs = written.iter().filter(|c| **c == sign).count();
        let letters = written.iter().filter(|c| **c == letter).count();
        variations *= match letters {
            0 => 2.0,
            _ => choose_up_to(signs + letters, signs.min(letters)),
        };
    }
    variations
}
