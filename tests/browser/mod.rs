//! The real pages in a real browser, against the real binary.
//!
//! The driver speaks Chromium's DevTools protocol itself: one process serves several people, each in
//! a profile of their own, and a test waits for what should become true instead of for time to pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod absent;
mod administration;
mod back;
mod burning;
mod cdp;
mod chromium;
mod entering;
mod habits;
mod invites;
mod leaving;
mod lines;
mod looks;
mod meeting;
mod page;
mod parts;
mod people;
mod pointer;
mod reach;
mod reading;
mod restored;
mod screenshots;
mod server;
mod sizes;
mod staying;
mod steps;
mod strength;
mod tabs;
mod told;
mod unread;
mod views;
mod writing;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chromium::Chromium;
use server::Server;

/// Two browsers at a time: one waits while the other works; more would only wait for each other.
static TURNS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
static NEXT: AtomicUsize = AtomicUsize::new(0);

fn turn() -> MutexGuard<'static, ()> {
    let mine = NEXT.fetch_add(1, Ordering::Relaxed) % TURNS.len();
    TURNS[mine].lock().unwrap_or_else(PoisonError::into_inner)
}

/// A server with an empty data folder and a browser, for one test in its turn.
fn opened() -> (MutexGuard<'static, ()>, Server, Chromium) {
    let turn = turn();
    let server = std::thread::spawn(Server::start);
    let chromium = Chromium::start();
    (turn, server.join().expect("a server"), chromium)
}

/// Fails when a page or a worker did what the policy forbids.
fn nothing_was_refused(chromium: &Chromium, pages: &[&page::Page]) {
    for page in pages {
        assert_eq!(
            page.refused(),
            Vec::<String>::new(),
            "the policy refused something"
        );
    }
    assert_eq!(
        chromium.refused_by_policy(),
        Vec::<String>::new(),
        "a console tells of a refusal"
    );
}
