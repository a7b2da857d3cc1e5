//! A write as policy sees it: rows, tags, and the records that go with them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::engine::log::Events;
use crate::engine::{Changes, Request};
use crate::fault::Fault;
use crate::sealing::tags::Tags;

/// The open transaction of one request.
pub(crate) struct Tx<'a> {
    pub rows: &'a dyn Changes,
    /// Makes and checks the tags of rows.
    pub tags: &'a Tags,
    events: Events,
}

impl Tx<'_> {
    /// Appends sealed events to the chain, if the request is kept.
    pub(crate) fn append(&mut self, events: &Events) {
        self.events.extend(events.iter().map(Arc::clone));
    }
}

/// A closure, its result and who waits for it.
pub(crate) struct Work<T, E, F> {
    work: F,
    tags: Arc<Tags>,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Work<T, E, F> {
    pub(crate) fn new(tags: Arc<Tags>, work: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        let this = Self {
            work,
            tags,
            result: None,
            reply,
        };
        (this, answer)
    }
}

impl<T, E, F> Request for Work<T, E, F>
where
    T: Send,
    E: From<Fault> + Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, rows: &dyn Changes) -> Option<Events> {
        let mut tx = Tx {
            rows,
            tags: &self.tags,
            events: Events::new(),
        };
        let work = &mut self.work;
        self.result = catch_unwind(AssertUnwindSafe(|| work(&mut tx))).ok();
        matches!(self.result, Some(Ok(_))).then_some(tx.events)
    }

    fn finish(self: Box<Self>, failure: Option<Fault>) {
        let result = match (failure, self.result) {
            (Some(fault), _) => Err(fault.into()),
            (None, Some(result)) => result,
            (None, None) => Err(Fault::Unavailable("an internal error".to_owned()).into()),
        };
        // A caller that went away needs no answer.
        let _ = self.reply.send(result);
    }
}
