//! A connection ends during a commit, and the change is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use store::PostgresConfig;
use store::testing::sample::{NOW, event};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::cluster::Database;

/// What becomes of the next commit.
const PASSES: u8 = 0;
/// It never reaches the database.
const LOST: u8 = 1;
/// The database commits, and its answer is lost.
const UNANSWERED: u8 = 2;

/// Stands between the store and the database.
struct Between {
    port: u16,
    next: Arc<AtomicU8>,
}

impl Between {
    async fn start(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let next = Arc::new(AtomicU8::new(PASSES));
        let told = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&told)));
            }
        });
        Self { port: own, next }
    }
}

/// Passes everything on, until a commit that does not pass ends both connections.
async fn pass(mut client: TcpStream, mut server: TcpStream, next: Arc<AtomicU8>) {
    let (mut asked, mut answered) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                let commits = asked[..read].windows(6).any(|word| word == b"COMMIT");
                let becomes = if commits { next.swap(PASSES, Ordering::SeqCst) } else { PASSES };
                if becomes == LOST {
                    return;
                }
                if server.write_all(&asked[..read]).await.is_err() {
                    return;
                }
                if becomes == UNANSWERED {
                    // The database has answered: it has committed.
                    let _ = server.read(&mut answered).await;
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&answered[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_commit_or_its_answer_is_lost_is_there_once() {
    let database = Database::new();
    let between = Between::start(database.cluster.port()).await;
    let own = format!(":{}/", database.cluster.port());
    let address = database
        .address
        .replace(&own, &format!(":{}/", between.port));
    let mut config = database.config();
    config.postgres = Some(PostgresConfig::new(address));
    let store = tokio::task::spawn_blocking(move || store::Store::open(&config).unwrap())
        .await
        .unwrap();
    let before = store.audit_tip().await.unwrap().id;
    for (number, becomes) in [(1, PASSES), (2, LOST), (3, UNANSWERED), (4, PASSES)] {
        between.next.store(becomes, Ordering::SeqCst);
        let record = event(None, "test", NOW + number);
        store.append_audit(vec![record]).await.unwrap();
        let left = between.next.load(Ordering::SeqCst);
        assert_eq!(left, PASSES, "the commit went another way");
        assert_eq!(store.audit_tip().await.unwrap().id, before + number);
        let count = "SELECT count(*) FROM audit_log WHERE action = 'test'";
        assert_eq!(database.psql(count).unwrap(), number.to_string());
    }
    store.verify_audit_chain().await.unwrap();
}
