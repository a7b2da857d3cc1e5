//! Compares heads with the records that they sign.

use super::{MOST_ASIDE, Verifier};
use crate::finding::Finding;
use crate::head::SignedHead;

impl Verifier {
    pub(super) fn settle_waiting(&mut self) {
        for head in std::mem::take(&mut self.waiting) {
            self.judge(head);
        }
    }

    pub(super) fn judge(&mut self, head: SignedHead) {
        let Some(key) = &self.key else { return };
        let (number, record_id) = (head.head.number, head.head.record_id);
        if !key.verify(&head) {
            self.forged += 1;
            self.find(Finding::ForgedHead { number, record_id });
            return;
        }
        let known = match self.last_number {
            Some(known) => known,
            // Heads of records that are not part of this went with them.
            None if self.first.is_some_and(|(first, _)| first > 1) => number - number.min(1),
            None => 0,
        };
        if number <= known {
            self.find(Finding::MisplacedHead { number });
            return;
        }
        if number > known.saturating_add(1 + self.forged) {
            self.find(Finding::MissingHeads {
                from: known.saturating_add(1),
                to: number - 1,
            });
        }
        self.last_number = Some(number);
        self.forged = 0;
        if record_id == self.last.0 {
            self.compare(&head);
        } else if record_id > self.last.0 {
            self.newest_ahead = self.newest_ahead.max(record_id);
            if self.ahead.len() < MOST_ASIDE {
                self.ahead.push(head);
            }
        } else if self.first.is_some_and(|(first, _)| record_id >= first) {
            self.find(Finding::MisplacedHead { number });
        }
    }

    /// Holds a head whose signatures hold against the newest record.
    pub(super) fn compare(&mut self, head: &SignedHead) {
        let (id, hash) = self.last;
        if self.previous.is_none() {
            // What is wrong with this record is told already.
            return;
        }
        if head.head.hash == hash {
            self.heads += 1;
            if !self.rewritten {
                self.vouched = self.vouched.max(id);
                self.unsigned_since = None;
            }
        } else if !self.rewritten {
            self.rewritten = true;
            self.find(Finding::Rewritten {
                after: self.vouched,
                id,
                number: head.head.number,
            });
        }
    }
}
