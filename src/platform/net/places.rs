//! How many connections there may be, so that the files of the database always find room, and so
//! that one network leaves some of them to others.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use actix_rt::net::TcpStream;
use api::Code;
use tokio::io::AsyncWriteExt;

use crate::app::Problem;

use super::limits::Limits;
use super::networks::{Networks, Part};
use super::range::AddressRange;

/// How long a client that is refused may take to say what it wanted, before it is told.
const PATIENCE: Duration = Duration::from_millis(250);

/// Counts connections of all workers.
#[derive(Debug, Clone)]
pub(super) struct Places {
    taken: Networks,
    shared_peers: Vec<AddressRange>,
    loopback_is_shared: bool,
}

/// A connection's place, free again when dropped.
pub(super) type Place = Part;

impl Places {
    pub(super) fn new(limits: &Limits) -> Self {
        let (one, all) = (limits.connections_per_network, limits.connections);
        Self {
            taken: Networks::new(one as u64, all as u64),
            shared_peers: limits.shared_peers.clone(),
            loopback_is_shared: limits.loopback_is_shared,
        }
    }

    /// Takes a place for a peer, if one is free for it.
    pub(super) fn take(&self, peer: Option<IpAddr>) -> Option<Place> {
        let peer = peer.map(|ip| ip.to_canonical());
        let own = peer.filter(|ip| {
            let local = ip.is_loopback() && self.loopback_is_shared;
            !local && !self.shared_peers.iter().any(|range| range.contains(*ip))
        });
        self.taken.take(own, 1)
    }
}

/// Tells a client that there is no place; over TLS it only sees the connection end.
pub(super) async fn refuse(mut socket: TcpStream, tls: bool) -> io::Error {
    if !tls {
        // Closing with unread bytes would reset the connection, and the client would not be told.
        if let Ok(Ok(())) = tokio::time::timeout(PATIENCE, socket.readable()).await {
            let mut head = [0; 4096];
            let _ = socket.try_read(&mut head);
            ambient::alloc::wipe(&mut head);
        }
        let _ = tokio::time::timeout(PATIENCE, socket.write_all(refusal().as_bytes())).await;
        let _ = socket.shutdown().await;
    }
    io::Error::other("there is no place for another connection")
}

/// What a client that is refused is told, whole.
fn refusal() -> String {
    let problem = Problem::new(
        Code::TooManyConnections,
        "The server holds as many connections as it may. Try again shortly.",
    )
    .retry_after(5);
    let body = problem.document().to_string();
    format!(
        "HTTP/1.1 {} Service Unavailable\r\nretry-after: {}\r\n\
         content-type: application/problem+json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        problem.code().status(),
        problem.seconds().unwrap_or(1),
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(one: usize, all: usize) -> Places {
        Places::new(&Limits {
            connections_per_network: one,
            connections: all,
            shared_peers: ["192.0.2.80", "198.51.100.0/24"]
                .map(|range| range.parse().unwrap())
                .to_vec(),
            ..Limits::default()
        })
    }

    #[test]
    fn a_place_that_is_given_up_is_free_again() {
        let places = places(2, 2);
        let (first, second) = (places.take(None), places.take(None));
        assert!(first.is_some() && second.is_some());
        assert!(places.take(None).is_none() && places.take(None).is_none());
        drop(first);
        assert!(places.take(None).is_some());
    }

    #[test]
    fn one_network_leaves_places_to_others_and_a_proxy_may_take_them_all() {
        let peer = |text: &str| Some(text.parse().unwrap());
        let places = places(1, 8);
        let _one = places.take(peer("192.0.2.1")).unwrap();
        assert!(places.take(peer("192.0.2.1")).is_none());
        assert!(places.take(peer("::ffff:192.0.2.1")).is_none());
        let _other = places.take(peer("2001:db8::1")).unwrap();
        for shared in [
            "192.0.2.80",
            "::ffff:192.0.2.80",
            "198.51.100.9",
            "127.0.0.1",
            "::1",
        ] {
            let held = [places.take(peer(shared)), places.take(peer(shared))];
            assert!(held.iter().all(Option::is_some), "{shared}");
        }
    }

    #[test]
    fn the_refusal_is_a_problem_document_of_the_length_that_it_says() {
        let text = refusal();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 "));
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 503);
        assert_eq!(problem["code"], "too-many-connections");
        let wait = format!("retry-after: {}\r\n", problem["retry_after"]);
        assert!(head.contains(&wait), "{head}");
    }
}
