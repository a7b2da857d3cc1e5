//! Reads a submission from a request in chunks, directly into the vault's memory.

use actix_web::web::Payload;
use ephemeral::{CiphertextBuilder, MessageId, PutOutcome};
use futures_util::StreamExt;
use protocol::envelope::SubmissionHeader;
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::Problem;
use crate::app::sessions::SignedIn;

use crate::app::messages::service::{self, unreadable};

/// Reads a whole submission and puts it into the vault; returns its id.
pub(super) async fn submission(
    app: &App,
    who: &SignedIn,
    mut payload: Payload,
) -> Result<(MessageId, PutOutcome), Problem> {
    let max_header = service::max_header(app);
    let mut front = Zeroizing::new(Vec::new());
    let (header, consumed) = loop {
        let parsed = SubmissionHeader::parse_prefix(&front).map_err(|error| unreadable(&error))?;
        if let Some(parsed) = parsed {
            break parsed;
        }
        if front.len() > max_header {
            return Err(Problem::too_large(max_header));
        }
        match payload.next().await {
            Some(Ok(chunk)) => front.extend_from_slice(&chunk),
            None if front.is_empty() => {
                return Err(Problem::malformed(
                    "The body is empty; a submission goes there.",
                ));
            }
            Some(Err(_)) | None => return Err(Problem::malformed("The body broke off.")),
        }
    };
    let reservation = service::reserve(app, who, &header).await?;
    let mut body = CiphertextBuilder::with_capacity(header.body_len);
    body.push(front.get(consumed..).unwrap_or_default())
        .map_err(|_| trailing())?;
    drop(front);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::malformed("The body broke off."))?;
        body.push(&chunk).map_err(|_| trailing())?;
    }
    if body.len() != header.body_len {
        return Err(Problem::malformed("The body broke off."));
    }
    let id = header.message_id;
    let outcome = service::put(app, reservation, header, body.finish()).await?;
    Ok((id, outcome))
}

fn trailing() -> Problem {
    Problem::malformed("More bytes came than the header says.")
}
