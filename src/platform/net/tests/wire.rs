//! Raw requests, against the server and against a plain actix-web.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::beside::{Beside, PROBE, connect, exchange, limits, read_all};
use crate::platform::net::{Limits, Waits};

/// Runs blocking clients beside both servers.
async fn beside(clients: impl FnOnce(SocketAddr, SocketAddr) + Send + 'static) {
    within(limits(), clients).await;
}

/// The same where a client is not waited for long.
async fn impatient(clients: impl FnOnce(SocketAddr, SocketAddr) + Send + 'static) {
    let wait = Duration::from_millis(1500);
    let waits = Waits {
        head: wait,
        body_piece: wait,
        end: wait,
        ..Waits::default()
    };
    let limits = Limits { waits, ..limits() };
    within(limits, clients).await;
}

async fn within(limits: Limits, clients: impl FnOnce(SocketAddr, SocketAddr) + Send + 'static) {
    let both = Beside::start(limits);
    let (ours, plain) = (both.ours, both.plain);
    actix_web::web::block(move || clients(ours, plain))
        .await
        .unwrap();
    both.stop().await;
}

fn request(line: &str, headers: &[&str], body: &str) -> String {
    let mut text = format!("{line}\r\n");
    for header in headers {
        text += header;
        text += "\r\n";
    }
    text + "\r\n" + body
}

/// Requests whose framing is unusual, wrong or hostile.
fn framing() -> Vec<String> {
    let mut cases = Vec::new();
    for length in [
        "5",
        "05",
        " 5 ",
        "\t5",
        "+5",
        "-5",
        "5,5",
        "5;",
        "0x5",
        "5.0",
        "",
        "five",
        "0",
        "00",
        "\u{b}5",
        "18446744073709551615",
        "18446744073709551616",
        "999999999",
    ] {
        let header = format!("Content-Length:{length}");
        for path in ["/echo", "/early"] {
            cases.push(request(
                &format!("POST {path} HTTP/1.1"),
                &["Host: x", &header],
                "hello",
            ));
        }
    }
    for headers in [
        &["Host: x", "Content-Length: 5", "Content-Length: 5"][..],
        &["Host: x", "Content-Length: 5", "Content-Length: 6"],
        &["Host: x", "Content-Length: 5", "Transfer-Encoding: chunked"],
        &["Host: x", "Transfer-Encoding: gzip"],
        &["Host: x", "Transfer-Encoding: identity"],
        &["Host: x", "Transfer-Encoding: xchunked"],
        &["Host: x", "Transfer-Encoding: chunked, gzip"],
        &[
            "Host: x",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: chunked",
        ],
        &["Host: x", "Transfer-Encoding : chunked"],
        &["Host: x", "Content-Length : 5"],
        &["Host: x", " Content-Length: 5"],
        &["Host: x", "X: y\r\n Content-Length: 5"],
        &["Host: x", "Content-Length: 5\r"],
        &["Host: x", "Content-Length: 5\0"],
        &["Host: x", "Cont\u{e9}nt-Length: 5"],
        &["Host: x", "no colon"],
        &["Host: x", ": no name"],
        &["Host: x", "Host: y"],
        &["X: no host"],
        &[],
    ] {
        cases.push(request("POST /echo HTTP/1.1", headers, "hello"));
    }
    for line in [
        "GET /probe HTTP/1.0",
        "POST /echo HTTP/1.0",
        "GET /probe HTTP/2.0",
        "GET /probe HTTP/0.9",
        "GET /probe HTTP/1.2",
        "GET /probe",
        "GET  /probe HTTP/1.1",
        "GET /probe  HTTP/1.1",
        "GET\t/probe HTTP/1.1",
        " GET /probe HTTP/1.1",
        "get /probe HTTP/1.1",
        "G\u{e9}T /probe HTTP/1.1",
        "HEAD /probe HTTP/1.1",
        "HEAD /parcel HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "TRACE /probe HTTP/1.1",
        "GET http://x/probe HTTP/1.1",
        "GET /%00 HTTP/1.1",
        "GET /../probe HTTP/1.1",
        "GET /absent HTTP/1.1",
        "\r\nGET /probe HTTP/1.1",
        "\n\n\nGET /probe HTTP/1.1",
        "HTTP/1.1 200 OK",
        "",
        "DELETE /nothing HTTP/1.1",
        "HEAD /nothing HTTP/1.1",
    ] {
        cases.push(request(line, &["Host: x"], ""));
    }
    cases.push("GET /probe HTTP/1.1\nHost: x\n\n".to_owned());
    cases.push("POST /echo HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello".to_owned());
    cases.push("GET /probe HTTP/1.1\rHost: x\r\r".to_owned());
    cases.push(format!(
        "GET /probe HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(95)
    ));
    cases.push(format!(
        "GET /probe HTTP/1.1\r\nHost: x\r\n{}\r\n",
        "A: b\r\n".repeat(97)
    ));
    cases.push(request(
        "POST /echo HTTP/1.1",
        &["Host: x", "Expect: 100-continue", "Content-Length: 5"],
        "hello",
    ));
    cases.push(request(
        "POST /early HTTP/1.1",
        &["Host: x", "Expect: 100-continue", "Content-Length: 5"],
        "hello",
    ));
    cases.push(request(
        "GET /probe HTTP/1.1",
        &["Host: x", "Expect: 100-continue"],
        "",
    ));
    cases.push(request(
        "POST /echo HTTP/1.1",
        &["Host: x", "Expect: a miracle", "Content-Length: 5"],
        "hello",
    ));
    for upgrade in ["h2c", "WebSocket", "websocket, h2c", ""] {
        let header = format!("Upgrade: {upgrade}");
        let headers = ["Host: x", "Connection: Upgrade", &header];
        cases.push(request("GET /probe HTTP/1.1", &headers, ""));
    }
    for connection in [
        "close",
        "keep-alive",
        "close, keep-alive",
        "upgrade",
        "Content-Length",
    ] {
        let header = format!("Connection: {connection}");
        cases.push(request(
            "POST /echo HTTP/1.1",
            &["Host: x", &header, "Content-Length: 5"],
            "hello",
        ));
    }
    cases
}

#[actix_web::test]
async fn every_unusual_framing_has_the_status_and_the_end_that_plain_actix_web_gives_it() {
    beside(|ours, plain| {
        let cases = framing();
        assert!(cases.len() > 84, "{}", cases.len());
        for case in cases {
            let shown = case.escape_debug().to_string();
            let bytes = case.as_bytes();
            assert_eq!(
                exchange(ours, bytes),
                exchange(plain, bytes),
                "{shown:.200}"
            );
        }
    })
    .await;
}

#[actix_web::test]
async fn a_body_in_chunks_has_the_status_that_plain_actix_web_gives_it_and_ends_its_connection() {
    beside(|ours, plain| {
        for body in [
            "5\r\nhello\r\n0\r\n\r\n",
            "5;a=b\r\nhello\r\n0\r\n\r\n",
            "0\r\n\r\n",
            "g\r\nhello\r\n0\r\n\r\n",
            "5\r\nhellox0\r\n\r\n",
            "FFFFFFFFFFFFFFFFF\r\nhello\r\n",
            "5\r\nhello\r\n0\r\nTrailer: x\r\n\r\n",
        ] {
            let headers = ["Host: x", "Transfer-Encoding: chunked"];
            let case = request("POST /echo HTTP/1.1", &headers, body);
            let (own, other) = (
                exchange(ours, case.as_bytes()),
                exchange(plain, case.as_bytes()),
            );
            assert_eq!(own.statuses.first(), other.statuses.first(), "{body:?}");
        }
    })
    .await;
}

#[actix_web::test]
async fn pipelined_requests_are_answered_in_order_with_a_body_each() {
    beside(|ours, plain| {
        let echo = |text: &str| {
            let length = format!("Content-Length: {}", text.len());
            request("POST /parcel HTTP/1.1", &["Host: x", &length], text)
        };
        let parcels = [
            "a".repeat(16),
            "b".repeat(5),
            "c".repeat(40_000),
            "d".repeat(17),
        ];
        let row: String = parcels.iter().map(|text| echo(text)).collect();
        for address in [ours, plain] {
            let mut stream = connect(address);
            let mut writer = stream.try_clone().unwrap();
            let row = row.clone();
            let sender = std::thread::spawn(move || writer.write_all(row.as_bytes()).unwrap());
            for parcel in &parcels {
                let (head, body) = answer(&mut stream, false);
                assert!(head.starts_with("http/1.1 200"), "{head}");
                assert!(body == parcel.as_bytes(), "another body");
            }
            sender.join().unwrap();
        }
    })
    .await;
}

/// Reads one response; that to a `HEAD` has a length and no body.
fn answer(stream: &mut TcpStream, is_head: bool) -> (String, Vec<u8>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length = length
        .filter(|_| !is_head)
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    (head, body)
}

#[actix_web::test]
async fn a_head_that_is_sent_before_the_answer_to_a_parcel_changes_no_response() {
    beside(|ours, _| {
        for method in ["HEAD", "GET"] {
            for version in ["HTTP/1.1", "HTTP/1.0"] {
                let mut stream = connect(ours);
                let parcel = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nforged".repeat(3);
                let length = format!("Content-Length: {}", parcel.len());
                let keep = "Connection: keep-alive";
                let row = request("POST /parcel HTTP/1.1", &["Host: x", &length], &parcel)
                    + &request(
                        &format!("{method} /parcel {version}"),
                        &["Host: x", keep],
                        "",
                    )
                    + &request(
                        "POST /parcel HTTP/1.1",
                        &["Host: x", "Content-Length: 20"],
                        &"z".repeat(20),
                    )
                    + PROBE;
                stream.write_all(row.as_bytes()).unwrap();
                assert_eq!(answer(&mut stream, false).1, parcel.as_bytes());
                let (head, body) = answer(&mut stream, method == "HEAD");
                assert!(head.contains("content-length: 40"), "{head}");
                assert_eq!(body.len(), if method == "HEAD" { 0 } else { 40 });
                assert_eq!(answer(&mut stream, false).1, [b'z'; 20]);
                assert_eq!(answer(&mut stream, false).1, b"the probe was answered");
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn an_early_answer_to_an_unread_body_ends_the_connection_as_plain_actix_web_does() {
    beside(|ours, plain| {
        for sent in [0, 5, 100_000] {
            for address in [ours, plain] {
                let mut stream = connect(address);
                let head = request(
                    "POST /early HTTP/1.1",
                    &["Host: x", "Content-Length: 200000"],
                    "",
                );
                stream.write_all(head.as_bytes()).unwrap();
                stream.write_all(&vec![b'u'; sent]).unwrap();
                let (head, body) = answer(&mut stream, false);
                assert!(head.contains("connection: close"), "{head}");
                assert_eq!(body, b"early");
                assert_eq!(read_all(&mut stream), b"");
            }
        }
    })
    .await;
}

#[actix_web::test]
async fn nothing_is_kept_of_what_follows_an_early_answer() {
    beside(|ours, _| {
        let mut stream = connect(ours);
        let first = request(
            "POST /early HTTP/1.1",
            &["Host: x", "Content-Length: 50"],
            &"a".repeat(20),
        );
        stream.write_all(first.as_bytes()).unwrap();
        answer(&mut stream, false);
        let second = "b".repeat(30)
            + &request(
                "POST /echo HTTP/1.1",
                &["Host: x", "Content-Length: 99999999999"],
                "",
            );
        stream.write_all(second.as_bytes()).unwrap();
        // As much as the kernel takes, and what the server reads: far less than is offered.
        let piece = vec![b'c'; 64 << 10];
        let mut taken = 0_usize;
        while let Ok(count) = stream.write(&piece) {
            taken += count;
            assert!(taken < 64 << 20, "the server reads on and on");
        }
    })
    .await;
}

#[actix_web::test]
async fn behind_the_last_request_of_a_connection_nothing_is_answered() {
    impatient(|ours, _| {
        let chunked = ["Host: x", "Transfer-Encoding: chunked"];
        let upgrade = ["Host: x", "Connection: Upgrade"];
        for first in [
            request("POST /echo HTTP/1.1", &chunked, "5\r\nhello\r\n0\r\n\r\n"),
            request("GET /probe HTTP/1.1", &upgrade, ""),
        ] {
            let mut stream = connect(ours);
            let behind = request("HEAD /probe HTTP/1.1", &["Host: x"], "") + &PROBE.repeat(60);
            stream.write_all((first + &behind).as_bytes()).unwrap();
            let (head, body) = answer(&mut stream, false);
            assert!(head.contains("connection: close"), "{head}");
            assert!(!body.is_empty(), "the HEAD took the body");
            assert_eq!(read_all(&mut stream), b"");
        }
    })
    .await;
}

#[actix_web::test]
async fn chunks_behind_an_early_answer_do_not_keep_the_connection_open() {
    impatient(|ours, _| {
        for expect in ["X: y", "Expect: 100-continue"] {
            let mut stream = connect(ours);
            let headers = ["Host: x", "Transfer-Encoding: chunked", expect];
            let head = request("POST /early HTTP/1.1", &headers, "");
            stream.write_all(head.as_bytes()).unwrap();
            let all = String::from_utf8(read_all(&mut stream)).unwrap();
            let all = all.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
            assert_eq!(all.matches("HTTP/1.1").count(), 1, "{all}");
            assert!(all.starts_with("HTTP/1.1 200"), "{all}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_head_that_is_too_long_is_refused_and_not_kept() {
    beside(|ours, _| {
        for rest in [20 << 10, 130_000] {
            let mut stream = connect(ours);
            let head = format!("GET /probe HTTP/1.1\r\nHost: x\r\nA: {}", "a".repeat(rest));
            // The server may close before it has everything.
            let _sent = stream.write_all(head.as_bytes());
            let mut status = [0; 12];
            stream.read_exact(&mut status).unwrap();
            assert_eq!(&status, b"HTTP/1.1 431");
        }
    })
    .await;
}

#[actix_web::test]
async fn of_a_client_that_does_not_read_nothing_more_is_read() {
    beside(|ours, _| {
        let mut stream = connect(ours);
        stream
            .set_write_timeout(Some(Duration::from_secs(2)))
            .unwrap();
        let row = PROBE.repeat(1000);
        let mut taken = 0_usize;
        while let Ok(count) = stream.write(row.as_bytes()) {
            taken += count;
            assert!(taken < 64 << 20, "the server answers on and on");
        }
    })
    .await;
}

#[actix_web::test]
async fn every_head_of_a_connection_has_its_time_and_the_client_is_told() {
    impatient(|ours, plain| {
        let whole = request("GET /probe HTTP/1.1", &["Host: x"], "");
        let mut open = Vec::new();
        // The first head of both; only ours watches the later ones.
        for (address, before) in [(ours, 0), (plain, 0), (ours, 1), (ours, 5)] {
            for begun in ["\r\n", "G", "GET /probe HTTP/1.1\r\nHost: x\r\n"] {
                let mut stream = connect(address);
                for _ in 0..before {
                    stream.write_all(whole.as_bytes()).unwrap();
                    answer(&mut stream, false);
                }
                stream.write_all(begun.as_bytes()).unwrap();
                open.push((before, begun, stream));
            }
        }
        open.push((0, "nothing", connect(ours)));
        for (before, begun, mut stream) in open {
            let end = String::from_utf8(read_all(&mut stream)).unwrap();
            assert!(
                end.starts_with("HTTP/1.1 408"),
                "after {before}, {begun:?}: {end:?}"
            );
            assert_eq!(end.matches("HTTP/1.1").count(), 1, "{end}");
        }
    })
    .await;
}

#[actix_web::test]
async fn a_body_that_stops_coming_is_broken_off_and_its_connection_closed() {
    impatient(|ours, _| {
        let mut open = Vec::new();
        for headers in [
            &["Host: x", "Content-Length: 100"][..],
            &["Host: x", "Transfer-Encoding: chunked"],
            &["Host: x", "Expect: 100-continue", "Content-Length: 100"],
        ] {
            for path in ["/echo", "/parcel"] {
                let mut stream = connect(ours);
                let head = request(&format!("POST {path} HTTP/1.1"), headers, "5\r\n");
                stream.write_all(head.as_bytes()).unwrap();
                open.push((path, headers, stream));
            }
        }
        for (path, headers, mut stream) in open {
            let end = String::from_utf8(read_all(&mut stream)).unwrap();
            let end = end.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
            assert!(
                end.starts_with("HTTP/1.1 400"),
                "{path} {headers:?}: {end:?}"
            );
        }
    })
    .await;
}

#[actix_web::test]
async fn only_a_get_becomes_a_socket_and_the_rest_is_told_at_once() {
    beside(|ours, plain| {
        let headers = [
            "Host: x",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Content-Length: 5",
        ];
        let case = request("POST /echo HTTP/1.1", &headers, "hello");
        let mut stream = connect(ours);
        stream.write_all(case.as_bytes()).unwrap();
        let (head, _) = answer(&mut stream, false);
        assert!(
            head.starts_with("http/1.1 400") && head.contains("connection: close"),
            "{head}"
        );
        assert_eq!(read_all(&mut stream), b"");
        // Without a body to wait for it is answered, and what follows is not waited for.
        for headers in [
            &headers[..3],
            &["Host: x", "Upgrade: websocket"],
            &["Host: x", "Connection: Upgrade", "Upgrade: h2c"],
        ] {
            let case = request("GET /probe HTTP/1.1", headers, "") + PROBE;
            let mut stream = connect(ours);
            stream.write_all(case.as_bytes()).unwrap();
            let (head, body) = answer(&mut stream, false);
            assert!(head.contains("connection: close"), "{head}");
            assert_eq!(body, b"the probe was answered");
            assert_eq!(read_all(&mut stream), b"");
            let plainly = exchange(plain, case.as_bytes());
            assert_eq!(exchange(ours, case.as_bytes()), plainly);
        }
    })
    .await;
}
