//! The secrets of this process.

use ambient::Ambient;
use api::ids::BootId;
use zeroize::Zeroizing;

use super::Memory;
use crate::{Answer, Drawn};

/// Secrets that were drawn at the start.
pub(super) struct Secrets {
    boot_id: BootId,
    token_key: Zeroizing<[u8; 32]>,
    setup: Zeroizing<[u8; 32]>,
}

impl Secrets {
    pub(super) fn draw(ambient: &Ambient) -> Self {
        Self {
            boot_id: BootId::from(ambient.random()),
            token_key: Zeroizing::new(ambient.random()),
            setup: Zeroizing::new(ambient.random()),
        }
    }
}

impl Drawn for Memory {
    fn boot_id(&self) -> Answer<'_, BootId> {
        Answer::ready(self.secrets.boot_id)
    }

    fn token_key(&self) -> Answer<'_, Zeroizing<[u8; 32]>> {
        Answer::ready(self.secrets.token_key.clone())
    }

    fn setup_secret(&self) -> Answer<'_, Zeroizing<[u8; 32]>> {
        Answer::ready(self.secrets.setup.clone())
    }
}
