//! Unlocking after a reload without the passphrase: two halves, one in this browser, one in the
//! server's memory.
//!
//! Specification: `docs/protocol/accounts.md#resuming-after-a-reload`.

use protocol::safe::{ResumeHalf, resume_unwrap, resume_wrap};
use zeroize::Zeroizing;

use crate::answers::Answer;
use crate::core::Core;
use crate::event::Phase;
use crate::flows::unheard::UNHEARD_KEY;
use crate::flows::{Flow, KeySource, Opening, parse};
use crate::lock::RESUME_KEY;
use crate::output::Output;
use crate::purpose::Purpose;
use crate::state::safes::Recall;
use crate::wire;

/// Collects both halves.
#[derive(Default)]
pub(crate) struct Resume {
    wrap: Option<Option<Zeroizing<Vec<u8>>>>,
    half: Option<Option<Zeroizing<Vec<u8>>>>,
}

impl Core {
    /// The browser's half.
    pub(crate) fn resume_wrap_came(&mut self, value: Option<Zeroizing<Vec<u8>>>) {
        if let Some(Flow::Resume(flow)) = self.flow.as_mut() {
            flow.wrap = Some(value);
            self.try_resume();
        }
    }

    /// The server's half.
    pub(crate) fn resume_half_came(&mut self, answer: Answer) {
        if let Some(Flow::Resume(flow)) = self.flow.as_mut() {
            flow.half = Some(match answer {
                Some((200, body)) => parse::<wire::ResumeHalf>(&body)
                    .ok()
                    .map(|half| half.half.into_secret()),
                _ => None,
            });
            self.try_resume();
        }
    }

    fn try_resume(&mut self) {
        let Some(Flow::Resume(Resume {
            wrap: Some(wrap),
            half: Some(half),
        })) = self.flow.as_ref()
        else {
            return;
        };
        let me = self.me.as_ref().map(|me| me.user_id);
        let key = match (wrap, half) {
            (Some(wrap), Some(half)) => <[u8; 32]>::try_from(half.as_slice())
                .ok()
                .map(|half| ResumeHalf::from_bytes(&half))
                .zip(me)
                .and_then(|(half, me)| resume_unwrap(&half, &me, wrap).ok()),
            _ => None,
        };
        self.flow = None;
        match key {
            Some(key) => self.begin_opening("start", "reload", KeySource::Key(key)),
            None => {
                self.io.out.push(Output::Erase {
                    key: RESUME_KEY.to_owned(),
                });
                self.enter(Phase::Locked, "started");
            }
        }
    }

    /// Stores one half in this browser and one at the server, for the next reload.
    pub(crate) fn leave_resume(&mut self) {
        let Some(open) = self.unlocked.as_ref() else {
            return;
        };
        let half = ResumeHalf::random(&mut self.io.rng);
        let wrap = resume_wrap(&mut self.io.rng, open.safe.key(), &half, &open.user);
        self.io.put(
            "/session/resume",
            &wire::ResumeHalf {
                half: half.expose().to_vec().into(),
            },
            Purpose::Ignore,
        );
        self.io.out.push(Output::Store {
            key: RESUME_KEY.to_owned(),
            value: Zeroizing::new(wrap),
            sealed: true,
        });
    }

    /// A stored value was read back.
    pub(crate) fn stored(&mut self, key: &str, value: Option<Zeroizing<Vec<u8>>>) {
        if key == RESUME_KEY {
            self.resume_wrap_came(value);
        } else if key == UNHEARD_KEY {
            self.unheard_came(value);
        } else if matches!(self.flow, Some(Flow::Recover(_))) {
            self.recover_remembered(key, value);
        } else {
            self.opening_remembered(key, value);
        }
    }
}

/// The name under which the highest safe version is remembered.
pub(crate) fn remembered_key(user: crate::id::UserId) -> String {
    format!("safe.{user}")
}

// Kept beside its only maker.
impl Core {
    pub(crate) fn begin_opening(
        &mut self,
        during: &'static str,
        reason: &'static str,
        source: KeySource,
    ) {
        let Some(me) = self.me.as_ref().map(|me| me.user_id) else {
            return;
        };
        let recall = Recall::begin(&mut self.io, me);
        self.open_after(during, reason, source, recall);
    }

    /// Opens what the server delivers once it was held against a memory.
    pub(crate) fn open_after(
        &mut self,
        during: &'static str,
        reason: &'static str,
        source: KeySource,
        recall: Recall,
    ) {
        self.drop_unsent_of_others();
        let opening = Opening::new(during, reason, source, recall);
        self.flow = Some(Flow::Opening(Box::new(opening)));
        self.request_opening();
    }
}
