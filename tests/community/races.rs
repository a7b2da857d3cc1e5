//! Readers at several processes race for messages: each has exactly one reader.

use std::time::Instant;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use protocol::envelope::Parcel;
use serde_json::json;

use super::{Community, is_long, proof};
use crate::support::{
    Account, Heard, TestSocket, b64, live_slot, random_id, submission, waiting_slot,
};

/// Nodes that hold the messages.
const NODES: usize = 3;

/// How large a race is.
#[derive(Clone, Copy)]
struct Size {
    instances: usize,
    /// Sockets that claim.
    readers: usize,
    messages: usize,
    /// Readers of one account, which all claim each of its messages.
    group: usize,
}

/// Sockets of one account, at every instance in turn, and somebody who writes to it.
struct Group {
    poster: Account,
    reader: Account,
    sockets: Vec<TestSocket>,
}

/// What came of races: how often each message was handed out, and how often each instance did.
#[derive(Default)]
struct Outcome {
    readers_of: Vec<usize>,
    by_instance: Vec<usize>,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.readers_of.extend(other.readers_of);
        self.by_instance.resize(other.by_instance.len(), 0);
        for (sum, more) in self.by_instance.iter_mut().zip(other.by_instance) {
            *sum += more;
        }
    }
}

impl Group {
    async fn gather(community: &Community, number: usize, size: Size) -> Self {
        let at = number % size.instances;
        let reader = community.register(&format!("reader{number}"), at).await;
        let connect = |socket: usize| {
            let client = community.client(&reader, socket % size.instances);
            async move { TestSocket::connect(&client).await.0 }
        };
        let sockets: Vec<_> = futures_util::stream::iter((0..size.group).map(connect))
            .buffered(8)
            .collect()
            .await;
        Self {
            poster: community.register(&format!("writer{number}"), at).await,
            sockets,
            reader,
        }
    }

    /// Posts messages, and lets every socket claim each of them at the same time.
    async fn race(&mut self, size: Size, messages: usize) -> Outcome {
        let mut outcome = Outcome::default();
        outcome.by_instance.resize(size.instances, 0);
        for round in 0..messages {
            let id = random_id();
            let text = hex::encode(id);
            let slots = vec![waiting_slot(self.reader.id(), b"slot")];
            let bytes = submission(id, true, slots, b"for one of them");
            self.poster.post(bytes).await.expect(201);
            let winners = self.claim(&text, round).await;
            outcome.readers_of.push(winners.len());
            let Some((winner, parcel)) = winners.into_iter().next() else {
                continue;
            };
            outcome.by_instance[winner % size.instances] += 1;
            let socket = &mut self.sockets[winner];
            let said = json!({"t": "ack", "id": text, "token": b64(&parcel.token)});
            socket.say(said).await;
            assert_eq!(socket.text_of("acked").await["id"], text);
        }
        outcome
    }

    /// Every socket asks for a message before any hears the answer; another begins each time.
    async fn claim(&mut self, id: &str, round: usize) -> Vec<(usize, Parcel)> {
        let count = self.sockets.len();
        for turn in 0..count {
            let socket = &mut self.sockets[(turn + round) % count];
            socket.say(json!({"t": "claim", "id": id})).await;
        }
        let verdicts = self.sockets.iter_mut().map(|socket| verdict(socket, id));
        let verdicts = join_all(verdicts).await.into_iter().enumerate();
        let won = |(at, parcel): (usize, Option<Parcel>)| Some((at, parcel?));
        verdicts.filter_map(won).collect()
    }

    /// A message with a slot for each socket, which does not burn: everybody gets it.
    async fn share(&mut self) -> usize {
        let id = random_id();
        let slot = |it: &TestSocket| live_slot(self.reader.id(), it.live_id, b"slot");
        let slots: Vec<_> = self.sockets.iter().take(8).map(slot).collect();
        let wanted = slots.len();
        let bytes = submission(id, false, slots, b"for each of them");
        self.poster.post(bytes).await.expect(201);
        let winners = self.claim(&hex::encode(id), 0).await.len();
        assert_eq!(winners, wanted, "the count sees every reader that there is");
        winners
    }
}

/// The parcel of whoever won, nothing for whoever was refused.
async fn verdict(socket: &mut TestSocket, id: &str) -> Option<Parcel> {
    loop {
        match socket.hear().await {
            Heard::Binary(bytes) => {
                let parcel = Parcel::decode(&bytes).unwrap();
                assert_eq!(hex::encode(parcel.message_id.as_bytes()), id);
                return Some(parcel);
            }
            Heard::Text(text) if text["t"] == "refused" && text["id"] == id => {
                let lost = matches!(text["code"].as_str(), Some("taken" | "gone"));
                assert!(lost, "{text}");
                return None;
            }
            Heard::Text(_) => {}
            Heard::Closed(code) => panic!("closed {code:?}"),
        }
    }
}

async fn race(size: Size) {
    let (community, _admin) = Community::start(size.instances, NODES).await;
    let groups = size.readers / size.group;
    let mut racing = Vec::new();
    for number in 0..groups {
        racing.push(Group::gather(&community, number, size).await);
    }
    let each = size.messages.div_ceil(groups);
    let begun = Instant::now();
    let outcomes = join_all(racing.iter_mut().map(|group| group.race(size, each))).await;
    let took = begun.elapsed();
    let mut all = Outcome::default();
    outcomes.into_iter().for_each(|outcome| all.add(outcome));
    assert_eq!(community.held(), 0, "every message burned");
    let shared = racing[0].share().await;
    let one = all.readers_of.iter().filter(|readers| **readers == 1);
    let (one, messages) = (one.count(), all.readers_of.len());
    let everywhere = all.by_instance.iter().all(|won| *won > 0);
    proof(
        &format!(
            "{} processes, {} readers on {} messages: exactly one reader each",
            size.instances, size.readers, size.messages
        ),
        &format!(
            "{one} of {messages} were read once, {} claims, won at each process {:?}, in {} s; a \
             message for {shared} was read {shared} times",
            messages * size.group,
            all.by_instance,
            took.as_secs()
        ),
        one == messages && messages >= size.messages && everywhere,
    );
}

#[actix_web::test]
async fn readers_at_two_processes_race_and_each_message_has_exactly_one_reader() {
    let short = Size {
        instances: 2,
        readers: 8,
        messages: 100,
        group: 8,
    };
    let long = Size {
        readers: 1_000,
        messages: 1_000,
        group: 40,
        ..short
    };
    if !is_long() {
        return race(short).await;
    }
    race(long).await;
    let four = Size {
        instances: 4,
        ..long
    };
    race(four).await;
}
