//! One community, served by several processes over one database and several nodes.

mod balancer;
mod endings;
mod kills;
mod races;
mod residue;
mod rolling;

use std::time::{Duration, Instant};

use serde_json::json;
use servers::{Postgres, Valkey};
use tempfile::TempDir;

use crate::support::{Account, Client, Spawned, binary};

/// How long a test waits for what must come by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two attempts of what was refused.
const PAUSE: Duration = Duration::from_millis(50);

/// What each instance is given besides the database and the nodes.
const SETTINGS: [(&str, &str); 3] = [
    ("SECURE_MESSAGING_DRAIN_SECS", "2"),
    ("SECURE_MESSAGING_SOCKETS_PER_SESSION", "2000"),
    ("SECURE_MESSAGING_VAULT_ACCOUNT_MESSAGES", "100000"),
];

/// Whether this is the long run, which `cargo xtask prove` asks for.
fn is_long() -> bool {
    std::env::var_os("SECURE_MESSAGING_LONG").is_some()
}

/// Prints a measured line for the table of proofs, and fails unless the promise held.
#[track_caller]
fn proof(promise: &str, measured: &str, holds: bool) {
    println!(
        "proof: {}",
        json!({"promise": promise, "measured": measured, "holds": holds})
    );
    assert!(holds, "{promise}: {measured}");
}

/// Several processes of the server, one database, several nodes.
struct Community {
    /// Those that serve; one that was killed is taken out until it is started again.
    instances: Vec<Option<Spawned>>,
    data: Vec<TempDir>,
    nodes: Vec<Valkey>,
    postgres: Postgres,
    address: String,
}

impl Community {
    /// Starts so many instances over so many nodes, and registers the first administrator.
    async fn start(instances: usize, nodes: usize) -> (Self, Account) {
        let postgres = Postgres::start();
        let address = postgres.database("community");
        let mut this = Self {
            instances: (0..instances).map(|_| None).collect(),
            data: (0..instances).map(|_| TempDir::new().unwrap()).collect(),
            nodes: (0..nodes).map(|_| Valkey::start()).collect(),
            postgres,
            address,
        };
        this.serve(0).await;
        let admin = this.at(0).administrator().await;
        for index in 1..instances {
            this.serve(index).await;
        }
        (this, admin)
    }

    /// The process with this number.
    fn at(&self, index: usize) -> &Spawned {
        self.instances[index].as_ref().expect("it serves")
    }

    /// Starts a process; others go on meanwhile.
    async fn serve(&mut self, index: usize) {
        let started = self.starting(index).await;
        self.instances[index] = Some(started.unwrap());
    }

    /// A process that starts, for whoever does not wait for it here.
    fn starting(&self, index: usize) -> actix_web::rt::task::JoinHandle<Spawned> {
        let data = self.data[index].path().to_owned();
        let nodes: Vec<_> = self.nodes.iter().map(Valkey::url).collect();
        let (address, nodes) = (self.address.clone(), nodes.join(","));
        actix_web::rt::task::spawn_blocking(move || {
            let mut variables = vec![("DATABASE_URL", &*address), ("VALKEY_URL", &*nodes)];
            variables.extend(SETTINGS);
            Spawned::start_with(&data, &variables)
        })
    }

    /// Kills a process as `kill -9` does.
    fn kill(&mut self, index: usize) {
        self.instances[index].take().expect("it serves").kill();
    }

    /// Runs a subcommand beside an instance.
    fn run(&self, index: usize, arguments: &[&str]) {
        let done = binary()
            .args(arguments)
            .arg("--data-dir")
            .arg(self.data[index].path())
            .current_dir(self.data[index].path())
            .env("DATABASE_URL", &self.address)
            .env("DB_ENCRYPTION_KEY", "a key of the tests")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{arguments:?}: {said}");
    }

    /// A client with the session of an account, at an instance.
    fn client(&self, account: &Account, index: usize) -> Client {
        account.client.with_cookie_of(self.at(index).address)
    }

    /// The same account, at an instance.
    fn there(&self, account: &Account, index: usize) -> Account {
        Account {
            client: self.client(account, index),
            user_id: account.user_id.clone(),
            handle: account.handle.clone(),
            role: account.role.clone(),
            line: tokio::sync::Mutex::default(),
        }
    }

    /// Registers somebody at an instance, at little cost.
    async fn register(&self, handle: &str, index: usize) -> Account {
        let client = self.at(index).client();
        Account::register(client, handle, None).await.unwrap()
    }

    /// Messages that a node holds.
    fn held_at(&self, node: usize) -> usize {
        let listed = self.nodes[node].ask(&["KEYS", "sm:m:*"]);
        let count = listed.trim_start_matches('*').split("\r\n").next();
        count.unwrap().parse().unwrap()
    }

    /// Messages that all nodes hold.
    fn held(&self) -> usize {
        (0..self.nodes.len()).map(|node| self.held_at(node)).sum()
    }

    /// One account for each node, whose messages lie there.
    async fn posters(&self, to: &Account) -> Vec<Account> {
        let mut found: Vec<_> = self.nodes.iter().map(|_| None).collect();
        for number in 0.. {
            if found.iter().all(Option::is_some) {
                break;
            }
            let index = number % self.instances.len();
            let poster = self.register(&format!("poster{number}"), index).await;
            let before: Vec<_> = (0..self.nodes.len()).map(|it| self.held_at(it)).collect();
            let id = crate::support::random_id();
            let slots = vec![crate::support::waiting_slot(to.id(), b"slot")];
            let bytes = crate::support::submission(id, true, slots, b"where does it lie");
            poster.post(bytes).await.expect(201);
            let grown = (0..self.nodes.len()).find(|it| self.held_at(*it) > before[*it]);
            let place = grown.expect("the message lies somewhere");
            // By one socket: what it held would wait again if it went.
            let reader = self.there(to, index);
            let parcel = reader.claim(id).await.expect(200);
            let parcel = protocol::envelope::Parcel::decode(&parcel.body).unwrap();
            reader.held("ack", id, &parcel.token).await.expect(204);
            found[place].get_or_insert(poster);
        }
        found.into_iter().flatten().collect()
    }
}

/// Asks again and again until there is an answer; says how long it took.
async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> (T, Duration) {
    let begun = Instant::now();
    loop {
        if let Some(found) = ask().await {
            return (found, begun.elapsed());
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
