//! A hostile server against the real client: every clause is refused by its own code, and the same
//! run without the attack goes through.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "hostile/account.rs"]
mod account;
#[path = "hostile/alike.rs"]
mod alike;
#[path = "hostile/authority.rs"]
mod authority;
#[path = "hostile/crowd.rs"]
mod crowd;
#[path = "hostile/delivery.rs"]
mod delivery;
#[path = "hostile/exchange.rs"]
mod exchange;
#[path = "hostile/forge.rs"]
mod forge;
#[path = "hostile/forger.rs"]
mod forger;
#[path = "hostile/held_up.rs"]
mod held_up;
#[path = "hostile/keys.rs"]
mod keys;
#[path = "hostile/last_resort.rs"]
mod last_resort;
#[path = "hostile/last_second.rs"]
mod last_second;
#[path = "hostile/link.rs"]
mod link;
#[path = "hostile/listed.rs"]
mod listed;
#[path = "hostile/other_keys.rs"]
mod other_keys;
#[path = "hostile/pairs.rs"]
mod pairs;
#[path = "hostile/promised.rs"]
mod promised;
#[path = "hostile/pushed.rs"]
mod pushed;
#[path = "hostile/replaced.rs"]
mod replaced;
#[path = "hostile/requests.rs"]
mod requests;
#[path = "hostile/resend.rs"]
mod resend;
#[path = "hostile/rests.rs"]
mod rests;
#[path = "hostile/same_id.rs"]
mod same_id;
#[path = "hostile/sealed_facts.rs"]
mod sealed_facts;
#[path = "hostile/tickets.rs"]
mod tickets;

use client::testing::World;

fn refused(world: &World, tab: usize, code: &str) -> bool {
    world.refusals(tab).iter().any(|refused| refused == code)
}

fn nothing_refused(world: &World, tab: usize) {
    assert_eq!(world.refusals(tab), Vec::<String>::new());
}
