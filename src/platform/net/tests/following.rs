//! What the stream keeps from the dispatcher, byte by byte.

use std::collections::HashSet;
use std::pin::Pin;

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::platform::net::connection::Connection;
use crate::platform::net::intake::{Awaits, Found, Intake};
use crate::platform::net::limits::Waits;
use crate::platform::net::outlet::{Outlet, Write};
use crate::platform::net::stream::Guarded;

const THREE_REQUESTS: &str = "\r\nPOST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nsecret-1!\
    GET /b HTTP/1.1\nhost: x\n\nPUT /c HTTP/1.1\r\ncontent-LENGTH:  4 \r\n\r\nleak";

/// Lets everything pass, and answers each request as soon as it is there; adds what was found.
fn follow(intake: &mut Intake, mut bytes: &mut [u8], found: &mut Vec<(Found, Vec<u8>)>) {
    while !bytes.is_empty() {
        let seen = intake.pass(bytes);
        bytes = &mut bytes[seen..];
        if !intake.may_read() && matches!(intake.awaits(), Awaits::Head(_)) {
            found.push((intake.serve_next(), Vec::new()));
        }
        if let Some((Found::Body(number), body)) = found.last_mut() {
            body.extend(collect(intake, *number));
        }
        if matches!(intake.awaits(), Awaits::Nothing) && !intake.may_read() {
            intake.answered();
        }
    }
}

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
        let mut stream = THREE_REQUESTS.as_bytes().to_vec();
        let (mut rest, mut cuts) = (stream.as_mut_slice(), cuts.into_iter());
        let mut found = Vec::new();
        while !rest.is_empty() {
            let cut = cuts.next().unwrap_or(rest.len()).min(rest.len());
            let (piece, after) = rest.split_at_mut(cut);
            follow(&mut intake, piece, &mut found);
            rest = after;
        }
        let expected =
            THREE_REQUESTS.replace("secret-1!", &"\0".repeat(9)).replace("leak", "\0\0\0\0");
        prop_assert_eq!(String::from_utf8(stream).unwrap(), expected);
        prop_assert_eq!(found, [
            (Found::Body(1), b"secret-1!".to_vec()),
            (Found::Nothing, Vec::new()),
            (Found::Body(3), b"leak".to_vec()),
        ]);
        prop_assert_eq!(intake.serve_next(), Found::Unfollowed);
    }
}

#[test]
fn the_next_head_is_held_back_until_the_response_before_it_is_complete() {
    let mut intake = Intake::new();
    let mut stream = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b HTTP/1.1\r\n".to_vec();
    let first = stream
        .windows(4)
        .position(|end| end == b"\r\n\r\n")
        .unwrap()
        + 4;
    assert_eq!(intake.pass(&mut stream), first);
    assert!(!intake.may_read());
    assert_eq!(intake.serve_next(), Found::Nothing);
    assert_eq!(intake.pass(&mut stream[first..]), 0);
    intake.answered();
    assert!(intake.may_read());
    assert_eq!(intake.pass(&mut stream[first..]), stream.len() - first);
}

#[test]
fn a_body_that_nobody_has_asked_for_is_not_read_on() {
    let mut intake = Intake::new();
    intake.pass(&mut b"POST / HTTP/1.1\r\nContent-Length: 999\r\n\r\nabc".to_vec());
    assert!(
        !intake.may_read(),
        "the request has not reached the application"
    );
    assert_eq!(intake.serve_next(), Found::Body(1));
    assert!(intake.may_read());
}

#[test]
fn a_body_is_not_read_faster_than_its_handler_takes_it() {
    let mut intake = Intake::new();
    intake.pass(&mut b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n".to_vec());
    intake.serve_next();
    let mut passed = 0;
    while intake.may_read() {
        passed += intake.pass(&mut [7; 8192]);
        assert!(passed <= 1 << 20, "there is no end");
    }
    intake.take(1).unwrap();
    assert!(intake.may_read());
    intake.abandon(1);
    for _ in 0..100 {
        assert!(intake.may_read(), "nothing is kept that nobody wants");
        intake.pass(&mut [7; 8192]);
    }
}

#[test]
fn what_a_client_owes_is_told_at_every_point_of_every_request() {
    let mut intake = Intake::new();
    for request in [1, 2, 3] {
        if request == 1 {
            assert_eq!(
                intake.awaits(),
                Awaits::Head(1),
                "the first byte is owed too"
            );
        }
        intake.pass(&mut b"\r".to_vec());
        assert_eq!(intake.awaits(), Awaits::Head(request));
        intake.pass(&mut b"\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n".to_vec());
        assert_eq!(intake.awaits(), Awaits::Head(request), "not yet served");
        intake.serve_next();
        assert_eq!(intake.awaits(), Awaits::Body(request));
        intake.pass(&mut b"ab".to_vec());
        assert_eq!(intake.awaits(), Awaits::Nothing, "it is the server's turn");
        intake.answered();
        assert_eq!(intake.awaits(), Awaits::Nothing, "idle");
    }
    intake.pass(&mut b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".to_vec());
    intake.serve_next();
    assert_eq!(intake.awaits(), Awaits::Body(4));
    intake.switch();
    assert_eq!(
        intake.awaits(),
        Awaits::Nothing,
        "a socket has a time of its own"
    );
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
    intake.pass(&mut b"def".to_vec());
    intake.answered();
    intake.pass(&mut b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz".to_vec());
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
        let mut outlet = Outlet::new([7; 32]);
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

#[test]
fn a_body_whose_stand_in_was_never_written_is_dropped_and_takes_no_others_place() {
    let mut outlet = Outlet::new([7; 32]);
    outlet.accept(vec![b'A'; 40].into());
    let nonce = outlet.accept(vec![b'B'; 20].into());
    let stream = [nonce.as_slice(), &[0; 4], b"HTTP/1.1 200 OK"].concat();
    let Write::Instead(body) = outlet.next(&stream) else {
        panic!("the nonce was not found");
    };
    assert_eq!(body, vec![b'B'; 20]);
    outlet.written(20);
    assert!(matches!(outlet.next(&stream[20..]), Write::AsIs(15)));
}

#[test]
fn no_two_bodies_of_a_connection_have_the_same_nonce() {
    let mut outlet = Outlet::new([7; 32]);
    let nonces: HashSet<_> = (0..1000)
        .map(|_| outlet.accept(vec![0; 16].into()))
        .collect();
    assert_eq!(nonces.len(), 1000);
    assert!(!nonces.contains(&Outlet::new([8; 32]).accept(vec![0; 16].into())));
}

#[actix_web::test]
async fn the_reader_of_a_guarded_stream_sees_zeros_and_its_writer_needs_no_body() {
    let (mut client, server) = tokio::io::duplex(4096);
    let mut server = Guarded::new(server, Waits::default()).unwrap();
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
