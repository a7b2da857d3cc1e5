//! Over HTTP.

use super::stage::{LANES, MESSAGES, Stage};
use crate::support::Spawned;

/// Messages of which nobody reads any; they expire.
const EXPIRING: usize = 50;

#[actix_web::test]
async fn of_messages_passed_over_http_nothing_is_left_once_they_burned_or_expired() {
    let stage = Stage::start(&[], Spawned::client).await;
    stage.post(0..MESSAGES - EXPIRING, 3600).await;
    stage.post(MESSAGES - EXPIRING..MESSAGES, 8).await;
    stage.assert_held(MESSAGES);
    stage.read(0..MESSAGES - EXPIRING).await;
    stage.emptied().await;
    assert!(
        stage.sockets() > LANES,
        "the connections were meant to be open"
    );
    stage.assert_gone("with the connections open");
    let closed = stage.close((), LANES).await;
    closed.assert_gone();
    closed.assert_not_on_disk();
}
