//! The ways in which inputs are changed.

use crate::random::Random;

/// Numbers at which lengths and counts break.
const EDGES: [u64; 12] = [
    0,
    1,
    2,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    i64::MAX as u64,
    u64::MAX,
];

/// Changes inputs.
pub(crate) struct Mutator {
    words: Vec<Vec<u8>>,
    pub(crate) most: usize,
}

impl Default for Mutator {
    fn default() -> Self {
        Self {
            words: Vec::new(),
            most: 64 << 10,
        }
    }
}

impl Mutator {
    pub(crate) fn add_words(&mut self, words: &[&str]) {
        self.words
            .extend(words.iter().map(|word| word.as_bytes().to_vec()));
    }

    /// Changes one of the inputs in one to eight places.
    pub(crate) fn change(&self, random: &mut Random, from: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = random.one_of(from).cloned().unwrap_or_default();
        let changes = random.below(8).min(random.below(8));
        for _ in 0..=changes {
            self.once(random, from, &mut bytes);
        }
        bytes.truncate(self.most);
        bytes
    }

    fn once(&self, random: &mut Random, from: &[Vec<u8>], bytes: &mut Vec<u8>) {
        let at = random.below(bytes.len() + 1);
        // Short ones more often than long ones.
        let longest = 1 + random.below(64);
        let span = 1 + random.below(longest);
        let end = (at + span).min(bytes.len());
        match random.below(13) {
            0 => flip(random, bytes, at),
            1 => overwrite(bytes, at, &[random.next() as u8]),
            2 => overwrite_number(random, bytes, at),
            3 => overwrite_number(random, bytes, at.min(16)),
            4 => insert(bytes, at, &random.next().to_be_bytes()[..1 + span % 8]),
            5 => drop(bytes.drain(at..end)),
            6 => bytes.truncate(at),
            7 => {
                let piece = bytes[at..end].to_vec();
                insert(
                    bytes,
                    random.below(bytes.len() + 1),
                    &piece.repeat(1 + span % 4),
                );
            }
            8 | 9 => match random.one_of(&self.words) {
                Some(word) if span.is_multiple_of(2) => overwrite(bytes, at, word),
                Some(word) => insert(bytes, at, word),
                None => flip(random, bytes, at),
            },
            10 => {
                if let Some(word) = random.one_of(&self.words) {
                    let (start, end) = token(bytes, at);
                    bytes.splice(start..end, word.iter().copied());
                }
            }
            11 => {
                if let Some(other) = random.one_of(from) {
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
                }
            }
            _ => {
                let byte = random.next() as u8;
                bytes[at..end].fill(byte);
            }
        }
    }
}

/// Where the name, number or word around a place begins and ends.
fn token(bytes: &[u8], at: usize) -> (usize, usize) {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let before = bytes[..at]
        .iter()
        .rev()
        .take_while(|byte| part(byte))
        .count();
    let after = bytes[at..].iter().take_while(|byte| part(byte)).count();
    (at - before, at + after)
}

fn flip(random: &mut Random, bytes: &mut [u8], at: usize) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes[at..].iter_mut().zip(with) {
        *byte = *new;
    }
}

fn overwrite_number(random: &mut Random, bytes: &mut [u8], at: usize) {
    let edge = EDGES[random.below(EDGES.len())];
    let width = 1 << random.below(4);
    let at = at.min(bytes.len());
    overwrite(bytes, at, &edge.to_be_bytes()[8 - width..]);
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}
