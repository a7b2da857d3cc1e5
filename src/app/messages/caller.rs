//! Whoever sends and claims at a socket, where outcomes are told.
//!
//! Specification: `docs/protocol.md#websocket`.

use std::sync::Arc;

use api::frames::{Asked, ServerFrame};
use ephemeral::MessageId;

use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem, limits};

use super::Socket;

/// A signed-in client at its socket.
pub(crate) struct Caller<'a> {
    pub(crate) app: &'a App,
    pub(crate) who: &'a SignedIn,
    pub(crate) origin: &'a Origin,
    pub(crate) socket: &'a Arc<Socket>,
}

impl Caller<'_> {
    /// Tells that something was refused, and writes down which limit fired.
    pub(crate) async fn refuse(&self, re: Asked, id: Option<MessageId>, problem: &Problem) {
        let user = Some(self.who.user_id());
        limits::note(self.app, problem, user, self.origin).await;
        self.socket.tell(&ServerFrame::Refused {
            re,
            id,
            code: problem.code().name().into(),
            detail: problem.detail().to_owned(),
            retry_after: problem.seconds(),
        });
    }

    /// Tells what became of a submission; when it was taken, that is when it expires.
    pub(crate) async fn sent(&self, id: MessageId, outcome: Result<u64, Problem>) {
        match outcome {
            Ok(expires_at) => self.socket.tell(&ServerFrame::Sent { id, expires_at }),
            Err(problem) => self.refuse(Asked::Send, Some(id), &problem).await,
        }
    }

    /// Tells what became of a set of slots.
    pub(crate) async fn slots_added(&self, id: MessageId, outcome: Result<(), Problem>) {
        match outcome {
            Ok(()) => self.socket.tell(&ServerFrame::SlotsAdded { id }),
            Err(problem) => self.refuse(Asked::Slots, Some(id), &problem).await,
        }
    }
}
