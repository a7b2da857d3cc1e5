//! Figures, accounts and the registration mode.

use std::sync::Arc;

use api::Action;
use api::bodies::{Accounts, AccountsWanted, DamagedAccount, Figures, RegistrationChoice};

use crate::app::accounts::audit;
use crate::app::audit::record;
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;
use crate::app::{App, Problem};

use super::accounts::shown;
use super::intent::{self, Actor, Intent};

/// Reads the figures.
pub async fn figures(app: &App, _: &Authorized<permit::ReadFigures>) -> Result<Figures, Problem> {
    let durable = app.store().statistics(app.ambient().now()).await?;
    let held = app.vault().stats().await?;
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
    app: &Arc<App>,
    admin: &Authorized<permit::ChooseRegistration>,
    origin: &Origin,
    body: &RegistrationChoice,
) -> Result<(), Problem> {
    let mode = body.mode;
    let actor = Actor::of(admin, origin);
    let what = serde_json::json!({ "mode": mode });
    let intent = Intent::declare(
        app.store(),
        app.ambient(),
        actor,
        &intent::REGISTRATION,
        what,
    )
    .await?;
    let choosing = Arc::clone(app);
    intent
        .carry_out(move |intent| async move {
            let now = choosing.ambient().now();
            let store = choosing.store();
            let commit = store.set_registration_mode(mode, &intent, now);
            choosing.setup().change_mode(mode, commit).await
        })
        .await?;
    Ok(())
}

/// Lists accounts.
pub async fn users(
    app: &App,
    admin: &Authorized<permit::ListAccounts>,
    origin: &Origin,
    wanted: &AccountsWanted,
) -> Result<Accounts, Problem> {
    let event = audit::event(
        admin.user_id(),
        Action::AdminUsersViewed,
        app.ambient().now(),
        origin.details(),
    );
    record::write(app, event, origin.ip).await?;
    let limit = wanted.limit.unwrap_or(100).clamp(1, 500);
    let after = wanted.after;
    let rows = app.store().list_users(after, limit).await?;
    let full = rows.len() == limit as usize;
    let next = rows.last().filter(|_| full).map(|(user, _)| *user);
    let (mut users, mut damaged) = (Vec::new(), Vec::new());
    for (user_id, row) in rows {
        match row {
            Ok(row) => users.push(shown(row)),
            Err(damage) => damaged.push(DamagedAccount {
                user_id,
                reason: damage.reason,
            }),
        }
    }
    Ok(Accounts {
        users,
        damaged,
        next,
    })
}
