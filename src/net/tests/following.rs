//! What the stream keeps from the dispatcher, byte by byte.

use std::pin::Pin;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::net::connection::Connection;
use crate::net::intake::{Found, Intake};
use crate::net::outlet::{Outlet, Write};
use crate::net::stream::Guarded;

const TWO_REQUESTS: &str = "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsecret-1!\
    GET /b HTTP/1.1\nhost: x\n\nPUT /c HTTP/1.1\r\ncontent-LENGTH:  4 \r\n\r\nleak";

fn collect(intake: &mut Intake, request: u64) -> Vec<u8> {
    std::iter::from_fn(|| intake.take(request))
        .flatten()
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bodies_are_taken_out_wherever_the_bytes_are_cut(
        cuts in prop::collection::vec(1..20_usize, 0..40),
    ) {
        let mut intake = Intake::new();
        let mut stream = TWO_REQUESTS.as_bytes().to_vec();
        let (mut rest, mut cuts) = (stream.as_mut_slice(), cuts.into_iter());
        while !rest.is_empty() {
            let cut = cuts.next().unwrap_or(rest.len()).min(rest.len());
            let (piece, after) = rest.split_at_mut(cut);
            intake.pass(piece);
            rest = after;
        }
        let expected = TWO_REQUESTS.replace("secret-1!", &"\0".repeat(9)).replace("leak", "\0\0\0\0");
        prop_assert_eq!(String::from_utf8(stream).unwrap(), expected);
        prop_assert_eq!(intake.serve_next(), Found::Body(1));
        prop_assert_eq!(collect(&mut intake, 1), b"secret-1!");
        prop_assert_eq!(intake.serve_next(), Found::Nothing);
        prop_assert_eq!(intake.serve_next(), Found::Body(3));
        prop_assert_eq!(collect(&mut intake, 3), b"leak");
        prop_assert_eq!(intake.serve_next(), Found::Unfollowed);
    }
}

#[test]
fn everything_after_an_upgrade_is_body() {
    let mut intake = Intake::new();
    let mut stream = b"GET /ws HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\nframe".to_vec();
    intake.pass(&mut stream);
    assert!(stream.ends_with(&[0; 5]));
    assert_eq!(intake.serve_next(), Found::Body(1));
    let mut more = b"POST / HTTP/1.1\r\n\r\n".to_vec();
    intake.pass(&mut more);
    assert_eq!(collect(&mut intake, 1), b"framePOST / HTTP/1.1\r\n\r\n");
}

#[test]
fn a_chunked_body_is_not_followed_and_nothing_after_it_is() {
    for header in [
        "Transfer-Encoding: chunked",
        "content-length: 1\r\ncontent-length: 1",
    ] {
        let mut intake = Intake::new();
        let mut stream =
            format!("POST / HTTP/1.1\r\n{header}\r\n\r\n5\r\nhello\r\n0\r\n\r\n").into_bytes();
        intake.pass(&mut stream);
        assert!(stream.windows(5).any(|bytes| bytes == b"hello"));
        assert_eq!(intake.serve_next(), Found::Unfollowed);
        assert_eq!(intake.serve_next(), Found::Unfollowed);
    }
}

#[test]
fn an_abandoned_body_is_not_kept_and_the_next_one_is() {
    let mut intake = Intake::new();
    intake.pass(&mut b"POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc".to_vec());
    assert_eq!(intake.serve_next(), Found::Body(1));
    intake.abandon(1);
    intake.pass(&mut b"defPOST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz".to_vec());
    assert_eq!(collect(&mut intake, 1), b"");
    assert_eq!(intake.serve_next(), Found::Body(2));
    assert_eq!(collect(&mut intake, 2), b"xyz");
}

#[test]
fn a_head_that_never_ends_is_no_longer_followed() {
    let mut intake = Intake::new();
    for _ in 0..300_000 / 100 {
        intake.pass(&mut [b'a'; 100]);
    }
    assert!(intake.is_lost());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bodies_are_put_in_wherever_the_bytes_are_cut(
        bodies in prop::collection::vec(16..60_usize, 1..5),
        takes in prop::collection::vec(1..30_usize, 0..60),
    ) {
        let mut outlet = Outlet::new(*b"0123456789nonce!");
        let (mut stream, mut expected) = (Vec::new(), Vec::new());
        for (n, length) in bodies.into_iter().enumerate() {
            let body = vec![b'A' + n as u8; length];
            stream.extend_from_slice(b"head of a response\r\n");
            expected.extend_from_slice(b"head of a response\r\n");
            expected.extend_from_slice(&body);
            stream.extend_from_slice(&outlet.accept(body.into()));
            stream.extend(std::iter::repeat_n(0, length - 16));
        }
        stream.extend_from_slice(b"tail");
        expected.extend_from_slice(b"tail");
        let (mut rest, mut takes, mut written) = (stream.as_slice(), takes.into_iter(), Vec::new());
        while !rest.is_empty() {
            let accepted = takes.next().unwrap_or(usize::MAX);
            let count = match outlet.next(rest) {
                Write::AsIs(count) => {
                    let count = count.min(accepted);
                    written.extend_from_slice(&rest[..count]);
                    count
                }
                Write::Instead(body) => {
                    let count = body.len().min(accepted);
                    written.extend_from_slice(&body[..count]);
                    outlet.written(count);
                    count
                }
            };
            rest = &rest[count..];
        }
        prop_assert_eq!(written, expected);
    }
}

#[actix_web::test]
async fn the_reader_of_a_guarded_stream_sees_zeros_and_its_writer_needs_no_body() {
    let (mut client, server) = tokio::io::duplex(4096);
    let mut server = Guarded::new(server).unwrap();
    let connection: Connection = server.connection();
    client
        .write_all(b"POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\nthe sealed body bytes"[..].into())
        .await
        .unwrap();
    let mut seen = vec![0xEE; 200];
    let count = Pin::new(&mut server).read(&mut seen).await.unwrap();
    assert!(!seen.windows(6).any(|bytes| bytes == b"sealed"));
    assert!(
        seen[count..].iter().all(|byte| *byte == 0),
        "spare room is wiped"
    );
    let body = connection.with(|passing| passing.intake.take(1)).unwrap();
    assert_eq!(&body[..], b"the sealed body byte");
    let nonce = connection.with(|passing| passing.outlet.accept(body));
    server.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    server.write_all(&nonce).await.unwrap();
    server.write_all(&[0; 4]).await.unwrap();
    let mut answer = vec![0; 39];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 200 OK\r\n\r\nthe sealed body byte");
}
