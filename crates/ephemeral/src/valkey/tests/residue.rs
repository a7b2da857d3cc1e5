//! What is left of bodies in the memory of an engine.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use memchr::memmem::Finder;

use super::*;
use crate::ClaimToken;

const MESSAGES: u64 = 40;

/// Content that is nothing but one marker, over and over, so that any part of it is found.
struct Marked {
    marker: [u8; 16],
}

impl Marked {
    fn new() -> Self {
        Self {
            marker: Ambient::system().random(),
        }
    }

    fn content(&self, length: usize) -> Ciphertext {
        let bytes: Vec<u8> = self.marker.iter().copied().cycle().take(length).collect();
        Ciphertext::copy_of(&bytes)
    }

    /// Counts the markers in everything that a process has mapped and may read.
    fn count(&self, process: u32) -> usize {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        let memory = File::open(format!("/proc/{process}/mem")).unwrap();
        let finder = Finder::new(&self.marker);
        let mut found = 0;
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
            let (start, end) = range.split_once('-').unwrap();
            let address = |text| u64::from_str_radix(text, 16).unwrap();
            if !rights.starts_with('r') || line.ends_with("[vvar]") || line.ends_with("[vsyscall]")
            {
                continue;
            }
            let mut bytes = vec![0; (address(end) - address(start)) as usize];
            if memory.read_exact_at(&mut bytes, address(start)).is_ok() {
                found += finder.find_iter(&bytes).count();
            }
        }
        found
    }
}

fn post_and_claim(b: &Bench, marked: &Marked, size: usize) -> Vec<ClaimToken> {
    let claims = (0..MESSAGES).map(|n| {
        let mut new = message(n, true, &[Target::Account(BOB)]);
        new.body = marked.content(size);
        new.slots[0].bytes = marked.content(1700);
        let room = b.vault.reserve(ALICE, size as u64 + 1700, 1).unwrap();
        b.vault.put(room, new).unwrap();
        b.vault.claim(message_id(n), BOB, None).unwrap().token
    });
    claims.collect()
}

fn nothing_is_left_of_bodies_of(size: usize) {
    let engine = servers::Valkey::start();
    let b = instance(&[&engine], "residue:");
    let marked = Marked::new();
    let tokens = post_and_claim(&b, &marked, size);
    let held = marked.count(engine.id());
    let at_least = MESSAGES as usize * (size + 1700) / 16 * 9 / 10;
    assert!(
        held >= at_least,
        "the search finds what is held: {held} of {at_least}"
    );
    for (n, token) in tokens.iter().enumerate() {
        let burned = b.vault.acknowledge(message_id(n as u64), BOB, token);
        assert!(burned.unwrap().burned);
    }
    // The connections' buffers are overwritten when a burst is over.
    let clean = || (marked.count(engine.id()) == 0).then_some(());
    servers::until("the engine's memory", clean);
    assert!(b.is_pristine());
}

#[test]
fn nothing_of_a_burned_message_is_left_in_the_engine() {
    nothing_is_left_of_bodies_of(1024);
}

#[test]
fn nothing_of_a_large_burned_message_is_left_in_the_engine() {
    nothing_is_left_of_bodies_of(256 * 1024);
}

#[test]
fn nothing_of_an_erased_half_is_left_in_the_engine() {
    let engine = servers::Valkey::start();
    let b = instance(&[&engine], "half:");
    let marked = Marked::new();
    let session = crate::SessionId::from_bytes([1; 32]);
    let halves = b.vault.plane.resume_halves();
    let half = Zeroizing::new(marked.content(64).expose().to_vec());
    b.vault.wait(halves.keep(session, half.clone(), START_MS));
    assert_eq!(b.vault.wait(halves.half(session)), Some(half));
    assert!(marked.count(engine.id()) > 0);
    b.vault.wait(halves.erase(&[session]));
    let clean = || (marked.count(engine.id()) == 0).then_some(());
    servers::until("the engine's memory", clean);
}
