//! Being signed in to Vault.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::remote::error::RemoteError;
use crate::remote::http::Answered;
use crate::remote::secret_text::SecretText;
use crate::remote::text;
use crate::remote::vault::VaultLogin;
use crate::remote::vault::transport::Transport;

/// Pause between two looks at a session that has no end, or that could not be renewed.
const LOOK: Duration = Duration::from_secs(30);
/// Shortest pause between two looks.
const SHORTEST: Duration = Duration::from_millis(250);

/// The session, and how to get one.
pub(super) struct Sessions {
    login: VaultLogin,
    clock: Arc<dyn Clock>,
    session: Mutex<Option<Session>>,
}

struct Session {
    token: Arc<SecretText>,
    /// How long it lived when it began; `None` if it does not end.
    life: Option<Duration>,
    /// When half of what is left of it is over.
    due: Option<Duration>,
    renewable: bool,
}

#[derive(Serialize)]
struct AppRole<'a> {
    role_id: &'a str,
    secret_id: &'a str,
}

#[derive(Deserialize)]
struct SignedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: Zeroizing<String>,
    lease_duration: u64,
    renewable: bool,
}

#[derive(Deserialize)]
struct LookedUp {
    data: TokenState,
}

#[derive(Deserialize)]
struct TokenState {
    ttl: u64,
    #[serde(default)]
    renewable: bool,
}

impl Sessions {
    pub(super) fn new(login: VaultLogin, clock: Arc<dyn Clock>) -> Self {
        Self {
            login,
            clock,
            session: Mutex::default(),
        }
    }

    /// The token of the session; signs in if there is none.
    pub(super) async fn token(&self, to: &Transport) -> Result<Arc<SecretText>, RemoteError> {
        let mut session = self.session.lock().await;
        let kept = match session.take() {
            Some(kept) => kept,
            None => self.sign_in(to).await?,
        };
        let token = Arc::clone(&kept.token);
        *session = Some(kept);
        Ok(token)
    }

    /// Forgets a session that was refused; `false` if there is no way to another one.
    pub(super) async fn forget(&self, token: &Arc<SecretText>) -> bool {
        if matches!(self.login, VaultLogin::Token(_)) {
            return false;
        }
        let mut session = self.session.lock().await;
        session.take_if(|session| Arc::ptr_eq(&session.token, token));
        true
    }

    /// Renews the session if half of it is over; returns when to come again.
    ///
    /// What fails here shows when a key is needed.
    pub(super) async fn look_after(&self, to: &Transport) -> Duration {
        let mut session = self.session.lock().await;
        let now = self.clock.monotonic();
        let Some(kept) = session.as_mut() else {
            return SHORTEST;
        };
        let Some(due) = kept.due else { return LOOK };
        if now < due {
            return (due - now).clamp(SHORTEST, LOOK);
        }
        if kept.renewable && self.renew(to, kept).await {
            return SHORTEST;
        }
        // It is used to its end: another one may be refused.
        if matches!(self.login, VaultLogin::AppRole { .. })
            && let Ok(new) = self.sign_in(to).await
        {
            *kept = new;
            return SHORTEST;
        }
        let left = kept.life.map_or(LOOK, |life| life / 8);
        kept.due = Some(now.saturating_add(left.clamp(SHORTEST, LOOK)));
        SHORTEST
    }

    /// Renews a session; `false` if it was not, or for a short time only.
    async fn renew(&self, to: &Transport, session: &mut Session) -> bool {
        let path = ["auth", "token", "renew-self"].into_iter();
        let body = serde_json::Map::new();
        let answer = to.post(path, Some(&session.token), &body).await;
        let renewed = answer.and_then(Answered::checked);
        let Some(renewed) = renewed
            .ok()
            .and_then(|answer| text::read::<SignedIn>(&answer.body))
        else {
            return false;
        };
        let left = Duration::from_secs(renewed.auth.lease_duration);
        session.due = Some(self.clock.monotonic().saturating_add(left / 2));
        session.renewable = renewed.auth.renewable;
        session.life.is_some_and(|life| left >= life / 2)
    }

    async fn sign_in(&self, to: &Transport) -> Result<Session, RemoteError> {
        match &self.login {
            VaultLogin::Token(token) => self.look_up(to, token).await,
            VaultLogin::AppRole {
                mount,
                role_id,
                secret_id,
            } => {
                let path = ["auth"].into_iter().chain(mount.split('/'));
                let body = AppRole {
                    role_id,
                    secret_id: secret_id.expose(),
                };
                let answer = to.post(path.chain(["login"]), None, &body).await?;
                let answer = answer.checked()?;
                let read = text::read::<SignedIn>(&answer.body);
                let auth = read.ok_or_else(|| to.odd("no session"))?.auth;
                let token = Arc::new(SecretText::new(&auth.client_token));
                Ok(self.session(token, auth.lease_duration, auth.renewable))
            }
        }
    }

    /// How long a token lives. One that may not look at itself is taken to have no end.
    async fn look_up(&self, to: &Transport, token: &SecretText) -> Result<Session, RemoteError> {
        let kept = Arc::new(SecretText::new(token.expose()));
        let path = ["auth", "token", "lookup-self"].into_iter();
        let answer = to.get(path, token).await?;
        if answer.status == 403 {
            return Ok(self.session(kept, 0, false));
        }
        let answer = answer.checked()?;
        let read = text::read::<LookedUp>(&answer.body);
        let state = read.ok_or_else(|| to.odd("no token"))?.data;
        Ok(self.session(kept, state.ttl, state.renewable))
    }

    /// A session of this life in seconds; 0 for one without an end.
    fn session(&self, token: Arc<SecretText>, seconds: u64, renewable: bool) -> Session {
        let life = (seconds > 0).then(|| Duration::from_secs(seconds));
        let now = self.clock.monotonic();
        Session {
            token,
            life,
            due: life.map(|life| now.saturating_add(life / 2)),
            renewable,
        }
    }
}
