//! Pages and assets of the bundle.

use std::path::Path;

use hyper::Method;
use hyper::body::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::TestApp;

const PAGES: [&str; 7] = [
    "/",
    "/register",
    "/recover",
    "/chat",
    "/settings",
    "/setup",
    "/i",
];

/// A bundle of two files, in the form that `cargo xtask bundle` makes.
fn bundle(folder: &Path) {
    let files: Vec<_> = [
        ("js/app.js", "export {};"),
        ("wasm/browser_bg.wasm", "\0asm"),
    ]
    .into_iter()
    .map(|(name, text)| {
        let path = format!("0123456789abcdef/{name}");
        let file = folder.join(&path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        json!({
            "name": name,
            "path": path,
            "sha384_integrity": "sha384-x",
            "sha256_hex": hex::encode(Sha256::digest(text)),
            "size": text.len(),
        })
    })
    .collect();
    let manifest = json!({"bundle_hash": "ab".repeat(32), "files": files});
    std::fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
}

pub(super) async fn with_bundle() -> (TestApp, TempDir) {
    let folder = TempDir::new().unwrap();
    bundle(folder.path());
    (with_folder(folder.path()).await, folder)
}

async fn with_folder(folder: &Path) -> TestApp {
    let path = folder.to_owned();
    TestApp::start_with(|config| config.bundle_dir = path).await
}

#[actix_web::test]
async fn pages_are_the_same_bytes_for_everybody() {
    let (app, _folder) = with_bundle().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    for page in PAGES {
        let anonymous = app.client().get(page).await.expect(200);
        assert!(
            anonymous.headers["content-type"]
                .to_str()
                .unwrap()
                .starts_with("text/html")
        );
        assert!(anonymous.headers.contains_key("integrity-policy"));
        for other in [&admin.client, &alice.client] {
            let answer = other.get(&format!("{page}?who=me")).await.expect(200);
            assert_eq!(answer.body, anonymous.body, "{page}");
            assert!(!answer.headers.contains_key("set-cookie"));
        }
    }
    let server = app.client().get("/api/v1/server").await.json();
    assert_eq!(server["bundle_hash"], "ab".repeat(32));
    let ready = app.client().get("/health/ready").await.json();
    assert_eq!(ready["bundle"], "present");
}

#[actix_web::test]
async fn a_page_goes_packed_and_is_not_sent_again_to_those_who_have_it() {
    let (app, _folder) = with_bundle().await;
    let client = app.client();
    for page in PAGES {
        let plain = client.get(page).await.expect(200);
        let takes = [("accept-encoding", "gzip, deflate, br")];
        let packed = client
            .send(Method::GET, page, &takes, Bytes::new())
            .await
            .expect(200);
        assert_eq!(packed.headers["content-encoding"], "gzip");
        assert_eq!(packed.headers["vary"], "accept-encoding");
        assert!(packed.body.len() < plain.body.len() / 2, "{page}");
        let mut back = Vec::new();
        let mut packer = flate2::read::GzDecoder::new(&packed.body[..]);
        std::io::Read::read_to_end(&mut packer, &mut back).unwrap();
        assert_eq!(back, plain.body);
        assert_ne!(packed.headers["etag"], plain.headers["etag"]);
        let tag = packed.headers["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            let known = [takes[0], ("if-none-match", known.as_str())];
            let same = client
                .send(Method::GET, page, &known, Bytes::new())
                .await
                .expect(304);
            assert!(same.body.is_empty());
            assert!(same.headers.contains_key("content-security-policy"));
        }
        let other = [takes[0], ("if-none-match", "\"x\"")];
        client
            .send(Method::GET, page, &other, Bytes::new())
            .await
            .expect(200);
    }
}

#[actix_web::test]
async fn a_file_carries_what_files_need_and_a_document_everything() {
    let (app, _folder) = with_bundle().await;
    let get = async |path: &str| app.client().get(path).await.expect(200).headers;
    let size = |headers: &hyper::HeaderMap| -> usize {
        headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum()
    };
    let page = get("/").await;
    let script = get("/static/0123456789abcdef/js/app.js").await;
    let core = get("/static/0123456789abcdef/wasm/browser_bg.wasm").await;
    for headers in [&page, &script, &core] {
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["cross-origin-embedder-policy"], "require-corp");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
    }
    // A worker obeys only the policy of its own script.
    let policy = script["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"));
    assert!(policy.contains("require-trusted-types-for 'script'"));
    assert!(!script.contains_key("permissions-policy"));
    assert!(!core.contains_key("content-security-policy"));
    assert!(
        size(&script) < size(&page) * 2 / 3,
        "{} of {}",
        size(&script),
        size(&page)
    );
}

#[actix_web::test]
async fn assets_never_change_under_their_name_and_have_their_type() {
    let (app, _folder) = with_bundle().await;
    let client = app.client();
    let script = client
        .get("/static/0123456789abcdef/js/app.js")
        .await
        .expect(200);
    assert_eq!(
        script.headers["content-type"],
        "text/javascript; charset=utf-8"
    );
    assert!(
        script.headers["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert!(script.headers.contains_key("content-security-policy"));
    let core = client
        .get("/static/0123456789abcdef/wasm/browser_bg.wasm")
        .await
        .expect(200);
    assert_eq!(core.headers["content-type"], "application/wasm");
    let tag = script.headers["etag"].to_str().unwrap().to_owned();
    let path = "/static/0123456789abcdef/js/app.js";
    let known = [("if-none-match", tag.as_str())];
    client
        .send(Method::GET, path, &known, Bytes::new())
        .await
        .expect(304);
    for path in [
        "manifest.json",
        "../Cargo.toml",
        "%2e%2e/Cargo.toml",
        "js/app.js",
        "",
    ] {
        client.get(&format!("/static/{path}")).await.expect(404);
    }
}

#[actix_web::test]
async fn an_asset_goes_packed_only_to_those_who_take_it() {
    let folder = TempDir::new().unwrap();
    bundle(folder.path());
    let packed = [
        ("gzip", ".gz", "stands for the packed script"),
        ("br", ".br", "smaller"),
    ];
    for (_, ending, bytes) in packed {
        let script = format!("0123456789abcdef/js/app.js{ending}");
        std::fs::write(folder.path().join(script), bytes).unwrap();
    }
    let app = with_folder(folder.path()).await;
    let client = app.client();
    let path = "/static/0123456789abcdef/js/app.js";
    let plain = client.get(path).await.expect(200);
    assert!(!plain.headers.contains_key("content-encoding"));
    for (accepted, expected) in [
        ("gzip, deflate, br", Some("br")),
        ("gzip;q=1.0, br;q=0.8", Some("br")),
        ("gzip, deflate", Some("gzip")),
        ("br;q=0, gzip", Some("gzip")),
        ("gzip;q=0", None),
        ("identity", None),
    ] {
        let headers = [("accept-encoding", accepted)];
        let answer = client
            .send(Method::GET, path, &headers, Bytes::new())
            .await
            .expect(200);
        assert_eq!(answer.headers["vary"], "accept-encoding");
        let form = packed.iter().find(|(name, ..)| Some(*name) == expected);
        let encoding = answer.headers.get("content-encoding");
        assert_eq!(
            encoding.and_then(|name| name.to_str().ok()),
            expected,
            "{accepted}"
        );
        let bytes = form.map_or(&plain.body[..], |(_, _, bytes)| bytes.as_bytes());
        assert_eq!(&answer.body[..], bytes, "{accepted}");
        assert_eq!(
            answer.headers["etag"] != plain.headers["etag"],
            form.is_some()
        );
    }
    client.get(&format!("{path}.br")).await.expect(404);
    client.get(&format!("{path}.gz")).await.expect(404);
}

#[actix_web::test]
async fn a_person_at_a_wrong_address_gets_a_page_and_a_program_a_problem_document() {
    let (app, _folder) = with_bundle().await;
    let client = app.client();
    let visit = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let page = client
        .send(Method::GET, "/nothing-here", &visit, Bytes::new())
        .await
        .expect(404);
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    let text = String::from_utf8(page.body.to_vec()).unwrap();
    assert!(text.contains("Nothing is here") && text.contains("href=\"/\""));
    assert!(page.headers.contains_key("content-security-policy"));
    assert_eq!(page.headers["cache-control"], "no-store");
    for (path, headers) in [
        ("/nothing-here", &[][..]),
        ("/nothing-here", &[("accept", "application/json")][..]),
        ("/api/v1/nothing", &[("accept", "text/html")][..]),
    ] {
        let answer = client.send(Method::GET, path, headers, Bytes::new()).await;
        assert_eq!(answer.expect(404).code(), "not-found", "{path}");
    }
}

#[actix_web::test]
async fn without_a_bundle_pages_say_what_to_run() {
    let app = TestApp::start().await;
    for page in PAGES.into_iter().chain(["/admin", "/static/x.js"]) {
        let answer = app.client().get(page).await.expect(503);
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        assert!(text.contains("cargo xtask serve"), "{page}");
    }
}

#[actix_web::test]
async fn a_bundle_that_was_changed_is_refused_at_the_start() {
    let folder = TempDir::new().unwrap();
    bundle(folder.path());
    std::fs::write(folder.path().join("0123456789abcdef/js/app.js"), "evil()").unwrap();
    let error = secure_messaging::faces::http::pages::Pages::load(folder.path())
        .err()
        .unwrap();
    assert!(error.to_string().contains("cargo xtask bundle"), "{error}");
}

#[actix_web::test]
async fn the_admin_page_is_for_administrators() {
    let (app, _folder) = with_bundle().await;
    let admin = app.administrator().await;
    let alice = app.account("alice").await;
    let shown = admin
        .client
        .get("/admin?user=admin&action=session.created")
        .await
        .expect(200);
    let text = String::from_utf8(shown.body.to_vec()).unwrap();
    assert!(text.contains("session.created") && text.contains("data-testid=\"audit-record\""));
    assert!(
        shown.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("script-src 'self';")
    );
    let refused = alice.client.get("/admin").await.expect(403);
    assert!(
        !String::from_utf8(refused.body.to_vec())
            .unwrap()
            .contains("audit-record")
    );
    app.client().get("/admin").await.expect(403);
    let attempts = store::AuditFilter {
        action: Some("admin.refused".to_owned()),
        ..store::AuditFilter::default()
    };
    assert_eq!(app.app.store().count_audit(attempts).await.unwrap(), 2);
    // What people type is text there, never markup.
    let odd = admin
        .client
        .get("/admin?user=%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        .await
        .expect(200);
    assert!(
        !String::from_utf8(odd.body.to_vec())
            .unwrap()
            .contains("<script>alert")
    );
}
