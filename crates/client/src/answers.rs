//! Which part an HTTP answer belongs to.

use crate::core::Core;
use crate::event::{Event, Phase};
use crate::failure::Failure;
use crate::flows::parse;
use crate::purpose::Purpose;
use crate::wire::Server;
use api::Own;

/// Status and body; `None` when the server could not be reached.
pub(crate) type Answer = Option<(u16, Vec<u8>)>;

impl Core {
    pub(crate) fn answered(&mut self, purpose: Purpose, answer: Answer) {
        match purpose {
            Purpose::Ignore => {}
            Purpose::Flow(step) => self.flow_answered(step, answer),
            Purpose::Server => self.server_came(answer),
            Purpose::Session => self.session_came(answer),
            Purpose::Unopened => {
                if let Some((status, body)) = answer {
                    self.socket_answered(status, &body);
                }
            }
            Purpose::ResumeHalf => self.resume_half_came(answer),
            Purpose::SignOut => {
                // Gone here in any case; the server forgets the session at its idle end at the latest.
            }
            Purpose::RegistrationCheck => {
                if self.accepted("check_registration", answer).is_some() {
                    self.io.event(Event::RegistrationChecked);
                }
            }
            Purpose::Alias(alias) => {
                if self.accepted("set_alias", answer).is_some() {
                    self.alias_stored(alias);
                }
            }
            Purpose::Sessions { during, list } => {
                if let Some(body) = self.accepted(during, answer) {
                    self.sessions_came(during, list, &body);
                }
            }
            Purpose::Registration => {
                if self.accepted("set_registration", answer).is_some() {
                    self.ask_server();
                }
            }
            Purpose::InviteMade => {
                if let Some(body) = self.accepted("create_invite", answer) {
                    self.invite_made(&body);
                }
            }
            Purpose::Invites { during, list } => {
                if let Some(body) = self.accepted(during, answer) {
                    self.invites_came(during, list, &body);
                }
            }
            Purpose::Open(purpose) => {
                let over = matches!(&answer, Some((401, _)));
                if over && self.phase == Phase::Unlocked {
                    self.session_over("expired");
                } else if let Some(open) = self.unlocked.as_mut() {
                    open.answered(&mut self.io, purpose, answer);
                }
            }
        }
    }

    /// The body of a success; else the failure is told.
    pub(crate) fn accepted(&mut self, during: &'static str, answer: Answer) -> Option<Vec<u8>> {
        match answer {
            Some((status, body)) if (200..300).contains(&status) => Some(body),
            Some((401, _)) if self.me.is_some() => {
                self.session_over("expired");
                None
            }
            Some((status, body)) => {
                self.io.failed(during, Failure::from_answer(status, &body));
                None
            }
            None => {
                self.io.failed(during, Failure::new(Own::Offline));
                None
            }
        }
    }

    fn server_came(&mut self, answer: Answer) {
        let info = match answer {
            Some((200, body)) => parse::<Server>(&body),
            Some((status, body)) => Err(Failure::from_answer(status, &body)),
            None => Err(Failure::new(Own::Offline)),
        };
        match info {
            Ok(info) => self.server_answered(info),
            Err(failure) => {
                self.io.failed("start", failure);
                self.boot_unknown();
            }
        }
    }
}
