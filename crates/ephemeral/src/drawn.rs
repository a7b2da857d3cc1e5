//! What is drawn at random once in the life of the plane, and the same for every instance.

use api::ids::BootId;
use zeroize::Zeroizing;

use crate::Answer;

/// Secrets that come and go with the plane: nobody else keeps them.
pub trait Drawn: Send + Sync {
    /// Returns the id of this life of the plane: under another one, what waited is gone.
    fn boot_id(&self) -> Answer<'_, BootId>;

    /// Returns the key of the tokens that clients keep for the server.
    fn token_key(&self) -> Answer<'_, Zeroizing<[u8; 32]>>;

    /// Returns the secret of the set-up link.
    fn setup_secret(&self) -> Answer<'_, Zeroizing<[u8; 32]>>;
}

/// Remembers which tokens were used.
pub trait OneTimeTokens: Send + Sync {
    /// Uses up the token with this nonce, which expires at this unix second; returns whether it was
    /// unused. Of several that try at once, one has used it.
    fn use_up(&self, nonce: &[u8; 24], expires_at: u64) -> Answer<'_, bool>;
}
