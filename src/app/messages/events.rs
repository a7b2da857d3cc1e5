//! Sends the vault's events to the sockets of the people concerned.

use std::sync::Weak;

use api::frames::{Change, ServerFrame};
use api::ids::TargetId;
use ephemeral::{Event, EventSink, Notice, Target};

use super::Hub;
use super::frames::waiting;

/// Passes what the plane says on to sockets.
pub(super) struct Announcer(Weak<Hub>);

impl Announcer {
    /// Makes a sink over the hub.
    pub(super) fn new(hub: Weak<Hub>) -> Self {
        Self(hub)
    }
}

fn to_poster(hub: &Hub, change: &ephemeral::Change, state: Change) {
    let (target, live) = match change.target {
        Target::Live { live, .. } => (TargetId::from(live), true),
        Target::Account(account) => (TargetId::from(account), false),
    };
    hub.tell_account(
        change.poster,
        &ServerFrame::Message {
            id: change.id,
            state,
            target,
            live,
        },
    );
}

/// A claim of the slot has ended, if there was one.
fn ended(hub: &Hub, change: &ephemeral::Change, state: Change) {
    if let Target::Live { account, live } = change.target {
        hub.settle(account, live, change.id);
    }
    to_poster(hub, change, state);
}

impl EventSink for Announcer {
    fn publish(&self, event: &Event) {
        let Some(hub) = self.0.upgrade() else {
            return;
        };
        let hub: &Hub = &hub;
        match event {
            Event::Available {
                target,
                item,
                is_new,
            } => match target {
                Target::Live { account, live } => hub.announce(*account, *live, item, *is_new),
                Target::Account(account) => {
                    hub.tell_account(*account, &ServerFrame::Waiting(waiting(item)));
                }
            },
            Event::Claimed(change) => to_poster(hub, change, Change::Claimed),
            Event::Returned(change) => ended(hub, change, Change::Returned),
            Event::Left(change) => to_poster(hub, change, Change::Left),
            Event::Acknowledged { change, .. } => ended(hub, change, Change::Acknowledged),
            Event::Expired(change) => ended(hub, change, Change::Expired),
            Event::CannotOpen(change) => ended(hub, change, Change::CannotOpen),
        }
    }

    fn notify(&self, notice: &Notice) {
        if let Some(hub) = self.0.upgrade() {
            hub.heed(notice);
        }
    }
}
