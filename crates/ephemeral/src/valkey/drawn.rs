//! Secrets of this life of the plane, derived from the epochs of its nodes, and used tokens.

use api::ids::BootId;
use zeroize::Zeroizing;

use super::Valkey;
use super::core::Core;
use super::wire::Args;
use crate::{Answer, Drawn, OneTimeTokens, Unreachable};

impl Core {
    /// Derives a value from the epochs of all nodes: it is another one when any of them has begun anew.
    async fn of_all_epochs(&self, what: &str) -> Result<Zeroizing<[u8; 32]>, Unreachable> {
        let mut epochs = Vec::new();
        for node in &self.nodes {
            epochs.push((node.name.as_str(), self.epoch(node).await?));
        }
        // Instances may name the nodes in another order.
        epochs.sort_unstable();
        let epochs: Vec<&[u8]> = epochs.iter().map(|(_, epoch)| &epoch[..]).collect();
        Ok(self.derive(what, &epochs))
    }

    async fn boot_id(&self) -> Result<BootId, Unreachable> {
        let link = self.first().link(self).await.map_err(|_| Unreachable)?;
        Ok(BootId::from(link.plane))
    }

    /// A node that has begun anew does not remember: what was asked of the one before is not asked again.
    async fn use_up(&self, nonce: [u8; 24], expires_at: u64) -> Result<bool, Unreachable> {
        let args = Args::default()
            .raw(nonce)
            .number(expires_at.saturating_mul(1000));
        let node = self.node_of(&nonce);
        let reply = node.call_once(self, "use_up", &args).await?;
        Ok(reply.ok_or(Unreachable)?.is_yes())
    }
}

impl Drawn for Valkey {
    fn boot_id(&self) -> Answer<'_, BootId> {
        self.ask(|core| async move { core.boot_id().await })
    }

    fn token_key(&self) -> Answer<'_, Zeroizing<[u8; 32]>> {
        self.ask(|core| async move { core.of_all_epochs("token key").await })
    }

    fn setup_secret(&self) -> Answer<'_, Zeroizing<[u8; 32]>> {
        self.ask(|core| async move { core.of_all_epochs("set-up secret").await })
    }
}

impl OneTimeTokens for Valkey {
    fn use_up(&self, nonce: &[u8; 24], expires_at: u64) -> Answer<'_, bool> {
        let nonce = *nonce;
        self.ask(|core| async move { core.use_up(nonce, expires_at).await })
    }
}
