//! The account's own prekeys: publish a batch, count the rest, list the used ones.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use api::bodies::{PrekeyBatch, PrekeyStock, PrekeysInUse};
use api::{Action, Code};
use store::{PublishError, Stock};

use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::audit;
use super::keys::CheckedKeys;

/// Publishes a batch in the place of the one before.
pub async fn publish(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    body: PrekeyBatch,
) -> Result<PrekeyStock, Problem> {
    let now = app.ambient().now();
    let user = who.user_id();
    let keys = app
        .store()
        .public_keys(user)
        .await?
        .ok_or_else(Problem::signed_out)?;
    let keys = CheckedKeys::check(keys.keys.account_keys)?;
    let batch = keys.batch(&body.batch, user, now)?;
    let record = audit::change(app, who, origin, Action::KeysPrekeysPublished).await?;
    let stock = app
        .store()
        .publish_prekeys(user, batch, vec![record])
        .await?;
    Ok(left(stock))
}

/// Says what is left.
pub async fn stock(app: &App, who: &SignedIn) -> Result<PrekeyStock, Problem> {
    let now = app.ambient().now();
    let stock = app.store().prekey_stock(who.user_id(), now).await?;
    Ok(left(stock.ok_or_else(Problem::not_found)?))
}

/// Says under which prekeys something waits or is leased.
pub async fn in_use(app: &App, who: &SignedIn) -> Result<PrekeysInUse, Problem> {
    let ids = app.vault().prekeys_in_use(who.user_id()).await?;
    Ok(PrekeysInUse { ids })
}

fn left(stock: Stock) -> PrekeyStock {
    PrekeyStock {
        stock: stock.one_time,
        // It came out of a signed batch, whose numbers have 32 bits.
        batch_number: u32::try_from(stock.batch_number).unwrap_or(u32::MAX),
        last_resort_created_at: stock.last_resort_created_at,
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match &error {
            PublishError::NoSuchUser => Problem::signed_out(),
            PublishError::StaleBatch { .. } => Problem::new(Code::StaleBatch, error.to_string()),
            PublishError::TooManyLeaves { .. } => Problem::malformed(error.to_string()),
            PublishError::Fault(fault) => Problem::from(fault),
        }
    }
}
