//! The first command, and what a tab that joins later is told.

use crate::answers::Answer;
use crate::core::Core;
use crate::event::{Me, Phase};
use crate::failure::Failure;
use crate::flows::unheard::UNHEARD_KEY;
use crate::flows::{Flow, Resume, parse};
use crate::lock::RESUME_KEY;
use crate::output::Output;
use crate::purpose::Purpose;
use crate::wire::CurrentSession;
use api::Own;

impl Core {
    /// `start`: asks the server who is signed in. If that is known it tells everything again.
    pub(crate) fn start(&mut self) {
        if self.phase != Phase::Starting {
            self.snapshot();
            return;
        }
        self.ask_server();
        self.io.out.push(Output::Load {
            key: UNHEARD_KEY.to_owned(),
            sealed: true,
        });
        self.io.get("/session", Purpose::Session);
    }

    /// Everything a tab has to know.
    pub(crate) fn snapshot(&mut self) {
        self.emit_server();
        self.emit_state();
        self.emit_connection();
        self.ask_about_restore();
        if self.asked_about_clock {
            self.ask_about_clock();
        }
        if let Some(open) = self.unlocked.as_mut() {
            open.snapshot(&mut self.io);
        }
    }

    /// The server says whether the session is good.
    pub(crate) fn session_came(&mut self, answer: Answer) {
        match answer {
            Some((200, body)) => match parse::<CurrentSession>(&body) {
                Ok(info) => {
                    self.know_me(&info);
                    self.session = true;
                    self.flow = Some(Flow::Resume(Resume::default()));
                    self.io.out.push(Output::Load {
                        key: RESUME_KEY.to_owned(),
                        sealed: true,
                    });
                    self.io.get("/session/resume", Purpose::ResumeHalf);
                }
                Err(failure) => self.not_started(failure),
            },
            Some((401, _)) => {
                self.session = false;
                self.me = None;
                self.enter(Phase::SignedOut, "started");
            }
            Some((status, body)) => self.not_started(Failure::from_answer(status, &body)),
            None => self.not_started(Failure::new(Own::Offline)),
        }
    }

    /// Stays in `starting`, so that `start` can be tried again.
    fn not_started(&mut self, failure: Failure) {
        self.io.failed("start", failure);
    }

    /// Remembers whose account it is.
    pub(crate) fn know_me(&mut self, info: &CurrentSession) {
        self.me = Some(Me {
            user_id: info.user_id,
            handle: info.handle.clone(),
            alias: info.alias.clone(),
            role: info.role.to_string(),
        });
        self.drop_unsent_of_others();
    }
}
