//! People who register, write and read while parts of a community are killed.

use std::net::SocketAddr;
use std::rc::Rc;

use actix_web::rt::task::JoinHandle;
use protocol::envelope::Parcel;
use serde_json::{Value, json};

use super::ledger::{Id, Ledger};
use crate::community::{Community, PAUSE, until};
use crate::support::{
    Account, Client, Heard, TestSocket, b64, random_id, submission, waiting_slot,
};

/// Work that goes on until it is stopped.
pub(super) struct Load {
    pub ledger: Rc<Ledger>,
    tasks: Vec<JoinHandle<()>>,
    sockets: usize,
}

impl Load {
    /// Begins with nobody.
    pub(super) fn new(ledger: &Rc<Ledger>) -> Self {
        ledger.over.set(false);
        ledger.present.set(0);
        Self {
            ledger: Rc::clone(ledger),
            tasks: Vec::new(),
            sockets: 0,
        }
    }

    /// Waits until everybody is there, and so much more was acknowledged of each kind.
    pub(super) async fn grows(&self, by: usize) {
        let before = self.ledger.counts();
        let more = async || {
            let counts = self.ledger.counts().into_iter().zip(before);
            let grown = counts.into_iter().all(|(now, before)| now >= before + by);
            (grown && self.ledger.present.get() >= self.sockets).then_some(())
        };
        until("what is acknowledged", more).await;
    }

    /// Somebody registers account after account at an instance; what is refused is tried again if
    /// `persists`.
    pub(super) fn register(&mut self, address: SocketAddr, persists: bool) {
        let ledger = Rc::clone(&self.ledger);
        self.tasks.push(actix_web::rt::spawn(async move {
            while !ledger.over.get() {
                let number = ledger.count.get();
                ledger.count.set(number + 1);
                let handle = format!("somebody{number}");
                let client = Client::new(address).tolerant();
                match Account::register(client, &handle, None).await {
                    Ok(account) => {
                        let cookie = account.client.cookie().unwrap();
                        ledger.registered.borrow_mut().push((handle, cookie));
                    }
                    Err(answer) => {
                        ledger.refused.borrow_mut().push(*answer);
                        if !persists {
                            return;
                        }
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        }));
    }

    /// A poster writes message after message to a reader until its socket is closed.
    pub(super) fn post(&mut self, number: usize, poster: &Client, to: Id) {
        let ledger = Rc::clone(&self.ledger);
        self.sockets += 1;
        let poster = poster.with_cookie_of(address_of(poster));
        self.tasks.push(actix_web::rt::spawn(async move {
            let mut socket = TestSocket::open(&poster, random_id()).await.unwrap();
            ledger.present.set(ledger.present.get() + 1);
            while !ledger.over.get() {
                let id = random_id();
                let bytes = submission(id, true, vec![waiting_slot(to, b"slot")], b"under load");
                let answer = match socket.send(&bytes).await {
                    Ok(()) => answer(&mut socket, &["sent"], &id).await,
                    Err(_) => Said::Closed(socket.closed().await),
                };
                match answer {
                    Said::Yes => ledger.posted.borrow_mut().push((number, id)),
                    Said::No(code) => {
                        ledger.not_sent.borrow_mut().push(code);
                        tokio::time::sleep(PAUSE).await;
                    }
                    Said::Parcel(_) => unreachable!("nothing waits for it"),
                    Said::Closed(code) => {
                        ledger.closed.borrow_mut().push((number, code));
                        return;
                    }
                }
            }
        }));
    }

    /// A reader claims what it hears of, under a live id of its own, until its socket is closed.
    pub(super) fn read(&mut self, number: usize, reader: &Client) {
        let ledger = Rc::clone(&self.ledger);
        self.sockets += 1;
        let reader = reader.with_cookie_of(address_of(reader));
        self.tasks.push(actix_web::rt::spawn(async move {
            let live = [number as u8; 16];
            let mut socket = TestSocket::open(&reader, live).await.unwrap();
            ledger.present.set(ledger.present.get() + 1);
            let (mut waiting, mut turns): (Vec<Id>, u32) = (Vec::new(), 0);
            while !ledger.over.get() {
                let Some(id) = waiting.pop() else {
                    // It is told of what comes; now and then it asks for what it was told of and did not get.
                    turns += 1;
                    let said = if turns % 8 == 0 { "list" } else { "ping" };
                    socket.say_or_not(json!({"t": said})).await;
                    match socket.hear().await {
                        Heard::Text(text) => waiting.extend(named(&text)),
                        Heard::Binary(_) => unreachable!("it did not claim"),
                        Heard::Closed(_) => break,
                    }
                    tokio::task::yield_now().await;
                    continue;
                };
                let said = json!({"t": "claim", "id": hex::encode(id)});
                socket.say_or_not(said).await;
                match answer(&mut socket, &[], &id).await {
                    Said::Parcel(parcel) => {
                        ledger.got(id, number);
                        let token = b64(&parcel.token);
                        let said = json!({"t": "ack", "id": hex::encode(id), "token": token});
                        socket.say_or_not(said).await;
                        match answer(&mut socket, &["acked"], &id).await {
                            Said::Yes => {
                                ledger.held.borrow_mut().remove(&id);
                                ledger.read.borrow_mut().insert(id);
                            }
                            Said::Closed(_) => break,
                            // It stays in hand as long as its lease lasts.
                            _ => {}
                        }
                    }
                    Said::Closed(_) => break,
                    _ => {}
                }
            }
            ledger.let_go(number);
        }));
    }

    /// Stops, and waits until everybody has.
    pub(super) async fn stop(self) {
        self.ledger.over.set(true);
        for task in self.tasks {
            task.await.unwrap();
        }
    }
}

/// What the server said to a frame.
enum Said {
    Yes,
    No(String),
    Parcel(Parcel),
    Closed(Option<u16>),
}

/// Waits for what is said about a message, and passes over everything else.
async fn answer(socket: &mut TestSocket, awaited: &[&str], id: &Id) -> Said {
    let id = hex::encode(id);
    loop {
        match socket.hear().await {
            Heard::Binary(bytes) => return Said::Parcel(Parcel::decode(&bytes).unwrap()),
            Heard::Closed(code) => return Said::Closed(code),
            // A list that was asked for before is nobody's answer here.
            Heard::Text(text) if text["t"] == "refused" && text["re"] == "list" => {}
            Heard::Text(text) if text["t"] == "refused" => {
                let code = text["code"].as_str().unwrap_or_default();
                return Said::No(code.to_owned());
            }
            Heard::Text(text) => {
                let kind = text["t"].as_str().unwrap_or_default();
                if awaited.contains(&kind) && text["id"] == id {
                    return Said::Yes;
                }
            }
        }
    }
}

/// The messages that a frame says are waiting.
fn named(text: &Value) -> Vec<Id> {
    let id = |item: &Value| hex::decode(item["id"].as_str()?).ok()?.try_into().ok();
    match text["t"].as_str() {
        Some("hello" | "listed") => {
            let waiting = text["waiting"].as_array().into_iter().flatten();
            waiting.filter_map(id).collect()
        }
        Some("waiting") => id(text).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn address_of(client: &Client) -> SocketAddr {
    let base = client.base();
    base.rsplit('/').next().unwrap().parse().unwrap()
}

/// The states of messages, as their poster is told them at an instance.
pub(super) async fn states(poster: &Account, ids: &[Id]) -> Vec<String> {
    let mut states = Vec::new();
    for part in ids.chunks(64) {
        let told = poster.status(part).await.expect(200).json();
        let told = told["states"].as_array().unwrap();
        states.extend(
            told.iter()
                .map(|it| it["state"].as_str().unwrap().to_owned()),
        );
    }
    assert_eq!(states.len(), ids.len());
    states
}

/// Fails unless everybody who registered is known at an instance.
pub(super) async fn known(community: &Community, index: usize, who: &[(String, String)]) {
    for (handle, cookie) in who {
        let client = community.at(index).client();
        client.set_cookie(Some(cookie.clone()));
        let answer = client.get("/api/v1/session").await;
        assert_eq!(answer.status, 200, "{handle} was acknowledged and is lost");
        assert_eq!(answer.json()["handle"], *handle);
        client.get("/api/v1/safe").await.expect(200);
    }
}
