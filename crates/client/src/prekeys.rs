//! One's own prekeys: kept in stock, renewed every day, destroyed in time.

use protocol::prekeys::{ONE_TIME_PER_BATCH, generate_batch};

use crate::account::parse;
use crate::answers::Answer;
use crate::id::Id;
use crate::inbox::Standing;
use crate::io::Io;
use crate::purpose::{Open, Purpose};
use crate::safe::After;
use crate::timers::Timer;
use crate::unlocked::Unlocked;
use crate::wire::{Blob, PrekeyStock, PrekeysInUse, PutPrekeys};

/// A new batch below this stock.
const LOW_STOCK: u32 = 50;
/// A new batch after this time, seconds.
const BATCH_SECS: u64 = 86_400;
/// How often prekeys are looked after, milliseconds.
const EVERY_MS: u64 = 600_000;

impl Unlocked {
    /// Asks the server how much is left and what is in use.
    pub(crate) fn look_after_prekeys(&mut self, io: &mut Io) {
        io.timers.set(Timer::Prekeys, io.now_ms + EVERY_MS);
        io.get("/prekeys", Purpose::Open(Open::Stock));
        let any_due = !self.safe.prekeys().due(io.now(), &[]).is_empty();
        if any_due {
            io.get("/prekeys/in-use", Purpose::Open(Open::InUse));
        }
    }

    pub(crate) fn stock_came(&mut self, io: &mut Io, answer: Answer) {
        let Some((200, body)) = answer else {
            return;
        };
        let Ok(stock) = parse::<PrekeyStock>(&body) else {
            return;
        };
        self.stock = Some(stock.stock);
        let newest = self
            .safe
            .prekeys()
            .iter()
            .map(|(_, entry)| entry.created_at)
            .max()
            .unwrap_or(0);
        let old = io.now().saturating_sub(newest) >= BATCH_SECS;
        let unknown = self.safe.prekeys().newest_batch().unwrap_or(0) < stock.batch_number;
        if (stock.stock < LOW_STOCK || old || unknown) && !self.publishing {
            self.new_batch(io, stock.batch_number);
        }
    }

    /// Makes a batch: private halves are stored before public ones are published.
    fn new_batch(&mut self, io: &mut Io, at_server: u32) {
        self.publishing = true;
        let now = io.now();
        let contents = self.safe.contents();
        let number = contents.batch_number.max(at_server) + 1;
        let batch = generate_batch(
            &mut io.rng,
            &contents.secrets,
            self.user,
            number,
            ONE_TIME_PER_BATCH,
            now,
            &self.safe.prekeys().taken_ids(),
        );
        self.safe.edit().batch_number = number;
        let signed = self.safe.edit_prekeys().add_batch(batch);
        self.safe.when_stored(After::Publish(signed.encode()));
    }

    /// The private halves are stored.
    pub(crate) fn publish_batch(&mut self, io: &mut Io, batch: Vec<u8>) {
        io.put(
            "/prekeys",
            &PutPrekeys { batch: Blob(batch) },
            Purpose::Open(Open::BatchPut),
        );
    }

    pub(crate) fn batch_put(&mut self, io: &mut Io, answer: Answer) {
        self.publishing = false;
        if let Some((200..=299, _)) = answer {
            let number = self.safe.contents().batch_number;
            let now = io.now();
            self.safe.edit_prekeys().published(number, now);
        }
    }

    /// What the server lists as waiting or leased is kept.
    pub(crate) fn in_use_came(&mut self, io: &mut Io, answer: Answer) {
        let Some((200, body)) = answer else {
            return;
        };
        let Ok(in_use) = parse::<PrekeysInUse>(&body) else {
            return;
        };
        let now = io.now();
        let due = self.safe.prekeys().due(now, &in_use.ids);
        if due.is_empty() {
            return;
        }
        self.safe.edit_prekeys().destroy(&due, now);
        let kept: Vec<u32> = self.safe.prekeys().iter().map(|(id, _)| id).collect();
        self.safe.edit().replay.retain(|key| kept.contains(&key.id));
    }

    /// A message came under the last resort although one-time pairs were there.
    ///
    /// A sender chooses what to seal to, so that only a contact's word, under the pinned keys, says
    /// anything about the server.
    pub(crate) fn last_resort_used(&mut self, io: &mut Io, chat: Id, sender: Standing) {
        if sender == Standing::Pinned && self.stock.is_some_and(|stock| stock > 0) {
            io.notice(
                "last-resort-used",
                "A message came with weaker protection although better keys were there. The server may hold them back, or the sender's program did not take one.",
                Some(chat),
            );
        }
    }
}
