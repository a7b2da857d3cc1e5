//! One log line and one measurement for each request, under its route's pattern.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use api::Code;

use crate::app::App;
use crate::app::limits;
use crate::app::origin::{Arrival, Origin, RequestId};
use crate::routes::Pattern;

use super::signed_in;
use crate::app::Problem;

/// Middleware: counts and logs.
///
/// The line has the pattern and never the path, so that no id, handle or address is in it.
pub async fn access_log(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(app) = request.app_data::<web::Data<App>>().cloned() else {
        return next.call(request).await;
    };
    let started = app.ambient().stopwatch();
    let id = RequestId::new(*app.boot().id().as_bytes(), app.metrics().next_request());
    request.extensions_mut().insert(id);
    request.extensions_mut().insert(Arrival(started.clone()));
    let response = match next.call(request).await {
        Ok(response) => response,
        // Which route it was went with the request.
        Err(error) => {
            let status = error.as_response_error().status_code().as_u16();
            app.metrics()
                .count("other", "unmatched", status, started.elapsed());
            return Err(error);
        }
    };
    note_refusal(&app, &response).await;
    let pattern = response.request().app_data::<Pattern>();
    let route = pattern.map_or("unmatched", |pattern| pattern.0);
    // A method is text of the caller's choice: only the known ones get a row of their own.
    let method = match response.request().method().as_str() {
        "GET" | "HEAD" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        _ => "other",
    };
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    app.metrics().count(method, route, status, elapsed);
    tracing::debug!(
        target: "access",
        request = %id,
        method,
        route,
        status,
        micros = elapsed.as_micros() as u64,
        "answered"
    );
    Ok(response)
}

/// Lets a refusal be written down, where its kind is.
async fn note_refusal(app: &App, response: &ServiceResponse<impl MessageBody>) {
    let error = response.response().error();
    let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) else {
        return;
    };
    if !matches!(
        problem.code(),
        Code::TooManyRequests | Code::Quota | Code::VaultFull
    ) {
        return;
    }
    let request = response.request();
    let who = signed_in(request).await.ok().flatten();
    let user = who.map(|who| who.user_id());
    limits::note(app, problem, user, &Origin::of(request)).await;
}
