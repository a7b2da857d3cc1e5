//! The connections over which bodies travel, and how their buffers forget.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Arg, Cmd, Pipeline, RedisResult, Value, cmd};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep};

use super::core::Core;
use super::link::Epoch;
use super::node::Node;
use crate::Unreachable;

/// Small requests of one instance to one node at once; each has a connection of its own meanwhile.
const SMALL_AT_ONCE: usize = 16;

/// Large requests of one instance to one node at once.
const LARGE_AT_ONCE: usize = 8;

/// Bytes of a request and of its answer that are small: an engine reads it into the buffer that a connection
/// begins with, however it arrives. A buffer that grows is moved, and what an engine's allocator moves away from
/// is not overwritten.
const SMALL: usize = 4_000;

/// Connections that are ready before anything is sent.
const READY: usize = 2;

/// How long a node may take for the largest body.
const PATIENCE: Duration = Duration::from_secs(20);

/// A burst is over when nothing was sent for so long.
const QUIET: Duration = Duration::from_millis(50);

/// A connection ends after so long although it is in use all the while.
const LONGEST: Duration = Duration::from_secs(1);

/// By how much what overwrites is longer than what it overwrites, for what stands around that.
const AROUND: usize = 64;

/// Bytes that stand around each argument at most.
const AROUND_EACH: usize = 16;

/// Bytes that an engine reads and answers at once, into buffers that stay. Larger strings have blocks of
/// their own, which are overwritten when they are freed.
const BUFFER: usize = 16 * 1024;

/// A connection that carries bodies, one request at a time.
struct Carrier {
    connection: MultiplexedConnection,
    epoch: Epoch,
    /// When it carried something first and last; `None` if it has carried nothing.
    used: Option<(Instant, Instant)>,
    /// The most bytes that one request carried.
    largest: usize,
}

/// The connections to a node that carry bodies.
pub(super) struct Bodies {
    small: Semaphore,
    large: Semaphore,
    /// Connections that nobody uses at the moment.
    idle: Mutex<Vec<Carrier>>,
    used: Notify,
}

impl Default for Bodies {
    fn default() -> Self {
        Self {
            small: Semaphore::new(SMALL_AT_ONCE),
            large: Semaphore::new(LARGE_AT_ONCE),
            idle: Mutex::default(),
            used: Notify::new(),
        }
    }
}

impl Bodies {
    /// Ends connections to a node when their burst is over, from now on; needs a runtime.
    pub(super) fn start(core: Arc<Core>, node: usize) {
        tokio::spawn(async move {
            let node = &core.nodes[node];
            loop {
                node.bodies.used.notified().await;
                while node.bodies.end_quiet(&core, node).await {
                    sleep(QUIET).await;
                }
            }
        });
    }

    /// Sends commands that carry so many bytes of bodies together, in an epoch of the node. A
    /// connection does not outlive its engine, so that no body reaches an engine of another epoch.
    pub(super) async fn send(
        &self,
        core: &Core,
        node: &Node,
        epoch: Epoch,
        commands: &Pipeline,
        carried: usize,
    ) -> Result<Vec<Value>, Unreachable> {
        node.is_fit()?;
        core.passed.note(carried);
        let sent = match carried.max(length(commands)) {
            0..=SMALL => self.send_small(core, node, epoch, commands, carried).await,
            size => self.send_large(core, node, epoch, commands, size).await,
        };
        sent.map_err(|error| {
            core.report(node, "a connection for bodies broke", &error);
            node.doubt.notify_one();
            Unreachable
        })?
        .ok_or(Unreachable)
    }

    /// `None` if the node is in another epoch. If this is given up in the middle, the connection ends.
    async fn send_small(
        &self,
        core: &Core,
        node: &Node,
        epoch: Epoch,
        commands: &Pipeline,
        carried: usize,
    ) -> RedisResult<Option<Vec<Value>>> {
        let _turn = self.small.acquire().await;
        let ready = self.take(epoch);
        let Some(mut carrier) = (match ready {
            Some(carrier) => Some(carrier),
            None => Carrier::open(core, node, epoch).await?,
        }) else {
            return Ok(None);
        };
        let sent = carrier.send(commands, carried).await?;
        if carrier.is_worn() {
            carrier.end().await;
        } else {
            self.idle().push(carrier);
        }
        self.used.notify_one();
        Ok(Some(sent))
    }

    /// Over a connection of its own, whose buffer has grown before and which ends at once. `None` if the node is
    /// in another epoch.
    async fn send_large(
        &self,
        core: &Core,
        node: &Node,
        epoch: Epoch,
        commands: &Pipeline,
        size: usize,
    ) -> RedisResult<Option<Vec<Value>>> {
        let _turn = self.large.acquire().await;
        let Some(mut carrier) = Carrier::open(core, node, epoch).await? else {
            return Ok(None);
        };
        let mut grow = Pipeline::new();
        grow.cmd("ECHO").arg(vec![0_u8; size + BUFFER + AROUND]);
        carrier.send(&grow, 0).await?;
        let sent = carrier.send(commands, size).await?;
        carrier.end().await;
        Ok(Some(sent))
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Carrier>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in an epoch, first one that is in use anyway; those of another epoch end.
    fn take(&self, epoch: Epoch) -> Option<Carrier> {
        let mut idle = self.idle();
        idle.retain(|carrier| carrier.epoch == epoch);
        let used = idle.iter().rposition(|carrier| carrier.used.is_some());
        match used {
            Some(at) => Some(idle.swap_remove(at)),
            None => idle.pop(),
        }
    }

    /// Ends connections whose burst is over, and has others ready for the next; returns whether any is left that
    /// will have to end.
    async fn end_quiet(&self, core: &Core, node: &Node) -> bool {
        let now = Instant::now();
        let (over, is_left, fresh, epoch) = {
            let mut idle = self.idle();
            let (over, kept): (Vec<_>, Vec<_>) =
                idle.drain(..).partition(|carrier| carrier.is_over(now));
            *idle = kept;
            let is_left = idle.iter().any(|carrier| carrier.used.is_some());
            let fresh = idle.len();
            let epoch = over.first().map(|carrier| carrier.epoch);
            (over, is_left, fresh, epoch)
        };
        for carrier in over {
            carrier.end().await;
        }
        if let Some(epoch) = epoch {
            for _ in fresh..READY {
                if let Ok(Some(carrier)) = Carrier::open(core, node, epoch).await {
                    self.idle().push(carrier);
                }
            }
        }
        is_left || self.small.available_permits() < SMALL_AT_ONCE
    }
}

impl Carrier {
    /// Opens a connection; `None` if the node is in another epoch.
    async fn open(core: &Core, node: &Node, epoch: Epoch) -> RedisResult<Option<Self>> {
        let mut connection = node.open(PATIENCE).await?;
        let mut ask = cmd("GET");
        ask.arg(core.key("epoch", &[]));
        let found = connection.send_packed_command(&ask).await?;
        let is_it = matches!(found, Value::BulkString(there) if there == epoch);
        Ok(is_it.then_some(Self {
            connection,
            epoch,
            used: None,
            largest: 0,
        }))
    }

    async fn send(&mut self, commands: &Pipeline, carried: usize) -> RedisResult<Vec<Value>> {
        let begun = Instant::now();
        self.largest = self.largest.max(carried);
        let sent = self
            .connection
            .send_packed_commands(commands, 0, commands.len());
        let sent = sent.await?;
        let first = self.used.map_or(begun, |(first, _)| first);
        self.used = Some((first, Instant::now()));
        Ok(sent)
    }

    fn is_worn(&self) -> bool {
        self.used
            .is_some_and(|(first, last)| last - first > LONGEST)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.used.is_some_and(|(_, last)| now - last >= QUIET)
    }

    /// Overwrites the buffers that an engine keeps for all connections, and ends the connection, whose own
    /// buffers are overwritten when they are freed, here and at the engine.
    async fn end(mut self) {
        let filler = filler(self.largest);
        let filled = self
            .connection
            .send_packed_commands(&filler, 0, filler.len());
        let _ = filled.await;
    }
}

/// Bytes of commands on their way, and a few more.
fn length(commands: &Pipeline) -> usize {
    let arguments = commands.cmd_iter().flat_map(Cmd::args_iter);
    let bytes = arguments.map(|argument| match argument {
        Arg::Simple(bytes) => bytes.len() + AROUND_EACH,
        _ => AROUND_EACH,
    });
    bytes.sum()
}

/// What overwrites the buffers after requests of so many bytes. The last one fits the buffers that an engine
/// keeps for all connections together.
fn filler(size: usize) -> Pipeline {
    let whole = BUFFER - AROUND;
    let large = (size + AROUND > whole).then_some(size + AROUND);
    let mut filler = Pipeline::new();
    for size in large.into_iter().chain([whole]) {
        filler.cmd("ECHO").arg(vec![0_u8; size]);
    }
    filler
}
