//! Texts that a stranger or an operator writes: addresses, names, settings.

use std::net::IpAddr;

use actix_web::http::header::HeaderValue;
use actix_web::test::TestRequest;
use actix_web::web::Data;
use ambient::Ambient;
use api::ids::UserId;
use fuzz::Target;
use secure_messaging::app::App;
use secure_messaging::app::accounts::handle::Handle;
use secure_messaging::config::{Config, PublicUrl};
use secure_messaging::faces::http::client_ip;
use secure_messaging::startup::Application;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::AGAIN;

/// The state of a server that trusts one proxy.
fn behind_a_proxy(folder: &TempDir) -> std::sync::Arc<App> {
    let config = Config {
        data_dir: folder.path().to_owned(),
        bundle_dir: folder.path().join("no-bundle"),
        bind_addr: ([127, 0, 0, 1], 0).into(),
        kdf_iterations: 100_000,
        workers: 1,
        trusted_proxies: vec!["127.0.0.1".parse().unwrap()],
        ..Config::default()
    };
    let key = Zeroizing::new("a key of the tests".to_owned());
    let built = Application::build(config, Some(key), Ambient::system());
    let application = actix_web::rt::System::new().block_on(built).unwrap();
    application.app()
}

#[test]
fn hostile_forwarded_addresses_are_never_taken_for_the_one_that_the_proxy_saw() {
    let folder = TempDir::new().unwrap();
    let app = behind_a_proxy(&folder);
    let seen: IpAddr = "198.51.100.7".parse().unwrap();
    Target::new("forwarded addresses", AGAIN)
        .seeds([
            "198.51.100.1, 127.0.0.1",
            "[2001:db8::1]:443",
            "198.51.100.1:80",
            "unknown",
        ])
        .words(&[
            "127.0.0.1",
            "::ffff:127.0.0.1",
            "::1",
            ", ",
            ",",
            ":80",
            "[",
            "]",
            "%eth0",
            "_x",
        ])
        .run(|bytes| {
            let claimed = HeaderValue::from_bytes(bytes).ok()?;
            let request = |line: HeaderValue| {
                TestRequest::get()
                    .peer_addr(([127, 0, 0, 1], 1).into())
                    .app_data(Data::from(std::sync::Arc::clone(&app)))
                    .append_header(("x-forwarded-for", line))
            };
            let joined = [bytes, b", 198.51.100.7"].concat();
            let joined = request(HeaderValue::from_bytes(&joined).ok()?).to_http_request();
            assert!(client_ip(&joined).0 == seen, "in one line");
            let apart = request(claimed.clone()).append_header(("x-forwarded-for", "198.51.100.7"));
            assert!(
                client_ip(&apart.to_http_request()).0 == seen,
                "in two lines"
            );
            let alone = client_ip(&request(claimed).to_http_request());
            Some(alone.network().is_ipv4())
        });
}

#[test]
fn hostile_names_and_ids_break_nothing() {
    Target::new("names and ids", AGAIN)
        .seeds([
            "alice",
            "a.b-c_d",
            "\u{5d0}\u{5d1}",
            "00112233445566778899aabbccddeeff",
        ])
        .words(&[
            "\u{200d}",
            "\u{202e}",
            "\u{fe0f}",
            "\u{1f600}",
            "e\u{301}",
            "\u{0}",
            "\u{fdfa}",
            ".",
        ])
        .run(|bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            let handle = Handle::parse(text);
            if let Ok(handle) = &handle {
                let again = Handle::parse(handle.as_str());
                assert!(
                    again.as_ref().ok() == Some(handle),
                    "it is another when read again"
                );
            }
            let key = protocol::recovery_key::RecoveryKey::parse(text).is_ok();
            Some((handle.is_ok(), text.parse::<UserId>().is_ok(), key))
        });
}

#[test]
fn hostile_addresses_and_settings_break_nothing() {
    Target::new("addresses and settings", AGAIN)
        .seeds([
            "https://chat.example.org",
            "http://127.0.0.1:8080",
            "https://[::1]:8443/",
        ])
        .words(&[
            "https://",
            "http://",
            "@",
            "#",
            "?",
            "/",
            ":",
            "[",
            "]",
            "localhost",
            ".",
            "xn--",
            "65536",
        ])
        .run(|bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            let url = PublicUrl::parse(text);
            if let Ok(url) = &url {
                assert!(url.is_origin(url.origin()), "it does not know itself");
            }
            Some(url.is_ok())
        });
}
