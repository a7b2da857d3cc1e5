//! A server, two people and a set of markers.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use protocol::envelope::{Parcel, Slot, Submission};
use protocol::ids::MessageId;
use serde_json::json;
use tempfile::TempDir;

use crate::support::memory_scan::{Found, Markers};
use crate::support::{Account, Client, Spawned, TestSocket, b64, random_id, waiting_slot};

/// How many messages pass.
pub(super) const MESSAGES: usize = 1000;

/// Connections that carry them.
pub(super) const LANES: usize = 32;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Stage {
    pub server: Spawned,
    pub poster: Account,
    pub reader: Account,
    pub markers: Markers,
    pub ids: Vec<[u8; 16]>,
    /// Sockets that were used and are open.
    lanes: Mutex<Vec<TestSocket>>,
    data: TempDir,
    temp: TempDir,
}

impl Stage {
    /// Starts the real binary and registers two people on clients made by `client`.
    pub(super) async fn start(
        variables: &[(&str, &str)],
        client: impl Fn(&Spawned) -> Client,
    ) -> Self {
        let (data, temp) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let mut variables = variables.to_vec();
        variables.push(("TMPDIR", temp.path().to_str().unwrap()));
        let server = Spawned::start_with(data.path(), &variables);
        let secret = server.setup_secret();
        let right = Some(("setup", secret.as_str()));
        let poster = Account::register(client(&server), "poster", right)
            .await
            .unwrap();
        let open = json!({"mode": "open"});
        poster
            .client
            .put("/api/v1/admin/registration", &open)
            .await
            .expect(204);
        let reader = Account::register(client(&server), "reader", None)
            .await
            .unwrap();
        Self {
            server,
            poster,
            reader,
            markers: Markers::new(MESSAGES),
            ids: (0..MESSAGES).map(|_| random_id()).collect(),
            lanes: Mutex::default(),
            data,
            temp,
        }
    }

    /// Message `index`: its marker fills its slot and its body. Every tenth is larger than any
    /// buffer on the way.
    pub(super) fn message(&self, index: usize, life_secs: u32, large: usize) -> Vec<u8> {
        let length = if index.is_multiple_of(10) {
            large
        } else {
            1024
        };
        self.message_to(index, life_secs, length, |slot| {
            waiting_slot(self.reader.id(), slot)
        })
    }

    pub(super) fn message_to(
        &self,
        index: usize,
        life_secs: u32,
        length: usize,
        slot: impl Fn(&[u8]) -> Slot,
    ) -> Vec<u8> {
        Submission {
            message_id: MessageId::from_bytes(self.ids[index]),
            life_secs,
            burn_on_read: true,
            slots: vec![slot(&self.markers.content(index, 512))],
            body: self.markers.content(index, length),
        }
        .encode()
    }

    /// Posts messages over HTTP on many connections at once, each under a ticket.
    pub(super) async fn post(&self, range: std::ops::Range<usize>, life_secs: u32) {
        self.in_lanes(&self.poster, range, async |socket, index| {
            let message = self.message(index, life_secs, 40_000);
            assert!(socket.send_large(&self.poster.client, &message).await);
            let id = hex::encode(self.ids[index]);
            assert_eq!(socket.text_of("sent").await["id"], id);
        })
        .await;
    }

    /// Claims messages on many sockets at once, fetches the large ones over HTTP, and burns them.
    pub(super) async fn read(&self, range: std::ops::Range<usize>) {
        self.in_lanes(&self.reader, range, async |socket, index| {
            let id = hex::encode(self.ids[index]);
            socket.say(json!({"t": "claim", "id": id})).await;
            let parcel = socket.parcel(&self.reader.client).await;
            let parcel = Parcel::decode(&parcel).unwrap();
            let content = self.markers.content(index, parcel.body.len());
            assert!(parcel.body == content, "message {index} came changed");
            let token = b64(&parcel.token);
            socket
                .say(json!({"t": "ack", "id": id, "token": token}))
                .await;
            assert_eq!(socket.text_of("acked").await["id"], id);
        })
        .await;
    }

    /// Does something for each message, on sockets of one account that are used in turns.
    async fn in_lanes(
        &self,
        account: &Account,
        range: std::ops::Range<usize>,
        each: impl AsyncFn(&mut TestSocket, usize),
    ) {
        let each = &each;
        futures_util::stream::iter(0..LANES)
            .for_each_concurrent(LANES, |lane| {
                let indices = range.clone().skip(lane).step_by(LANES);
                async move {
                    let (mut socket, _) = TestSocket::connect(&account.client).await;
                    for index in indices {
                        each(&mut socket, index).await;
                    }
                    self.lanes.lock().unwrap().push(socket);
                }
            })
            .await;
    }

    /// Waits until the vault is empty.
    pub(super) async fn emptied(&self) {
        wait_until(async || {
            let stats = self
                .poster
                .client
                .get("/api/v1/admin/stats")
                .await
                .expect(200);
            stats.json()["messages_held"] == 0
        })
        .await;
    }

    /// Searches the process.
    pub(super) fn scan(&self) -> Found {
        self.markers.in_process(self.server.pid())
    }

    /// Fails unless every message of a range is found in the process: without this, that
    /// nothing is found later would mean nothing.
    #[track_caller]
    pub(super) fn assert_held(&self, count: usize) {
        let held = self.scan();
        assert_eq!(
            held.markers.len(),
            count,
            "held messages were not found: {:?}",
            held.places
        );
    }

    /// Fails if anything is found in the process.
    #[track_caller]
    pub(super) fn assert_gone(&self, when: &str) {
        let found = self.scan();
        assert_eq!(found.hits(), 0, "{when}: {found:?}");
    }

    /// Counts the sockets that the process has open.
    pub(super) fn sockets(&self) -> usize {
        sockets_of(&self.server)
    }

    /// Returns the bytes of the process that are resident.
    pub(super) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.pid()));
        let status = status.unwrap();
        let (_, rest) = status.split_once("VmRSS:").unwrap();
        let kib = rest.split_whitespace().next().unwrap();
        kib.parse::<u64>().unwrap() * 1024
    }

    /// Lets both people go and whatever else they hold, and waits until the server has closed
    /// `fewer` connections. Returns what is left to look at.
    pub(super) async fn close(self, others: impl Sized, fewer: usize) -> Closed {
        // Counted first: the server begins to close as soon as the first is dropped.
        let open = self.sockets();
        let Self {
            server,
            poster,
            reader,
            markers,
            lanes,
            data,
            temp,
            ..
        } = self;
        drop((poster, reader, lanes, others));
        let closed = Closed {
            server,
            markers,
            data,
            temp,
        };
        wait_until(async || sockets_of(&closed.server) + fewer <= open).await;
        closed
    }
}

/// A stage that nobody is connected to any more.
pub(super) struct Closed {
    pub server: Spawned,
    pub markers: Markers,
    data: TempDir,
    temp: TempDir,
}

impl Closed {
    /// Fails if anything is found in the process.
    #[track_caller]
    pub(super) fn assert_gone(&self) {
        let found = self.markers.in_process(self.server.pid());
        assert_eq!(found.hits(), 0, "after the connections closed: {found:?}");
    }

    /// Fails if anything is found in the data folder, the temporary folder or the log; first shows
    /// that it would be.
    #[track_caller]
    pub(super) fn assert_not_on_disk(self) {
        for folder in [&self.data, &self.temp] {
            let planted = folder.path().join("planted");
            std::fs::write(&planted, self.markers.content(7, 100)).unwrap();
            let found = self.markers.in_folder(folder.path());
            assert_eq!(found.markers.len(), 1, "a planted marker was not found");
            std::fs::remove_file(planted).unwrap();
            let found = self.markers.in_folder(folder.path());
            assert_eq!(found.hits(), 0, "on disk: {found:?}");
        }
        let database = std::fs::metadata(self.data.path().join("secure_messaging.db")).unwrap();
        assert!(database.len() > 0);
        let (data, markers) = (self.data, self.markers);
        let log = self.server.stop();
        assert!(log.contains("listening"), "the log was not captured");
        assert_eq!(markers.in_bytes(log.as_bytes()).hits(), 0, "in the log");
        assert_eq!(
            markers.in_folder(data.path()).hits(),
            0,
            "on disk after the end"
        );
    }
}

fn sockets_of(server: &Spawned) -> usize {
    let is_socket = |entry: std::io::Result<std::fs::DirEntry>| {
        let target = std::fs::read_link(entry.ok()?.path()).ok()?;
        target.to_str()?.starts_with("socket:").then_some(())
    };
    std::fs::read_dir(format!("/proc/{}/fd", server.pid()))
        .unwrap()
        .filter_map(is_socket)
        .count()
}

/// Asks again and again until the answer is yes.
pub(super) async fn wait_until(mut met: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !met().await {
        assert!(
            start.elapsed() < PATIENCE,
            "what was waited for did not come"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
