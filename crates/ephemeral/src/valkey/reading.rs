//! Queries.

use std::collections::HashMap;

use super::core::Core;
use super::events::item;
use super::wire::{Args, Reply};
use crate::{LiveId, MessageId, MessageState, Stats, StatusItem, Unreachable, UserId, WaitingItem};

impl Core {
    /// Each poster's messages lie at one node, in order; posters take turns over all nodes.
    pub(super) async fn waiting_for(
        &self,
        account: UserId,
        live: Option<LiveId>,
    ) -> Result<Vec<WaitingItem>, Unreachable> {
        let args = Args::default()
            .raw(account.as_bytes())
            .raw(live.as_ref().map_or(&[][..], |live| live.as_bytes()));
        let replies = self.everywhere("waiting", args).await?;
        let items = replies.iter().flat_map(Reply::parts);
        let mut told = HashMap::new();
        let mut in_turns: Vec<_> = items
            .filter_map(|bytes| item(bytes))
            .map(|item| {
                let turn = told.entry(item.poster).or_insert(0_usize);
                *turn += 1;
                (*turn, item)
            })
            .collect();
        in_turns.sort_by_key(|(turn, _)| *turn);
        Ok(in_turns.into_iter().map(|(_, item)| item).collect())
    }

    pub(super) async fn stranded_for(
        &self,
        account: UserId,
    ) -> Result<Vec<(MessageId, UserId)>, Unreachable> {
        let args = Args::default().raw(account.as_bytes());
        let replies = self.everywhere("stranded", args).await?;
        let read = |bytes: &Vec<u8>| {
            let (id, poster) = bytes.split_at_checked(16)?;
            Some((MessageId::from_slice(id)?, UserId::from_slice(poster)?))
        };
        let all = replies.iter().flat_map(Reply::parts);
        Ok(all.filter_map(read).collect())
    }

    pub(super) async fn holds_unread(
        &self,
        poster: UserId,
        accounts: Vec<UserId>,
        most: usize,
        beside: MessageId,
    ) -> Result<bool, Unreachable> {
        let args = Args::default()
            .raw(poster.as_bytes())
            .number(most as u64)
            .raw(beside.as_bytes())
            .all(accounts.iter().map(UserId::as_bytes));
        let reply = self.at(poster.as_bytes(), "holds_unread", args).await?;
        Ok(reply.is_yes())
    }

    pub(super) async fn prekeys_in_use(&self, account: UserId) -> Result<Vec<u32>, Unreachable> {
        let args = Args::default().raw(account.as_bytes());
        let mut prekeys = Vec::new();
        for reply in self.everywhere("prekeys", args).await? {
            for prekey in reply.numbers()? {
                prekeys.push(u32::try_from(prekey).map_err(|_| Unreachable)?);
            }
        }
        prekeys.sort_unstable();
        prekeys.dedup();
        Ok(prekeys)
    }

    pub(super) async fn status(
        &self,
        poster: UserId,
        ids: Vec<MessageId>,
    ) -> Result<Vec<StatusItem>, Unreachable> {
        let args = Args::default()
            .raw(poster.as_bytes())
            .all(ids.iter().map(MessageId::as_bytes));
        let reply = self.at(poster.as_bytes(), "status", args).await?;
        let read = |(id, bytes): (MessageId, &Vec<u8>)| {
            let text = std::str::from_utf8(bytes).map_err(|_| Unreachable)?;
            let (letter, end) = text.split_at_checked(1).ok_or(Unreachable)?;
            let state = match letter {
                "W" => MessageState::Waiting,
                "C" => MessageState::Claimed,
                "K" => MessageState::Acknowledged,
                "X" => MessageState::Expired,
                _ => MessageState::Unknown,
            };
            let expires_at = end.parse().map_err(|_| Unreachable)?;
            Ok(StatusItem {
                id,
                state,
                expires_at,
            })
        };
        ids.into_iter().zip(reply.parts()).map(read).collect()
    }

    pub(super) async fn next_expiry_ms(&self) -> Result<Option<u64>, Unreachable> {
        let replies = self.everywhere("stats", Args::default()).await?;
        Ok(replies.iter().filter_map(|it| it.number(3).ok()).min())
    }

    pub(super) async fn stats(&self) -> Result<Stats, Unreachable> {
        let replies = self.everywhere("stats", Args::default()).await?;
        let mut stats = Stats::default();
        for reply in &replies {
            stats.messages += reply.number(0)?;
            stats.bytes += reply.number(1)?;
            stats.tombstones += reply.number(2)?;
        }
        let due = replies.iter().filter_map(|it| it.number(3).ok()).min();
        stats.next_expiry = due.map(|ms| ms / 1000);
        Ok(stats)
    }
}
