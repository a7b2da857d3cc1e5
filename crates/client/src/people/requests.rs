//! Requests of people who are no contacts: accept, refuse or block.

use protocol::identity::Fingerprint;
use protocol::safe::ContactState;

use crate::event::{Event, RequestView};
use crate::failure::Failure;
use crate::id::Id;
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::unlocked::Unlocked;

/// Somebody unknown who wrote. Their messages stay at the server until the person decides.
pub(crate) struct Request {
    pub(crate) fingerprint: Fingerprint,
    /// Their name, as they say.
    pub(crate) alias: String,
    pub(crate) greeting: SecretText,
    pub(crate) received_ms: u64,
    /// The request itself and whatever came with it.
    pub(crate) asks: Vec<Id>,
}

impl Unlocked {
    /// `accept_request`.
    pub(crate) fn accept_request(&mut self, io: &mut Io, chat: Id) {
        let Some(request) = self.requests.remove(&chat) else {
            io.failed_at(
                "accept_request",
                Failure::new("no-such-chat"),
                Some(chat),
                None,
            );
            return;
        };
        let handle = self.names_of(chat).0;
        self.put_contact(
            io,
            chat,
            request.fingerprint,
            ContactState::Accepted,
            &handle,
            &request.alias,
        );
        for id in request.asks {
            self.finish_incoming(io, id);
        }
        self.requests_dirty = true;
        self.send_accept(io, chat);
        // Texts that came with it were kept out of sight.
        self.emit_conversation(io, chat);
    }

    /// `refuse_request`.
    pub(crate) fn refuse_request(&mut self, io: &mut Io, chat: Id) {
        if !self.drop_request(io, chat) {
            io.failed_at(
                "refuse_request",
                Failure::new("no-such-chat"),
                Some(chat),
                None,
            );
        }
    }

    /// Deletes a request and all that came with it; false when there is none.
    pub(crate) fn drop_request(&mut self, io: &mut Io, chat: Id) -> bool {
        let Some(request) = self.requests.remove(&chat) else {
            return false;
        };
        let with_it: Vec<Id> = self
            .messages
            .get(&chat)
            .map(|messages| messages.keys().copied().collect())
            .unwrap_or_default();
        for id in request.asks.into_iter().chain(with_it) {
            self.finish_incoming(io, id);
            self.forget_message(io, chat, id);
        }
        self.requests_dirty = true;
        true
    }

    /// All requests.
    pub(crate) fn emit_requests(&self, io: &mut Io) {
        let mut requests: Vec<RequestView> = self
            .requests
            .iter()
            .map(|(chat, request)| {
                let (handle, alias) = self.names_of(*chat);
                RequestView {
                    chat: *chat,
                    handle,
                    alias: if request.alias.is_empty() {
                        alias
                    } else {
                        request.alias.clone()
                    },
                    greeting: request.greeting.clone(),
                    received_ms: request.received_ms,
                }
            })
            .collect();
        requests.sort_by_key(|request| std::cmp::Reverse(request.received_ms));
        io.event(Event::Requests { requests });
    }
}
