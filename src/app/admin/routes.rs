//! Endpoints of statistics, accounts and the registration mode.

use actix_web::HttpResponse;
use actix_web::web::{Data, Json, Query};
use api::Action;
use api::bodies::{Account, Accounts, AccountsWanted, DamagedAccount, Figures, RegistrationChoice};

use crate::app::accounts::audit;
use crate::app::sessions::{self, Administrator, After, Origin};
use crate::app::state::App;
use crate::faces::http::Problem;

use super::intent::{self, Actor, Intent};

/// Answers with the figures.
pub async fn stats(app: Data<App>, _admin: Administrator) -> Result<Json<Figures>, Problem> {
    Ok(Json(figures(&app).await?))
}

/// Reads the figures for the API or for the admin page.
pub(super) async fn figures(app: &App) -> Result<Figures, Problem> {
    let durable = app.store().statistics(app.ambient().now()).await?;
    let held = app.vault().stats();
    Ok(Figures {
        users: durable.users,
        active_sessions: durable.active_sessions,
        open_sockets: app.hub().count() as u64,
        audit_records: durable.audit_records,
        open_invites: durable.open_invites,
        messages_held: held.messages,
        bytes_held: held.bytes,
        next_expiry: held.next_expiry,
        next_session_expiry: durable.next_session_expiry,
        database_bytes: durable.database_bytes,
        registration: app.setup().settings().registration,
        boot_id: app.boot().id(),
        started_at: app.boot().started_at(),
    })
}

/// Sets the registration mode; the intent is recorded before, the outcome with it.
pub async fn choose(
    app: Data<App>,
    After(admin, body): After<Administrator, Json<RegistrationChoice>>,
    origin: Origin,
) -> Result<HttpResponse, Problem> {
    let mode = body.mode;
    let actor = Actor::administrator(&admin, &origin);
    let what = serde_json::json!({ "mode": mode });
    let intent = Intent::declare(
        app.store(),
        app.ambient(),
        actor,
        &intent::REGISTRATION,
        what,
    )
    .await?;
    let choosing = Data::clone(&app);
    intent
        .carry_out(move |intent| async move {
            let now = choosing.ambient().now();
            let store = choosing.store();
            let commit = store.set_registration_mode(mode, &intent, now);
            choosing.setup().change_mode(mode, commit).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Lists accounts.
pub async fn users(
    app: Data<App>,
    After(admin, wanted): After<Administrator, Query<AccountsWanted>>,
    origin: Origin,
) -> Result<Json<Accounts>, Problem> {
    let record = audit::event(
        Some(admin.signed_in().user_id()),
        Action::AdminUsersViewed,
        app.ambient().now(),
        origin.details(),
    );
    sessions::write(&app, record, origin.ip).await?;
    let limit = wanted.limit.unwrap_or(100).clamp(1, 500);
    let after = wanted.after;
    let rows = app.store().list_users(after, limit).await?;
    let full = rows.len() == limit as usize;
    let next = rows.last().filter(|_| full).map(|(user, _)| *user);
    let (mut users, mut damaged) = (Vec::new(), Vec::new());
    for (user_id, row) in rows {
        match row {
            Ok(row) => users.push(Account {
                user_id,
                handle: row.handle,
                alias: row.alias,
                role: row.role,
                active: row.active,
                created_at: row.created_at,
                last_login: row.last_login,
            }),
            Err(damage) => damaged.push(DamagedAccount {
                user_id,
                reason: damage.reason,
            }),
        }
    }
    Ok(Json(Accounts {
        users,
        damaged,
        next,
    }))
}
