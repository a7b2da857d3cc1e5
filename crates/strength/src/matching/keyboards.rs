//! Keys that lie beside each other.

use super::{Kind, Match, choose, choose_up_to};

/// A keyboard: its keys in rows, each as it is and with shift.
struct Layout {
    /// Where each row begins, in keys, and its keys.
    rows: &'static [(i32, &'static [&'static str])],
    /// Steps to the keys beside one, in the order of their directions.
    steps: &'static [(i32, i32)],
    has_shift: bool,
    /// Keys that a pattern may begin with.
    starts: f64,
    /// Keys beside one, on average.
    degree: f64,
}

const SLANTED: &[(i32, i32)] = &[(-1, 0), (0, -1), (1, -1), (1, 0), (0, 1), (-1, 1)];
const ALIGNED: &[(i32, i32)] = &[
    (-1, 0),
    (-1, -1),
    (0, -1),
    (1, -1),
    (1, 0),
    (1, 1),
    (0, 1),
    (-1, 1),
];

const fn letters(rows: &'static [(i32, &'static [&'static str])]) -> Layout {
    Layout {
        rows,
        steps: SLANTED,
        has_shift: true,
        starts: 94.0,
        degree: 4.0,
    }
}

const fn digits(rows: &'static [(i32, &'static [&'static str])]) -> Layout {
    Layout {
        rows,
        steps: ALIGNED,
        has_shift: false,
        starts: 15.0,
        degree: 5.0,
    }
}

const LAYOUTS: [Layout; 4] = [
    letters(&[
        (0, &["`1234567890-=", "~!@#$%^&*()_+"]),
        (1, &["qwertyuiop[]\\", "QWERTYUIOP{}|"]),
        (1, &["asdfghjkl;'", "ASDFGHJKL:\""]),
        (1, &["zxcvbnm,./", "ZXCVBNM<>?"]),
    ]),
    letters(&[
        (0, &["`1234567890[]", "~!@#$%^&*(){}"]),
        (1, &["',.pyfgcrl/=\\", "\"<>PYFGCRL?+|"]),
        (1, &["aoeuidhtns-", "AOEUIDHTNS_"]),
        (1, &[";qjkxbmwvz", ":QJKXBMWVZ"]),
    ]),
    digits(&[
        (1, &["/*-"]),
        (0, &["789+"]),
        (0, &["456"]),
        (0, &["123"]),
        (1, &["0."]),
    ]),
    digits(&[
        (1, &["=/*"]),
        (0, &["789-"]),
        (0, &["456+"]),
        (0, &["123"]),
        (1, &["0."]),
    ]),
];

/// Where a key lies, and whether this character takes shift.
#[derive(Clone, Copy)]
struct Key {
    x: i32,
    y: i32,
    shifted: bool,
}

impl Layout {
    fn key(&self, c: char) -> Option<Key> {
        for (y, (begin, faces)) in self.rows.iter().enumerate() {
            for (face, keys) in faces.iter().enumerate() {
                if let Some(x) = keys.chars().position(|key| key == c) {
                    return Some(Key {
                        x: begin + i32::try_from(x).ok()?,
                        y: i32::try_from(y).ok()?,
                        // A row's second face is the one with shift.
                        shifted: face == 1,
                    });
                }
            }
        }
        None
    }

    /// In which direction the second key lies, if it is beside the first.
    fn direction(&self, from: Key, to: Key) -> Option<usize> {
        let step = (to.x - from.x, to.y - from.y);
        self.steps.iter().position(|it| *it == step)
    }

    /// Tries for a pattern of so many keys, turns and characters with shift.
    fn guesses(&self, len: usize, turns: usize, shifted: usize) -> f64 {
        let mut guesses = 0.0;
        for keys in 2..=len {
            let mut directions = 1.0;
            for turn in 1..=turns.min(keys - 1) {
                directions *= self.degree;
                guesses += choose(keys - 1, turn - 1) * self.starts * directions;
            }
        }
        guesses
            * match (shifted, len - shifted) {
                (0, _) => 1.0,
                (_, 0) => 2.0,
                (shifted, plain) => choose_up_to(len, shifted.min(plain)),
            }
    }
}

pub(super) fn find(text: &[char], found: &mut Vec<Match>) {
    for layout in &LAYOUTS {
        let keys: Vec<Option<Key>> = text.iter().map(|c| layout.key(*c)).collect();
        let mut first = 0;
        while first + 2 < keys.len() {
            let (len, turns, shifted) = walk(layout, &keys[first..]);
            if len > 2 {
                let guesses = layout.guesses(len, turns, shifted);
                let last = first + len - 1;
                let kind = Kind::Keys { turns };
                found.push(Match::new(first, last, text.len(), guesses, kind));
            }
            first += len;
        }
    }
}

/// How far a walk over the keyboard goes, how often it turns, how many of its characters take shift.
fn walk(layout: &Layout, keys: &[Option<Key>]) -> (usize, usize, usize) {
    let is_shifted = |key: Option<Key>| layout.has_shift && key.is_some_and(|key| key.shifted);
    let mut shifted = usize::from(is_shifted(keys.first().copied().flatten()));
    let (mut len, mut turns, mut last) = (1, 0, None);
    for pair in keys.windows(2) {
        let [Some(from), Some(to)] = *pair else { break };
        let Some(direction) = layout.direction(from, to) else {
            break;
        };
        len += 1;
        shifted += usize::from(is_shifted(Some(to)));
        // The first step is a turn as well.
        turns += usize::from(last != Some(direction));
        last = Some(direction);
    }
    (len, turns, shifted)
}
