//! What administrators ask of the keys.

use std::sync::Arc;

use api::Code;
use api::bodies::{Kek, Keys};
use store::{BeginError, KekInfo, KekState, KeyJob, NewKey};

use super::service::due_at;
use crate::app::administration::intent::Actor;
use crate::app::authority::{Authorized, permit};
use crate::app::origin::Origin;
use crate::app::{App, Problem};

fn shown(kek: KekInfo) -> Kek {
    Kek {
        id: kek.kek_id.to_string(),
        provider: kek.provider,
        reference: kek.reference,
        state: kek.state,
        created_at: kek.created_at,
        retired_at: kek.retired_at,
    }
}

/// Shows the keys and the job.
pub async fn show(app: &App, _: &Authorized<permit::ReadKeys>) -> Result<Keys, Problem> {
    let keks: Vec<Kek> = app.store().keks().await?.into_iter().map(shown).collect();
    let job = app.store().key_job().await?;
    let active = keks.iter().find(|kek| kek.state == KekState::Active);
    Ok(Keys {
        next_rotation: active.and_then(|kek| due_at(app.config(), kek.created_at)),
        keks,
        job,
        trouble: app.keys().trouble(),
        kek_days: app.config().keys.kek_days,
    })
}

/// Starts to move every value to a new key.
pub async fn rotate(
    app: &Arc<App>,
    admin: &Authorized<permit::ChangeKeys>,
    origin: &Origin,
) -> Result<KeyJob, Problem> {
    let actor = Actor::of(admin, origin);
    let begun = app
        .keys()
        .rotate(
            app,
            actor,
            NewKey::Configured,
            "an administrator asked for it",
        )
        .await;
    answer(begun)
}

/// Starts to seal every value again under a new data key.
pub async fn renew(
    app: &Arc<App>,
    admin: &Authorized<permit::ChangeKeys>,
    origin: &Origin,
) -> Result<KeyJob, Problem> {
    let actor = Actor::of(admin, origin);
    let begun = app
        .keys()
        .renew(app, actor, "an administrator asked for it")
        .await;
    answer(begun)
}

fn answer(begun: Result<KeyJob, BeginError>) -> Result<KeyJob, Problem> {
    match begun {
        Ok(job) => Ok(job),
        Err(error @ BeginError::Running(_)) => {
            Err(Problem::new(Code::KeyJobRunning, error.to_string()))
        }
        Err(BeginError::Fault(fault)) => Err(fault.into()),
        Err(BeginError::Key(error)) if error.is_outage() => Err(Problem::keys_unreachable(&error)),
        Err(error) => Err(Problem::internal(&error)),
    }
}
