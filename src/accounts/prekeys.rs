//! The account's own prekeys: publish a batch, count the rest, list the used ones.
//!
//! Specification: `docs/protocol/messages.md#prekey-batches`.

use actix_web::web::{Data, Json};
use api::{Blob, Code};
use serde::{Deserialize, Serialize};
use store::{PublishError, Stock};
use utoipa::ToSchema;

use crate::http::Problem;
use crate::sessions::{Origin, SignedIn};
use crate::state::App;

use super::audit;
use super::keys::CheckedKeys;

/// A batch to publish.
#[derive(Deserialize, ToSchema)]
pub struct NewBatch {
    /// Encoded signed batch; the client stores its private halves before.
    pub batch: Blob,
}

/// State of the batch.
#[derive(Serialize, ToSchema)]
pub struct Left {
    /// One-time prekeys left.
    pub stock: u32,
    /// Number of the newest batch.
    pub batch_number: u64,
    /// Unix seconds at which the last-resort pair was made.
    pub last_resort_created_at: u64,
}

/// Prekeys to which a waiting or leased message is sealed.
#[derive(Serialize, ToSchema)]
pub struct InUse {
    /// Numbers of the pairs.
    pub ids: Vec<u32>,
}

/// Publishes a batch, which replaces the previous one.
pub async fn publish(
    app: Data<App>,
    who: SignedIn,
    origin: Origin,
    body: Json<NewBatch>,
) -> Result<Json<Left>, Problem> {
    let now = app.ambient().now();
    let user = who.user_id();
    let keys = app
        .store()
        .public_keys(user)
        .await?
        .ok_or_else(Problem::signed_out)?;
    let keys = CheckedKeys::check(keys.keys.account_keys)?;
    let batch = keys.batch(&body.batch, user, now)?;
    let record = audit::change(&app, &who, &origin, "keys.prekeys_published")?;
    let stock = app
        .store()
        .publish_prekeys(user, batch, vec![record])
        .await?;
    Ok(Json(stock.into()))
}

/// Returns the state of the batch.
pub async fn stock(app: Data<App>, who: SignedIn) -> Result<Json<Left>, Problem> {
    let now = app.ambient().now();
    let stock = app.store().prekey_stock(who.user_id(), now).await?;
    Ok(Json(stock.ok_or_else(Problem::not_found)?.into()))
}

/// Lists prekeys to which a waiting or leased message is sealed.
pub async fn in_use(app: Data<App>, who: SignedIn) -> Json<InUse> {
    Json(InUse {
        ids: app.vault().prekeys_in_use(who.user_id()),
    })
}

impl From<Stock> for Left {
    fn from(stock: Stock) -> Self {
        Self {
            stock: stock.one_time,
            batch_number: stock.batch_number,
            last_resort_created_at: stock.last_resort_created_at,
        }
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
