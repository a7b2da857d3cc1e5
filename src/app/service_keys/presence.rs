//! Proof that whoever asks for something dangerous is there.

use crate::app::authority::{Authorized, Principal};
use crate::app::sessions::reauth::Reauthenticated;
use crate::app::{App, Problem};

/// Proof that a person gave their passphrase in this session within five minutes, or sits at the server's
/// terminal. Only the checks here make one.
pub struct Present(());

impl Present {
    /// Checks the token of a re-authentication and marks it as used.
    pub async fn by_passphrase<P>(
        app: &App,
        allowed: &Authorized<P>,
        token: &[u8],
    ) -> Result<Self, Problem> {
        let Principal::Person(who) = allowed.principal() else {
            return Err(Problem::signed_out());
        };
        Reauthenticated::check(app, who, token).await?;
        Ok(Self(()))
    }

    /// Whoever sits at the terminal can read the database's key anyway.
    pub(super) fn at_terminal<P>(allowed: &Authorized<P>) -> Option<Self> {
        matches!(allowed.principal(), Principal::Terminal(_)).then_some(Self(()))
    }
}
