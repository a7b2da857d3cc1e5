//! Who sends a request, and whether it may do what the table says: decided once, before a body is read.

use std::future::{Ready, ready};

use actix_session::SessionExt;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest};
use serde_json::json;

use crate::app::authority::{self, Authorized, Permission, Permit, Principal};
use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};
use crate::routes::Pattern;

use super::cookie::loaded_id;
use super::pages::rendered;

/// Who was let through, for the handler.
#[derive(Clone)]
struct Granted {
    who: SignedIn,
    permission: Permission,
}

/// Middleware of each address: lets through whom the table lets through.
pub(crate) async fn enforce(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let pattern = request.app_data::<Pattern>().copied();
    let permission = pattern.and_then(|pattern| pattern.permission(request.method()));
    if let Some(permission) = permission {
        let sender = request.request().clone();
        match admitted(&sender, permission).await {
            Ok(who) => {
                let granted = Granted { who, permission };
                request.extensions_mut().insert(granted);
            }
            Err(problem) => {
                let refusal = rendered::refusal(&sender, problem);
                return Ok(request.error_response(refusal).map_into_right_body());
            }
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}

async fn admitted(request: &HttpRequest, permission: Permission) -> Result<SignedIn, Problem> {
    let caller = signed_in(request).await?;
    let Some(app) = request.app_data::<Data<App>>() else {
        return Err(Problem::internal(&"the server's parts are missing"));
    };
    let method = match request.method() {
        &Method::HEAD => "GET",
        method => method.as_str(),
    };
    let what = json!({ "method": method, "route": request.match_pattern() });
    authority::admit(app, caller, permission, &Origin::of(request), what).await
}

/// Returns the session of the request, if it has one.
pub(crate) async fn signed_in(request: &HttpRequest) -> Result<Option<SignedIn>, Problem> {
    if let Some(granted) = request.extensions().get::<Granted>() {
        return Ok(Some(granted.who.clone()));
    }
    let Some(app) = request.app_data::<Data<App>>() else {
        return Ok(None);
    };
    // The borrow of the entries must end before the await.
    let id = loaded_id(&request.get_session().entries());
    let Some(id) = id else {
        return Ok(None);
    };
    Ok(SignedIn::check(app.sessions(), id).await?)
}

fn granted(request: &HttpRequest, permission: Permission) -> Result<SignedIn, Problem> {
    match request.extensions().get::<Granted>() {
        Some(granted) if granted.permission == permission => Ok(granted.who.clone()),
        _ => Err(Problem::internal(
            &"a handler asks for another permission than its row in the table",
        )),
    }
}

impl FromRequest for SignedIn {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(granted(request, Permission::UseAccount))
    }
}

impl<P: Permit> FromRequest for Authorized<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let who = granted(request, P::PERMISSION);
        ready(who.and_then(|who| Ok(Self::check(Principal::Person(who))?)))
    }
}
