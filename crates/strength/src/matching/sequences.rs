//! Characters at equal distances: `abcd`, `9753`.

use super::{Kind, Match};

/// Largest distance.
const FARTHEST: i64 = 5;

pub(super) fn find(text: &[char], found: &mut Vec<Match>) {
    let steps: Vec<i64> = text
        .windows(2)
        .map(|pair| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0])))
        .collect();
    let mut first = 0;
    // What is repeated before a sequence counts as a part of it: `1112345`.
    for same in steps.chunk_by(|one, two| one == two || *one == 0) {
        let last = first + same.len();
        let step = same.last().copied().unwrap_or_default();
        let long = same.len() > 1 || step.abs() == 1;
        if long && (1..=FARTHEST).contains(&step.abs()) {
            let begin = match text[first] {
                'a' | 'A' | 'z' | 'Z' | '0' | '1' | '9' => 4.0,
                c if c.is_ascii_digit() => 10.0,
                _ => 26.0,
            };
            let ways = if step < 0 { 2.0 } else { 1.0 };
            let guesses = begin * ways * (same.len() + 1) as f64;
            let kind = Kind::Sequence;
            found.push(Match::new(first, last, text.len(), guesses, kind));
        }
        first = last;
    }
}
