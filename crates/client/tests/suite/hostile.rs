//! A hostile server against the real client: every clause is refused by its own code, and the same
//! run without the attack goes through.

mod account;
mod alike;
mod authority;
mod crowd;
mod delivery;
mod exchange;
mod forge;
mod forger;
mod held_up;
mod keys;
mod last_resort;
mod last_second;
mod link;
mod listed;
mod other_keys;
mod pairs;
mod promised;
mod pushed;
mod replaced;
mod requests;
mod resend;
mod rests;
mod same_id;
mod sealed_facts;
mod tickets;

use client::testing::World;

fn refused(world: &World, tab: usize, code: &str) -> bool {
    world.refusals(tab).iter().any(|refused| refused == code)
}

fn nothing_refused(world: &World, tab: usize) {
    assert_eq!(world.refusals(tab), Vec::<String>::new());
}
