//! Points 5 and 7: what tabs share, and what is gone with the last of them.

use serde_json::json;

use super::chromium::Profile;
use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, no_text, open_chat, state, unlock, write};
use super::server::Server;
use super::{nothing_was_refused, opened};

#[test]
fn tabs_share_one_core_a_reload_asks_for_nothing_and_a_lock_wipes_every_tab() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    write(&mira.page, "in two tabs");
    jonas.page.see_text(&by("message-text"), "in two tabs");

    let second = two.tab(Screen::Phone, &server.url("/chat"));
    open_chat(&second, "mira");
    second.see_text(&by("message-text"), "in two tabs");
    write(&second, "from the second tab");
    jonas
        .page
        .see_text(&by("message-text"), "from the second tab");
    jonas.page.reload();
    open_chat(&jonas.page, "mira");
    jonas
        .page
        .see_text(&by("message-text"), "from the second tab");
    jonas.page.fill("composer-text", "not sent yet");
    let typed = format!(
        "document.querySelector({})?.value",
        quoted(&by("composer-text"))
    );
    second.until(&format!("{typed} === 'not sent yet'"));
    jonas.page.reload();
    jonas.page.until(&format!("{typed} === 'not sent yet'"));
    second.fill("composer-text", "");
    jonas.page.until(&format!("{typed} === ''"));
    second.close();

    // Alone now, a reload ends the core: the keys come back without a passphrase, what was read does not.
    jonas.page.reload();
    open_chat(&jonas.page, "mira");
    no_text(&jonas.page, "in two tabs");
    write(&jonas.page, "after the reload");
    mira.page.see_text(&by("message-text"), "after the reload");

    jonas.page.click("lock-button");
    jonas.page.see("lock-screen");
    no_text(&jonas.page, "after the reload");
    write(&mira.page, "while you are locked");
    jonas.page.reload();
    jonas.page.see("lock-screen");
    jonas.page.fill("unlock-passphrase", "wrong");
    jonas.page.click("unlock-submit");
    jonas.page.see("form-error");
    unlock(&jonas.page, &jonas.passphrase);
    open_chat(&jonas.page, "mira");
    jonas
        .page
        .see_text(&by("message-text"), "while you are locked");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

/// Counts as a tab to the browser, but never says anything to the core: as a page that is being left, or
/// that the browser keeps to go back to.
const SILENT: &str = "const Real = SharedWorker; \
     window.SharedWorker = class { constructor(...given) { window.held = new Real(...given); \
     this.port = { start() {}, addEventListener() {}, postMessage() {} }; } addEventListener() {} };";

fn silent_tab(profile: &Profile, server: &Server) -> Page {
    let page = profile.empty_tab(Screen::Desktop);
    page.before_scripts(SILENT);
    page.goto(&server.url("/chat"));
    page.until("window.held !== undefined");
    page
}

#[test]
fn what_was_read_goes_with_the_last_tab_even_if_the_browser_keeps_the_worker() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    write(&mira.page, "read once");
    jonas.page.see_text(&by("message-text"), "read once");
    state(&mira.page, "read once", "read");
    let _silent = silent_tab(&two, &server);
    let marked = chromium.in_workers("globalThis.marked = true");
    assert_eq!(marked, [json!(true), json!(true)], "a core in each profile");

    jonas.page.reload();
    open_chat(&jonas.page, "mira");
    no_text(&jonas.page, "read once");
    write(&jonas.page, "after the reload");
    mira.page.see_text(&by("message-text"), "after the reload");
    let kept = chromium.in_workers("globalThis.marked === true");
    assert_eq!(kept, marked, "the control: the same workers");

    write(&mira.page, "read in the second tab");
    jonas
        .page
        .see_text(&by("message-text"), "read in the second tab");
    let second = two.tab(Screen::Phone, &server.url("/chat"));
    open_chat(&second, "mira");
    second.see_text(&by("message-text"), "read in the second tab");
    state(&mira.page, "read in the second tab", "read");
    jonas.page.close();
    second.reload();
    second.see_text(&by("chat-name"), "Mira Holm");
    no_text(&second, "read in the second tab");
    write(&second, "from the second tab");
    mira.page
        .see_text(&by("message-text"), "from the second tab");
    nothing_was_refused(&chromium, &[&mira.page, &second]);
}

#[test]
fn a_page_that_speaks_before_the_last_one_has_gone_does_not_see_what_that_one_read() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    write(&mira.page, "read by the first");
    jonas
        .page
        .see_text(&by("message-text"), "read by the first");
    state(&mira.page, "read by the first", "read");

    let leaving = "void dispatchEvent(new Event('beforeunload'))";
    jonas.page.js(&format!("window.old = true; {leaving}"));
    // As the next page of the same tab, which the browser may begin before it ends the last one.
    let second = two.tab(Screen::Desktop, &server.url("/nothing-is-here"));
    let tab = jonas.page.js("window.name");
    second.js(&format!("window.name = {tab}"));
    second.goto(&server.url("/chat"));
    open_chat(&second, "mira");
    no_text(&second, "read by the first");
    // It did not go after all: it starts anew as well, and both are tabs of one core again.
    jonas.page.until("!window.old");
    open_chat(&jonas.page, "mira");
    write(&mira.page, "read by both");
    jonas.page.see_text(&by("message-text"), "read by both");
    second.see_text(&by("message-text"), "read by both");

    // Whoever was asked before leaving and stayed says so when another tab opens, and whoever does
    // something in a tab has not left it.
    for page in [&jonas.page, &second] {
        page.js(&format!("window.old = true; {leaving}"));
    }
    let stayed = two.tab(Screen::Phone, &server.url("/chat"));
    open_chat(&stayed, "mira");
    stayed.see_text(&by("message-text"), "read by both");
    stayed.close();
    jonas.page.js(&format!("window.old = true; {leaving}"));
    second.js(&format!("window.old = true; {leaving}"));
    write(&jonas.page, "still here");
    let third = two.tab(Screen::Phone, &server.url("/chat"));
    open_chat(&third, "mira");
    third.see_text(&by("message-text"), "read by both");
    second.see_text(&by("message-text"), "still here");
    for page in [&jonas.page, &second] {
        assert_eq!(page.js("window.old"), json!(true), "not loaded anew");
    }
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page, &second, &third]);
}

#[test]
fn a_page_that_the_browser_keeps_to_go_back_to_holds_nothing_that_was_read() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    write(&mira.page, "before going away");
    jonas
        .page
        .see_text(&by("message-text"), "before going away");
    state(&mira.page, "before going away", "read");

    // Whether it keeps a page is the browser's choice, so first as if it did.
    jonas
        .page
        .js("void dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
    let left = jonas.page.js("document.body.innerText + document.title");
    assert!(!left.to_string().contains("before"), "{left}");
    assert!(!left.to_string().contains("Mira"), "{left}");
    jonas.page.js(
        "window.old = true; void dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))",
    );
    jonas.page.until("!window.old");
    jonas.page.see_text(&by("chat-name"), "Mira Holm");
    no_text(&jonas.page, "before going away");
    write(&mira.page, "read before going back");
    jonas
        .page
        .see_text(&by("message-text"), "read before going back");
    state(&mira.page, "read before going back", "read");

    jonas.page.goto(&server.url("/nothing-is-here"));
    jonas.page.js("void history.back()");
    jonas.page.see_text(&by("chat-name"), "Mira Holm");
    no_text(&jonas.page, "read before going back");
    write(&jonas.page, "back again");
    mira.page.see_text(&by("message-text"), "back again");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}
