//! Writes unsent messages into bytes that are sealed at a lock, and reads them back.

use std::collections::BTreeMap;

use protocol::DecodeError;
use protocol::codec::{Reader, Writer};
use protocol::envelope::{
    BodyHash, Content, ContentKey, EarlierEnds, SealedBody, SentRecord, SequenceCounter, Submission,
};
use protocol::identity::Fingerprint;
use protocol::safe::{UnsentFront, seal_unsent};

use super::{Outgoing, Sealed, Stage, Stamp};
use crate::command::Burn;
use crate::event::{MessageState, MessageView};
use crate::id::{ConversationId, LiveId, MessageId, UserId};
use crate::io::Io;
use crate::secret_text::SecretText;
use crate::state::conversations::Conversations;
use crate::state::outbox::Outbox;
use crate::state::safes::Safe;

/// Most entries of a kind; more than a person writes in the longest life of a message.
const MAX_ENTRIES: usize = 1 << 20;
/// Least bytes of an entry: two ids, burn rule, life and end.
const MIN_ENTRY: usize = 16 + 16 + 5 + 4 + 8;

/// What every entry begins with.
struct Entry {
    id: MessageId,
    chat: ConversationId,
    burn: Burn,
    life_secs: u32,
    expires_at: u64,
}

impl Outbox {
    /// Seals what was written and not sent; nothing where there is none.
    pub(crate) fn seal_unsent(
        &self,
        io: &mut Io,
        chats: &Conversations,
        safe: &Safe,
    ) -> Option<Vec<u8>> {
        let items = self.items.iter();
        let mut unsent: Vec<_> = items
            .filter(|(id, item)| item.outlives_lock() && !chats.is_collected(**id))
            .collect();
        unsent.sort_by_key(|(_, item)| item.written);
        let all = chats.all();
        let failed = all.filter(|(_, view)| view.mine && view.state == MessageState::Failed);
        let failed: Vec<(ConversationId, &MessageView)> = failed.collect();
        if unsent.is_empty() && failed.is_empty() {
            return None;
        }
        let mut counts = BTreeMap::new();
        let sent_by_unlocking = |item: &&Outgoing| item.stage != Stage::Held && item.is_written();
        for item in unsent
            .iter()
            .map(|(_, item)| *item)
            .filter(sent_by_unlocking)
        {
            *counts.entry(item.chat.peer()).or_insert(0_u32) += 1;
        }
        let front = UnsentFront {
            user_id: self.user,
            chats: counts.into_iter().collect(),
        };
        let contents = |writer: &mut Writer| {
            writer.len32(unsent.len());
            for (id, item) in &unsent {
                write_item(writer, **id, item);
                write_shown(
                    writer,
                    chats.message(item.chat, **id).filter(|view| view.mine),
                );
            }
            writer.len32(failed.len());
            for (chat, view) in &failed {
                let entry = Entry {
                    id: view.id,
                    chat: *chat,
                    burn: view.burn,
                    life_secs: chats.life_of(view.id).unwrap_or_default(),
                    expires_at: view.expires_at.unwrap_or_default(),
                };
                entry.write(writer);
                write_shown(writer, Some(view));
                writer
                    .bytes16(view.failure.as_deref().unwrap_or_default().as_bytes())
                    .bytes16(view.failure_text.as_deref().unwrap_or_default().as_bytes());
            }
        };
        Some(seal_unsent(&mut io.rng, safe.key(), front, &contents))
    }

    /// Puts what [`Outbox::seal_unsent`] sealed back into the outbox and on the screen.
    pub(crate) fn take_up_unsent(
        &mut self,
        io: &mut Io,
        bytes: &[u8],
        chats: &mut Conversations,
        safe: &Safe,
    ) -> Result<(), DecodeError> {
        let mut reader = Reader::new(bytes);
        let mut items = Vec::new();
        let mut views = Vec::new();
        for _ in 0..reader.count32(MAX_ENTRIES, MIN_ENTRY)? {
            let (id, item) = read_item(&mut reader)?;
            if let Some(mut view) = read_shown(&mut reader, id, item.burn)? {
                view.expires_at = Some(item.expires_at);
                view.path = if item.rests() { "waiting" } else { "live" }.to_owned();
                view.state = match item.stage {
                    Stage::Held => MessageState::Held,
                    _ => MessageState::Sending,
                };
                views.push((item.chat, item.life_secs, view));
            }
            items.push((id, item));
        }
        for _ in 0..reader.count32(MAX_ENTRIES, MIN_ENTRY)? {
            let entry = Entry::read(&mut reader)?;
            let shown = read_shown(&mut reader, entry.id, entry.burn)?;
            let (code, text) = (reader.text16(usize::MAX)?, reader.text16(usize::MAX)?);
            if let Some(mut view) = shown {
                view.expires_at = Some(entry.expires_at);
                view.state = MessageState::Failed;
                view.failure = Some(code.to_owned());
                view.failure_text = Some(text.to_owned());
                views.push((entry.chat, entry.life_secs, view));
            }
        }
        reader.finish()?;
        views.retain(|(chat, ..)| safe.may_write(*chat).is_ok());
        views.sort_by_key(|(.., view)| view.seen_ms);
        for (chat, life_secs, mut view) in views {
            if view.expires_at.is_some_and(|at| at <= io.now()) {
                view.state = MessageState::Expired;
            }
            chats.take_up(&view, life_secs);
            chats.put_message(io, chat, view, safe);
        }
        items.retain(|(_, item)| item.expires_at > io.now() && safe.may_write(item.chat).is_ok());
        for (id, item) in items {
            self.written = self.written.max(item.written);
            if item.stage == Stage::Queued {
                self.queue.push(id);
            }
            self.items.insert(id, item);
        }
        Ok(())
    }
}

impl Outgoing {
    /// Whether it is sent after a lock. The server has what it accepted; signs of typing and receipts
    /// are not worth it, and what was opened by its recipient has arrived.
    fn outlives_lock(&self) -> bool {
        let arrived = self.sealed.as_ref().is_some_and(|sealed| sealed.receipted);
        let unsent = matches!(self.stage, Stage::Queued | Stage::Held | Stage::Submitted);
        unsent && self.counted() && !arrived
    }

    /// Whether a person wrote it, so that it counts as a message to them.
    fn is_written(&self) -> bool {
        self.is_said() || self.waits()
    }
}

impl Entry {
    fn write(&self, writer: &mut Writer) {
        writer
            .raw(self.id.as_bytes())
            .raw(self.chat.peer().as_bytes());
        let (rule, secs) = match self.burn {
            Burn::Never => (0, 0),
            Burn::OnRead => (1, 0),
            Burn::After(secs) => (2, secs),
        };
        writer.u8(rule).u32(secs);
        writer.u32(self.life_secs).u64(self.expires_at);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            id: MessageId::from_bytes(*reader.array()?),
            chat: ConversationId::with(UserId::from_bytes(*reader.array()?)),
            burn: match (reader.u8()?, reader.u32()?) {
                (0, _) => Burn::Never,
                (1, _) => Burn::OnRead,
                (2, secs) => Burn::After(secs),
                _ => return Err(DecodeError::InvalidValue("burn rule")),
            },
            life_secs: reader.u32()?,
            expires_at: reader.u64()?,
        })
    }
}

fn write_item(writer: &mut Writer, id: MessageId, item: &Outgoing) {
    let entry = Entry {
        id,
        chat: item.chat,
        burn: item.burn,
        life_secs: item.life_secs,
        expires_at: item.expires_at,
    };
    entry.write(writer);
    let stage = match item.stage {
        Stage::Held => 1,
        Stage::Submitted => 2,
        Stage::Queued | Stage::TakenBack | Stage::Accepted => 0,
    };
    writer.u8(stage).u64(item.written).bool(item.copy);
    item.content.write(writer);
    writer.bool(item.sealed.is_some());
    if let Some(sealed) = &item.sealed {
        let stamp = &sealed.stamp;
        writer
            .raw(sealed.body.key.expose())
            .raw(stamp.session.as_bytes())
            .u64(stamp.sequence)
            .raw(&stamp.previous);
        stamp.earlier.write(writer);
        writer
            .u64(stamp.sent_at)
            .raw(sealed.record.fingerprint.as_bytes())
            .bytes32(&sealed.submission);
    }
}

fn read_item(reader: &mut Reader<'_>) -> Result<(MessageId, Outgoing), DecodeError> {
    let entry = Entry::read(reader)?;
    let stage = match reader.u8()? {
        0 => Stage::Queued,
        1 => Stage::Held,
        2 => Stage::Submitted,
        _ => return Err(DecodeError::InvalidValue("stage")),
    };
    let (written, copy) = (reader.u64()?, reader.bool("copy")?);
    let content = Content::read(reader)?;
    let sealed = if reader.bool("sealed")? {
        Some(read_sealed(reader, &entry)?)
    } else {
        None
    };
    let item = Outgoing {
        chat: entry.chat,
        content,
        burn: entry.burn,
        life_secs: entry.life_secs,
        stage,
        sealed,
        copy,
        wanted: None,
        expires_at: entry.expires_at,
        tries: 0,
        refused: None,
        written,
    };
    Ok((entry.id, item))
}

fn read_sealed(reader: &mut Reader<'_>, entry: &Entry) -> Result<Sealed, DecodeError> {
    let key = ContentKey::from_bytes(reader.array()?);
    let stamp = Stamp {
        session: LiveId::from_bytes(*reader.array()?),
        sequence: reader.u64()?,
        previous: *reader.array()?,
        earlier: EarlierEnds::read(reader)?,
        sent_at: reader.u64()?,
    };
    let fingerprint = Fingerprint::from_bytes(*reader.array()?);
    let bytes = reader.bytes32(usize::MAX)?;
    let submission = Submission::decode(bytes)?;
    Ok(Sealed {
        stamp,
        // Its number belongs to a session that is over.
        before: SequenceCounter::default(),
        record: SentRecord::new(entry.id, entry.chat.peer(), fingerprint),
        submission: bytes.to_vec(),
        targets: submission.slots.iter().map(|slot| slot.target).collect(),
        receipted: false,
        body: SealedBody {
            key,
            hash: BodyHash::of(&submission.body),
            bytes: submission.body,
        },
    })
}

/// What the screen shows of a message.
fn write_shown(writer: &mut Writer, view: Option<&MessageView>) {
    writer.bool(view.is_some());
    if let Some(view) = view {
        let text = view.text.as_ref().map_or("", SecretText::expose);
        writer
            .u64(view.sent_ms)
            .u64(view.seen_ms)
            .bool(view.edited)
            .bytes32(text.as_bytes());
    }
}

fn read_shown(
    reader: &mut Reader<'_>,
    id: MessageId,
    burn: Burn,
) -> Result<Option<MessageView>, DecodeError> {
    if !reader.bool("shown")? {
        return Ok(None);
    }
    let (sent_ms, seen_ms, edited) = (reader.u64()?, reader.u64()?, reader.bool("edited")?);
    let text = SecretText::from(reader.text32(usize::MAX)?);
    let mut view = MessageView::written(id, text, burn, sent_ms, seen_ms);
    view.edited = edited;
    Ok(Some(view))
}
