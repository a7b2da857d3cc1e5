//! What idle sockets take, and what is given back when they close.

use futures_util::{StreamExt, stream};

use super::stage::{Stage, wait_until};
use crate::support::{Spawned, TestSocket};

/// Sockets that are held at once.
const SOCKETS: u64 = 400;

/// The most bytes of a socket in a debug build; the two buffers of the web framework's dispatcher take 16 KiB
/// alone.
const MOST: u64 = 12 * 1024;

#[actix_web::test]
async fn an_idle_socket_has_no_buffers_and_its_memory_is_given_back_when_it_closes() {
    let variables = [("SECURE_MESSAGING_SOCKETS_PER_SESSION", "1000")];
    let stage = Stage::start(&variables, Spawned::client).await;
    let connect = || {
        stream::iter(0..SOCKETS)
            .map(|_| TestSocket::connect(&stage.reader.client))
            .buffer_unordered(32)
            .collect::<Vec<_>>()
    };
    // What the process sets up once is set up for these.
    let first = connect().await;
    let before = stage.resident();
    let sockets = connect().await;
    let grown = stage.resident().saturating_sub(before);
    let each = grown / SOCKETS;
    assert!(each < MOST, "{each} bytes for each socket");
    assert!(each > 512, "{each} bytes for each socket: were they open?");
    drop((first, sockets));
    wait_until(async || stage.resident() < before + grown / 2).await;
}
