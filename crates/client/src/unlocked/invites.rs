//! Using an invite link that somebody else made.
//!
//! Specification: `docs/protocol/accounts.md#invites`.

use crate::answers::Answer;
use crate::event::Event;
use crate::failure::Failure;
use crate::flows::parse;
use crate::flows::sessions::Invite;
use crate::id::ConversationId;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::secret_text::SecretText;
use crate::unlocked::Unlocked;
use crate::wire::{Person, UseInvite};
use api::Own;

impl Unlocked {
    /// `open_invite` while unlocked: the inviter is looked up, the invite is used, the inviter is asked.
    pub(crate) fn open_invite(&mut self, io: &mut Io, invite: Invite) {
        if invite.user == self.me.user_id {
            io.failed("open_invite", Failure::new(Own::ThatIsYou));
            return;
        }
        let path = format!("/users/{}", invite.user);
        io.get(&path, Purpose::Open(Open::Inviter(invite)));
    }

    /// The inviter was looked up. The invite is not used for an inviter who is a contact already, or who
    /// may not be asked.
    pub(crate) fn inviter_found(&mut self, io: &mut Io, invite: Invite, answer: Answer) {
        let found = match answer {
            Some((200, body)) => parse::<Person>(&body),
            Some((404, _)) => Err(Failure::new(Own::InviteInvalid)),
            Some((status, body)) => Err(Failure::from_answer(status, &body)),
            None => Err(Failure::new(Own::Offline)),
        };
        let inviter = found.and_then(|found| {
            if found.user_id != invite.user {
                return Err(Failure::new(Own::ServerReply));
            }
            self.contacts
                .may_ask(io, &found, Some(&invite), &self.safe)
                .map(|_| found)
        });
        match inviter {
            Ok(inviter) if self.safe.is_accepted(invite.user) => {
                self.ask_inviter(io, &invite, &inviter);
            }
            Ok(inviter) => io.post(
                "/invites/use",
                &UseInvite { code: invite.code },
                Purpose::Open(Open::InviteUsed { invite, inviter }),
            ),
            Err(failure) => not_opened(io, &invite, failure),
        }
    }

    /// The server has used the invite, for this account, or has refused. Whoever is cut off after this
    /// opens the link again: the server does not count the same account twice.
    pub(crate) fn invite_used(
        &mut self,
        io: &mut Io,
        invite: &Invite,
        inviter: &Person,
        answer: Answer,
    ) {
        let failure = match answer {
            Some((200..=299, _)) => {
                self.ask_inviter(io, invite, inviter);
                return;
            }
            Some((status, body)) => Failure::from_answer(status, &body),
            None => Failure::new(Own::Offline),
        };
        not_opened(io, invite, failure);
    }

    pub(crate) fn ask_inviter(&mut self, io: &mut Io, invite: &Invite, inviter: &Person) {
        match self.ask_for_contact(io, inviter, &SecretText::default(), Some(invite)) {
            Ok(()) => io.event(Event::InviteOpened {
                user_id: invite.user,
                added: true,
                needs_account: false,
            }),
            Err(failure) => not_opened(io, invite, failure),
        }
    }
}

fn not_opened(io: &mut Io, invite: &Invite, failure: Failure) {
    let chat = Some(ConversationId::with(invite.user));
    io.failed_at("open_invite", failure, chat, None);
}
