//! The estimator of passphrases: fetched where somebody types one, checked, and nowhere else.

use super::chromium::Chromium;
use super::page::{Page, Screen, by};
use super::people::{confirm_recovery_key, set_up, sign_in, sign_out};
use super::server::Server;
use super::{nothing_was_refused, opened};

fn fetched(chromium: &Chromium, file: &str) -> bool {
    let all = chromium.fetched_by_workers();
    all.iter().any(|address| address.ends_with(file))
}

/// Goes to the second step of a registration and begins to type.
fn type_own(page: &Page, server: &Server, handle: &str) {
    page.goto(&server.url("/register"));
    page.fill("register-handle", handle);
    page.click("register-next");
    page.click("passphrase-own");
    page.fill("own-passphrase", "hunter2");
}

#[test]
fn the_estimator_is_fetched_where_a_passphrase_is_typed_and_not_by_signing_in() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let mira = set_up(&server, &profile, Screen::Desktop);
    let other = chromium.profile();
    let page = other.tab(Screen::Phone, &server.url("/"));
    sign_in(&page, "mira", &mira.passphrase);
    page.see("main-menu");
    assert!(fetched(&chromium, "/wasm/core_bg.wasm"));
    assert!(
        !fetched(&chromium, "/wasm/strength_bg.wasm"),
        "neither signing in nor six random words need an estimate"
    );

    let third = chromium.profile();
    let visitor = third.empty_tab(Screen::Phone);
    type_own(&visitor, &server, "jonas");
    visitor.see_text(&by("passphrase-strength"), "Weak");
    assert!(fetched(&chromium, "/wasm/strength_bg.wasm"));
    nothing_was_refused(&chromium, &[&mira.page, &page, &visitor]);
}

#[test]
fn a_passphrase_is_the_same_whether_a_keyboard_writes_its_letters_whole_or_in_parts() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let page = profile.tab(
        Screen::Desktop,
        &server.url(server.setup.as_deref().unwrap()),
    );
    let whole = "Br\u{fc}cke \u{fc}ber den Ca\u{f1}\u{f3}n, na\u{ef}v 1907";
    let parts = "Bru\u{308}cke u\u{308}ber den Can\u{303}o\u{301}n, nai\u{308}v 1907";
    page.fill("register-handle", "mira");
    page.click("register-next");
    page.click("passphrase-own");
    let mut told = Vec::new();
    for typed in [parts, whole] {
        // What is told of another one in between shows that the next word is of this one.
        page.fill("own-passphrase", "hunter2");
        page.see_text(&by("passphrase-strength"), "Weak");
        page.fill("own-passphrase", typed);
        page.see_text(&by("passphrase-strength"), "Strong");
        told.push(page.text("passphrase-strength"));
    }
    assert_eq!(told[0], told[1]);
    page.click("register-next");
    confirm_recovery_key(&page);
    page.click("mode-submit");
    sign_out(&page);
    sign_in(&page, "mira", parts);
    page.see("main-menu");
    nothing_was_refused(&chromium, &[&page]);
}

#[test]
fn an_estimator_that_is_not_the_one_that_the_page_names_is_not_started_and_stops_nobody() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    set_up(&server, &one, Screen::Desktop);
    let page = two.empty_tab(Screen::Desktop);
    page.before_scripts(
        "new MutationObserver(() => { const page = document.documentElement; \
         if (page && page.dataset.strengthWasmIntegrity) page.dataset.strengthWasmIntegrity = 'sha384-' + 'A'.repeat(64); }) \
         .observe(document, { childList: true });",
    );
    type_own(&page, &server, "jonas");
    page.see_text(
        &by("passphrase-strength"),
        "not the one that this page was made with",
    );
    page.click("register-next");
    page.see("recovery-key");
    nothing_was_refused(&chromium, &[&page]);
}

#[test]
fn the_core_that_every_page_loads_and_the_estimator_stay_small() {
    let bundle = std::env::var_os("SECURE_MESSAGING_BUNDLE_DIR")
        .map_or_else(|| "target/bundle".into(), std::path::PathBuf::from);
    let manifest = std::fs::read(bundle.join("manifest.json")).expect("a bundle");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let files = manifest["files"].as_array().expect("files");
    let packed = |name: &str| {
        let file = files.iter().find(|file| file["name"] == name);
        let path = file.and_then(|file| file["path"].as_str()).expect("listed");
        // As browsers load it where the core runs at all: over TLS or from this machine.
        let packed = std::fs::metadata(bundle.join(format!("{path}.br")));
        packed.expect("packed").len()
    };
    let (core, strength) = (packed("wasm/core_bg.wasm"), packed("wasm/strength_bg.wasm"));
    println!("core {core} bytes packed, estimator {strength}");
    assert!(core <= CORE_LIMIT, "the core is {core} bytes packed");
    assert!(
        strength <= STRENGTH_LIMIT,
        "the estimator is {strength} bytes packed"
    );
    // The control: the estimator would not fit into the core's limit as well.
    assert!(core + strength > CORE_LIMIT);
}

/// What a first visit may cost for the core, bytes after brotli.
const CORE_LIMIT: u64 = 450_000;
/// What typing a passphrase of one's own may cost for the estimator, bytes after brotli.
const STRENGTH_LIMIT: u64 = 150_000;
