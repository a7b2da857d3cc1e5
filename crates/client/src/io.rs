//! What every part of the core works through: outputs, requests, timers, time and randomness.

use protocol::link::LinkError;
use protocol::link::client::ClientLink;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::CoreRng;
use crate::effects::{Effect, Effects};
use crate::event::Event;
use crate::failure::Failure;
use crate::id::{ConversationId, MessageId};
use crate::output::Output;
use crate::purpose::Purpose;
use crate::refusal::Refusal;
use crate::timers::Timers;
use crate::wire::ClientFrame;

/// The way out of the core, without any of its secrets but the keys of the link.
pub(crate) struct Io {
    pub(crate) out: Vec<Output>,
    pub(crate) timers: Timers,
    pub(crate) rng: CoreRng,
    /// This device's clock, unix milliseconds.
    pub(crate) now_ms: u64,
    /// What the server and the key safe say of the time.
    pub(crate) clock: Clock,
    /// Whether the socket is open and greeted.
    pub(crate) online: bool,
    /// Seals what goes through the socket, once the link is active.
    pub(crate) link: Option<ClientLink>,
    /// What parts ask of one another.
    pub(crate) effects: Effects,
    next_request: u64,
    pending: std::collections::BTreeMap<u64, Purpose>,
}

const JSON: &str = "application/json";
const OCTETS: &str = "application/octet-stream";

impl Io {
    pub(crate) fn new(rng: CoreRng) -> Self {
        Self {
            out: Vec::new(),
            timers: Timers::default(),
            rng,
            now_ms: 0,
            clock: Clock::default(),
            online: false,
            link: None,
            effects: Effects::default(),
            next_request: 1,
            pending: std::collections::BTreeMap::new(),
        }
    }

    /// Server time, unix seconds: for what is exchanged.
    pub(crate) fn now(&self) -> u64 {
        self.clock.now(self.now_ms)
    }

    /// Server time as far as this device's clock bears it out, unix seconds: for what is stored.
    pub(crate) fn stamp(&self) -> u64 {
        self.clock.stamp(self.now_ms)
    }

    /// The time that a message is shown and put in order by, unix milliseconds: the server's, as far as
    /// this device's clock bears it out.
    pub(crate) fn shown_ms(&self) -> u64 {
        self.clock.shown_ms(self.now_ms)
    }

    /// This device's milliseconds at a server second.
    pub(crate) fn local_ms(&self, server_secs: u64) -> u64 {
        self.clock.device_ms(server_secs)
    }

    /// This device's time in so many milliseconds, unix milliseconds.
    pub(crate) const fn after_ms(&self, ms: u64) -> u64 {
        self.now_ms.saturating_add(ms)
    }

    /// Asks other parts for something.
    pub(crate) fn ask(&mut self, effect: Effect) {
        self.effects.ask(effect);
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }

    /// Tells that something was refused.
    pub(crate) fn refused(
        &mut self,
        refusal: Refusal,
        chat: Option<ConversationId>,
        message: Option<MessageId>,
    ) {
        self.event(Event::Refused {
            code: refusal.code().to_owned(),
            text: refusal.to_string(),
            chat,
            message,
        });
    }

    /// Tells that a command was not carried out.
    pub(crate) fn failed(&mut self, during: &str, failure: Failure) {
        self.failed_at(during, failure, None, None);
    }

    /// Tells that a command about a chat or message was not carried out.
    pub(crate) fn failed_at(
        &mut self,
        during: &str,
        failure: Failure,
        chat: Option<ConversationId>,
        message: Option<MessageId>,
    ) {
        self.tell_failed(during, failure, chat, message, None);
    }

    /// Tells that a text was not taken. The tab finds it by its tag and still has it.
    pub(crate) fn failed_text(
        &mut self,
        failure: Failure,
        chat: ConversationId,
        tag: Option<String>,
    ) {
        self.tell_failed("send", failure, Some(chat), None, tag);
    }

    fn tell_failed(
        &mut self,
        during: &str,
        failure: Failure,
        chat: Option<ConversationId>,
        message: Option<MessageId>,
        tag: Option<String>,
    ) {
        self.event(Event::Failed {
            during: during.to_owned(),
            code: failure.code,
            text: failure.text,
            chat,
            message,
            tag,
            retry_after_secs: failure.retry_after_secs,
        });
    }

    pub(crate) fn notice(&mut self, code: &str, text: &str, chat: Option<ConversationId>) {
        self.event(Event::Notice {
            code: code.to_owned(),
            text: text.to_owned(),
            chat,
        });
    }

    /// Sends a frame of JSON; lost when the socket is closed, as every caller expects.
    pub(crate) fn frame(&mut self, frame: &ClientFrame) {
        if self.online {
            self.payload(&json_of(frame));
        }
    }

    /// Seals a payload of at most [`protocol::link::MAX_PAYLOAD`] bytes for the socket; lost without a link.
    pub(crate) fn payload(&mut self, payload: &[u8]) {
        let at = self.link_secs();
        let Some(link) = self.link.as_mut() else {
            return;
        };
        match link.seal(at, payload) {
            Ok(frame) => self.out.push(Output::SocketFrame(frame)),
            // The link stays as it is.
            Err(LinkError::TooLong) => {}
            Err(_) => self.link = None,
        }
        self.renew_link();
    }

    /// Gives the link fresh keys once it is time for it.
    pub(crate) fn renew_link(&mut self) {
        let at = self.link_secs();
        let Some(link) = self.link.as_mut() else {
            return;
        };
        if link.wants_renewal(at) {
            match link.renew(&mut self.rng, at) {
                Ok(frame) => self.out.push(Output::SocketFrame(frame)),
                Err(_) => self.link = None,
            }
        }
    }

    /// The time by which links age, which no server tells and nobody puts back, seconds.
    pub(crate) const fn link_secs(&self) -> u64 {
        self.clock.elapsed_ms() / 1_000
    }

    pub(crate) fn get(&mut self, path: &str, purpose: Purpose) {
        self.request("GET", path.to_owned(), None, Zeroizing::default(), purpose);
    }

    pub(crate) fn delete(&mut self, path: &str, purpose: Purpose) {
        self.request(
            "DELETE",
            path.to_owned(),
            None,
            Zeroizing::default(),
            purpose,
        );
    }

    pub(crate) fn post(&mut self, path: &str, body: &impl Serialize, purpose: Purpose) {
        self.json("POST", path, body, purpose);
    }

    pub(crate) fn put(&mut self, path: &str, body: &impl Serialize, purpose: Purpose) {
        self.json("PUT", path, body, purpose);
    }

    pub(crate) fn post_octets(&mut self, path: &str, body: Vec<u8>, purpose: Purpose) {
        self.request(
            "POST",
            path.to_owned(),
            Some(OCTETS),
            Zeroizing::new(body),
            purpose,
        );
    }

    fn json(&mut self, method: &'static str, path: &str, body: &impl Serialize, purpose: Purpose) {
        self.request(method, path.to_owned(), Some(JSON), json_of(body), purpose);
    }

    fn request(
        &mut self,
        method: &'static str,
        path: String,
        content_type: Option<&'static str>,
        body: Zeroizing<Vec<u8>>,
        purpose: Purpose,
    ) {
        let id = self.next_request;
        self.next_request += 1;
        self.pending.insert(id, purpose);
        self.out.push(Output::Http {
            id,
            method,
            path: format!("/api/v1{path}"),
            content_type,
            body,
        });
    }

    /// The purpose of an answered request, once.
    pub(crate) fn answered(&mut self, id: u64) -> Option<Purpose> {
        self.pending.remove(&id)
    }

    /// Whether the answer to a step that decides is under way.
    pub(crate) fn awaits_outcome(&self) -> bool {
        let mut purposes = self.pending.values();
        purposes.any(|purpose| matches!(purpose, Purpose::Flow(step) if step.decides()))
    }

    /// Forgets the steps of a way in to which answers may still come.
    pub(crate) fn forget_steps(&mut self) {
        self.pending
            .retain(|_, purpose| !matches!(purpose, Purpose::Flow(_)));
    }

    /// Forgets what the answers to come were for, and what was asked for.
    pub(crate) fn forget_requests(&mut self) {
        self.effects.clear();
        self.pending.clear();
    }
}

/// Counts what is written to it.
#[derive(Default)]
struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A body as JSON, in a buffer that is wiped. It is measured first: a buffer that grew would leave parts
/// of proofs behind in freed memory.
fn json_of(body: &impl Serialize) -> Zeroizing<Vec<u8>> {
    // Our own types have string keys only, so that this cannot fail.
    let mut length = Length::default();
    let measured = serde_json::to_writer(&mut length, body);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length.0));
    if measured.is_err() || serde_json::to_writer(&mut *bytes, body).is_err() {
        bytes.clear();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::json_of;

    #[test]
    fn a_body_is_written_into_a_buffer_that_never_grew() {
        let body = vec!["a proof"; 1_000];
        let bytes = json_of(&body);
        assert_eq!(*bytes, serde_json::to_vec(&body).unwrap());
        assert_eq!(bytes.capacity(), bytes.len());
    }
}
