//! Tells people what the vault reports.

use std::sync::Arc;

use api::ids::TargetId;
use vault::{Change, Event, EventSink, Target};

use super::Hub;
use super::frames::{Told, Waiting};

/// Passes the vault's events on to sockets.
pub struct Announcer(Arc<Hub>);

impl Announcer {
    /// Makes a sink over the hub.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    fn to_poster(&self, change: &Change, state: &'static str) {
        let (target, live) = match change.target {
            Target::Live { live, .. } => (TargetId::from(live), true),
            Target::Account(account) => (TargetId::from(account), false),
        };
        self.0.tell_account(
            change.poster,
            &Told::Message {
                id: change.id,
                state,
                target,
                live,
            },
        );
    }
}

impl EventSink for Announcer {
    fn publish(&self, event: &Event) {
        match event {
            Event::Available { target, item } => {
                let told = Told::Waiting(Waiting::from(item));
                match target {
                    Target::Live { account, live } => {
                        self.0.tell_live(*account, *live, &told);
                    }
                    Target::Account(account) => self.0.tell_account(*account, &told),
                }
            }
            Event::Claimed(change) => self.to_poster(change, "claimed"),
            Event::Returned(change) => self.to_poster(change, "returned"),
            Event::Left(change) => self.to_poster(change, "left"),
            Event::Acknowledged { change, .. } => self.to_poster(change, "acknowledged"),
            Event::Expired(change) => self.to_poster(change, "expired"),
            Event::CannotOpen(change) => self.to_poster(change, "cannot_open"),
        }
    }
}
