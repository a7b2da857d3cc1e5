//! Look-up of people, and change of one's own alias.
//!
//! Specification: `docs/protocol/accounts.md#identity`.

use api::bodies::{AccountChange, Person};
use api::{Action, Blob, Code};
use store::{UserId, UserRow};

use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::handle::Handle;
use super::{audit, registration};

/// Finds somebody by handle.
pub async fn by_handle(app: &App, who: &SignedIn, handle: &str) -> Result<Person, Problem> {
    app.limits().lookup(who.key()).await?;
    let handle = Handle::parse(handle).map_err(|_| nobody())?;
    let found = app.store().user_by_handle(handle.as_str()).await?;
    person(app, found).await
}

/// Finds an account by id.
pub async fn by_id(app: &App, who: &SignedIn, id: &str) -> Result<Person, Problem> {
    app.limits().lookup(who.key()).await?;
    let id: UserId = id.parse().map_err(|_| nobody())?;
    let found = app.store().user_by_id(id).await?;
    person(app, found).await
}

async fn person(app: &App, found: Option<UserRow>) -> Result<Person, Problem> {
    let user = found.filter(|user| user.active).ok_or_else(nobody)?;
    let keys = app
        .store()
        .public_keys(user.user_id)
        .await?
        .ok_or_else(nobody)?;
    Ok(Person {
        user_id: user.user_id,
        handle: user.handle,
        alias: user.alias,
        public_keys: Blob::new(keys.keys.account_keys),
    })
}

/// The refusal if the account does not exist.
pub(super) fn nobody() -> Problem {
    Problem::new(
        Code::NoSuchUser,
        "Check how it is written, or ask the person.",
    )
}

/// Changes one's own account.
pub async fn change(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    body: AccountChange,
) -> Result<(), Problem> {
    if let Some(alias) = &body.alias {
        let alias = registration::alias(alias)?;
        let record = audit::change(app, who, origin, Action::AccountAliasChanged).await?;
        app.store()
            .set_alias(who.user_id(), alias.into(), vec![record])
            .await?;
    }
    Ok(())
}
