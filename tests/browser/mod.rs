//! The real pages in a real browser, against the real binary.
//!
//! The driver speaks Chromium's DevTools protocol itself: one process serves several people, each in
//! a profile of their own, and a test waits for what should become true instead of for time to pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod administration;
mod burning;
mod cdp;
mod chromium;
mod habits;
mod looks;
mod meeting;
mod page;
mod people;
mod screenshots;
mod server;
mod staying;

use std::sync::{Mutex, MutexGuard};

use chromium::Chromium;

/// One browser at a time: two of them on two cores only wait for each other.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
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
