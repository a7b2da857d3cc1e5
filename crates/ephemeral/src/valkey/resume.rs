//! Halves of resume wraps, which travel as bodies do.

use redis::{Pipeline, Value};
use zeroize::Zeroizing;

use super::Valkey;
use super::core::Core;
use super::wire::Args;
use crate::{Answer, Ciphertext, ResumeHalves, SessionId, Unreachable};

impl Core {
    async fn keep(
        &self,
        session: SessionId,
        half: Ciphertext,
        until: u64,
    ) -> Result<(), Unreachable> {
        // First until when, so that a half without an end never lies there.
        let args = Args::default()
            .raw(session.as_bytes())
            .number(until.saturating_mul(1000));
        self.at(session.as_bytes(), "keep_half", args).await?;
        let node = self.node_of(session.as_bytes());
        let epoch = self.epoch(node).await?;
        let mut commands = Pipeline::new();
        let key = self.key("h:", session.as_bytes());
        commands.cmd("SET").arg(key).arg(half.expose());
        let sent = node.bodies.send(self, node, epoch, &commands, half.len());
        match sent.await?.pop() {
            Some(Value::Okay) => Ok(()),
            _ => Err(Unreachable),
        }
    }

    async fn half(&self, session: SessionId) -> Result<Option<Zeroizing<Vec<u8>>>, Unreachable> {
        let args = Args::default().raw(session.as_bytes());
        let has = self.at(session.as_bytes(), "has_half", args).await?;
        if !has.is_yes() {
            return Ok(None);
        }
        let node = self.node_of(session.as_bytes());
        let epoch = self.epoch(node).await?;
        let mut commands = Pipeline::new();
        commands.cmd("GET").arg(self.key("h:", session.as_bytes()));
        let sent = node.bodies.send(self, node, epoch, &commands, HALF);
        match sent.await?.pop() {
            Some(Value::BulkString(half)) => Ok(Some(Zeroizing::new(half))),
            Some(Value::Nil) => Ok(None),
            _ => Err(Unreachable),
        }
    }

    async fn erase(&self, sessions: Vec<SessionId>) -> Result<(), Unreachable> {
        for node in &self.nodes {
            let here = sessions.iter().filter(|session| {
                let at = self.node_of(session.as_bytes());
                at.index == node.index
            });
            let args = Args::default().all(here.map(SessionId::as_bytes));
            if !args.0.is_empty() {
                node.call(self, "erase_halves", &args).await?;
            }
        }
        Ok(())
    }
}

/// More bytes than a half has.
const HALF: usize = 4096;

impl ResumeHalves for Valkey {
    fn keep(&self, session: SessionId, half: Zeroizing<Vec<u8>>, until: u64) -> Answer<'_, ()> {
        let half = Ciphertext::copy_of(&half);
        self.ask(|core| async move { core.keep(session, half, until).await })
    }

    fn half(&self, session: SessionId) -> Answer<'_, Option<Zeroizing<Vec<u8>>>> {
        self.ask(|core| async move { core.half(session).await })
    }

    fn erase(&self, sessions: &[SessionId]) -> Answer<'_, ()> {
        let sessions = sessions.to_vec();
        self.ask(|core| async move { core.erase(sessions).await })
    }
}
