//! What the vault leaves in the blocks that it frees, and what it keeps, where no allocator
//! overwrites anything for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use ambient::{Ambient, OsEntropy, SystemClock};
use ephemeral::{
    Answer, Attempt, Ciphertext, CiphertextBuilder, Config, Ephemeral, Key, NewMessage, NewSlot,
    Rule, Target, UserId, Vault,
};

/// What every ciphertext here is made of.
const MARK: u8 = 0xA5;

/// As many marks in one freed block are no accident.
const MANY: usize = 16;

/// What a thread has allocated and freed so far.
#[derive(Clone, Copy)]
struct Seen {
    allocations: usize,
    held: usize,
    /// Freed blocks that still had their content.
    legible: usize,
}

thread_local! {
    static SEEN: Cell<Seen> = const { Cell::new(Seen { allocations: 0, held: 0, legible: 0 }) };
}

fn seen() -> Seen {
    SEEN.get()
}

/// Looks at each block that is freed. What grows or shrinks is allocated, copied and freed.
struct Watching;

#[global_allocator]
static ALLOCATOR: Watching = Watching;

// SAFETY: allocates like System.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let seen = seen();
        SEEN.set(Seen {
            allocations: seen.allocations + 1,
            held: seen.held.wrapping_add(layout.size()),
            ..seen
        });
        // SAFETY: passed through. Zeroed, so that every byte may be read when it is freed.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this size, and its owner does not use it any more.
        let content = unsafe { std::slice::from_raw_parts(block, layout.size()) };
        let legible = content.iter().filter(|byte| **byte == MARK).count() >= MANY;
        let seen = seen();
        SEEN.set(Seen {
            held: seen.held.wrapping_sub(layout.size()),
            legible: seen.legible + usize::from(legible),
            ..seen
        });
        // SAFETY: passed through.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Counts the freed blocks that could still be read after `work`.
fn legible_after(work: impl FnOnce()) -> usize {
    let before = seen().legible;
    work();
    seen().legible - before
}

#[test]
fn what_a_plain_vector_leaves_is_seen() {
    assert_eq!(legible_after(|| drop(vec![MARK; 100])), 1);
    let grown = || vec![MARK; 100].reserve_exact(1000);
    assert_eq!(legible_after(grown), 2);
}

#[test]
fn a_ciphertext_is_overwritten_when_the_last_of_its_readers_lets_go() {
    let one = Arc::new(Ciphertext::copy_of(&[MARK; 100]));
    let other = Arc::clone(&one);
    drop(one);
    assert_eq!(other.expose(), [MARK; 100]);
    assert_eq!(legible_after(|| drop(other)), 0);
}

#[test]
fn a_body_that_breaks_off_is_overwritten() {
    let mut body = CiphertextBuilder::with_capacity(1000);
    body.push(&[MARK; 100]).unwrap();
    assert_eq!(legible_after(|| drop(body)), 0);
}

#[test]
fn a_body_leaves_nothing_behind_while_it_grows_nor_when_it_ends() {
    let built = || {
        let mut body = CiphertextBuilder::growing(10_000);
        for _ in 0..40 {
            body.push(&[MARK; 100]).unwrap();
        }
        let body = body.finish();
        assert!(body.len() == 4000 && body.expose().iter().all(|byte| *byte == MARK));
    };
    assert_eq!(legible_after(built), 0);
    let shorter = || {
        let mut body = CiphertextBuilder::with_capacity(1000);
        body.push(&[MARK; 100]).unwrap();
        assert_eq!(body.finish().expose(), [MARK; 100]);
    };
    assert_eq!(legible_after(shorter), 0);
}

#[test]
fn a_body_of_announced_length_is_one_block_and_another_doubles() {
    const CHUNKS: usize = 64;
    let allocations = |mut body: CiphertextBuilder| {
        let before = seen().allocations;
        for _ in 0..CHUNKS {
            body.push(&[MARK; 100]).unwrap();
        }
        assert_eq!(body.finish().len(), 100 * CHUNKS);
        seen().allocations - before
    };
    let before = seen().allocations;
    let announced = CiphertextBuilder::with_capacity(100 * CHUNKS);
    assert_eq!(seen().allocations - before, 1);
    assert_eq!(allocations(announced), 0);
    // 1, 2, 4, … 64 chunks.
    let growing = CiphertextBuilder::growing(100 * CHUNKS);
    assert_eq!(allocations(growing), 7);
}

fn id<T: From<[u8; 16]>>(n: u64) -> T {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    T::from(bytes)
}

fn reader(n: u64) -> UserId {
    id(1_000_000 + n)
}

/// Posts a message; each has a poster and a reader of its own.
fn post(vault: &Vault, n: u64) {
    let reservation = vault.reserve(id(n), 200, 1).unwrap();
    let message = NewMessage {
        id: id(n),
        life: Duration::from_secs(3600),
        burn_on_read: true,
        slots: vec![NewSlot {
            target: Target::Account(reader(n)),
            prekey: None,
            bytes: Ciphertext::copy_of(&[MARK; 100]),
        }],
        body: Ciphertext::copy_of(&[MARK; 100]),
    };
    vault.put(reservation, message).unwrap();
}

fn burn(vault: &Vault, n: u64) {
    let claim = vault.claim(id(n), reader(n), None).unwrap();
    vault.acknowledge(id(n), reader(n), &claim.token).unwrap();
    assert_eq!(claim.body.expose(), [MARK; 100]);
}

fn empty_vault() -> Vault {
    let clock = Arc::new(SystemClock::start());
    Vault::new(Config::default(), clock, Arc::new(OsEntropy))
}

#[test]
fn a_message_that_burned_is_legible_nowhere() {
    let vault = empty_vault();
    let lived = || {
        post(&vault, 1);
        burn(&vault, 1);
    };
    assert_eq!(legible_after(lived), 0);
}

#[test]
fn a_vault_whose_messages_burned_and_whose_fates_are_forgotten_holds_no_more_than_a_new_one() {
    const MESSAGES: u64 = 2000;
    let vault = empty_vault();
    let new = seen().held;
    for n in 0..MESSAGES {
        post(&vault, n);
    }
    for n in 0..MESSAGES {
        burn(&vault, n);
    }
    assert_eq!(vault.stats().tombstones, MESSAGES);
    for n in 0..MESSAGES {
        vault.forget_fates(id(n));
    }
    assert!(seen().held > new + 100_000, "the control");
    vault.give_back();
    let kept = seen().held - new;
    assert!(kept < 1024, "{kept} bytes kept");
}

/// Takes an answer that is there.
fn at_once<T>(answer: Answer<'_, T>) -> T {
    match pin!(answer).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(answer)) => answer,
        _ => panic!("memory does not answer at once"),
    }
}

#[test]
fn an_answer_from_memory_is_there_at_once_and_takes_no_allocation() {
    let plane = Ephemeral::memory(Config::default(), Ambient::system());
    let rule = Rule {
        name: "two",
        burst: 2,
        per: Duration::from_secs(60),
        growing: false,
    };
    let key = Key::of(&[1; 16], &[]);
    let attempt = [Attempt { rule, key }];
    // The first attempt of a key makes its row.
    assert!(at_once(plane.limits().take(&attempt)).is_ok());
    let before = seen().allocations;
    assert!(at_once(plane.limits().take(&attempt)).is_ok());
    assert!(at_once(plane.limits().take(&attempt)).is_err());
    assert_eq!(at_once(plane.vault().stats()).messages, 0);
    assert_eq!(seen().allocations, before);
}
