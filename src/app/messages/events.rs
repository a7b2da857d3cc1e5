//! Sends the vault's events to the sockets of the people concerned.

use std::sync::Arc;

use api::frames::{Change, ServerFrame};
use api::ids::TargetId;
use ephemeral::{Event, EventSink, Target};

use super::Hub;
use super::frames::waiting;

/// Passes the vault's events on to sockets.
pub struct Announcer(Arc<Hub>);

impl Announcer {
    /// Makes a sink over the hub.
    pub fn new(hub: Arc<Hub>) -> Self {
        Self(hub)
    }

    fn to_poster(&self, change: &ephemeral::Change, state: Change) {
        let (target, live) = match change.target {
            Target::Live { live, .. } => (TargetId::from(live), true),
            Target::Account(account) => (TargetId::from(account), false),
        };
        self.0.tell_account(
            change.poster,
            &ServerFrame::Message {
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
                let told = ServerFrame::Waiting(waiting(item));
                match target {
                    Target::Live { account, live } => {
                        self.0.tell_live(*account, *live, &told);
                    }
                    Target::Account(account) => self.0.tell_account(*account, &told),
                }
            }
            Event::Claimed(change) => self.to_poster(change, Change::Claimed),
            Event::Returned(change) => self.to_poster(change, Change::Returned),
            Event::Left(change) => self.to_poster(change, Change::Left),
            Event::Acknowledged { change, .. } => self.to_poster(change, Change::Acknowledged),
            Event::Expired(change) => self.to_poster(change, Change::Expired),
            Event::CannotOpen(change) => self.to_poster(change, Change::CannotOpen),
        }
    }
}
