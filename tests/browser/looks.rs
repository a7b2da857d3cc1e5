//! What tools can tell of accessibility and of the policy, each with a control that must fail.

use std::path::PathBuf;

use super::chromium::Chromium;
use super::page::{Page, Screen, by};
use super::people::{befriend, choose_timer, register, set_up, write};
use super::server::Server;
use super::{opened, turn};

fn axe() -> String {
    let path = std::env::var_os("SECURE_MESSAGING_TEST_AXE").map_or_else(
        || PathBuf::from("node_modules/axe-core/axe.min.js"),
        PathBuf::from,
    );
    std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!(
            "axe-core is not at {} ({error}); run cargo xtask test",
            path.display()
        )
    })
}

/// What axe-core finds, as `rule: elements`.
fn findings(page: &Page, axe: &str) -> Vec<String> {
    page.js(&format!(
        "(() => {{ if (!window.axe) {{ {axe} }} return true; }})()"
    ));
    let found = page.js(
        "axe.run(document, { resultTypes: ['violations'] }).then((all) => all.violations.map((it) => \
         `${it.id}: ${it.nodes.map((node) => `${node.target} ${node.failureSummary.replace(/\\s+/g, ' ')}`).join(' | ')}`))",
    );
    serde_json::from_value(found).expect("a list")
}

fn clean(page: &Page, axe: &str, what: &str) {
    for scheme in ["light", "dark"] {
        page.emulate(scheme);
        page.until("document.getAnimations().every((it) => it.playState !== 'running' || it.effect.getTiming().iterations === Infinity)");
        assert_eq!(
            findings(page, axe),
            Vec::<String>::new(),
            "{what}, {scheme}, {:?}",
            page.screen()
        );
    }
}

#[test]
fn axe_finds_nothing_on_any_view_at_both_widths_in_light_and_dark() {
    let _turn = turn();
    let axe = axe();
    let server = Server::start();
    let chromium = Chromium::start();
    let (one, two, visitor) = (chromium.profile(), chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let jonas = register(&server, &two, Screen::Phone, "jonas", "Jonas Weber");
    clean(&mira.page, &axe, "nobody to talk to yet");
    clean(&jonas.page, &axe, "nobody to talk to yet");

    for screen in [Screen::Desktop, Screen::Phone] {
        let page = visitor.tab(screen, &server.url("/"));
        for (path, seen) in [
            ("/", "sign-in-form"),
            ("/register", "register-form"),
            ("/recover", "recover-form"),
            ("/i", "invite-broken"),
        ] {
            page.goto(&server.url(path));
            page.see(seen);
            clean(&page, &axe, path);
        }
        page.close();
    }
    befriend(&mira, &jonas);
    write(&mira.page, "Hello");
    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "and something that burns");
    jonas.page.see("reveal");
    write(&jonas.page, "An answer");
    for (person, what) in [(&mira, "writing"), (&jonas, "reading")] {
        clean(&person.page, &axe, what);
        person.page.click("toggle-details");
        person.page.see("safety-qr");
        clean(&person.page, &axe, "details");
        person.page.click("close-details");
        person.page.click("timer-chip");
        clean(&person.page, &axe, "the timer's menu");
        person.page.press("Escape", 0);
    }
    mira.page.press("k", 2);
    mira.page.see("switcher");
    clean(&mira.page, &axe, "the switcher");
    mira.page.press("Escape", 0);
    mira.page.click("new-chat");
    mira.page.see("new-chat-dialog");
    clean(&mira.page, &axe, "a new chat");
    mira.page.press("Escape", 0);
    mira.page.click("main-menu");
    clean(&mira.page, &axe, "the menu");
    mira.page.click("menu-settings");
    mira.page.see("session");
    clean(&mira.page, &axe, "settings");
    mira.page.click("settings-back");
    mira.page.click("lock-button");
    mira.page.see("lock-screen");
    clean(&mira.page, &axe, "locked");
    let admin = one.tab(Screen::Desktop, &server.url("/admin"));
    admin.see("admin");
    clean(&admin, &axe, "administration");
}

#[test]
fn axe_and_the_policy_catch_what_they_are_shown() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let page = profile.tab(Screen::Desktop, &server.url("/"));
    page.see("sign-in-form");
    assert!(page.refused().is_empty());
    page.js("document.querySelector('main').append(Object.assign(document.createElement('img'), { src: 'data:image/svg+xml,<svg/>' }))");
    let found = findings(&page, &axe());
    assert!(
        found.iter().any(|it| it.starts_with("image-alt")),
        "{found:?}"
    );

    page.goto(&server.url("/"));
    page.see("sign-in-form");
    page.js("document.head.append(Object.assign(document.createElement('style'), { textContent: 'p { color: red }' }))");
    page.until("window.refused.length > 0");
    assert!(!chromium.refused_by_policy().is_empty());

    page.goto(&server.url("/"));
    page.see("sign-in-form");
    page.js("import(`${document.querySelector('script').src}?`).catch(() => null)");
    page.until("window.refused.some((it) => it.startsWith('integrity-violation'))");
}

#[test]
fn a_core_that_is_not_the_one_that_the_page_names_is_not_started() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let page = profile.empty_tab(Screen::Desktop);
    page.before_scripts(
        "new MutationObserver(() => { const page = document.documentElement; \
         if (page && page.dataset.wasmIntegrity) page.dataset.wasmIntegrity = 'sha384-' + 'A'.repeat(64); }) \
         .observe(document, { childList: true });",
    );
    page.goto(&server.url("/"));
    page.see("fatal");
    let text = page.text("fatal");
    assert!(
        text.contains("not the one that this page was made with"),
        "{text}"
    );
    assert_eq!(page.count(&by("sign-in-form")), 0);
}

#[test]
fn pages_that_touch_secrets_are_the_same_bytes_for_everybody() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let stranger = two.tab(Screen::Desktop, &server.url("/"));
    for path in [
        "/",
        "/register",
        "/recover",
        "/chat",
        "/settings",
        "/setup",
        "/i",
    ] {
        let digest = format!(
            "fetch('{path}', {{ cache: 'no-store' }}).then((it) => it.arrayBuffer()).then((it) => crypto.subtle.digest('SHA-256', it)).then((it) => [...new Uint8Array(it)].join())"
        );
        assert_eq!(mira.page.js(&digest), stranger.js(&digest), "{path}");
    }
    // What runs is what the page names: the core's hash in the settings is the one in the page.
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.see("about");
    assert_eq!(
        mira.page.text("wasm-hash"),
        mira.page
            .js("document.documentElement.dataset.wasmIntegrity")
            .as_str()
            .unwrap_or_default()
    );
    assert_eq!(
        mira.page.text("bundle-hash"),
        mira.page.text("server-bundle")
    );
    assert!(mira.page.count(&by("bundle-hash")) == 1);
}

#[test]
fn a_chosen_theme_is_there_when_a_page_is_loaded_anew() {
    let (_turn, server, chromium) = opened();
    let page = chromium.profile().tab(Screen::Desktop, &server.url("/"));
    page.emulate("light");
    let background = "getComputedStyle(document.body).backgroundColor";
    let light = page.js(background);
    page.js("localStorage.setItem('theme', 'dark')");
    page.reload();
    page.until("document.documentElement.dataset.theme === 'dark'");
    assert_ne!(page.js(background), light);
    super::nothing_was_refused(&chromium, &[&page]);
}
