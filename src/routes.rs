//! The table of all routes: routing, the OpenAPI document and the test of roles against endpoints derive
//! from it.

use std::borrow::Cow;

use actix_web::http::Method;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, ResponseError};
use api::Code;
use api::bodies::{
    AccountChange, AccountDeletion, Accounts, AccountsWanted, AuditKey, AuditPage, AuditProof,
    BackupJob, BackupWanted, Backups, Bundles, CurrentSession, Entered, Figures, IdentityChange,
    Invite, InviteMade, KeyJob, Keys, KnownSafes, Live, NewInvite, NewServiceKey, PassphraseFinish,
    PassphraseStart, PassphraseStarted, Person, PrekeyBatch, PrekeySafeChange, PrekeyStock,
    PrekeysInUse, PrivateKeyWanted, PublicKeysWanted, Ready, ReauthFinish, ReauthStart,
    Reauthenticated, RecordsWanted, RecoveryFinish, RecoveryStart, RecoveryStarted,
    RegistrationChoice, RegistrationFinish, RegistrationStart, RegistrationStarted,
    RegistrationWish, ResumeHalf, RevokeOthers, SafeChange, Safes, Server, ServiceKey,
    ServiceKeyDeletion, ServiceKeyRotation, ServiceKeyWanted, Services, ServicesWanted, Session,
    SignInFinish, SignInStart, SignInStarted, UseInvite, WantBundles,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::app::Problem;
use crate::app::authority::Permission;
use crate::faces::http::endpoints::{
    account, administration, entering, people, safes, sealed, service_keys, sessions,
};
use crate::faces::http::pages::{self, Pages, admin as admin_page, rendered, well_known};
use crate::faces::http::{Limited, enforce, extractors, openapi, operations};
use crate::faces::socket::{self, Opening};

/// One endpoint.
pub struct Endpoint {
    /// HTTP method.
    pub method: &'static str,
    /// Pattern of the address.
    pub path: &'static str,
    /// What its caller must be permitted; nothing where everybody may call.
    pub permission: Option<Permission>,
    /// One sentence.
    pub summary: &'static str,
    /// The schema of what goes into the address's query.
    pub query: Option<fn() -> RefOr<Schema>>,
    /// Kind of the request's body.
    pub input: Option<Body>,
    /// Kind of the answer's body.
    pub output: Option<Body>,
}

/// The pattern of the address that a request came to.
#[derive(Debug, Clone, Copy)]
pub struct Pattern(pub &'static str);

impl Pattern {
    /// Returns what a method needs; one that the address does not have needs nothing, and is refused later.
    pub(crate) fn permission(self, method: &Method) -> Option<Permission> {
        let method = match *method {
            Method::HEAD => "GET",
            _ => method.as_str(),
        };
        let mut rows = TABLE.iter().filter(|row| row.path == self.0);
        rows.find(|row| row.method == method)?.permission
    }
}

/// Content of a body.
pub struct Body {
    /// Media type.
    pub media_type: &'static str,
    /// The name of its schema in [`api::schema`].
    pub schema: Option<fn() -> Cow<'static, str>>,
    /// Whether it is a list of what the schema describes.
    pub list: bool,
}

macro_rules! body {
    (octets) => {
        Body {
            media_type: "application/octet-stream",
            schema: None,
            list: false,
        }
    };
    (text $kind:literal) => {
        Body {
            media_type: $kind,
            schema: None,
            list: false,
        }
    };
    (json $kind:ty) => {
        Body {
            media_type: "application/json",
            schema: Some(<$kind as ToSchema>::name),
            list: false,
        }
    };
    (list $kind:ty) => {
        Body {
            media_type: "application/json",
            schema: Some(<$kind as ToSchema>::name),
            list: true,
        }
    };
}

macro_rules! option {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

macro_rules! permission {
    (Public) => {
        None
    };
    ($name:ident) => {
        Some(Permission::$name)
    };
}

macro_rules! first {
    ($first:literal, $second:expr) => {
        $first
    };
}

macro_rules! table {
    ($($path:literal $(with $config:expr)? => [$(
        $method:ident $permission:ident $handler:path, $summary:literal
        $(, asks $query:ty)?
        $(, takes $in_kind:ident $($in_what:literal)? $(($in_type:ty))?)?
        $(, gives $out_kind:ident $($out_what:literal)? $(($out_type:ty))?)?
    );+ $(;)?])+) => {
        /// The table.
        pub static TABLE: &[Endpoint] = &[$($(Endpoint {
            method: stringify!($method),
            path: $path,
            permission: permission!($permission),
            summary: $summary,
            query: option!($(<$query as PartialSchema>::schema)?),
            input: option!($(body!($in_kind $($in_what)? $($in_type)?))?),
            output: option!($(body!($out_kind $($out_what)? $($out_type)?))?),
        }),+),+];

        /// Addresses that take larger JSON.
        pub static LARGE: &[&str] = &[$($(first!($path, $config),)?)+];

        /// Registers every endpoint.
        pub fn configure(config: &mut ServiceConfig) {
            extractors(config);
            $({
                let resource = web::resource($path)
                    .app_data(Pattern($path))
                    .wrap(from_fn(enforce))
                    $(.app_data($config))?;
                $(let resource = method!(resource, $method, $handler);)+
                config.service(resource.default_service(web::route().to(wrong_method)));
            })+
            config.default_service(web::route().to(nothing));
        }
    };
}

macro_rules! method {
    ($resource:ident, GET, $handler:path) => {
        $resource
            .route(web::get().to($handler))
            .route(web::head().to($handler))
    };
    ($resource:ident, POST, $handler:path) => {
        $resource.route(web::post().to($handler))
    };
    ($resource:ident, PUT, $handler:path) => {
        $resource.route(web::put().to($handler))
    };
    ($resource:ident, DELETE, $handler:path) => {
        $resource.route(web::delete().to($handler))
    };
}

table! {
    "/api/v1/server" => [
        GET Public entering::describe, "Describes the server", gives json(Server);
    ]
    "/api/v1/registration/start" => [
        POST Public entering::start_registration, "Begins a registration",
            takes json(RegistrationStart), gives json(RegistrationStarted);
    ]
    "/api/v1/registration/check" => [
        POST Public entering::check_registration, "Says whether a registration would be taken",
            takes json(RegistrationWish);
    ]
    "/api/v1/registration/finish" with Limited::large() => [
        POST Public entering::finish_registration, "Makes the account and signs in",
            takes json(RegistrationFinish), gives json(Entered);
    ]
    "/api/v1/session/start" => [
        POST Public entering::start_sign_in, "Begins a sign-in",
            takes json(SignInStart), gives json(SignInStarted);
    ]
    "/api/v1/session/finish" => [
        POST Public entering::finish_sign_in, "Signs in",
            takes json(SignInFinish), gives json(Entered);
    ]
    "/api/v1/recovery/start" => [
        POST Public entering::start_recovery, "Begins a recovery",
            takes json(RecoveryStart), gives json(RecoveryStarted);
    ]
    "/api/v1/recovery/finish" with Limited::large() => [
        POST Public entering::finish_recovery, "Replaces the credentials and signs in",
            takes json(RecoveryFinish), gives json(Entered);
    ]
    "/api/v1/session" => [
        GET UseAccount sessions::show, "Shows who is signed in", gives json(CurrentSession);
        DELETE Public sessions::sign_out, "Signs out";
    ]
    "/api/v1/session/reauth/start" => [
        POST UseAccount sessions::start_reauth, "Begins a re-authentication",
            takes json(ReauthStart), gives json(SignInStarted);
    ]
    "/api/v1/session/reauth/finish" => [
        POST UseAccount sessions::finish_reauth, "Proves the passphrase again",
            takes json(ReauthFinish), gives json(Reauthenticated);
    ]
    "/api/v1/session/active" => [
        POST UseAccount sessions::active, "Says that the person did something";
    ]
    "/api/v1/session/resume" => [
        GET UseAccount sessions::get_resume, "Returns the half of a resume wrap",
            gives json(ResumeHalf);
        PUT UseAccount sessions::put_resume, "Keeps the half of a resume wrap in memory",
            takes json(ResumeHalf);
        DELETE UseAccount sessions::delete_resume, "Erases the half of a resume wrap";
    ]
    "/api/v1/sessions" => [
        GET UseAccount sessions::list, "Lists the account's sessions",
            gives list(Session);
    ]
    "/api/v1/sessions/revoke-others" => [
        POST UseAccount sessions::revoke_others, "Ends every other session",
            takes json(RevokeOthers);
    ]
    "/api/v1/sessions/{id}" => [
        DELETE UseAccount sessions::revoke, "Ends one session";
    ]
    "/api/v1/safe" with Limited::large() => [
        GET UseAccount safes::read, "Reads both safes",
            asks KnownSafes, gives json(Safes);
        PUT UseAccount safes::replace, "Replaces the key safe's data by compare-and-swap",
            takes json(SafeChange);
    ]
    "/api/v1/prekey-safe" with Limited::large() => [
        PUT UseAccount safes::replace_prekeys, "Replaces the prekey safe by compare-and-swap",
            takes json(PrekeySafeChange);
    ]
    "/api/v1/passphrase/start" => [
        POST UseAccount account::start_passphrase, "Begins a change of passphrase",
            takes json(PassphraseStart), gives json(PassphraseStarted);
    ]
    "/api/v1/passphrase/finish" with Limited::large() => [
        POST UseAccount account::finish_passphrase, "Changes the passphrase",
            takes json(PassphraseFinish);
    ]
    "/api/v1/account" => [
        PUT UseAccount account::change, "Changes one's own account",
            takes json(AccountChange);
    ]
    "/api/v1/account/delete" => [
        POST UseAccount account::delete, "Erases one's own account",
            takes json(AccountDeletion);
    ]
    "/api/v1/users/by-handle/{handle}" => [
        GET UseAccount people::by_handle, "Finds somebody by handle", gives json(Person);
    ]
    "/api/v1/users/{id}" => [
        GET UseAccount people::by_id, "Finds somebody by id", gives json(Person);
    ]
    "/api/v1/users/{id}/bundles" => [
        POST UseAccount people::hand_out, "Hands out what is needed to write to somebody",
            takes json(WantBundles), gives json(Bundles);
    ]
    "/api/v1/prekeys" with Limited::large() => [
        GET UseAccount safes::stock, "Says what is left of one's prekeys",
            gives json(PrekeyStock);
        PUT UseAccount safes::publish, "Publishes a batch of prekeys",
            takes json(PrekeyBatch), gives json(PrekeyStock);
    ]
    "/api/v1/prekeys/in-use" => [
        GET UseAccount safes::in_use, "Lists prekeys under which something waits",
            gives json(PrekeysInUse);
    ]
    "/api/v1/public-keys" with Limited::large() => [
        PUT UseAccount account::replace_identity, "Replaces the account's identity",
            takes json(IdentityChange);
    ]
    "/api/v1/invites" => [
        GET UseAccount people::invites, "Lists one's own invites", gives list(Invite);
        POST UseAccount people::create_invite, "Makes an invite",
            takes json(NewInvite), gives json(InviteMade);
    ]
    "/api/v1/invites/use" => [
        POST UseAccount people::use_invite, "Uses an invite", takes json(UseInvite);
    ]
    "/api/v1/invites/{id}" => [
        DELETE UseAccount people::withdraw_invite, "Withdraws an invite";
    ]
    "/api/v1/messages/sealed/{ticket}" => [
        GET UseAccount sealed::fetch, "Gives what was claimed and is too large for a frame",
            gives octets;
        POST UseAccount sealed::send, "Takes what is too large for a frame", takes octets;
    ]
    "/api/v1/ws" => [
        GET UseAccount socket::open, "Opens the WebSocket",
            asks Opening;
    ]
    "/api/v1/admin/audit" => [
        GET ReadAudit administration::records, "Reads the audit log",
            asks RecordsWanted, gives json(AuditPage);
    ]
    "/api/v1/admin/audit/proof" => [
        GET ReadAudit administration::proof, "Shows what proves the audit log", gives json(AuditProof);
    ]
    "/api/v1/admin/audit/verify" => [
        POST VerifyAudit administration::verify, "Begins to verify the audit log";
    ]
    "/api/v1/admin/stats" => [
        GET ReadFigures administration::figures, "Shows figures of the server", gives json(Figures);
    ]
    "/api/v1/admin/registration" => [
        PUT ChooseRegistration administration::choose_registration, "Chooses who may register", takes json(RegistrationChoice);
    ]
    "/api/v1/admin/keys" => [
        GET ReadKeys administration::keys, "Shows the keys and what is being done to them",
            gives json(Keys);
    ]
    "/api/v1/admin/keys/rotate" => [
        POST ChangeKeys administration::rotate_keys, "Begins to move everything to a new key",
            gives json(KeyJob);
    ]
    "/api/v1/admin/keys/renew" => [
        POST ChangeKeys administration::renew_keys, "Begins to seal everything anew under fresh data keys",
            gives json(KeyJob);
    ]
    "/api/v1/admin/backups" => [
        GET ReadBackups administration::backups, "Shows backups and the one under way",
            gives json(Backups);
        POST MakeBackups administration::begin_backup, "Begins a backup now",
            takes json(BackupWanted), gives json(BackupJob);
    ]
    "/api/v1/admin/users" => [
        GET ListAccounts administration::accounts, "Lists accounts",
            asks AccountsWanted, gives json(Accounts);
    ]
    "/api/v1/service-keys" => [
        GET ReadServiceKeys service_keys::list, "Lists services that have keys",
            asks ServicesWanted, gives json(Services);
        POST ChangeServiceKeys service_keys::generate, "Makes the key of a service that has none",
            takes json(NewServiceKey), gives json(ServiceKey);
    ]
    "/api/v1/service-keys/{service}" => [
        GET ReadServiceKeys service_keys::versions, "Lists versions of a service's key",
            gives list(ServiceKey);
        PUT ChangeServiceKeys service_keys::upsert, "Makes the key of a service if it has none",
            takes json(ServiceKeyWanted), gives json(ServiceKey);
    ]
    "/api/v1/service-keys/{service}/rotate" => [
        POST ChangeServiceKeys service_keys::rotate, "Makes the next version of a service's key",
            takes json(ServiceKeyRotation), gives json(ServiceKey);
    ]
    "/api/v1/service-keys/{service}/delete" => [
        POST ChangeServiceKeys service_keys::delete, "Deletes a retired version, or a service's keys",
            takes json(ServiceKeyDeletion);
    ]
    "/api/v1/service-keys/{service}/public" => [
        GET Public service_keys::public, "Gives the public keys of a service",
            asks PublicKeysWanted, gives text "application/jwk-set+json";
    ]
    "/api/v1/service-keys/{service}/private" => [
        POST ReadPrivateServiceKeys service_keys::private, "Gives the private key of a service",
            takes json(PrivateKeyWanted), gives text "application/jwk-set+json";
    ]
    "/api/v1/openapi.json" => [
        GET Public openapi::show, "Describes this interface", gives text "application/json";
    ]
    "/health/live" => [
        GET Public operations::live, "Says that the process runs", gives json(Live);
    ]
    "/health/ready" => [
        GET Public operations::ready, "Says whether the server can serve",
            gives json(Ready);
    ]
    "/.well-known/security.txt" => [
        GET Public well_known::security_txt, "Says where to report weaknesses",
            gives text "text/plain";
    ]
    "/.well-known/secure-messaging-audit.json" => [
        GET Public administration::audit_key, "Publishes the key of the audit log's heads",
            gives json(AuditKey);
    ]
    "/.well-known/change-password" => [
        GET Public well_known::change_password, "Leads to the passphrase's settings";
    ]
    "/" => [GET Public pages::page, "Sign-in page", gives text "text/html";]
    "/register" => [GET Public pages::page, "Registration page", gives text "text/html";]
    "/recover" => [GET Public pages::page, "Recovery page", gives text "text/html";]
    "/chat" => [GET Public pages::page, "Chat page", gives text "text/html";]
    "/settings" => [GET Public pages::page, "Settings page", gives text "text/html";]
    "/setup" => [GET Public pages::page, "Set-up page", gives text "text/html";]
    "/i" => [GET Public pages::page, "Invitation page", gives text "text/html";]
    "/static/{path:.*}" => [
        GET Public pages::asset, "A file of the browser bundle", gives octets;
    ]
    "/admin" => [GET ReadAudit admin_page::show, "Administration page", gives text "text/html";]
}

/// Says whether a path as it was sent is one of an endpoint that only an account may use, whatever the
/// method. One that is written in another way than usual is not.
pub(crate) fn needs_an_account(path: &str) -> bool {
    let fits = |pattern: &str| {
        let mut segments = path.split('/');
        let same = pattern.split('/').all(|known| {
            let segment = segments.next();
            segment.is_some_and(|segment| known.starts_with('{') || known == segment)
        });
        same && segments.next().is_none()
    };
    let mut rows = TABLE.iter().filter(|row| fits(row.path)).peekable();
    rows.peek().is_some() && rows.all(|row| row.permission.is_some())
}

async fn nothing(
    pages: web::Data<Pages>,
    request: HttpRequest,
) -> Result<actix_web::HttpResponse, Problem> {
    match pages.assets() {
        Some(assets) if rendered::is_visit(&request) => rendered::problem(
            assets,
            actix_web::http::StatusCode::NOT_FOUND,
            "Nothing is here",
            "Check the address, or begin at the start page.",
        ),
        _ => Err(Problem::not_found()),
    }
}

async fn wrong_method(request: HttpRequest) -> actix_web::HttpResponse {
    let pattern = request.match_pattern().unwrap_or_default();
    let methods: Vec<&str> = TABLE
        .iter()
        .filter(|row| row.path == pattern)
        .map(|row| row.method)
        .collect();
    let mut response = Problem::new(
        Code::MethodNotAllowed,
        format!("Use {}.", methods.join(" or ")),
    )
    .error_response();
    if let Ok(allow) = methods.join(", ").parse() {
        response
            .headers_mut()
            .insert(actix_web::http::header::ALLOW, allow);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_an_account_is_known_by_its_path() {
        for path in [
            "/api/v1/safe",
            "/api/v1/prekeys",
            "/api/v1/messages/sealed/0f",
        ] {
            assert!(needs_an_account(path), "{path}");
        }
        for path in [
            "/api/v1/registration/finish",
            "/api/v1/session",
            "/api/v1/%73afe",
            "/api/v1/safe/",
            "/api/v1/messages/sealed/0f/more",
            "/",
            "",
        ] {
            assert!(!needs_an_account(path), "{path}");
        }
    }
}
