//! Going back, what is said of a decision, and what a browser writes down.

use serde_json::json;

use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, ask, open_chat, open_request, register, set_up, write};
use super::sizes::{all_fits, all_within_reach};
use super::{nothing_was_refused, opened};

/// As the browser's own button, or the gesture of a phone.
fn go_back(page: &Page) {
    page.js("void history.back()");
}

fn focused(page: &Page) -> String {
    let it = page.js("document.activeElement.dataset.testid ?? document.activeElement.tagName");
    it.as_str().unwrap_or_default().to_owned()
}

#[test]
fn back_on_a_phone_closes_what_is_on_top_and_nothing_else() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Phone), (&two, Screen::Desktop)]);
    let page = &mira.page;
    let rounds = page.js("history.length");
    page.click("toggle-details");
    page.see("details");
    page.click("block-contact");
    page.see("confirm-dialog");
    go_back(page);
    page.gone("confirm-dialog");
    page.see("details");
    go_back(page);
    page.gone("details");
    page.see("composer");
    page.click("timer-chip");
    page.see("timer-menu");
    go_back(page);
    page.gone("timer-menu");
    page.see("composer");
    go_back(page);
    page.see("chat-row");
    page.gone("composer");

    // However slowly the browser goes back, what is closed by itself takes its own entry only.
    page.js(
        "(async () => { const go = history.go.bind(history); history.go = (by) => setTimeout(() => go(by), 400); \
         const wait = (ms) => new Promise((done) => setTimeout(done, ms)); \
         for (let n = 0; n < 3; n++) { document.querySelector('[data-testid=new-chat]').click(); await wait(100); \
         document.querySelector('dialog [data-action=close]').click(); await wait(600); } \
         history.go = go; })()",
    );
    page.see("chat-row");
    assert_eq!(page.js("location.pathname"), "/chat");
    page.until("(history.state?.layers ?? 0) === 0");

    // What was closed by its own button leaves nothing behind to go back through.
    open_chat(page, "jonas");
    page.click("toggle-details");
    page.see("details");
    page.click("close-details");
    page.gone("details");
    page.click("back");
    page.see("chat-row");
    page.click("main-menu");
    page.click("menu-settings");
    page.see("settings");
    go_back(page);
    page.see("chat-row");
    page.until("(history.state?.layers ?? 0) === 0");
    open_chat(page, "jonas");
    page.until("history.state.layers === 1");
    write(page, "still here");
    jonas.page.see_text(&by("message-text"), "still here");
    let now = page.js("history.length");
    assert!(
        now.as_u64() <= rounds.as_u64().map(|it| it + 3),
        "{rounds} {now}"
    );
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}

#[test]
fn a_decision_about_a_request_is_told_and_brings_no_keyboard_up() {
    let (_turn, server, chromium) = opened();
    let profiles = [(); 3].map(|()| chromium.profile());
    let mira = set_up(&server, &profiles[0], Screen::Phone);
    let noor = register(
        &server,
        &profiles[1],
        Screen::Desktop,
        "noor",
        "Noor El-Amin",
    );
    let sam = register(&server, &profiles[2], Screen::Desktop, "sam", "Sam Ortega");
    ask(&noor.page, "mira", "Hello");
    ask(&sam.page, "mira", "Hello");
    let page = &mira.page;
    // A row that comes while another is clicked moves it away.
    let both = format!(
        "document.querySelectorAll({}).length === 2",
        quoted(&by("request-row"))
    );
    page.until(&both);
    open_request(page, "noor");
    for (width, height) in [(320, 256), (844, 320), (390, 844)] {
        page.resize(width, height, 1);
        all_within_reach(page, "request-pane");
        all_fits(page, "a request");
    }
    page.click("refuse-request");
    page.see_text(&by("toast"), "The request is deleted");
    page.see("request-row");
    assert_eq!(focused(page), "request-row");
    open_request(page, "sam");
    page.click("block-request");
    page.click("confirm-yes");
    page.see_text(&by("toast"), "Sam Ortega is blocked");
    assert_ne!(focused(page), "chat-filter");
    assert_ne!(focused(page), "BODY");
    nothing_was_refused(&chromium, &[page]);
}

#[test]
fn a_passing_line_is_said_in_the_dialog_that_lies_over_the_page() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let mira = set_up(&server, &profile, Screen::Desktop);
    let page = &mira.page;
    page.click("new-chat");
    page.click("open-invite");
    page.until("document.querySelector('[data-testid=invite-link]').value !== ''");
    page.click("copy-invite");
    page.see("toast");
    let reached = "[...document.querySelectorAll('#toasts, #announcer')].every((it) => it.closest('dialog:modal'))";
    assert_eq!(page.js(reached), true);
    page.press("Escape", 0);
    page.gone("invite-dialog");
    page.until("[...document.querySelectorAll('#toasts, #announcer')].every((it) => it.parentElement === document.body)");
}

#[test]
fn nothing_of_a_person_is_in_what_the_browser_writes_into_its_history() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &jonas.page;
    page.js(
        "window.titles = [document.title]; new MutationObserver(() => titles.push(document.title)) \
         .observe(document.querySelector('title'), { childList: true });",
    );
    write(&mira.page, "for his eyes");
    page.see_text(&by("message-text"), "for his eyes");
    page.click("toggle-details");
    page.see("details");
    page.click("close-details");
    page.gone("details");
    page.click("back");
    write(&mira.page, "a secret word");
    page.until("document.title === '(1) Secure Messaging'");
    open_chat(page, "mira");
    page.until("document.title === 'Secure Messaging'");
    page.click("back");
    page.click("main-menu");
    page.click("menu-settings");
    page.see("settings");
    let written = page.js(
        "JSON.stringify([titles, location.href, history.state, window.name, document.referrer])",
    );
    let written = written.as_str().unwrap_or_default().to_lowercase();
    for personal in ["mira", "holm", "jonas", "weber", "secret word", "his eyes"] {
        assert!(!written.contains(personal), "{personal}: {written}");
    }
    // Nothing is offered for saving under a name of its own.
    assert_eq!(
        page.js("document.querySelectorAll('[download]').length"),
        json!(0)
    );
    nothing_was_refused(&chromium, &[&mira.page, page]);
}
