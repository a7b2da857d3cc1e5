//! Hearing what other instances' calls told this one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{ErrorKind, RedisError, RedisResult, Value};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::core::Core;
use super::events::{Told, frames, item};
use super::node::Node;
use super::wire::Args;
use crate::{Connection, Event, Notice, Unreachable};

/// How long a node may take to subscribe or to answer a ping.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often the connection is tried.
const PING: Duration = Duration::from_secs(5);

/// Between two attempts to subscribe again.
const AGAIN: Duration = Duration::from_millis(200);

/// A subscription to the channel of this instance at one node.
pub(super) struct Subscription {
    sink: PubSubSink,
    stream: PubSubStream,
}

impl Subscription {
    /// Subscribes.
    pub(super) async fn open(core: &Core, node: &Node) -> RedisResult<Self> {
        let subscribe = async {
            let mut open = node.client.get_async_pubsub().await?;
            open.subscribe(core.channel()).await?;
            let (sink, stream) = open.split();
            Ok(Self { sink, stream })
        };
        let late = || RedisError::from((ErrorKind::Io, "no answer to SUBSCRIBE"));
        timeout(PATIENCE, subscribe).await.map_err(|_| late())?
    }

    /// Listens, and subscribes again whenever the connection is lost.
    pub(super) async fn keep(self, core: Arc<Core>, node: usize) {
        let node = &core.nodes[node];
        let mut open = self;
        loop {
            open.listen(&core, node).await;
            core.report(node, "what it tells was not heard", &"subscribing again");
            // It tells at once whether the node is there, and in which epoch.
            let _ = node.renew(&core, &core.local.accounts()).await;
            open = loop {
                match Self::open(&core, node).await {
                    Ok(open) => break open,
                    Err(_) => sleep(AGAIN).await,
                }
            };
            while catch_up(&core, node).await.is_err() {
                sleep(AGAIN).await;
            }
        }
    }

    /// Tells what is heard until the connection is lost.
    async fn listen(&mut self, core: &Core, node: &Node) {
        let mut pings = interval(PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = self.stream.next() => match message {
                    None => return,
                    Some(message) => {
                        let told = frames(message.get_payload_bytes());
                        told.iter().for_each(|told| core.tell(told));
                    }
                },
                () = node.doubt.notified() => {
                    if catch_up(core, node).await.is_err() {
                        sleep(AGAIN).await;
                        node.doubt.notify_one();
                    }
                }
                _ = pings.tick() => {
                    let answer = timeout(PATIENCE, self.sink.ping::<Value>()).await;
                    if !matches!(answer, Ok(Ok(_))) {
                        return;
                    }
                }
            }
        }
    }
}

/// Tells each connection of this instance what it may have missed of a node.
async fn catch_up(core: &Core, node: &Node) -> Result<(), Unreachable> {
    let renewed = node.renew(core, &core.local.accounts()).await;
    renewed.map_err(|_| Unreachable)?;
    for connection in core.local.connections() {
        let Connection { account, live, .. } = connection;
        if core.node_of(account.as_bytes()).index == node.index {
            recheck(core, node, connection).await?;
        }
        let args = Args::default().raw(account.as_bytes()).raw(live.as_bytes());
        let waiting = node.call(core, "waiting", &args).await?;
        for item in waiting.parts().iter().filter_map(|part| item(part)) {
            core.tell(&Told::Event(Event::Available {
                target: item.target,
                item,
                is_new: false,
            }));
        }
    }
    Ok(())
}

/// Asks what became of a connection.
async fn recheck(core: &Core, node: &Node, of: Connection) -> Result<(), Unreachable> {
    let args = Args::default()
        .raw(of.account.as_bytes())
        .raw(of.live.as_bytes())
        .raw(of.session.as_bytes())
        .raw(of.number.to_be_bytes());
    let reply = node.call(core, "missed", &args).await?;
    let code = reply.word().strip_prefix('S');
    let notice = match (reply.word(), code.and_then(|code| code.parse().ok())) {
        (_, Some(code)) => Notice::Ended {
            account: of.account,
            session: of.session,
            code,
        },
        ("K", _) => return Ok(()),
        ("P", _) => Notice::Replaced(of),
        _ => {
            core.lost(of);
            return Ok(());
        }
    };
    core.tell(&Told::Notice(notice));
    Ok(())
}
