//! Starts a session: the cookie's secret, its row and its audit record.

use actix_session::Session;
use serde_json::json;
use sha3::{Digest, Sha3_256};
use store::{AuditEvent, NewSession, SessionDetails, SessionId, UserId};
use zeroize::Zeroizing;

use crate::app::accounts::audit;
use crate::app::state::App;
use crate::faces::http::{Arrival, ClientIp, Problem, RequestId};
use api::{Action, close};

use super::SECRET;

/// Longest user agent and device name that are kept, in characters.
const MAX_NAME: usize = 200;

/// Where a sign-in comes from, for the list of sessions and the audit log.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Network address.
    pub ip: ClientIp,
    /// Identifier of the request in the log.
    pub request_id: RequestId,
    /// When the request came in.
    pub arrival: Option<Arrival>,
    /// The browser's `User-Agent`.
    pub user_agent: String,
}

impl actix_web::FromRequest for Origin {
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(
        request: &actix_web::HttpRequest,
        _: &mut actix_web::dev::Payload,
    ) -> Self::Future {
        std::future::ready(Ok(Self::of(request)))
    }
}

impl Origin {
    /// Reads it from a request.
    pub fn of(request: &actix_web::HttpRequest) -> Self {
        let agent = request.headers().get("user-agent");
        let user_agent = agent.and_then(|value| value.to_str().ok()).unwrap_or("");
        Self {
            ip: ClientIp::of(request),
            request_id: RequestId::of(request),
            arrival: Arrival::of(request),
            user_agent: user_agent.chars().take(MAX_NAME).collect(),
        }
    }

    /// Returns the identifier and the origin of the request, for an audit record.
    pub fn asked(&self) -> serde_json::Value {
        json!({"request_id": self.request_id.to_string(), "ip": self.ip.0.to_string()})
    }

    /// Returns the details of the audit record of a request that succeeded.
    pub fn details(&self) -> serde_json::Value {
        self.answered(200)
    }

    /// Returns the details of the audit record of a request that is answered with this status; its
    /// latency is up to the record, which is on the disk before the answer leaves.
    pub fn answered(&self, status: u16) -> serde_json::Value {
        let mut details = self.asked();
        details["status"] = status.into();
        details["latency_ms"] = self.arrival.as_ref().map(Arrival::millis).into();
        details
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

    /// Puts the committed session's secret into the answer's cookie.
    pub fn hand_out(self, cookie: &Session) -> Result<(), Problem> {
        cookie.renew();
        cookie
            .insert(SECRET, self.secret.as_str())
            .map_err(|cause| Problem::internal(&cause))
    }

    /// Returns the id under which the session is stored.
    pub fn id(&self) -> SessionId {
        self.id
    }
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
        app.sessions().end(user, &[oldest], close::SESSION_OVER);
    }
    Ok(())
}
