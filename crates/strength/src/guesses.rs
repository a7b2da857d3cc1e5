//! The cheapest way to guess a text, part by part.

use std::collections::BTreeMap;

use crate::dictionary::Dictionary;
use crate::matching::{self, Kind, Match};

/// What each further part costs a guesser at least, who does not know how many parts there are.
const PER_PART: f64 = 10_000.0;

/// The parts of a text that together take the fewest guesses.
pub(crate) struct Guesses {
    pub(crate) total: f64,
    pub(crate) parts: Vec<Match>,
}

/// The best way until a letter with so many parts.
#[derive(Clone, Copy)]
struct Best {
    last: Match,
    /// The parts' guesses, multiplied.
    product: f64,
    total: f64,
}

/// For each letter, by the number of parts.
type Ways = Vec<BTreeMap<usize, Best>>;

/// Finds the parts.
pub(crate) fn best_guesses(text: &[char], dictionary: &Dictionary) -> Guesses {
    let matches = matching::all(text, dictionary);
    let mut ways: Ways = vec![BTreeMap::new(); text.len()];
    let mut known = matches.into_iter().peekable();
    for end in 0..text.len() {
        while let Some(part) = known.next_if(|part| part.last == end) {
            extend(&mut ways, part);
        }
        for first in 0..=end {
            extend(&mut ways, Match::brute_force(first, end));
        }
    }
    unwound(&ways)
}

/// Puts a part behind every way that ends before it.
fn extend(ways: &mut Ways, part: Match) {
    let Some(before) = part.first.checked_sub(1) else {
        return consider(ways, part, 1, 1.0);
    };
    let earlier: Vec<(usize, Best)> = ways[before].iter().map(|(n, best)| (*n, *best)).collect();
    for (count, best) in earlier {
        // Two unknown parts side by side are one.
        if part.kind != Kind::BruteForce || best.last.kind != Kind::BruteForce {
            consider(ways, part, count + 1, best.product);
        }
    }
}

/// Keeps a way unless one with as many parts or fewer is as good.
fn consider(ways: &mut Ways, part: Match, count: usize, product: f64) {
    let product = product * part.guesses;
    let orders = (1..=count).fold(1.0, |ways, n| ways * n as f64);
    let more = (1..count).fold(1.0, |tries, _| tries * PER_PART);
    let total = orders * product + more;
    let here = &mut ways[part.last];
    if here.range(..=count).any(|(_, best)| best.total <= total) {
        return;
    }
    let best = Best {
        last: part,
        product,
        total,
    };
    here.insert(count, best);
}

fn unwound(ways: &Ways) -> Guesses {
    let mut parts = Vec::new();
    let best = ways.last().and_then(|here| {
        here.iter()
            .min_by(|one, two| one.1.total.total_cmp(&two.1.total))
    });
    let total = best.map_or(0.0, |(_, best)| best.total);
    let mut next = best.map(|(count, best)| (*count, best.last));
    while let Some((count, part)) = next {
        parts.push(part);
        next = part.first.checked_sub(1).and_then(|before| {
            let best = ways[before].get(&(count - 1))?;
            Some((count - 1, best.last))
        });
    }
    parts.reverse();
    Guesses { total, parts }
}
