//! Over WebSockets.

use protocol::envelope::Parcel;
use serde_json::json;

use super::stage::{MESSAGES, Stage};
use crate::support::{Spawned, TestSocket, b64, live_slot};

/// Pairs of sockets that carry the messages.
const PAIRS: usize = 20;

#[actix_web::test]
async fn of_messages_passed_over_sockets_nothing_is_left_once_they_burned() {
    let variables = [("SECURE_MESSAGING_SOCKETS_PER_SESSION", "64")];
    let stage = Stage::start(&variables, Spawned::client).await;
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let (poster, _) = TestSocket::connect(&stage.poster.client).await;
        let (reader, _) = TestSocket::connect(&stage.reader.client).await;
        pairs.push((poster, reader));
    }
    for index in 0..MESSAGES {
        let (poster, reader) = &mut pairs[index % PAIRS];
        let live = reader.live_id;
        let length = if index.is_multiple_of(10) {
            15_000
        } else {
            1024
        };
        let to = |slot: &[u8]| live_slot(stage.reader.id(), live, slot);
        poster
            .send_binary(stage.message_to(index, 3600, length, to))
            .await;
        assert_eq!(
            poster.text_of("sent").await["id"],
            hex::encode(stage.ids[index])
        );
    }
    stage.assert_held(MESSAGES);
    for index in 0..MESSAGES {
        let (_, reader) = &mut pairs[index % PAIRS];
        let id = hex::encode(stage.ids[index]);
        reader.say(json!({"t": "claim", "id": id})).await;
        let parcel = Parcel::decode(&reader.binary().await).unwrap();
        assert_eq!(parcel.message_id.as_bytes(), &stage.ids[index]);
        let content = stage.markers.content(index, parcel.body.len());
        assert!(parcel.body == content, "message {index} came changed");
        reader
            .say(json!({"t": "ack", "id": id, "token": b64(&parcel.token)}))
            .await;
        assert_eq!(reader.text_of("acked").await["id"], id);
    }
    stage.emptied().await;
    assert!(
        stage.sockets() > 2 * PAIRS,
        "the sockets were meant to be open"
    );
    stage.assert_gone("with the sockets open");
    let closed = stage.close(pairs, 2 * PAIRS).await;
    closed.assert_gone();
    closed.assert_not_on_disk();
}
