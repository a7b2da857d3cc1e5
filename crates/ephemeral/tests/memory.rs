//! Memory comes back after burns, measured on a process of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use ambient::{OsEntropy, SystemClock};
use ephemeral::{
    Ciphertext, ClaimError, Config, MessageId, NewMessage, NewSlot, Target, UserId, Vault,
};

#[global_allocator]
static ALLOCATOR: ambient::alloc::WipingAllocator = ambient::alloc::WipingAllocator::new();

const MESSAGES: u64 = 50_000;
const POSTERS: u64 = 50;

fn resident_bytes() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn account(n: u64) -> UserId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    UserId::from_bytes(bytes)
}

fn id(n: u64) -> MessageId {
    // Scattered over the shards as random ids are.
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    MessageId::from_bytes(bytes)
}

#[test]
fn after_burns_and_requests_for_unknown_ids_the_memory_is_back() {
    let config = Config {
        account_messages: MESSAGES,
        account_bytes: u64::MAX,
        total_bytes: u64::MAX,
        ..Config::default()
    };
    let vault = Vault::new(config, Arc::new(SystemClock::start()), Arc::new(OsEntropy));
    let unknown = |from: u64| {
        for n in from..from + 20_000 {
            let claim = vault.claim(id(1_000_000 + n), account(n), None);
            assert!(matches!(claim, Err(ClaimError::Gone)));
        }
    };
    unknown(0);
    let before = resident_bytes();
    unknown(100_000);
    assert!(
        resident_bytes() < before + 512 * 1024,
        "unknown ids cost memory"
    );

    for n in 0..MESSAGES {
        let reservation = vault.reserve(account(n % POSTERS), 1024 + 16, 1).unwrap();
        let message = NewMessage {
            id: id(n),
            life: Duration::from_secs(3600),
            burn_on_read: true,
            slots: vec![NewSlot {
                target: Target::Account(account(1000 + n % POSTERS)),
                prekey: None,
                bytes: Ciphertext::copy_of(&[1; 16]),
            }],
            body: Ciphertext::copy_of(&[2; 1024]),
        };
        vault.put(reservation, message).unwrap();
    }
    let held = resident_bytes() - before;
    let each = held / MESSAGES;
    assert!(
        (1040..1600).contains(&each),
        "a held message of 1 KiB takes {each} bytes"
    );

    for n in 0..MESSAGES {
        let reader = account(1000 + n % POSTERS);
        let claim = vault.claim(id(n), reader, None).unwrap();
        vault.acknowledge(id(n), reader, &claim.token).unwrap();
    }
    vault.give_back();
    let kept = resident_bytes().saturating_sub(before);
    let share = kept * 1000 / held;
    println!("{each} bytes for each held message; {share} ‰ of {held} bytes kept after the burns");
    assert!(
        share <= 50,
        "{share} ‰ of the memory was kept after the burns"
    );
}
