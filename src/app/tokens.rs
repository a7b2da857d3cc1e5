//! Tokens: the server's state between two messages, sealed and kept by the client.
//!
//! A sign-in that never finishes, for a handle that may not exist, must not use memory of the server. The
//! state is in a token, sealed under a key that lives as long as the ephemeral plane.
//!
//! Specification: `docs/protocol/accounts.md#opaque`.

use api::Code;
use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use ephemeral::{Ephemeral, Unreachable};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::Problem;
use ambient::Ambient;

/// Length of the nonce that begins a token, in bytes.
const NONCE: usize = 24;

/// Tokens are padded to multiples of this many bytes, so that their size reveals nothing.
const STEP: usize = 1024;

/// Purpose of a token; a token of another purpose does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Between the two messages of a sign-in.
    SignIn,
    /// Between the two messages of a re-authentication.
    Reauth,
    /// Proof of a re-authentication.
    Reauthenticated,
    /// Between the two messages of a registration.
    Registration,
    /// Between the two messages of a recovery.
    Recovery,
    /// Between the two messages of a change of passphrase.
    Passphrase,
}

impl Purpose {
    /// Life of a token in seconds.
    pub fn life(self) -> u64 {
        match self {
            Self::SignIn | Self::Reauth => 60,
            Self::Reauthenticated => 300,
            // A person stores a recovery key in between.
            Self::Registration | Self::Recovery | Self::Passphrase => 600,
        }
    }

    /// The longest life of a token, in seconds.
    pub fn longest_life() -> u64 {
        Self::Registration.life()
    }

    fn label(self) -> &'static [u8] {
        match self {
            Self::SignIn => b"sign-in",
            Self::Reauth => b"reauth",
            Self::Reauthenticated => b"reauthenticated",
            Self::Registration => b"registration",
            Self::Recovery => b"recovery",
            Self::Passphrase => b"passphrase",
        }
    }
}

/// Why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was made under another key or for another purpose, or it has expired.
    #[error("this step has expired; begin again")]
    Expired,
    /// It has been used.
    #[error("this step was done before; begin again")]
    Used,
    /// Nobody can say whether it has been used.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unreachable(unreachable) => unreachable.into(),
            _ => Self::new(Code::TokenExpired, error.to_string()),
        }
    }
}

/// Seals and opens tokens; each opens once, on any instance that shares the plane.
pub struct Tokens {
    ambient: Ambient,
    plane: Ephemeral,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens([redacted])")
    }
}

#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    expires_at: u64,
    state: T,
}

impl Tokens {
    /// Takes the plane, which has the key and remembers what was used.
    pub fn new(ambient: Ambient, plane: Ephemeral) -> Self {
        Self { ambient, plane }
    }

    async fn cipher(&self) -> Result<XChaCha20Poly1305, Unreachable> {
        let key = self.plane.drawn().token_key().await?;
        Ok(XChaCha20Poly1305::new(&Key::from(*key)))
    }

    /// Seals `state`.
    pub async fn seal<T: Serialize>(
        &self,
        purpose: Purpose,
        state: &T,
    ) -> Result<Vec<u8>, Problem> {
        let cipher = self.cipher().await?;
        let sealed = Sealed {
            expires_at: self.ambient.now() + purpose.life(),
            state,
        };
        let mut plain =
            Zeroizing::new(serde_json::to_vec(&sealed).map_err(|cause| Problem::internal(&cause))?);
        let padded = plain.len().div_ceil(STEP) * STEP;
        plain.resize(padded, b' ');
        let nonce = self.ambient.random::<NONCE>();
        let payload = Payload {
            msg: &plain,
            aad: purpose.label(),
        };
        let mut token = nonce.to_vec();
        token.extend(
            cipher
                .encrypt(&XNonce::from(nonce), payload)
                .map_err(|_| Problem::internal(&"a token could not be sealed"))?,
        );
        Ok(token)
    }

    /// Opens a token, once.
    pub async fn open_once<T: DeserializeOwned>(
        &self,
        purpose: Purpose,
        token: &[u8],
    ) -> Result<T, TokenError> {
        let (nonce, sealed) = token
            .split_first_chunk::<NONCE>()
            .ok_or(TokenError::Expired)?;
        let payload = Payload {
            msg: sealed,
            aad: purpose.label(),
        };
        let cipher = self.cipher().await?;
        let plain = cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| TokenError::Expired)?;
        let opened: Sealed<T> = serde_json::from_slice(&plain).map_err(|_| TokenError::Expired)?;
        if self.ambient.now() >= opened.expires_at {
            return Err(TokenError::Expired);
        }
        // Only a token that we made is remembered, and only as long as it would open.
        match self.plane.tokens().use_up(nonce, opened.expires_at).await? {
            true => Ok(opened.state),
            false => Err(TokenError::Used),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use ambient::ManualClock;
    use std::sync::Arc;

    fn tokens() -> (Tokens, Arc<ManualClock>) {
        let clock = ManualClock::at(1_000);
        let ambient = Ambient::new(clock.clone(), Arc::new(ambient::OsEntropy));
        let plane = Ephemeral::memory(ephemeral::Config::default(), ambient.clone());
        (Tokens::new(ambient, plane), clock)
    }

    #[tokio::test]
    async fn a_token_opens_once_and_only_for_its_purpose() {
        let (tokens, _) = tokens();
        let token = tokens.seal(Purpose::SignIn, &7_u32).await.unwrap();
        assert_eq!(
            tokens.open_once::<u32>(Purpose::Reauth, &token).await,
            Err(TokenError::Expired)
        );
        assert_eq!(
            tokens.open_once::<u32>(Purpose::SignIn, &token).await,
            Ok(7)
        );
        assert_eq!(
            tokens.open_once::<u32>(Purpose::SignIn, &token).await,
            Err(TokenError::Used)
        );
    }

    #[tokio::test]
    async fn a_token_is_over_after_its_life() {
        let (tokens, clock) = tokens();
        let token = tokens.seal(Purpose::SignIn, &7_u32).await.unwrap();
        clock.advance_ms(60_000);
        assert_eq!(
            tokens.open_once::<u32>(Purpose::SignIn, &token).await,
            Err(TokenError::Expired)
        );
    }

    #[tokio::test]
    async fn another_plane_or_a_flipped_bit_does_not_open_a_token() {
        let (one, _) = tokens();
        let (other, _) = tokens();
        let mut token = one.seal(Purpose::SignIn, &7_u32).await.unwrap();
        assert!(
            other
                .open_once::<u32>(Purpose::SignIn, &token)
                .await
                .is_err()
        );
        token[40] ^= 1;
        assert!(one.open_once::<u32>(Purpose::SignIn, &token).await.is_err());
        assert!(
            one.open_once::<u32>(Purpose::SignIn, b"short")
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn tokens_of_different_contents_have_the_same_size() {
        let (tokens, _) = tokens();
        let short = tokens.seal(Purpose::SignIn, &"").await.unwrap();
        let long = tokens
            .seal(Purpose::SignIn, &"x".repeat(600))
            .await
            .unwrap();
        assert_eq!(short.len(), long.len());
    }
}
