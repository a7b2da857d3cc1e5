//! Starts a session: the cookie's secret, its row and its audit record.

use sha3::{Digest, Sha3_256};
use store::{AuditEvent, NewSession, SessionDetails, SessionId, UserId};
use zeroize::Zeroizing;

use crate::app::accounts::audit;
use crate::app::origin::Origin;
use crate::app::{App, Problem};
use api::bodies::Entered;
use api::{Action, close};

/// Longest device name that is kept, in characters.
const MAX_NAME: usize = 200;

/// The secret of a session that has been committed: what its cookie carries.
pub struct SessionSecret(Zeroizing<String>);

impl SessionSecret {
    /// Returns the text of the cookie.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A session that is about to be committed.
pub struct Opening {
    secret: Zeroizing<String>,
    id: SessionId,
    row: NewSession,
}

impl Opening {
    /// Generates a secret for a session of `user`; nothing is stored yet.
    pub fn new(
        app: &App,
        user: UserId,
        origin: &Origin,
        method: &str,
        device_name: Option<String>,
    ) -> Self {
        let now = app.ambient().now();
        let secret = Zeroizing::new(app.ambient().random::<32>());
        let id = SessionId::from_bytes(Sha3_256::digest(secret.as_slice()).into());
        let config = app.config();
        let absolute = now.saturating_add(config.session_absolute_secs);
        let row = NewSession {
            session_id: id,
            user_id: user,
            created_at: now,
            expires_at: now.saturating_add(config.session_idle_secs).min(absolute),
            absolute_expires_at: absolute,
            details: SessionDetails {
                ip: origin.ip.0.to_string(),
                user_agent: origin.user_agent.clone(),
                signed_in_at: now,
                method: method.to_owned(),
                device_name: device_name.map(|name| name.chars().take(MAX_NAME).collect()),
            },
        };
        Self {
            secret: Zeroizing::new(hex::encode(secret.as_slice())),
            id,
            row,
        }
    }

    /// Returns the row to commit.
    pub fn row(&self) -> NewSession {
        self.row.clone()
    }

    /// Returns the audit record that shares the row's transaction.
    pub fn audit(&self, origin: &Origin) -> AuditEvent {
        let mut details = origin.details();
        details["method"] = self.row.details.method.clone().into();
        audit::event(
            Some(self.row.user_id),
            Action::SessionCreated,
            self.row.created_at,
            details,
        )
    }

    /// Returns the committed session's secret, for the caller's cookie.
    pub fn secret(self) -> SessionSecret {
        SessionSecret(self.secret)
    }

    /// Returns the id under which the session is stored.
    pub fn id(&self) -> SessionId {
        self.id
    }
}

/// What whoever has entered gets: who they are, the session's secret, and the mark of a known device.
pub struct Entry {
    /// The account.
    pub entered: Entered,
    /// The session's secret.
    pub session: SessionSecret,
    /// The text of the known device's cookie.
    pub device: String,
}

/// Makes room for one more session of this account by ending the oldest.
pub(super) async fn make_room(app: &App, user: UserId, origin: &Origin) -> Result<(), Problem> {
    let now = app.ambient().now();
    let mut sessions = app.store().list_sessions(user, now).await?;
    while sessions.len() >= app.config().sessions_per_account.max(1) {
        let Some((oldest, _)) = sessions.pop() else {
            break;
        };
        let mut details = origin.details();
        details["reason"] = "too many sessions".into();
        let record = audit::event(Some(user), Action::SessionRevoked, now, details);
        app.store()
            .delete_session(user, oldest, vec![record])
            .await?;
        app.sessions()
            .end(user, &[oldest], close::SESSION_OVER)
            .await;
    }
    Ok(())
}
