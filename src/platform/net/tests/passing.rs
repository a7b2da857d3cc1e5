//! What of a connection's bytes the dispatcher may have, and when.

use actix_http::Request;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use futures_util::task::noop_waker;
use proptest::prelude::*;

use crate::platform::net::gate::{Awaits, Gate};

fn request(name: HeaderName, value: &'static str) -> Request {
    let mut request = Request::new();
    let value = HeaderValue::from_static(value);
    request.head_mut().headers_mut().insert(name, value);
    request
}

fn with_length(length: &'static str) -> Request {
    request(header::CONTENT_LENGTH, length)
}

fn is_open(gate: &Gate) -> bool {
    gate.is_open(&noop_waker())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_passes_alone_wherever_the_bytes_are_cut(
        cuts in prop::collection::vec(1..40_usize, 0..60),
        ends in prop::sample::select(vec!["\r\n", "\n"]),
        before in prop::sample::select(vec!["", "\r\n", "\n\n"]),
    ) {
        let requests = [("5", "hello"), ("0", ""), ("12", "\r\n\r\nGET / H\r")];
        let gate = Gate::default();
        for (length, body) in requests {
            let head = format!("{before}POST / HTTP/1.1{ends}A:b{ends}Content-Length: {length}{ends}{ends}");
            let all = format!("{head}{body}HEAD / HTTP/1.1{ends}{ends}").into_bytes();
            let mut cuts = cuts.iter().copied();
            let (mut passed, mut turn) = (0, None);
            loop {
                let piece = &all[passed..];
                let piece = &piece[..cuts.next().unwrap_or(piece.len()).min(piece.len())];
                let count = gate.pass(piece);
                passed += count;
                if count < piece.len() && turn.is_none() {
                    prop_assert_eq!(passed, head.len());
                    prop_assert!(!is_open(&gate));
                    turn = Some(gate.serve(&with_length(length), false));
                } else if count < piece.len() {
                    break;
                }
            }
            prop_assert_eq!(passed, head.len() + body.len());
            prop_assert!(!is_open(&gate), "the response is not complete");
            drop(turn);
            prop_assert!(is_open(&gate));
        }
    }
}

#[test]
fn what_a_client_owes_is_told_at_every_point_of_every_request() {
    let gate = Gate::default();
    assert_eq!(gate.awaits(), Awaits::Head(1), "the first byte is owed too");
    for number in [1, 2, 3] {
        gate.pass(b"\r");
        assert_eq!(gate.awaits(), Awaits::Head(number));
        gate.pass(b"\nPOST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n");
        assert_eq!(gate.awaits(), Awaits::Head(number), "not yet served");
        let turn = gate.serve(&with_length("2"), false);
        assert_eq!(gate.awaits(), Awaits::Body(number));
        gate.pass(b"ab");
        assert_eq!(gate.awaits(), Awaits::Nothing, "it is the server's turn");
        drop(turn);
        assert_eq!(gate.awaits(), Awaits::Nothing, "idle");
    }
    gate.pass(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
    gate.hand_over();
    let _turn = gate.serve(&Request::new(), true);
    assert_eq!(gate.awaits(), Awaits::Body(4));
    gate.switch();
    assert_eq!(
        gate.awaits(),
        Awaits::Nothing,
        "a socket has a time of its own"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_body_in_chunks_passes_to_its_end_and_nothing_behind_it(
        cuts in prop::collection::vec(1..20_usize, 0..60),
        body in prop::sample::select(vec![
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "a;x=\"y\"\r\n0\r\n\r\n0\r\n\r\n\r\n1F\r\n0123456789abcdef\n0\n0123456789ab\r\n000\r\n\r\n",
            "1\r\na\r\n0\r\nTrailer: x\r\nOther: 0\r\n\r\n",
        ]),
    ) {
        let gate = Gate::default();
        gate.pass(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        let turn = gate.serve(&request(header::TRANSFER_ENCODING, "chunked"), true);
        let all = format!("{body}HEAD / HTTP/1.1\r\n\r\n").into_bytes();
        let (mut passed, mut cuts) = (0, cuts.into_iter());
        while is_open(&gate) {
            let piece = &all[passed..];
            passed += gate.pass(&piece[..cuts.next().unwrap_or(piece.len()).min(piece.len())]);
        }
        prop_assert_eq!(passed, body.len());
        prop_assert!(matches!(gate.awaits(), Awaits::Body(_)), "it has a time limit");
        drop(turn);
        prop_assert!(!is_open(&gate));
        prop_assert_eq!(gate.awaits(), Awaits::End);
    }
}

#[test]
fn chunks_that_are_none_let_nothing_more_pass() {
    for body in ["5\r\nhellox0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\nhello\r\n"] {
        let gate = Gate::default();
        gate.pass(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
        let _turn = gate.serve(&request(header::TRANSFER_ENCODING, "chunked"), true);
        assert!(gate.pass(body.as_bytes()) < body.len(), "{body:?}");
        assert!(!is_open(&gate), "{body:?}");
    }
}

#[test]
fn what_the_dispatcher_refuses_by_itself_ends_the_connection() {
    let gate = Gate::default();
    gate.wrote();
    gate.pass(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(gate.awaits(), Awaits::Head(1));
    gate.wrote();
    assert_eq!(gate.awaits(), Awaits::End);
    assert!(!is_open(&gate));
}

#[test]
fn a_head_is_no_longer_than_it_may_be() {
    let gate = Gate::default();
    for _ in 0..16 << 10 {
        gate.pass(b"a");
    }
    assert!(!gate.is_too_long());
    gate.pass(b"a");
    assert!(gate.is_too_long() && !is_open(&gate));
}

#[test]
fn behind_a_body_that_was_answered_early_nothing_passes() {
    let gate = Gate::default();
    gate.pass(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n");
    drop(gate.serve(&with_length("9"), false));
    assert!(is_open(&gate), "the client may send what it had begun");
    assert_eq!(gate.pass(b"123456789POST / HTTP/1.1\r\n\r\n and so on"), 9);
    assert!(!is_open(&gate));
    assert_eq!(gate.pass(b"POST"), 0);
}
