//! Witnesses: each has a thread and a bounded queue, so that a slow one delays nobody.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use api::bodies::WitnessState;

use super::deliver::{self, Deliver};
use crate::config::WitnessAddress;
use ambient::Ambient;

/// The most heads that wait for one witness. A later head covers the records of an earlier one, so the
/// oldest is dropped.
const QUEUE: usize = 64;

/// Waiting times after failures.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// After the first failure; each further one doubles it.
    pub first: Duration,
    /// The longest.
    pub most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            most: Duration::from_secs(300),
        }
    }
}

/// Everybody who is sent heads.
pub struct Witnesses {
    all: Vec<Arc<Witness>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Witness {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<(u64, String)>,
    state: WitnessState,
    closing: bool,
}

impl Witnesses {
    /// Starts a thread for each; `names` are shown as they are configured.
    pub fn start(
        addresses: &[WitnessAddress],
        names: &[String],
        ambient: &Ambient,
        backoff: Backoff,
    ) -> std::io::Result<Self> {
        let addressed = addresses.iter().zip(names);
        let delivering = addressed.map(|(address, name)| (name.clone(), deliver::to(address)));
        Self::delivering(delivering.collect(), ambient, backoff)
    }

    fn delivering(
        all: Vec<(String, Box<dyn Deliver>)>,
        ambient: &Ambient,
        backoff: Backoff,
    ) -> std::io::Result<Self> {
        let mut this = Self {
            all: Vec::new(),
            threads: Mutex::new(Vec::new()),
        };
        for (address, mut delivery) in all {
            let state = WitnessState {
                address,
                ..WitnessState::default()
            };
            let witness = Arc::new(Witness {
                inner: Mutex::new(Inner {
                    state,
                    ..Inner::default()
                }),
                changed: Condvar::new(),
            });
            this.all.push(Arc::clone(&witness));
            let ambient = ambient.clone();
            let thread = std::thread::Builder::new()
                .name("audit-witness".to_owned())
                .spawn(move || witness.run(&mut *delivery, &ambient, backoff))?;
            this.threads().push(thread);
        }
        Ok(this)
    }

    /// Queues a head for every witness.
    pub fn offer(&self, record_id: u64, line: &str) {
        for witness in &self.all {
            let mut inner = witness.inner();
            if inner.queue.len() >= QUEUE {
                inner.queue.pop_front();
                inner.state.skipped += 1;
            }
            inner.queue.push_back((record_id, line.to_owned()));
            inner.state.waiting = inner.queue.len() as u64;
            witness.changed.notify_all();
        }
    }

    /// Returns the state of every witness.
    pub fn states(&self) -> Vec<WitnessState> {
        let state = |witness: &Arc<Witness>| witness.inner().state.clone();
        self.all.iter().map(state).collect()
    }

    /// Lets each witness try its waiting heads once more, and ends the threads. Blocks.
    pub fn close(&self) {
        self.end();
        let threads: Vec<_> = self.threads().drain(..).collect();
        for thread in threads {
            // A thread that panicked said so already.
            let _ = thread.join();
        }
    }

    fn end(&self) {
        for witness in &self.all {
            witness.inner().closing = true;
            witness.changed.notify_all();
        }
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Witnesses {
    fn drop(&mut self) {
        self.end();
    }
}

impl Witness {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, delivery: &mut dyn Deliver, ambient: &Ambient, backoff: Backoff) {
        let mut wait = backoff.first;
        while let Some((record_id, line)) = self.next() {
            let outcome = delivery.deliver(&line);
            let mut inner = self.inner();
            match outcome {
                Ok(()) => {
                    wait = backoff.first;
                    if inner.state.error.take().is_some() {
                        let witness = &inner.state.address;
                        tracing::info!(%witness, "the witness takes heads again");
                    }
                    // Unless it made room meanwhile, it is still the first.
                    inner.queue.pop_front_if(|(first, _)| *first == record_id);
                    inner.state.taken += 1;
                    inner.state.newest_record = record_id;
                    inner.state.taken_at = Some(ambient.now());
                    inner.state.waiting = inner.queue.len() as u64;
                }
                Err(reason) => {
                    let witness = &inner.state.address;
                    if inner.state.error.is_none() {
                        tracing::error!(%witness, reason, "a witness does not take heads");
                    } else {
                        tracing::debug!(%witness, reason, "a witness still takes no heads");
                    }
                    inner.state.failures += 1;
                    inner.state.error = Some(reason);
                    if inner.closing {
                        return;
                    }
                    let closing = |inner: &mut Inner| !inner.closing;
                    drop(self.changed.wait_timeout_while(inner, wait, closing));
                    wait = (wait * 2).min(backoff.most);
                }
            }
        }
    }

    /// Waits for the next head; `None` if the queue is empty and closed.
    fn next(&self) -> Option<(u64, String)> {
        let idle = |inner: &mut Inner| inner.queue.is_empty() && !inner.closing;
        let waited = self.changed.wait_while(self.inner(), idle);
        let inner = waited.unwrap_or_else(PoisonError::into_inner);
        inner.queue.front().cloned()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Asks the test what to say to each line.
    struct Asking {
        lines: Sender<String>,
        answers: Receiver<Result<(), String>>,
    }

    impl Deliver for Asking {
        fn deliver(&mut self, line: &str) -> Result<(), String> {
            self.lines.send(line.to_owned()).unwrap();
            self.answers.recv().unwrap()
        }
    }

    type Asked = (Witnesses, Receiver<String>, Sender<Result<(), String>>);

    fn asking(first: Duration) -> Asked {
        let (lines, heard) = channel();
        let (say, answers) = channel();
        let backoff = Backoff { first, most: first };
        let delivery: Box<dyn Deliver> = Box::new(Asking { lines, answers });
        let all = vec![("test:".to_owned(), delivery)];
        let witnesses = Witnesses::delivering(all, &Ambient::system(), backoff).unwrap();
        (witnesses, heard, say)
    }

    #[test]
    fn a_head_is_tried_again_until_it_is_taken() {
        let (witnesses, heard, say) = asking(Duration::ZERO);
        witnesses.offer(7, "seven");
        for _ in 0..3 {
            assert_eq!(heard.recv().unwrap(), "seven");
            say.send(Err("nobody is there".to_owned())).unwrap();
        }
        assert_eq!(heard.recv().unwrap(), "seven");
        let state = &witnesses.states()[0];
        assert_eq!((state.failures, state.waiting, state.taken), (3, 1, 0));
        assert_eq!(state.error.as_deref(), Some("nobody is there"));
        say.send(Ok(())).unwrap();
        witnesses.close();
        let state = &witnesses.states()[0];
        assert_eq!((state.newest_record, state.waiting), (7, 0));
        assert_eq!((state.taken, &state.error), (1, &None));
    }

    #[test]
    fn the_oldest_heads_make_room_and_the_newest_arrives() {
        let (witnesses, heard, say) = asking(Duration::ZERO);
        for record in 1..=200 {
            witnesses.offer(record, &record.to_string());
        }
        let state = &witnesses.states()[0];
        assert_eq!(state.waiting, QUEUE as u64);
        assert_eq!(state.skipped, 200 - QUEUE as u64);
        let answering = std::thread::spawn(move || {
            let mut last = String::new();
            while let Ok(line) = heard.recv() {
                last = line;
                if say.send(Ok(())).is_err() {
                    break;
                }
            }
            last
        });
        witnesses.close();
        assert_eq!(answering.join().unwrap(), "200");
        assert_eq!(witnesses.states()[0].newest_record, 200);
    }

    #[test]
    fn closing_does_not_wait_for_a_witness_that_is_away() {
        // An hour between two tries: closing must not wait for it.
        let (witnesses, heard, say) = asking(Duration::from_secs(3600));
        witnesses.offer(1, "one");
        assert_eq!(heard.recv().unwrap(), "one");
        say.send(Err("away".to_owned())).unwrap();
        say.send(Err("still away".to_owned())).unwrap();
        witnesses.close();
        assert_eq!(witnesses.states()[0].waiting, 1);
    }
}
