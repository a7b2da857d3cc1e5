//! Claims, and what the token of a claim allows.

use std::sync::Arc;
use std::time::Duration;

use ambient::alloc::wipe;
use redis::{Pipeline, Value};

use super::core::Core;
use super::link::Epoch;
use super::node::Node;
use super::place::tag;
use super::wire::{Args, Reply, read_target};
use crate::{
    Acknowledged, Ciphertext, Claim, ClaimError, ClaimToken, LeaseError, LiveId, MessageId,
    Unreachable, UserId,
};

impl Core {
    /// Asks one node after the other until one holds the message. A node that is away is passed over, and
    /// only if no other holds it nobody knows.
    pub(super) async fn first_found<'a>(
        &'a self,
        nodes: impl Iterator<Item = &'a Node>,
        operation: &str,
        args: impl Fn(&Node) -> Args,
    ) -> Result<Option<(&'a Node, Reply)>, Unreachable> {
        let (mut away, mut not_for_you) = (false, None);
        for node in nodes {
            match node.call(self, operation, &args(node)).await {
                Err(Unreachable) => away = true,
                Ok(reply) if reply.word() == "gone" => {}
                Ok(reply) if reply.word() == "notforyou" => not_for_you = Some((node, reply)),
                Ok(reply) => return Ok(Some((node, reply))),
            }
        }
        match away {
            true => Err(Unreachable),
            false => Ok(not_for_you),
        }
    }

    pub(super) async fn claim(
        &self,
        id: MessageId,
        account: UserId,
        live: Option<LiveId>,
    ) -> Result<Result<Claim, ClaimError>, Unreachable> {
        let mut token = [0; 16];
        if self.ambient.entropy().fill(&mut token).is_err() {
            return Ok(Err(ClaimError::NoEntropy));
        }
        // It names the node that the claim is at.
        let token_at = |node: &Node| {
            let mut token = token;
            token[..2].copy_from_slice(&tag(&node.name));
            token
        };
        let asked = Args::default()
            .raw(id.as_bytes())
            .raw(account.as_bytes())
            .raw(live.as_ref().map_or(&[][..], |live| live.as_bytes()));
        let found = self
            .first_found(self.nodes.iter(), "claim", |node| {
                asked.clone().raw(token_at(node))
            })
            .await?;
        let Some((node, reply)) = found else {
            return Ok(Err(ClaimError::Gone));
        };
        match reply.word() {
            "ok" => {}
            "taken" => return Ok(Err(ClaimError::Taken)),
            "notforyou" => return Ok(Err(ClaimError::NotForYou)),
            _ => return Ok(Err(ClaimError::Gone)),
        }
        let token = ClaimToken::from_bytes(token_at(node));
        let claim = self.parcel(node, id, token, &reply).await?;
        Ok(claim.ok_or(ClaimError::Gone))
    }

    /// Asks what the token of a claim allows: at the node that it names.
    async fn lease(
        &self,
        id: MessageId,
        account: UserId,
        token: &ClaimToken,
        what: &str,
    ) -> Result<Result<(&Node, Reply), LeaseError>, Unreachable> {
        let args = Args::default()
            .raw(id.as_bytes())
            .raw(account.as_bytes())
            .raw(token.as_bytes())
            .raw(what);
        let named = |node: &&Node| token.as_bytes().starts_with(&tag(&node.name));
        // A token that names no node was never given out, or its node was removed.
        let is_named = self.nodes.iter().any(|node| named(&node));
        let nodes = self.nodes.iter().filter(|node| !is_named || named(node));
        let found = self.first_found(nodes, "lease", |_| args.clone()).await?;
        Ok(match found {
            None => Err(LeaseError::Gone),
            Some((_, reply)) if reply.word() != "ok" => Err(LeaseError::StaleClaim),
            Some(found) => Ok(found),
        })
    }

    pub(super) async fn fetch(
        &self,
        id: MessageId,
        account: UserId,
        token: ClaimToken,
    ) -> Result<Result<Claim, LeaseError>, Unreachable> {
        match self.lease(id, account, &token, "fetch").await? {
            Err(refused) => Ok(Err(refused)),
            Ok((node, reply)) => {
                let claim = self.parcel(node, id, token, &reply).await?;
                Ok(claim.ok_or(LeaseError::Gone))
            }
        }
    }

    pub(super) async fn extend(
        &self,
        id: MessageId,
        account: UserId,
        token: ClaimToken,
    ) -> Result<Result<Duration, LeaseError>, Unreachable> {
        match self.lease(id, account, &token, "extend").await? {
            Err(refused) => Ok(Err(refused)),
            Ok((_, reply)) => Ok(Ok(Duration::from_millis(reply.number(1)?))),
        }
    }

    pub(super) async fn acknowledge(
        &self,
        id: MessageId,
        account: UserId,
        token: ClaimToken,
    ) -> Result<Result<Acknowledged, LeaseError>, Unreachable> {
        let done = self.lease(id, account, &token, "acknowledge").await?;
        match done {
            Err(refused) => Ok(Err(refused)),
            Ok((_, reply)) => Ok(Ok(Acknowledged {
                burned: reply.number(1)? == 1,
            })),
        }
    }

    pub(super) async fn cannot_open(
        &self,
        id: MessageId,
        account: UserId,
        token: ClaimToken,
    ) -> Result<Result<(), LeaseError>, Unreachable> {
        let done = self.lease(id, account, &token, "cannot_open").await?;
        Ok(done.map(|_| ()))
    }

    /// Brings what a claim gives; `None` if it is gone in the meantime.
    async fn parcel(
        &self,
        node: &Node,
        id: MessageId,
        token: ClaimToken,
        reply: &Reply,
    ) -> Result<Option<Claim>, Unreachable> {
        let (body, slot) = (reply.number(6)?, reply.number(7)?);
        let place = [id.as_bytes(), &b":"[..], reply.part(5)?].concat();
        let keys = [self.key("b:", id.as_bytes()), self.key("s:", &place)];
        let sizes = [body as usize, slot as usize];
        let epoch = self.epoch(node).await?;
        let Some([body, slot]) = self.bring(node, epoch, keys, sizes).await? else {
            return Ok(None);
        };
        Ok(Some(Claim {
            token,
            lease: Duration::from_millis(reply.number(1)?),
            target: read_target(reply.part(2)?).ok_or(Unreachable)?,
            burn_on_read: reply.number(3)? == 1,
            expires_at: reply.number(4)?,
            slot: Arc::new(slot),
            body: Arc::new(body),
        }))
    }

    /// Brings strings of known sizes; `None` if one is not there.
    pub(super) async fn bring<const N: usize>(
        &self,
        node: &Node,
        epoch: Epoch,
        keys: [Vec<u8>; N],
        sizes: [usize; N],
    ) -> Result<Option<[Ciphertext; N]>, Unreachable> {
        let mut commands = Pipeline::new();
        for key in keys {
            commands.cmd("GET").arg(key);
        }
        let carried = sizes.iter().sum();
        let sent = node.bodies.send(self, node, epoch, &commands, carried);
        let mut brought = Vec::with_capacity(N);
        for (value, size) in sent.await?.into_iter().zip(sizes) {
            let mut bytes = match value {
                Value::BulkString(bytes) => bytes,
                Value::Nil => Vec::new(),
                _ => return Err(Unreachable),
            };
            let sealed = Ciphertext::copy_of(&bytes);
            wipe(&mut bytes);
            if sealed.len() != size {
                return Ok(None);
            }
            brought.push(sealed);
        }
        Ok(brought.try_into().ok())
    }
}
