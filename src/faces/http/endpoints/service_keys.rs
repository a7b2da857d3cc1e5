//! Keys of services.

use actix_web::http::header::{CACHE_CONTROL, IF_MATCH, IF_NONE_MATCH, IF_RANGE, RANGE};
use actix_web::web::{Bytes, Data, Json, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use api::ServiceKeyFormat;
use api::bodies::{
    NewServiceKey, PrivateKeyWanted, PublicKeysWanted, ServiceKey, ServiceKeyDeletion,
    ServiceKeyRotation, ServiceKeyWanted, Services, ServicesWanted,
};
use sha2::{Digest, Sha256};

use crate::app::authority::{Authorized, permit};
use crate::app::origin::{ClientIp, Origin};
use crate::app::service_keys::{self, Desk, Present};
use crate::app::{App, Problem};
use crate::faces::http::pages::forms::Forms;

use super::Answer;

/// How long anybody may keep public keys before asking again: five minutes.
const PUBLIC: &str = "public, max-age=300";

fn media_type(format: ServiceKeyFormat) -> &'static str {
    match format {
        ServiceKeyFormat::Jwks => "application/jwk-set+json",
        ServiceKeyFormat::Pem => "application/x-pem-file",
    }
}

/// Lists services.
pub(crate) async fn list(
    app: Data<App>,
    reader: Authorized<permit::ReadServiceKeys>,
    wanted: Query<ServicesWanted>,
) -> Result<Json<Services>, Problem> {
    let listed = Desk::of(&app).list(&reader, wanted.into_inner()).await?;
    Ok(Json(listed))
}

/// Makes the key of a service that has none.
pub(crate) async fn generate(
    app: Data<App>,
    admin: Authorized<permit::ChangeServiceKeys>,
    origin: Origin,
    body: Json<NewServiceKey>,
) -> Answer {
    let making = Desk::of(&app);
    let made = making.generate(&admin, Some(&origin), body.into_inner());
    Ok(HttpResponse::Created().json(made.await?))
}

/// Lists versions of a service's key.
pub(crate) async fn versions(
    app: Data<App>,
    reader: Authorized<permit::ReadServiceKeys>,
    service: Path<String>,
) -> Result<Json<Vec<ServiceKey>>, Problem> {
    Ok(Json(Desk::of(&app).versions(&reader, &service).await?))
}

/// Makes the key of a service if it has none.
pub(crate) async fn upsert(
    app: Data<App>,
    admin: Authorized<permit::ChangeServiceKeys>,
    origin: Origin,
    service: Path<String>,
    body: Json<ServiceKeyWanted>,
) -> Answer {
    let desk = Desk::of(&app);
    let done = desk.upsert(&admin, Some(&origin), &service, body.into_inner());
    let done = done.await?;
    let mut answer = match done.made {
        true => HttpResponse::Created(),
        false => HttpResponse::Ok(),
    };
    Ok(answer.json(done.key))
}

/// Makes the next version of a service's key.
pub(crate) async fn rotate(
    app: Data<App>,
    admin: Authorized<permit::ChangeServiceKeys>,
    origin: Origin,
    service: Path<String>,
    body: Json<ServiceKeyRotation>,
) -> Answer {
    let desk = Desk::of(&app);
    let made = desk.rotate(&admin, Some(&origin), &service, body.into_inner());
    Ok(HttpResponse::Created().json(made.await?))
}

/// Deletes a retired version, or every key of a service.
pub(crate) async fn delete(
    app: Data<App>,
    admin: Authorized<permit::ChangeServiceKeys>,
    origin: Origin,
    service: Path<String>,
    body: Json<ServiceKeyDeletion>,
) -> Answer {
    let present = Present::by_passphrase(&app, &admin, &body.reauth_token).await?;
    let desk = Desk::of(&app);
    desk.delete(&admin, Some(&origin), present, &service, body.version)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Gives the public keys of a service.
pub(crate) async fn public(
    app: Data<App>,
    request: HttpRequest,
    from: ClientIp,
    service: Path<String>,
    wanted: Query<PublicKeysWanted>,
) -> Answer {
    let keys = service_keys::public(&app, from, &service, &wanted).await?;
    let hash = hex::encode(Sha256::digest(&keys.text));
    let forms = Forms::plain(Bytes::from(keys.text), &hash);
    Ok(forms.answer(&request, |answer| {
        answer.content_type(media_type(keys.format));
        answer.insert_header((CACHE_CONTROL, PUBLIC));
    }))
}

/// Gives the private key of a service, whole and never from a cache.
pub(crate) async fn private(
    app: Data<App>,
    reader: Authorized<permit::ReadPrivateServiceKeys>,
    request: HttpRequest,
    origin: Origin,
    service: Path<String>,
    body: Json<PrivateKeyWanted>,
) -> Answer {
    let conditions = [IF_NONE_MATCH, IF_MATCH, IF_RANGE, RANGE];
    if conditions
        .iter()
        .any(|name| request.headers().contains_key(name))
    {
        return Err(Problem::malformed(
            "A private key is given whole or not at all: leave out conditions and ranges.",
        ));
    }
    let present = Present::by_passphrase(&app, &reader, &body.reauth_token).await?;
    let which = (body.version, body.format);
    let desk = Desk::of(&app);
    let written = desk.private(&reader, Some(&origin), present, &service, which);
    let written = written.await?;
    Ok(HttpResponse::Ok()
        .content_type(media_type(written.format))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Wiped when the last of it was sent.
        .body(Bytes::from_owner(written.text)))
}
