//! What people are told about a passphrase that is easy to guess.

use crate::dictionary::{Class, Ranked};
use crate::matching::{Kind, Match};

/// From so many guesses on nothing is advised.
const SAFE: f64 = 100_000_005.0;

/// The warning, if there is one, and what would help.
pub(crate) fn advice(text: &[char], parts: &[Match], guesses: f64) -> String {
    // Of parts with as many letters, the last.
    let Some(longest) = parts.iter().max_by_key(|part| part.len()) else {
        return "Use a few words, avoid common phrases. \
                No need for symbols, digits, or uppercase letters."
            .to_owned();
    };
    if guesses >= SAFE {
        return String::new();
    }
    let token = text.get(longest.first..=longest.last).unwrap_or_default();
    let (warning, suggestions) = about(longest, token, parts.len() == 1);
    let more = "Add another word or two. Uncommon words are better.";
    let mut told = vec![more];
    told.extend(suggestions);
    if !warning.is_empty() {
        told.insert(0, warning);
    }
    told.join(" ")
}

fn about(part: &Match, token: &[char], alone: bool) -> (&'static str, Vec<&'static str>) {
    match part.kind {
        Kind::BruteForce => ("", vec![]),
        Kind::Word {
            ranked,
            reversed,
            substituted,
        } => (
            word_warning(ranked, alone, alone && !reversed && !substituted),
            word_suggestions(token, reversed, substituted),
        ),
        Kind::Keys { turns } => (
            match turns {
                1 => "Straight rows of keys are easy to guess.",
                _ => "Short keyboard patterns are easy to guess.",
            },
            vec!["Use a longer keyboard pattern with more turns."],
        ),
        Kind::Repeat { base } => (
            match base {
                1 => "Repeats like \"aaa\" are easy to guess.",
                _ => "Repeats like \"abcabcabc\" are only slightly harder to guess than \"abc\".",
            },
            vec!["Avoid repeated words and characters."],
        ),
        Kind::Sequence => (
            "Sequences like abc or 6543 are easy to guess.",
            vec!["Avoid sequences."],
        ),
        Kind::Year => (
            "Recent years are easy to guess.",
            vec![
                "Avoid recent years.",
                "Avoid years that are associated with you.",
            ],
        ),
        Kind::Date => (
            "Dates are often easy to guess.",
            vec!["Avoid dates and years that are associated with you."],
        ),
    }
}

fn word_warning(ranked: Ranked, alone: bool, plain: bool) -> &'static str {
    match (ranked.class, ranked.tier) {
        (Class::Password, 0) if plain => "This is a top-10 common password.",
        (Class::Password, 1) if plain => "This is a top-100 common password.",
        (Class::Password, _) if plain => "This is a very common password.",
        (Class::Password, _) => "This is similar to a commonly used password.",
        (Class::English, _) if alone => "A word by itself is easy to guess.",
        (Class::Name, _) if alone => "Names and surnames by themselves are easy to guess.",
        (Class::Name, _) => "Common names and surnames are easy to guess.",
        (Class::English | Class::Film, _) => "",
    }
}

fn word_suggestions(token: &[char], reversed: bool, substituted: bool) -> Vec<&'static str> {
    let mut suggestions = Vec::new();
    if token.first().is_some_and(|c| c.is_uppercase()) {
        suggestions.push("Capitalization doesn't help very much.");
    }
    if reversed && token.len() >= 4 {
        suggestions.push("Reversed words aren't much harder to guess.");
    }
    if substituted {
        suggestions.push("Predictable substitutions like '@' instead of 'a' don't help very much.");
    }
    suggestions
}
