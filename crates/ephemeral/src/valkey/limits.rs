//! Attempts, and who has written to whom.

use std::time::Duration;

use super::Valkey;
use super::core::Core;
use super::wire::{Args, Reply};
use crate::{Answer, Attempt, Key, RateLimits, Rule, TooSoon, Unreachable, UserId};

/// Names the bucket of an attempt.
fn bucket(attempt: &Attempt) -> Vec<u8> {
    [attempt.rule.name.as_bytes(), b":", attempt.key.as_bytes()].concat()
}

/// A rule as functions take it: microseconds of one attempt, burst, and whether it grows. An attempt takes a
/// microsecond at least: clocks of instances are not the same, and a burst that took none would allow for nothing.
fn rule(args: Args, rule: &Rule) -> Args {
    let burst = rule.burst.max(1);
    let step = ((rule.per / burst).as_micros() as u64).max(1);
    args.number(step).number(burst.into()).flag(rule.growing)
}

fn verdict(reply: &Reply) -> Result<Result<(), TooSoon>, Unreachable> {
    Ok(match reply.number(1)? {
        0 => Ok(()),
        over => Err(TooSoon(Duration::from_micros(over))),
    })
}

impl Core {
    fn now_us(&self) -> Args {
        Args::default().number(self.ambient.now_ms().saturating_mul(1000))
    }

    /// Attempts that follow one another at one node are one call.
    async fn take(&self, attempts: Vec<Attempt>) -> Result<Result<(), TooSoon>, Unreachable> {
        let placed: Vec<_> = attempts
            .iter()
            .map(|attempt| (self.node_of(attempt.key.as_bytes()).index, attempt))
            .collect();
        for together in placed.chunk_by(|one, other| one.0 == other.0) {
            let args = together.iter().fold(self.now_us(), |args, (_, attempt)| {
                rule(args.raw(bucket(attempt)), &attempt.rule)
            });
            let node = &self.nodes[together[0].0];
            let reply = node.call(self, "take", &args).await?;
            if let Err(too_soon) = verdict(&reply)? {
                return Ok(Err(too_soon));
            }
        }
        Ok(Ok(()))
    }

    /// Hides who writes to whom from the node.
    fn pair(&self, from: UserId, to: UserId) -> [u8; 16] {
        let mut pair = [0; 16];
        let hash = self.derive("pair", &[from.as_bytes(), to.as_bytes()]);
        pair.copy_from_slice(&hash[..16]);
        pair
    }

    /// Judged at the writer's node, which knows both directions, and noted at each reader's.
    async fn writes_to(
        &self,
        from: UserId,
        to: Vec<UserId>,
        beginnings: Rule,
    ) -> Result<Result<(), TooSoon>, Unreachable> {
        let others: Vec<_> = to.into_iter().filter(|to| *to != from).collect();
        let beginning = Attempt {
            rule: beginnings,
            key: Key::of(from.as_bytes(), &[]),
        };
        let args = rule(self.now_us().raw(bucket(&beginning)), &beginnings);
        let args = others.iter().fold(args, |args, to| {
            args.raw(self.pair(from, *to)).raw(self.pair(*to, from))
        });
        let home = self.node_of(from.as_bytes());
        let reply = home.call(self, "writes_to", &args).await?;
        let noted = reply.number(0)? as usize;
        for to in others.iter().take(noted) {
            let node = self.node_of(to.as_bytes());
            if node.index != home.index {
                let args = Args::default().raw(self.pair(from, *to));
                node.call(self, "wrote", &args).await?;
            }
        }
        verdict(&reply)
    }

    async fn never_wrote_to(
        &self,
        reader: UserId,
        accounts: Vec<UserId>,
    ) -> Result<Vec<UserId>, Unreachable> {
        let args = Args::default().all(accounts.iter().map(|from| self.pair(*from, reader)));
        let wrote = self.at(reader.as_bytes(), "has_written", args).await?;
        let with_answers = accounts.into_iter().zip(wrote.numbers()?);
        let strange = with_answers.filter(|(_, wrote)| *wrote == 0);
        Ok(strange.map(|(account, _)| account).collect())
    }
}

impl RateLimits for Valkey {
    fn take(&self, attempts: &[Attempt]) -> Answer<'_, Result<(), TooSoon>> {
        let attempts = attempts.to_vec();
        self.ask(|core| async move { core.take(attempts).await })
    }

    fn writes_to(
        &self,
        from: UserId,
        to: &[UserId],
        beginnings: Rule,
    ) -> Answer<'_, Result<(), TooSoon>> {
        let to = to.to_vec();
        self.ask(|core| async move { core.writes_to(from, to, beginnings).await })
    }

    fn never_wrote_to(&self, reader: UserId, accounts: &[UserId]) -> Answer<'_, Vec<UserId>> {
        let accounts = accounts.to_vec();
        self.ask(|core| async move { core.never_wrote_to(reader, accounts).await })
    }
}
