//! The connections over which bodies travel, and how their buffers forget.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Pipeline, RedisResult, Value, cmd};
use tokio::sync::{Mutex, Notify};
use tokio::time::sleep;

use super::core::Core;
use super::link::Epoch;
use super::node::Node;
use crate::Unreachable;

/// Connections of one instance to one node.
const LANES: usize = 4;

/// How long a node may take for the largest body.
const PATIENCE: Duration = Duration::from_secs(20);

/// A burst is over when nothing was sent for so long.
const QUIET: Duration = Duration::from_millis(50);

/// Under load the buffers are overwritten after so many times [`QUIET`] all the same.
const BURST: usize = 20;

/// By how much what overwrites is longer than what it overwrites, for what stands around that.
const AROUND: usize = 64;

/// Bytes that an engine reads and answers at once, into buffers that stay. Larger strings have blocks of
/// their own, which are overwritten when they are freed.
const BUFFER: usize = 16 * 1024;

/// A connection that carries bodies.
#[derive(Default)]
struct Lane {
    open: Mutex<Option<(MultiplexedConnection, Epoch)>>,
    /// The most bytes that one request carried since the buffers were overwritten.
    largest: AtomicUsize,
    uses: AtomicUsize,
    used: Notify,
}

/// The connections to a node that carry bodies.
pub(super) struct Bodies {
    next: AtomicUsize,
    lanes: Vec<Arc<Lane>>,
}

impl Default for Bodies {
    fn default() -> Self {
        Self {
            next: AtomicUsize::new(0),
            lanes: (0..LANES).map(|_| Arc::default()).collect(),
        }
    }
}

impl Bodies {
    /// Overwrites the buffers of connections to a node from now on; needs a runtime.
    pub(super) fn start(&self, core: &Arc<Core>, node: usize) {
        for lane in &self.lanes {
            tokio::spawn(Arc::clone(lane).overwrite(Arc::clone(core), node));
        }
    }

    /// Sends commands that carry so many bytes of bodies together, in an epoch of the node. A
    /// connection does not outlive its engine, so that no body reaches an engine of another epoch.
    pub(super) async fn send(
        &self,
        core: &Core,
        node: &Node,
        epoch: Epoch,
        commands: &Pipeline,
        largest: usize,
    ) -> Result<Vec<Value>, Unreachable> {
        node.is_fit()?;
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len();
        let lane = &self.lanes[at];
        core.passed.note(largest);
        lane.largest.fetch_max(largest, Ordering::Relaxed);
        lane.uses.fetch_add(1, Ordering::Relaxed);
        let sent = lane.send(core, node, epoch, commands).await;
        // Once more: the burst may have ended before, and this may have gone over the next connection.
        lane.largest.fetch_max(largest, Ordering::Relaxed);
        lane.uses.fetch_add(1, Ordering::Relaxed);
        lane.used.notify_one();
        sent.map_err(|error| {
            core.report(node, "a connection for bodies broke", &error);
            node.doubt.notify_one();
            Unreachable
        })?
        .ok_or(Unreachable)
    }
}

impl Lane {
    /// `None` if the node is in another epoch.
    async fn send(
        &self,
        core: &Core,
        node: &Node,
        epoch: Epoch,
        commands: &Pipeline,
    ) -> RedisResult<Option<Vec<Value>>> {
        let Some(mut connection) = self.connection(core, node, epoch).await? else {
            return Ok(None);
        };
        let sent = connection
            .send_packed_commands(commands, 0, commands.len())
            .await;
        if sent.is_err() {
            *self.open.lock().await = None;
        }
        sent.map(Some)
    }

    async fn connection(
        &self,
        core: &Core,
        node: &Node,
        epoch: Epoch,
    ) -> RedisResult<Option<MultiplexedConnection>> {
        let mut open = self.open.lock().await;
        if let Some((connection, of)) = &*open
            && *of == epoch
        {
            return Ok(Some(connection.clone()));
        }
        let made = connect(core, node, epoch).await?;
        *open = made.clone().map(|made| (made, epoch));
        Ok(made)
    }

    /// Overwrites the buffers on both sides whenever a burst is over. Several requests at once make a
    /// connection's buffers larger than what overwrites fills, so the connection ends, and its buffers with
    /// it: what is freed is overwritten, here and at the engine. The next burst finds another one.
    async fn overwrite(self: Arc<Self>, core: Arc<Core>, node: usize) {
        let node = &core.nodes[node];
        loop {
            self.used.notified().await;
            for _ in 0..BURST {
                let before = self.uses.load(Ordering::Relaxed);
                sleep(QUIET).await;
                if self.uses.load(Ordering::Relaxed) == before {
                    break;
                }
            }
            let size = self.largest.swap(0, Ordering::Relaxed);
            let open = self.open.lock().await.clone();
            let Some((mut used, epoch)) = open.filter(|_| size > 0) else {
                continue;
            };
            let next = connect(&core, node, epoch).await.ok().flatten();
            let mut open = self.open.lock().await;
            if open.as_ref().is_some_and(|(_, of)| *of == epoch) {
                *open = next.map(|next| (next, epoch));
            }
            drop(open);
            // Buffers that an engine keeps for all connections outlive each of them.
            let filler = filler(size);
            let _ = used.send_packed_commands(&filler, 0, filler.len()).await;
        }
    }
}

/// Opens a connection for bodies; `None` if the node is in another epoch.
async fn connect(
    core: &Core,
    node: &Node,
    epoch: Epoch,
) -> RedisResult<Option<MultiplexedConnection>> {
    let mut made = node.open(PATIENCE).await?;
    let mut ask = cmd("GET");
    ask.arg(core.key("epoch", &[]));
    let found = made.send_packed_command(&ask).await?;
    let is_it = matches!(found, Value::BulkString(there) if there == epoch);
    Ok(is_it.then_some(made))
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
