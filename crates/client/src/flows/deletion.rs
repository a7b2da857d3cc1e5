//! "Delete my account": the server erases it, and then this browser what it kept of it.
//!
//! Specification: `docs/protocol/accounts.md#deleting-an-account`.

use crate::core::Core;
use crate::event::Phase;
use crate::failure::Failure;
use crate::flows::{Flow, Step, remembered_key};
use crate::output::Output;
use crate::purpose::Purpose;
use crate::wire::{AccountDeletion, Blob};

/// How far the server was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The server has the request, or had it; its answer decides.
    Waiting,
    /// The session ended meanwhile, as it does when the account is erased.
    SessionOver,
}

impl Core {
    /// The passphrase was proven: asks the server to erase the account.
    pub(super) fn ask_deletion(&mut self, reauth_token: Blob) {
        if let (Some(Flow::Change(flow)), Some(open)) = (self.flow.as_mut(), &self.unlocked) {
            flow.deletion = Some(Asked::Waiting);
            let user = open.user;
            self.note_unheard(user, [0; 32]);
            let step = Purpose::Flow(Step::AccountDelete);
            self.io
                .post("/account/delete", &AccountDeletion { reauth_token }, step);
        }
    }

    /// The session is over while the answer is under way: the answer says what that means.
    pub(crate) fn session_over_in_deletion(&mut self) -> bool {
        match self.flow.as_mut() {
            Some(Flow::Change(flow)) if flow.deletion.is_some() => {
                flow.deletion = Some(Asked::SessionOver);
                true
            }
            _ => false,
        }
    }

    /// The server has erased the account: everything of it goes here too.
    pub(super) fn account_deleted(&mut self) {
        let me = self.me.take();
        // Nobody is to be told of what was not sent.
        self.unlocked = None;
        self.drop_keys(false);
        self.session = false;
        if let Some(me) = me {
            self.io.out.push(Output::Erase {
                key: remembered_key(me.user_id),
            });
        }
        self.enter(Phase::SignedOut, "deleted");
        self.wiped();
    }

    /// The server did not, or did not say so: the account is as it was, unless the session is over.
    pub(super) fn deletion_failed(&mut self, over: bool, failure: Failure) {
        let ended = matches!(
            &self.flow,
            Some(Flow::Change(flow)) if flow.deletion == Some(Asked::SessionOver)
        );
        self.flow_failed(failure);
        if over || ended {
            self.session_over("expired");
        }
    }
}
