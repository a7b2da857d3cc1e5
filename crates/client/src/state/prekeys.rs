//! One's own prekeys: kept in stock, renewed every day, destroyed in time.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use protocol::prekeys::{ONE_TIME_PER_BATCH, generate_batch};

use crate::answers::Answer;
use crate::clock::TOLERANCE_SECS;
use crate::flows::parse;
use crate::id::ConversationId;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::refusal::Refusal;
use crate::state::inbox::Standing;
use crate::state::safes::After;
use crate::state::safes::Safe;
use crate::timers::Timer;
use crate::wire::{Blob, PrekeyBatch, PrekeyStock, PrekeysInUse};

/// Fewest one-time prekeys at the server before a new batch is made.
const LOW_STOCK: u32 = 50;
/// The same in the session of the registration, whose batch is small: half of it.
const FIRST_LOW_STOCK: u32 = 5;
/// How long a low stock is left alone after unlocking, milliseconds: making keys must not hold up what the
/// person wants to see.
const CALM_MS: u64 = 3_000;
/// The age at which a batch is replaced, seconds.
const BATCH_SECS: u64 = 86_400;
/// How often prekeys are looked after, milliseconds.
const EVERY_MS: u64 = 600_000;
/// How far above our count of batches the server's word is believed. Another session of ours can be ahead by a
/// few; no session can be ahead by more, because a number is stored before it is published.
const BELIEVED_AHEAD: u32 = 1_000;
/// Most private halves up to which more than one batch a day is made: about forty batches.
const MAX_HELD: usize = 4_096;

/// What this session has done for its prekeys.
#[derive(Default)]
pub(crate) struct Batches {
    /// One-time prekeys that the server said it has left.
    stock: Option<u32>,
    /// The batch that is being stored and then published.
    publishing: bool,
    /// A batch whose private halves are stored and that the server has not taken.
    unpublished: Option<Vec<u8>>,
    /// The newest batch, and since when this session knows it, by this core's own running time.
    newest: Option<(u32, u64)>,
    /// This is the session of the registration.
    first: bool,
    /// A stock that is only low is left alone until then.
    calm_until_ms: u64,
}

impl Batches {
    /// The account was opened.
    pub(crate) fn opened(&mut self, io: &Io, by_registration: bool) {
        self.first = by_registration;
        self.calm_until_ms = io.after_ms(CALM_MS);
    }

    /// Another identity has published its first batch.
    pub(crate) fn replaced(&mut self) {
        *self = Self {
            stock: u32::try_from(ONE_TIME_PER_BATCH).ok(),
            ..Self::default()
        };
    }

    /// Whether this session has known the newest batch for a day, by this core's own running time.
    fn worn(&mut self, newest: u32, now_ms: u64) -> bool {
        let known = self.newest.filter(|(number, _)| *number == newest);
        let (_, since) = *self.newest.insert(known.unwrap_or((newest, now_ms)));
        now_ms.saturating_sub(since) >= BATCH_SECS * 1_000
    }
}

impl Batches {
    /// Asks the server how much is left and what is in use.
    pub(crate) fn look_after_prekeys(&mut self, io: &mut Io, safe: &Safe) {
        io.timers.set(Timer::Prekeys, io.now_ms + EVERY_MS);
        io.get("/prekeys", Purpose::Open(Open::Stock));
        let any_due = !safe.prekeys().due(io.stamp(), &[]).is_empty();
        if any_due {
            io.get("/prekeys/in-use", Purpose::Open(Open::InUse));
        }
    }

    pub(crate) fn stock_came(&mut self, io: &mut Io, answer: Answer, safe: &mut Safe) {
        let Some((200, body)) = answer else {
            return;
        };
        let Ok(stock) = parse::<PrekeyStock>(&body) else {
            return;
        };
        self.stock = Some(stock.stock);
        if self.publishing {
            return;
        }
        if let Some(batch) = self.unpublished.clone() {
            self.publish_batch(io, batch);
            return;
        }
        let now = io.stamp();
        let newest = safe
            .prekeys()
            .iter()
            .map(|(_, entry)| entry.created_at)
            .max()
            .unwrap_or(0);
        let number = safe.prekeys().newest_batch().unwrap_or(0);
        let worn = self.worn(number, io.clock.elapsed_ms());
        let old = worn
            || now.saturating_sub(newest) >= BATCH_SECS
            // Made while a clock was ahead: nobody who has not seen it takes it.
            || newest > now.saturating_add(TOLERANCE_SECS);
        let at_server = self.believed(io, stock.batch_number, safe);
        let unknown = number < at_server;
        let room = safe.prekeys().iter().count() < MAX_HELD;
        let least = if self.first {
            FIRST_LOW_STOCK
        } else {
            LOW_STOCK
        };
        let low = room && stock.stock < least;
        let calm = stock.stock > 0 && io.now_ms < self.calm_until_ms;
        if old || (room && unknown) || (low && !calm) {
            self.new_batch(io, at_server, safe);
        } else if low {
            io.timers.set_earlier(Timer::Prekeys, self.calm_until_ms);
        }
    }

    /// The number of the newest batch by the server's word, as far as it can be true.
    fn believed(&self, io: &mut Io, at_server: u32, safe: &Safe) -> u32 {
        let ours = safe.contents().batch_number;
        if at_server > ours.saturating_add(BELIEVED_AHEAD) {
            io.refused(Refusal::Malformed, None, None);
            return ours;
        }
        at_server
    }

    /// Makes a batch: private halves are stored before public ones are published.
    fn new_batch(&mut self, io: &mut Io, at_server: u32, safe: &mut Safe) {
        let highest = safe.contents().batch_number.max(at_server);
        let Some(number) = highest.checked_add(1) else {
            return;
        };
        self.publishing = true;
        let now = io.stamp();
        let batch = generate_batch(
            &mut io.rng,
            &safe.contents().secrets,
            safe.user(),
            number,
            ONE_TIME_PER_BATCH,
            now,
            &safe.prekeys().taken_ids(),
        );
        safe.edit().batch_number = number;
        let signed = safe.edit_prekeys().add_batch(batch);
        safe.when_stored(After::Publish(signed.encode()));
    }

    /// The private halves are stored.
    pub(crate) fn publish_batch(&mut self, io: &mut Io, batch: Vec<u8>) {
        self.publishing = true;
        self.unpublished = Some(batch.clone());
        io.put(
            "/prekeys",
            &PrekeyBatch {
                batch: Blob::from(batch),
            },
            Purpose::Open(Open::BatchPut),
        );
    }

    pub(crate) fn batch_put(&mut self, io: &mut Io, answer: Answer, safe: &mut Safe) {
        self.publishing = false;
        match answer {
            Some((200..=299, _)) => {
                self.unpublished = None;
                let number = safe.contents().batch_number;
                let now = io.stamp();
                safe.edit_prekeys().published(number, now);
            }
            // Out of reach, or busy: the same batch once more at the next look.
            None | Some((429 | 500.., _)) => {}
            // It says no to this batch; another one may do.
            Some(_) => self.unpublished = None,
        }
    }

    /// A message came under the last resort although one-time pairs were there.
    ///
    /// A sender chooses what to seal to, so that only a contact's word, under the pinned keys, says
    /// anything about the server.
    pub(crate) fn last_resort_used(&mut self, io: &mut Io, chat: ConversationId, sender: Standing) {
        if sender == Standing::Pinned && self.stock.is_some_and(|stock| stock > 0) {
            io.notice(
                "last-resort-used",
                "A message came with weaker protection although better keys were there. The server may hold them back, or the sender's program did not take one.",
                Some(chat),
            );
        }
    }
}

/// Destroys the prekeys whose time is over, except those that the server lists as waiting or claimed.
pub(crate) fn in_use_came(io: &Io, safe: &mut Safe, answer: Answer) {
    let Some((200, body)) = answer else {
        return;
    };
    let Ok(in_use) = parse::<PrekeysInUse>(&body) else {
        return;
    };
    let now = io.stamp();
    let due = safe.prekeys().due(now, &in_use.ids);
    if due.is_empty() {
        return;
    }
    safe.edit_prekeys().destroy(&due, now);
    let kept: Vec<u32> = safe.prekeys().iter().map(|(id, _)| id).collect();
    safe.edit().replay.retain(|key| kept.contains(&key.id));
}
