//! Whom limits count behind a proxy.

use bytes::Bytes;
use hyper::Method;
use protocol::opaque;
use serde_json::json;

use crate::support::{TestApp, b64, rng};

/// Begins twelve sign-ins for as many handles through a proxy that writes `forwarded` with the
/// attempt's number in it; returns how many were refused.
async fn refused(app: &TestApp, forwarded: impl Fn(u32) -> String) -> usize {
    let client = app.client();
    let mut refused = 0;
    for n in 0..12 {
        let (_, request) = opaque::login_start(&mut rng(), b"x").unwrap();
        let body = json!({"handle": format!("guess{n}"), "request": b64(&request)});
        let forwarded = forwarded(n);
        let headers = [
            ("content-type", "application/json"),
            ("x-forwarded-for", forwarded.as_str()),
        ];
        let body = Bytes::from(serde_json::to_vec(&body).unwrap());
        let path = "/api/v1/session/start";
        let answer = client.send(Method::POST, path, &headers, body).await;
        refused += usize::from(answer.status == 429);
    }
    refused
}

async fn behind_a_proxy() -> TestApp {
    TestApp::start_with(|config| {
        config.sign_ins_per_minute = 5;
        config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    })
    .await
}

#[actix_web::test]
async fn people_behind_a_proxy_are_counted_one_by_one() {
    let app = behind_a_proxy().await;
    assert_eq!(refused(&app, |n| format!("192.0.2.{n}")).await, 0);
    assert_eq!(refused(&app, |_| "198.51.100.1".to_owned()).await, 7);
}

#[actix_web::test]
async fn a_client_cannot_choose_its_address_where_the_proxy_appends_a_port() {
    let app = behind_a_proxy().await;
    let made_up = |n| format!("192.0.2.{n}, 198.51.100.1:{}", 50_000 + n);
    assert_eq!(refused(&app, made_up).await, 7);
}

#[actix_web::test]
async fn a_client_cannot_choose_its_address_where_the_proxy_writes_none() {
    let app = behind_a_proxy().await;
    assert_eq!(refused(&app, |n| format!("192.0.2.{n}, unknown")).await, 7);
}
