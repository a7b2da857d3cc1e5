//! The end of what is due, and of the plane.

use super::Valkey;
use super::core::Core;
use super::node::Node;
use super::settings::ConnectError;
use super::wire::Args;
use crate::{Answer, Backend, LiveId, MessageId, PurgeReport, Trouble, Unreachable, UserId};

/// Entries that one call of a function ends at most, so that the engine serves others in between.
const STEP: usize = 512;

impl Core {
    pub(super) async fn session_left(
        &self,
        account: UserId,
        live: LiveId,
    ) -> Result<(), Unreachable> {
        let args = Args::default().raw(account.as_bytes()).raw(live.as_bytes());
        self.everywhere("left", args).await.map(drop)
    }

    pub(super) async fn session_back(
        &self,
        account: UserId,
        live: LiveId,
    ) -> Result<(), Unreachable> {
        let args = Args::default().raw(account.as_bytes()).raw(live.as_bytes());
        self.everywhere("back", args).await.map(drop)
    }

    pub(super) async fn never_reached(
        &self,
        id: MessageId,
        account: UserId,
        live: LiveId,
    ) -> Result<(), Unreachable> {
        let args = Args::default()
            .raw(id.as_bytes())
            .raw(account.as_bytes())
            .raw(live.as_bytes());
        let nodes = self.nodes.iter();
        let found = self.first_found(nodes, "never_reached", |_| args.clone());
        found.await.map(drop)
    }

    pub(super) async fn forget_account(&self, account: UserId) -> Result<usize, Unreachable> {
        let args = Args::default().raw(account.as_bytes());
        let replies = self.everywhere("forget_account", args).await?;
        let counts = replies.iter().map(|reply| reply.number(0));
        Ok(counts.sum::<Result<u64, _>>()? as usize)
    }

    pub(super) async fn forget_fates(&self, poster: UserId) -> Result<(), Unreachable> {
        let args = Args::default().raw(poster.as_bytes());
        self.at(poster.as_bytes(), "forget_fates", args)
            .await
            .map(drop)
    }

    /// A node that is away holds up no other.
    pub(super) async fn purge_due(&self, limit: usize) -> Result<PurgeReport, Unreachable> {
        let (mut report, mut away) = (PurgeReport::default(), false);
        for node in &self.nodes {
            loop {
                let left = limit.saturating_sub(report.wiped + report.changed);
                let args = Args::default().number(left.min(STEP) as u64);
                let Ok(reply) = node.call(self, "purge", &args).await else {
                    away = true;
                    break;
                };
                report.wiped += reply.number(0)? as usize;
                report.changed += reply.number(1)? as usize;
                let more = reply.number(2)? == 1;
                if more && left > STEP {
                    continue;
                }
                report.more |= more;
                break;
            }
        }
        match away {
            true => Err(Unreachable),
            false => Ok(report),
        }
    }

    /// What ends with this instance is the whole plane if no other instance runs: nobody would be left to
    /// end what expires. A node that is away keeps no other from being wiped.
    pub(super) async fn wipe_all(&self) -> Result<usize, Unreachable> {
        let (mut wiped, mut away) = (0, false);
        for node in &self.nodes {
            match self.leave_node(node).await {
                Ok(more) => wiped += more,
                Err(Unreachable) => away = true,
            }
        }
        match away {
            true => Err(Unreachable),
            false => Ok(wiped),
        }
    }

    async fn leave_node(&self, node: &Node) -> Result<usize, Unreachable> {
        let mut wiped = 0;
        loop {
            let args = Args::default().number(STEP as u64);
            let reply = node.call(self, "leave_plane", &args).await?;
            wiped += reply.number(0)? as usize;
            if reply.number(1)? == 0 {
                return Ok(wiped);
            }
        }
    }

    async fn tidy(&self) -> Result<(), Unreachable> {
        for node in &self.nodes {
            let args = Args::default().number(STEP as u64);
            while node.call(self, "tidy", &args).await?.is_yes() {}
        }
        Ok(())
    }

    /// Looks at the settings of every node.
    async fn check(&self) -> Result<Result<(), Trouble>, Unreachable> {
        for node in &self.nodes {
            let name = || node.name.clone();
            let error = match node.check().await {
                Ok(Ok(())) => continue,
                Ok(Err(unfit)) => ConnectError::Unfit {
                    node: name(),
                    unfit,
                },
                Err(error) => ConnectError::Unreachable {
                    node: name(),
                    cause: error.to_string(),
                },
            };
            return Ok(Err(Trouble(error.to_string())));
        }
        Ok(Ok(()))
    }

    /// Returns memory of this process, whose buffers held bodies on their way.
    pub(super) fn give_back_when_idle(&self) -> bool {
        self.passed.give_back_when_idle()
    }

    #[cfg(test)]
    async fn left(&self) -> Result<usize, Unreachable> {
        const ELSEWHERE: [&str; 12] = [
            "epoch",
            "plane",
            "seq",
            "fate_seq",
            "t:",
            "tt",
            "te",
            "tp:",
            "erased",
            "instances",
            "at:",
            "se:",
        ];
        let mut left = 0;
        for node in &self.nodes {
            let mut link = node.link(self).await.map_err(|_| Unreachable)?;
            let mut keys = redis::cmd("KEYS");
            keys.arg(self.key("*", &[]));
            let keys: Vec<Vec<u8>> = keys
                .query_async(&mut link.connection)
                .await
                .map_err(|_| Unreachable)?;
            let counts = |key: &&Vec<u8>| {
                let is_of = |kind: &&str| key.starts_with(&self.key(kind, &[]));
                !ELSEWHERE.iter().any(is_of)
            };
            left += keys.iter().filter(counts).count();
        }
        Ok(left)
    }
}

impl Backend for Valkey {
    fn tidy(&self) -> Answer<'_, ()> {
        self.ask(|core| async move { core.tidy().await })
    }

    fn check(&self) -> Answer<'_, Result<(), Trouble>> {
        self.ask(|core| async move { core.check().await })
    }

    #[cfg(test)]
    fn left(&self) -> Answer<'_, usize> {
        self.ask(|core| async move { core.left().await })
    }
}
