//! Extractors: a session, and an administrator's session.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use actix_session::SessionExt;
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest, ResponseError, web};
use api::{Action, Code};
use store::{AuditEvent, Fault, Role, UserId};

use crate::app::accounts::audit;
use crate::app::state::App;
use crate::faces::http::{ClientIp, Problem};

use super::cookie::loaded_id;
use super::{LiveSession, Origin};

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// A session that has not ended; only the check can make one.
#[derive(Debug, Clone)]
pub struct SignedIn(Arc<LiveSession>);

impl SignedIn {
    /// Returns the session.
    pub fn session(&self) -> &Arc<LiveSession> {
        &self.0
    }

    /// Returns the account.
    pub fn user_id(&self) -> UserId {
        self.0.user_id()
    }

    /// Returns the account's bytes, as the limits count them.
    pub fn key(&self) -> [u8; 16] {
        *self.0.user_id().as_bytes()
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { signed_in(&request).await?.ok_or_else(Problem::signed_out) })
    }
}

/// A session of an administrator; only the check can make one, and it audits every refusal.
#[derive(Debug, Clone)]
pub struct Administrator(SignedIn);

impl Administrator {
    /// Returns the session.
    pub fn signed_in(&self) -> &SignedIn {
        &self.0
    }
}

impl FromRequest for Administrator {
    type Error = Problem;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let signed_in = SignedIn::from_request(&request, payload);
        Box::pin(async move {
            let signed_in = match signed_in.await {
                Ok(signed_in) => signed_in,
                Err(problem) => {
                    let status = problem.status_code().as_u16();
                    if status == 401 {
                        audit_refusal(&request, None, status).await?;
                    }
                    return Err(problem);
                }
            };
            if signed_in.0.role() == Role::Admin {
                count(&request, &signed_in)?;
                return Ok(Self(signed_in));
            }
            audit_refusal(&request, Some(signed_in.user_id()), 403).await?;
            Err(Problem::forbidden("Only an administrator may do this."))
        })
    }
}

/// Extracts `T` only after `G` let the request pass.
///
/// Extractors of one handler run concurrently; without this, an unauthorised client could be told about
/// errors of its body first.
#[derive(Debug)]
pub struct After<G, T>(pub G, pub T);

impl<G, T> FromRequest for After<G, T>
where
    G: FromRequest<Error = Problem> + 'static,
    T: FromRequest + 'static,
    T::Error: Into<actix_web::Error>,
{
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, actix_web::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            let guard = G::from_request(&request, &mut Payload::None).await?;
            let rest = T::from_request(&request, &mut payload).await;
            Ok(Self(guard, rest.map_err(Into::into)?))
        })
    }
}

/// Returns the session of the request, if it has one.
pub(crate) async fn signed_in(request: &HttpRequest) -> Result<Option<SignedIn>, Problem> {
    let Some(app) = request.app_data::<web::Data<App>>() else {
        return Ok(None);
    };
    // The borrow of the entries must end before the await.
    let id = loaded_id(&request.get_session().entries());
    let Some(id) = id else {
        return Ok(None);
    };
    let found = app
        .sessions()
        .find(id)
        .await
        .map_err(|cause| Problem::from(&cause))?;
    Ok(found.map(SignedIn))
}

/// Records that an account without the role tried an administrator's request.
pub(crate) async fn audit_refusal(
    request: &HttpRequest,
    user: Option<UserId>,
    status: u16,
) -> Result<(), Problem> {
    let Some(app) = request.app_data::<web::Data<App>>() else {
        return Ok(());
    };
    let origin = Origin::of(request);
    let mut details = origin.answered(status);
    details["method"] = request.method().as_str().into();
    details["route"] = request.match_pattern().into();
    let event = audit::event(user, Action::AdminRefused, app.ambient().now(), details);
    write(app, event, origin.ip).await
}

/// Writes a record of a refusal or a read, or counts it beyond the rate.
pub(crate) async fn write(app: &App, event: AuditEvent, from: ClientIp) -> Result<(), Problem> {
    if let Some(event) = app.repeats().admit(event, from.network()) {
        let written = app.store().append_audit(vec![event]).await;
        written.map_err(|fault| match fault {
            // Fail closed: what nobody can write down nobody gets to see.
            Fault::Full => {
                tracing::error!(cause = %fault, "the disk is full");
                Problem::new(
                    Code::DiskFull,
                    "This is written into the audit log before it is answered, and the server's disk is \
                     full. Free some space on the server, then try again.",
                )
                .retry_after(60)
            }
            fault => Problem::from(&fault),
        })?;
    }
    Ok(())
}

/// Counts an administrator's requests and changes.
fn count(request: &HttpRequest, who: &SignedIn) -> Result<(), Problem> {
    let Some(app) = request.app_data::<web::Data<App>>() else {
        return Ok(());
    };
    app.limits().administration(who.key())?;
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(());
    }
    app.limits().change(who.key())
}
