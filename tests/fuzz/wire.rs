//! Raw requests to the server, and the same to a plain actix-web.

use std::net::SocketAddr;

use fuzz::Target;

use crate::AGAIN;
use crate::beside::{Beside, exchange, limits};

/// Runs both servers on a thread of their own for as long as `look` takes.
fn beside(look: impl FnOnce(SocketAddr, SocketAddr)) {
    let (tell, told) = std::sync::mpsc::channel();
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let servers = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let both = Beside::start(limits());
            tell.send((both.ours, both.plain)).unwrap();
            let _gone = ended.await;
            both.stop().await;
        });
    });
    let (ours, plain) = told.recv().unwrap();
    look(ours, plain);
    drop(end);
    servers.join().unwrap();
}

/// Bytes of this process that are resident.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4096
}

/// What a mutated input may do that the two servers are known to treat in ways of their own.
fn is_known(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    // A body in chunks ends our connection, and only a GET becomes a socket. Where requests come in
    // a row, plain actix-web frames a response by the request after it.
    text.contains("chunked") || text.contains("upgrade") || text.matches(" http/1.").count() > 1
}

#[test]
fn hostile_requests_end_as_plain_actix_web_ends_them() {
    beside(|ours, plain| {
        let before = resident();
        Target::new("requests", AGAIN)
            .seeds([
                "GET /probe HTTP/1.1\r\nHost: x\r\n\r\n",
                "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                "POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                "POST /parcel HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n01234567890123456789",
                "HEAD /parcel HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
                "DELETE /nothing HTTP/1.0\r\n\r\n",
            ])
            .words(&[
                "\r\n", "\n", "\r", ": ", "Content-Length: ", "Transfer-Encoding: ", "identity", "gzip", "Host: x\r\n",
                "Expect: 100-continue\r\n", "Connection: ", "close", "keep-alive", "HEAD", "CONNECT", "HTTP/1.0",
                "HTTP/1.1", " /early ", " /echo ", " /parcel ", "+", "0", "18446744073709551616", "\0", "\t", "\u{e9}",
            ])
            .at_most(8 << 10)
            .run(|bytes| {
                let (own, other) = (exchange(ours, bytes), exchange(plain, bytes));
                if is_known(bytes) {
                    return (own.statuses.len(), None);
                }
                assert!(own == other, "ours: {own:?}, plain actix-web: {other:?}");
                (0, Some(own))
            });
        let grown = resident().saturating_sub(before) >> 20;
        assert!(grown < 256, "{grown} MiB more are resident");
    });
}
