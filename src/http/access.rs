//! One log line and one measurement for each request, under its route's pattern.

use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use crate::state::App;

use super::RequestId;

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
    let started = Instant::now();
    let method = request.method().clone();
    let id = RequestId(u64::from_be_bytes(app.ambient().random()));
    request.extensions_mut().insert(id);
    let response = next.call(request).await?;
    let pattern = response.request().match_pattern();
    let route = pattern.as_deref().unwrap_or("unmatched");
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    app.metrics().count(method.as_str(), route, status, elapsed);
    tracing::debug!(
        target: "access",
        request = %id,
        method = method.as_str(),
        route,
        status,
        micros = elapsed.as_micros() as u64,
        "answered"
    );
    Ok(response)
}
