//! Points 2 to 5: registering, finding each other, comparing, talking; at both widths.

use super::page::{Page, Screen, by, quoted};
use super::people::{
    acquainted, ask, open_chat, open_request, register, set_up, sign_in, state, to_list, write,
};
use super::{nothing_was_refused, opened, people};

fn safety_number(page: &Page) -> String {
    page.click("toggle-details");
    page.see("details");
    page.see_text(&format!("{} li:nth-child(12)", by("safety-number")), "");
    page.until(&format!(
        "document.querySelector({})?.naturalWidth > 0",
        quoted(&format!("{} img", by("safety-qr")))
    ));
    page.text("safety-number")
}

fn two_people_talk(first: Screen, second: Screen) {
    let (_turn, server, chromium) = opened();
    let (one, two, three) = (chromium.profile(), chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, first), (&two, second)]);
    // What was said with the request begins the chat.
    for page in [&mira.page, &jonas.page] {
        page.see_text(&by("message-text"), "Hello, it is me.");
    }
    state(&mira.page, "Hello, it is me.", "read");

    write(&mira.page, "Good morning!");
    jonas.page.see_text(&by("message-text"), "Good morning!");
    state(&mira.page, "Good morning!", "read");
    write(&jonas.page, "Good morning, Mira.");
    mira.page
        .see_text(&by("message-text"), "Good morning, Mira.");
    state(&jonas.page, "Good morning, Mira.", "read");
    assert_eq!(
        people::path(&mira.page, "Good morning!"),
        "live",
        "both are there, so nothing has to wait"
    );

    // The last own message is edited from an empty composer, and the other side sees it.
    mira.page.click("composer-text");
    mira.page.press("ArrowUp", 0);
    mira.page.see("editing");
    mira.page.fill("composer-text", "Good evening!");
    mira.page.press("Enter", 0);
    jonas.page.see_text(&by("message-text"), "Good evening!");

    let seen = safety_number(&mira.page);
    assert_eq!(seen.len(), 60, "sixty digits");
    assert_eq!(seen, safety_number(&jonas.page));
    mira.page.click("verify");
    mira.page.until(&format!(
        "document.querySelector({})",
        quoted(&by("verified-mark"))
    ));
    mira.page.click("close-details");
    jonas.page.click("close-details");

    // A third person comes through a link, and two others are refused and blocked.
    to_list(&mira.page);
    mira.page.click("new-chat");
    mira.page.click("open-invite");
    let link = mira.page.until(&format!(
        "document.querySelector({}).value",
        quoted(&by("invite-link"))
    ));
    mira.page.until(&format!(
        "document.querySelector({})?.naturalWidth > 0",
        quoted(&format!("{} img", by("invite-qr")))
    ));
    mira.page.press("Escape", 0);
    let noor = three.tab(first, link.as_str().expect("a link"));
    assert_eq!(
        noor.js("location.hash"),
        "",
        "the secret part is out of the address"
    );
    noor.click("invite-register");
    let noor = people::fill_in(noor, "noor", "Noor El-Amin");
    open_chat_or_request(&mira.page, "noor");
    // She lands in the chat with whoever invited her, and sees what the link proved.
    noor.page.see("composer");
    noor.page.see_text(&by("chat-name"), "Mira");
    write(&noor.page, "I came through your link.");
    mira.page
        .see_text(&by("message-text"), "I came through your link.");

    to_list(&noor.page);
    ask(&noor.page, "jonas", "Do you have a minute?");
    to_list(&jonas.page);
    open_request(&jonas.page, "noor");
    jonas
        .page
        .see_text(&by("request-greeting"), "Do you have a minute?");
    jonas.page.click("block-request");
    jonas.page.click("confirm-yes");
    jonas.page.gone("request-row");

    nothing_was_refused(&chromium, &[&mira.page, &jonas.page, &noor.page]);
}

/// Whoever came through a link may be a request that says so, or a chat at once.
fn open_chat_or_request(page: &Page, handle: &str) {
    let request = format!("{}[data-handle={}]", by("request-row"), quoted(handle));
    let chat = format!("{}[data-handle={}]", by("chat-row"), quoted(handle));
    page.until(&format!(
        "document.querySelector({}) || document.querySelector({})",
        quoted(&request),
        quoted(&chat)
    ));
    if page.count(&chat) == 0 {
        open_request(page, handle);
        page.click("accept-request");
        page.see("composer");
    } else {
        open_chat(page, handle);
    }
}

#[test]
fn two_people_at_desks_talk_and_a_third_comes_by_link() {
    two_people_talk(Screen::Desktop, Screen::Desktop);
}

#[test]
fn two_people_with_phones_talk_and_a_third_comes_by_link() {
    two_people_talk(Screen::Phone, Screen::Phone);
}

#[test]
fn a_weak_passphrase_is_warned_about_and_a_wrong_one_does_not_sign_in() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let mira = set_up(&server, &profile, Screen::Desktop);
    let other = chromium.profile();
    let page = other.tab(Screen::Phone, &server.url("/register"));
    page.fill("register-handle", "mira");
    page.click("register-next");
    page.see_text(&by("form-error"), "already");
    page.fill("register-handle", "mira2");
    page.fill("register-alias", "Mira\u{202e}");
    page.click("register-next");
    page.see_text(&by("form-error"), "hidden character");
    page.fill("register-alias", "Mira \u{1f469}\u{200d}\u{1f680}");
    page.click("register-next");
    page.click("passphrase-own");
    page.fill("own-passphrase", "hunter2");
    page.see_text(&by("passphrase-strength"), "Weak");
    page.fill(
        "own-passphrase",
        "orbit walnut thermal cascade ribbon meadow lantern pebble",
    );
    page.see_text(&by("passphrase-strength"), "Strong");
    page.click("register-next");
    page.see("recovery-key");
    page.see_text(&by("recovery-key-whose"), "Of @mira2 at 127.0.0.1");
    // "Start over" goes back to the first step, with what was typed.
    page.click("start-over");
    page.see("register-handle");
    assert_eq!(
        page.js("document.querySelector('#register-handle').value"),
        "mira2"
    );

    page.goto(&server.url("/"));
    sign_in(&page, "mira", "not the passphrase");
    page.see("form-error");
    let known = page.text("form-error");
    sign_in(&page, "nobody-here", "not the passphrase");
    page.until(&format!(
        "document.querySelector({}).getAttribute('aria-busy') === null",
        quoted(&by("sign-in-submit"))
    ));
    assert_eq!(
        page.text("form-error"),
        known,
        "a known and an unknown handle are told the same"
    );
    sign_in(&page, "mira", &mira.passphrase);
    page.see("main-menu");
    nothing_was_refused(&chromium, &[&page, &mira.page]);
}

#[test]
fn a_request_shows_in_both_browsers_of_a_person_until_it_is_answered_in_one() {
    let (_turn, server, chromium) = opened();
    let (one, two, three) = (chromium.profile(), chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let jonas = register(&server, &two, Screen::Desktop, "jonas", "Jonas Weber");
    let other = three.tab(Screen::Phone, &server.url("/"));
    sign_in(&other, "jonas", &jonas.passphrase);
    other.see("main-menu");

    ask(&mira.page, "jonas", "It is me.");
    open_request(&jonas.page, "mira");
    open_request(&other, "mira");
    other.click("accept-request");
    other.see("composer");
    jonas.page.gone("request-pane");
    jonas.page.gone("request-row");
    open_chat(&jonas.page, "mira");
    write(&mira.page, "There you are.");
    jonas.page.see_text(&by("message-text"), "There you are.");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page, &other]);
}
