//! One node: its connection, its epoch, and how its functions are called.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex as Lock, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult, Value, cmd};
use tokio::sync::{Mutex, Notify};

use super::bodies::Bodies;
use super::check::{Unfit, check};
use super::core::Core;
use super::link::{Epoch, Failed, Link, Plane, away, plane_at, unreadable};
use super::wire::{Args, Reply};
use crate::Unreachable;

/// How long a node may take to answer a function.
const PATIENCE: Duration = Duration::from_secs(2);

/// Accounts that are renewed in one call.
const RENEWED: usize = 500;

/// A node.
pub(super) struct Node {
    pub(super) index: usize,
    /// Host and port, without a password.
    pub(super) name: String,
    pub(super) client: Client,
    pub(super) bodies: Bodies,
    /// Asks for what may have been missed.
    pub(super) doubt: Notify,
    link: Mutex<Option<Link>>,
    /// Attempts to connect that have ended.
    attempts: AtomicU64,
    known: Lock<Option<Epoch>>,
    unfit: Lock<Option<Unfit>>,
}

impl Node {
    pub(super) fn new(index: usize, name: String, client: Client) -> Self {
        Self {
            index,
            name,
            client,
            bodies: Bodies::default(),
            doubt: Notify::new(),
            link: Mutex::default(),
            attempts: AtomicU64::new(0),
            known: Lock::default(),
            unfit: Lock::default(),
        }
    }

    /// Opens another connection.
    pub(super) async fn open(&self, patience: Duration) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(patience));
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// The connection; makes one if there is none. Of several that wait while one tries, all fail with it.
    pub(super) async fn link(&self, core: &Core) -> RedisResult<Link> {
        let before = self.attempts.load(Ordering::SeqCst);
        let mut link = self.link.lock().await;
        if let Some(link) = &*link {
            return Ok(link.clone());
        }
        if self.attempts.load(Ordering::SeqCst) != before {
            return Err(away("the node does not answer"));
        }
        let made = self.connect(core, before).await;
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let made = made?;
        *link = Some(made.clone());
        Ok(made)
    }

    async fn connect(&self, core: &Core, serial: u64) -> RedisResult<Link> {
        let mut connection = self.open(PATIENCE).await?;
        let library = &core.library;
        let mut listed = cmd("FUNCTION");
        listed.arg("LIST").arg("LIBRARYNAME").arg(&library.name);
        let found = connection.send_packed_command(&listed).await?;
        if matches!(&found, Value::Array(all) if all.is_empty()) {
            let mut load = cmd("FUNCTION");
            load.arg("LOAD").arg("REPLACE").arg(&library.source);
            connection
                .send_packed_command(&load)
                .await?
                .extract_error()?;
        }
        let plane = self.plane(core, &mut connection).await?;
        let proposed: Epoch = core.ambient.random();
        let begin = Args::default().raw(proposed).raw(plane);
        let mut link = Link {
            connection,
            epoch: proposed,
            plane,
            serial,
            engine_ms: 0,
        };
        let begun = link.call(core, &[], "begin", &begin).await?;
        let id = |index| begun.part(index).ok()?.try_into().ok();
        link.epoch = id(0).ok_or_else(unreadable)?;
        link.plane = id(1).ok_or_else(unreadable)?;
        link.engine_ms = begun.number(2).map_err(|_| unreadable())?;
        let accounts = core.local.accounts();
        self.renew_over(core, &link, &accounts).await?;
        if self.begins(link.epoch) {
            core.restarted(self.index);
        }
        Ok(link)
    }

    /// Returns the life of the plane for a node. One that begins anew belongs to that of the others, all
    /// of which must answer; only the first by name draws another, when none of them knows one.
    async fn plane(
        &self,
        core: &Core,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Plane> {
        if let Some(plane) = plane_at(core, connection).await? {
            return Ok(plane);
        }
        let others = core.nodes.iter().filter(|node| node.index != self.index);
        for node in others {
            let mut other = node.open(PATIENCE).await?;
            if let Some(plane) = plane_at(core, &mut other).await? {
                return Ok(plane);
            }
        }
        match core.first().index == self.index {
            true => Ok(core.ambient.random()),
            false => Err(away("the first node has not begun")),
        }
    }

    /// Says that this instance runs and holds sockets of these accounts.
    pub(super) async fn renew(&self, core: &Core, accounts: &[crate::UserId]) -> RedisResult<()> {
        let link = self.link(core).await?;
        let renewed = self.renew_over(core, &link, accounts).await;
        if renewed.is_err() {
            self.forget(link.serial).await;
        }
        renewed
    }

    async fn renew_over(
        &self,
        core: &Core,
        link: &Link,
        accounts: &[crate::UserId],
    ) -> RedisResult<()> {
        let epoch = link.epoch;
        let mut parts: Vec<_> = accounts.chunks(RENEWED).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        for part in parts {
            let args = Args::default().all(part.iter().map(|it| it.as_bytes()));
            link.call(core, &epoch, "renew", &args).await?;
        }
        Ok(())
    }

    /// Notes an epoch; returns whether another one was known.
    fn begins(&self, epoch: Epoch) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.replace(epoch).is_some_and(|before| before != epoch)
    }

    /// Drops a connection that failed.
    pub(super) async fn forget(&self, serial: u64) {
        let mut link = self.link.lock().await;
        if link.as_ref().is_some_and(|it| it.serial == serial) {
            *link = None;
        }
    }

    /// Calls a function. If the node is in another epoch it is met again, and asked once more.
    pub(super) async fn call(
        &self,
        core: &Core,
        operation: &str,
        args: &Args,
    ) -> Result<Reply, Unreachable> {
        match self.call_once(core, operation, args).await? {
            Some(reply) => Ok(reply),
            None => (self.call_once(core, operation, args).await?).ok_or(Unreachable),
        }
    }

    /// Calls a function; `None` if the node turned out to be in another epoch.
    pub(super) async fn call_once(
        &self,
        core: &Core,
        operation: &str,
        args: &Args,
    ) -> Result<Option<Reply>, Unreachable> {
        self.is_fit()?;
        let link = self.link(core).await.map_err(|error| {
            core.report(self, "it does not answer", &error);
            Unreachable
        })?;
        match link.ask(core, operation, args).await {
            Ok(reply) => {
                core.tell_all(&reply.events);
                Ok(Some(reply))
            }
            Err(Failed::OtherEpoch) => {
                self.forget(link.serial).await;
                Ok(None)
            }
            Err(Failed::Refused(error)) => {
                core.report(self, &format!("it refused {operation}"), &error);
                Err(Unreachable)
            }
            Err(Failed::Broken(error)) => {
                core.report(self, "the connection broke", &error);
                self.forget(link.serial).await;
                self.doubt.notify_one();
                Err(Unreachable)
            }
        }
    }

    /// Checks the settings of the node; until they are right nothing is asked of it.
    pub(super) async fn check(&self) -> RedisResult<Result<(), Unfit>> {
        let mut checked = check(&mut self.open(PATIENCE).await?).await?;
        let info = self.client.get_connection_info().redis_settings();
        if let (Err(Unfit::Hidden(what)), None) = (&checked, info.username()) {
            checked = Err(Unfit::Nameless(what));
        }
        let mut unfit = self.unfit.lock().unwrap_or_else(PoisonError::into_inner);
        *unfit = checked.clone().err();
        Ok(checked)
    }

    /// Whether its settings were right when they were last looked at.
    pub(super) fn is_fit(&self) -> Result<(), Unreachable> {
        let unfit = self.unfit.lock().unwrap_or_else(PoisonError::into_inner);
        match *unfit {
            None => Ok(()),
            Some(_) => Err(Unreachable),
        }
    }
}
