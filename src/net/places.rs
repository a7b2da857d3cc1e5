//! How many connections there may be, so that the files of the database always find room.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_rt::net::TcpStream;
use tokio::io::AsyncWriteExt;

/// How long a client that is refused may take to say what it wanted, before it is told.
const PATIENCE: Duration = Duration::from_millis(250);

const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n\
    content-type: application/problem+json\r\ncontent-length: 174\r\nconnection: close\r\n\r\n\
    {\"type\":\"about:blank\",\"status\":503,\"code\":\"too-many-connections\",\
    \"title\":\"Too many connections\",\
    \"detail\":\"The server holds as many connections as it may. Try again shortly.\"}";

/// Counts connections of all workers.
#[derive(Debug, Clone)]
pub(super) struct Places {
    taken: Arc<AtomicUsize>,
    all: usize,
}

/// A connection's place, free again when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Places {
    pub(super) fn new(all: usize) -> Self {
        Self {
            taken: Arc::new(AtomicUsize::new(0)),
            all,
        }
    }

    /// Takes a place, if one is free.
    pub(super) fn take(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.taken));
        // Dropping the place gives back what was one too many.
        (self.taken.fetch_add(1, Ordering::SeqCst) < self.all).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tells a client that there is no place; over TLS it only sees the connection end.
pub(super) async fn refuse(mut socket: TcpStream, tls: bool) -> io::Error {
    if !tls {
        // Closing with unread bytes would reset the connection, and the client would not be told.
        if let Ok(Ok(())) = tokio::time::timeout(PATIENCE, socket.readable()).await {
            let mut head = [0; 4096];
            let _ = socket.try_read(&mut head);
            vault::alloc::wipe(&mut head);
        }
        let _ = tokio::time::timeout(PATIENCE, socket.write_all(REFUSAL)).await;
        let _ = socket.shutdown().await;
    }
    io::Error::other("there is no place for another connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_given_up_is_free_again() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some());
        assert!(places.take().is_none() && places.take().is_none());
        drop(first);
        assert!(places.take().is_some());
    }

    #[test]
    fn the_refusal_is_a_problem_document_of_the_length_that_it_says() {
        let text = std::str::from_utf8(REFUSAL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())));
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["status"], 503);
    }
}
