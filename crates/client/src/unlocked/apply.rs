//! What an opened message does, by its kind and by what its sender may do.

use protocol::envelope::Content;

use crate::command::Burn;
use crate::event::{Event, Spoken};
use crate::id::{ConversationId, UserId};
use crate::io::Io;
use crate::refusal::Refusal;
use crate::state::conversations::Origin;
use crate::state::inbox::authority::{May, Standing};
use crate::state::inbox::open::Opened;
use crate::unlocked::Unlocked;
use crate::unlocked::words::Arrived;

/// How long a sign of typing is shown, milliseconds.
const TYPING_MS: u64 = 5_000;

impl Unlocked {
    /// A message was opened for the first time.
    pub(super) fn first_opened(&mut self, io: &mut Io, mut opened: Opened, parcel: Vec<u8>) {
        let id = opened.id;
        let claim = opened.epoch.sender;
        let sender = claim.user_id;
        let peer: UserId = match opened.slot.conversation.peer(&self.user, &claim.user_id) {
            Ok(Some(peer)) => peer,
            _ => {
                let chat = Some(ConversationId::with(sender));
                io.refused(Refusal::CrossDelivered, chat, Some(id));
                self.inbox.never_again(id);
                return;
            }
        };
        let chat = ConversationId::with(peer);
        let standing = self.safe.standing(&claim);
        let may = standing.may(opened.slot.kind);
        self.inbox.keep(&opened, chat);
        // Theirs, and what another session of ours says to them.
        if self.safe.contents().is_blocked(&peer) {
            self.inbox.finish(id);
            return;
        }
        let warnings = self.warnings_of(io, chat, standing, &opened);
        if standing == Standing::Own
            && let Some(mark) = opened.slot.safe_mark
        {
            self.safe.safe_promised(io, mark);
        }
        let content = std::mem::replace(&mut opened.content, Content::Sync);
        let slot = &opened.slot;
        let end = slot.sent_at.saturating_add(u64::from(slot.life_secs));
        let arrived = Arrived {
            origin: Origin {
                chat,
                sender,
                id,
                writer: claim.fingerprint,
                trusted: standing.is_trusted(),
            },
            mine: standing == Standing::Own,
            live: opened.live,
            sent_at: slot.sent_at,
            end: self.inbox.ends(id).map_or(end, |ends| end.min(ends)),
            burn: match (slot.burn_on_read, slot.burn_after_secs) {
                (false, _) => Burn::Never,
                (true, 0) => Burn::OnRead,
                (true, secs) => Burn::After(secs),
            },
            warnings,
            parcel,
            spoken: Spoken {
                session: *slot.session.as_bytes(),
                number: slot.sequence,
                at: slot.sent_at,
            },
        };
        if arrived.end < io.now() {
            self.came_late(io, &arrived, &content);
            return;
        }
        match may {
            May::Nothing | May::Left => self.finish_incoming(io, id),
            May::Refused => {
                io.refused(Refusal::UnacceptedKeys, Some(chat), Some(id));
                self.finish_incoming(io, id);
            }
            May::Change => self.change_came(io, &arrived.origin, standing, &content),
            May::Words => match &content {
                Content::Text { text, .. } => self.text_came(io, arrived, text.as_str()),
                Content::Request { greeting, .. } => self.greeted(io, arrived, greeting),
                _ => self.finish_incoming(io, id),
            },
            May::Act | May::Ask => self.act(io, arrived, standing, content),
        }
    }

    /// The warnings that a message is shown with, about its order, its keys and its path.
    pub(crate) fn warnings_of(
        &mut self,
        io: &mut Io,
        chat: ConversationId,
        standing: Standing,
        opened: &Opened,
    ) -> Vec<String> {
        // Whoever has other keys does not count the messages of those who have the pinned ones.
        let mut warnings = if standing.is_trusted() {
            self.inbox
                .order_of(io, chat, opened, &mut self.chats, &self.safe)
        } else {
            Vec::new()
        };
        if opened.last_resort {
            warnings.push("last-resort".to_owned());
            self.batches.last_resort_used(io, chat, standing);
        } else if self.inbox.pair_is_shared(&opened.epoch, &self.safe) {
            // No better than the last resort, which everybody gets.
            warnings.push("last-resort".to_owned());
            self.inbox
                .shared_pair_used(io, chat, &opened.epoch, &self.safe);
        }
        if standing == Standing::OtherKeys {
            self.safe
                .note_other_keys(io, chat.peer(), &opened.epoch.sender.fingerprint);
        }
        if !standing.is_trusted()
            || (standing != Standing::Own && self.contacts.key_changed(chat.peer(), &self.safe))
        {
            warnings.push("key-changed".to_owned());
        }
        warnings
    }

    pub(crate) fn act(
        &mut self,
        io: &mut Io,
        arrived: Arrived,
        standing: Standing,
        content: Content,
    ) {
        let Origin { chat, id, .. } = arrived.origin;
        match content {
            Content::Text { text, .. } => self.text_came(io, arrived, text.as_str()),
            Content::Request {
                alias,
                greeting,
                invite,
                ..
            } => {
                if arrived.mine {
                    self.greeted(io, arrived, &greeting);
                } else {
                    let alias = standing.is_trusted().then(|| alias.as_str());
                    self.request_came(io, arrived, alias, &greeting);
                    if let (Some(code), Some(_)) = (invite, self.safe.pending(chat)) {
                        self.contacts.came_by(io, chat, code);
                    }
                }
            }
            Content::Accept { alias, .. } => {
                self.accepted_by(io, chat, alias.as_str());
                self.finish_incoming(io, id);
            }
            Content::Profile { alias } => {
                self.safe.renamed(io, chat, alias.as_str());
                self.finish_incoming(io, id);
            }
            Content::Receipt(receipts) => {
                self.receipts_came(io, chat, &receipts);
                self.finish_incoming(io, id);
            }
            Content::Typing { active } => {
                let until_ms = io.now_ms + if active { TYPING_MS } else { 0 };
                io.event(Event::Typing { chat, until_ms });
                self.finish_incoming(io, id);
            }
            Content::Edit { .. } | Content::Delete { .. } | Content::Sync => {
                self.finish_incoming(io, id);
            }
        }
    }
}
