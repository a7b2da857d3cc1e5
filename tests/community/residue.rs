//! Burned means gone: what every process of a community remembers of messages that were read.
//!
//! Messages are posted through one process and read through another. While they are held, each marker is
//! found in the engines, which shows that the search works.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Instant;

use futures_util::future::join_all;
use protocol::envelope::Parcel;
use serde_json::json;
use servers::Valkey;

use super::{Community, is_long, proof, until};
use crate::support::memory_scan::{Found, Markers};
use crate::support::{Account, TestSocket, b64, random_id, submission, waiting_slot};

const NODES: usize = 3;

/// Sockets of each side, over which the messages go at once.
const LANES: usize = 8;

/// A lane: somebody who posts at one process, and somebody who reads at another.
struct Lane {
    poster: (Account, TestSocket),
    reader: (Account, TestSocket),
}

impl Lane {
    async fn open(community: &Community, posters: &[Account], reader: &Account, at: usize) -> Self {
        let poster = community.there(&posters[at % posters.len()], 0);
        let reader = community.there(reader, 1);
        let (posting, _) = TestSocket::connect(&poster.client).await;
        let (reading, _) = TestSocket::connect(&reader.client).await;
        Self {
            poster: (poster, posting),
            reader: (reader, reading),
        }
    }

    /// Posts messages; every tenth is larger than any buffer on its way.
    async fn post(&mut self, markers: &Markers, ids: &[[u8; 16]], indices: Range<usize>) {
        let (poster, socket) = &mut self.poster;
        for index in indices {
            let length = match index.is_multiple_of(10) {
                true => 40_000,
                false => 1024,
            };
            let slots = vec![waiting_slot(
                self.reader.0.id(),
                &markers.content(index, 512),
            )];
            let body = markers.content(index, length);
            let message = submission(ids[index], true, slots, &body);
            assert!(socket.send_large(&poster.client, &message).await);
            let sent = socket.text_of("sent").await;
            assert_eq!(sent["id"], hex::encode(ids[index]));
        }
    }

    /// Reads messages, and burns them.
    async fn read(&mut self, markers: &Markers, ids: &[[u8; 16]], indices: Range<usize>) {
        let (reader, socket) = &mut self.reader;
        for index in indices {
            let id = hex::encode(ids[index]);
            socket.say(json!({"t": "claim", "id": id})).await;
            let parcel = socket.parcel(&reader.client).await;
            let parcel = Parcel::decode(&parcel).unwrap();
            let content = markers.content(index, parcel.body.len());
            assert!(parcel.body == content, "message {index} came changed");
            let token = b64(&parcel.token);
            let said = json!({"t": "ack", "id": id, "token": token});
            socket.say(said).await;
            assert_eq!(socket.text_of("acked").await["id"], id);
        }
    }
}

/// What the engines and the processes of the server have of the markers.
fn search(markers: &Markers, processes: impl IntoIterator<Item = u32>) -> Vec<Found> {
    let in_process = |process| markers.in_process(process);
    processes.into_iter().map(in_process).collect()
}

fn hits(found: &[Found]) -> usize {
    found.iter().map(Found::hits).sum()
}

#[actix_web::test]
async fn nothing_of_burned_messages_is_left_in_any_process_or_engine_of_a_community() {
    let messages = if is_long() { 1_000 } else { 200 };
    let (community, _admin) = Community::start(2, NODES).await;
    let reader = community.register("reader", 1).await;
    let posters = community.posters(&reader).await;
    let markers = Markers::new(messages);
    let ids: Vec<_> = (0..messages).map(|_| random_id()).collect();
    let mut lanes = Vec::new();
    for at in 0..LANES {
        lanes.push(Lane::open(&community, &posters, &reader, at).await);
    }
    let part = messages / LANES;
    let begun = Instant::now();
    let posting = lanes.iter_mut().enumerate();
    join_all(posting.map(|(at, lane)| lane.post(&markers, &ids, at * part..(at + 1) * part))).await;
    assert_eq!(community.held(), messages);
    let engines = || community.nodes.iter().map(Valkey::id);
    let servers = || community.instances.iter().flatten().map(|it| it.pid());
    let held = search(&markers, engines());
    let each_node = held.iter().all(|found| !found.markers.is_empty());
    let held: BTreeSet<usize> = held.into_iter().flat_map(|found| found.markers).collect();

    let reading = lanes.iter_mut().enumerate();
    join_all(reading.map(|(at, lane)| lane.read(&markers, &ids, at * part..(at + 1) * part))).await;
    assert_eq!(community.held(), 0);
    // Buffers are overwritten when a burst is over, while every connection is open.
    // A search takes seconds; what is left after several stays.
    let searches = std::cell::Cell::new(0);
    let clean = async || {
        searches.set(searches.get() + 1);
        let left = search(&markers, engines().chain(servers()));
        (hits(&left) == 0 || searches.get() == 5).then_some(left)
    };
    let (left, _) = until("the end of the last trace", clean).await;
    let places: Vec<_> = left
        .iter()
        .map(|found| (found.hits(), &found.places))
        .collect();
    assert_eq!(hits(&left), 0, "{places:?}");
    let read: u64 = left.iter().map(|found| found.read).sum();
    proof(
        "markers burned in a community: 0 in the server processes and in the engines' memory",
        &format!(
            "{} of {messages} found while held, {} after they burned, in {} processes ({} MiB), in {} s",
            held.len(),
            hits(&left),
            left.len(),
            read >> 20,
            begun.elapsed().as_secs()
        ),
        held.len() == messages && each_node && hits(&left) == 0 && left.len() == 2 + NODES,
    );
}
