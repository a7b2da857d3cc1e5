//! The keys of a link: gone from the server's memory as soon as their frames were handled.

use serde_json::json;
use tempfile::TempDir;

use crate::support::memory_scan::keys_in_process;
use crate::support::{Account, Spawned, TestSocket, random_id, submission, waiting_slot};

/// Frames that go each way, more than a link has before it is renewed.
const FRAMES: usize = 1_100;

#[actix_web::test]
async fn of_a_links_keys_a_server_has_the_present_ones_alone() {
    let data = TempDir::new().unwrap();
    let server = Spawned::start(data.path());
    let secret = server.setup_secret();
    let right = Some(("setup", secret.as_str()));
    let alice = Account::register(server.client(), "alice", right)
        .await
        .unwrap();
    let (mut socket, _) = TestSocket::connect(&alice.client).await;
    let mut gone = Vec::new();
    let mut handled = async |socket: &mut TestSocket| {
        gone.extend(socket.keys());
        socket.say(json!({"t": "ping"})).await;
        gone.extend(socket.keys());
        socket.text_of("pong").await;
    };
    for _ in 0..FRAMES {
        handled(&mut socket).await;
    }
    // Submissions are opened in place, and what is told of them is sealed.
    for index in 0..50 {
        let slots = vec![waiting_slot(alice.id(), b"slot")];
        let message = submission(random_id(), false, slots, &vec![7; 1_000 + 200 * index]);
        socket.send_binary(message).await;
        socket.text_of("sent").await;
        handled(&mut socket).await;
    }
    handled(&mut socket).await;
    let present = socket.keys();
    gone.retain(|key| !present.contains(key));
    assert!(gone.len() > 4 * FRAMES, "{}", gone.len());
    let found = keys_in_process(server.pid(), &present);
    // The keys of the next frames are not made yet.
    assert_eq!(
        found.len(),
        3,
        "the control: both chains and the root: {found:?}"
    );
    let found = keys_in_process(server.pid(), &gone);
    assert!(
        found.is_empty(),
        "{} of {}: {found:?}",
        found.len(),
        gone.len()
    );
}
