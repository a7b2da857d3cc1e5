//! What every part of the backend shares.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ambient::Ambient;
use redis::{Client, Cmd, IntoConnectionInfo, cmd};
use sha3::{Digest, Sha3_256};
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::bodies::Bodies;
use super::events::{Told, read};
use super::library::Library;
use super::link::Epoch;
use super::local::Local;
use super::node::Node;
use super::passed::Passed;
use super::place::place;
use super::settings::{ConnectError, Report, Settings};
use super::subscription::Subscription;
use super::wire::{Args, Reply, bounds};
use crate::{Config, Connection, EventSink, Notice, Unreachable};

/// How often an instance says that it runs.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Heartbeats between two in which it says whose sockets it holds.
const ACCOUNTS_EACH: u32 = 4;

/// The nodes, and what this instance is among others.
pub(super) struct Core {
    pub(super) config: Config,
    pub(super) ambient: Ambient,
    pub(super) library: Library,
    pub(super) nodes: Vec<Node>,
    pub(super) local: Local,
    pub(super) instance: [u8; 16],
    bounds: Vec<u8>,
    secret: Zeroizing<[u8; 32]>,
    prefix: String,
    apart: Option<Duration>,
    report: Report,
    pub(super) passed: Passed,
    sinks: RwLock<Arc<[Arc<dyn EventSink>]>>,
}

impl Core {
    pub(super) fn new(
        settings: Settings,
        config: Config,
        ambient: Ambient,
    ) -> Result<Self, ConnectError> {
        let mut nodes: Vec<Node> = Vec::new();
        for (index, address) in settings.nodes.iter().enumerate() {
            let info = address.as_str().into_connection_info();
            let info = info.map_err(|_| ConnectError::Address(index))?;
            let name = info.addr().to_string();
            let client = Client::open(info).map_err(|_| ConnectError::Address(index))?;
            if nodes.iter().any(|node| node.name == name) {
                return Err(ConnectError::Repeated(name));
            }
            nodes.push(Node::new(index, name, client));
        }
        if nodes.is_empty() {
            return Err(ConnectError::NoNodes);
        }
        Ok(Self {
            bounds: bounds(&config, nodes.len()),
            config,
            library: Library::new(),
            nodes,
            local: Local::default(),
            instance: ambient.random(),
            ambient,
            secret: settings.secret,
            prefix: settings.prefix,
            apart: settings.apart,
            report: settings.report,
            passed: Passed::default(),
            sinks: RwLock::new(Arc::new([])),
        })
    }

    /// Meets every node, and begins to listen and to say that this instance runs.
    pub(super) async fn start(self: Arc<Self>) -> Result<(), ConnectError> {
        // The first begins first, because the others ask it in which life of the plane they are.
        let mut in_order: Vec<_> = self.nodes.iter().collect();
        in_order.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        for node in in_order {
            let name = || node.name.clone();
            let away = |error: redis::RedisError| ConnectError::Unreachable {
                node: name(),
                cause: error.to_string(),
            };
            let checked = node.check().await.map_err(away)?;
            checked.map_err(|unfit| ConnectError::Unfit {
                node: name(),
                unfit,
            })?;
            let engine_ms = node.link(&self).await.map_err(away)?.engine_ms;
            let apart = Duration::from_millis(engine_ms.abs_diff(self.ambient.now_ms()));
            if self.apart.is_some_and(|limit| apart > limit) {
                return Err(ConnectError::Clock {
                    node: name(),
                    apart,
                });
            }
            Bodies::start(Arc::clone(&self), node.index);
            let subscription = Subscription::open(&self, node).await.map_err(away)?;
            tokio::spawn(subscription.keep(Arc::clone(&self), node.index));
        }
        tokio::spawn(self.stay());
        Ok(())
    }

    /// Renews this instance's presence.
    async fn stay(self: Arc<Self>) {
        loop {
            for beat in 0..ACCOUNTS_EACH {
                sleep(HEARTBEAT).await;
                self.say_unsaid().await;
                let accounts = match beat {
                    0 => self.local.accounts(),
                    _ => Vec::new(),
                };
                for node in &self.nodes {
                    if let Err(error) = node.renew(&self, &accounts).await {
                        self.report(node, "it does not hear this instance", &error);
                    }
                }
            }
        }
    }

    /// Reports what went wrong at a node.
    pub(super) fn report(&self, node: &Node, what: &str, cause: &dyn std::fmt::Display) {
        (self.report)(&node.name, &format!("{what}: {cause}"));
    }

    /// Names a key.
    pub(super) fn key(&self, kind: &str, of: &[u8]) -> Vec<u8> {
        [self.prefix.as_bytes(), kind.as_bytes(), of].concat()
    }

    /// The name of the channel to this instance.
    pub(super) fn channel(&self) -> Vec<u8> {
        self.key("i:", &self.instance)
    }

    /// Makes the command that calls a function.
    pub(super) fn command(&self, epoch: &[u8], operation: &str, args: &Args) -> Cmd {
        self.passed.note(0);
        let mut command = cmd("FCALL");
        command
            .arg(self.library.function(operation))
            .arg(0)
            .arg(&self.prefix)
            .arg(epoch)
            .arg(self.ambient.now_ms())
            .arg(&self.bounds)
            .arg(&self.instance[..]);
        args.0.iter().for_each(|part| {
            command.arg(part);
        });
        command
    }

    /// The node at which something lies.
    pub(super) fn node_of(&self, key: &[u8]) -> &Node {
        match &self.nodes[..] {
            [only] => only,
            all => &all[place(all.iter().map(|node| node.name.as_str()), key)],
        }
    }

    /// The first node by name.
    pub(super) fn first(&self) -> &Node {
        let mut first = &self.nodes[0];
        for node in &self.nodes {
            if node.name < first.name {
                first = node;
            }
        }
        first
    }

    /// Calls a function at the node of a key.
    pub(super) async fn at(
        &self,
        key: &[u8],
        operation: &str,
        args: Args,
    ) -> Result<Reply, Unreachable> {
        self.node_of(key).call(self, operation, &args).await
    }

    /// Calls a function at every node, at the same time.
    pub(super) async fn everywhere(
        &self,
        operation: &str,
        args: Args,
    ) -> Result<Vec<Reply>, Unreachable> {
        let calls = self
            .nodes
            .iter()
            .map(|node| node.call(self, operation, &args));
        futures_util::future::try_join_all(calls).await
    }

    /// Adds a sink.
    pub(super) fn subscribe(&self, sink: Box<dyn EventSink>) {
        let mut sinks = self.sinks.write().unwrap_or_else(PoisonError::into_inner);
        *sinks = sinks.iter().cloned().chain([Arc::from(sink)]).collect();
    }

    /// Tells what a function wrote.
    pub(super) fn tell_all(&self, events: &[Vec<u8>]) {
        for told in events.iter().filter_map(|event| read(event)) {
            self.tell(&told);
        }
    }

    /// Tells the sinks.
    pub(super) fn tell(&self, told: &Told) {
        let sinks = Arc::clone(&self.sinks.read().unwrap_or_else(PoisonError::into_inner));
        for sink in sinks.iter() {
            match told {
                Told::Event(event) => sink.publish(event),
                Told::Notice(notice) => sink.notify(notice),
            }
        }
    }

    /// A node has begun anew: the connections of its accounts must come again.
    pub(super) fn restarted(&self, node: usize) {
        for connection in self.local.connections() {
            if self.node_of(connection.account.as_bytes()).index == node {
                self.lost(connection);
            }
        }
    }

    /// The plane does not know a connection any more, which is told once.
    pub(super) fn lost(&self, connection: Connection) {
        self.local.remove(&connection);
        self.tell(&Told::Notice(Notice::Lost(connection)));
    }

    /// Derives a value that every instance derives alike from the shared secret and what it is given.
    pub(super) fn derive(&self, what: &str, of: &[&[u8]]) -> Zeroizing<[u8; 32]> {
        let mut hasher = Sha3_256::new();
        hasher.update(&self.secret[..]);
        hasher.update((what.len() as u64).to_be_bytes());
        hasher.update(what);
        of.iter().for_each(|part| hasher.update(part));
        Zeroizing::new(hasher.finalize().into())
    }

    /// The epoch of a node, which is met if it was not.
    pub(super) async fn epoch(&self, node: &Node) -> Result<Epoch, Unreachable> {
        let link = node.link(self).await.map_err(|_| Unreachable)?;
        Ok(link.epoch)
    }
}
