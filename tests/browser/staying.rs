//! Points 3, 5, 6 and 7: other browsers, reloading, locking, restarts, signing out.

use super::chromium::Chromium;
use super::page::{Screen, by, quoted};
use super::people::{
    acquainted, confirm_recovery_key, offered_words, open_chat, set_up, sign_in, sign_out, state,
    write,
};
use super::server::Server;
use super::sizes::{all_fits, all_within_reach};
use super::{nothing_was_refused, opened, turn};

#[test]
fn what_waits_opens_in_a_browser_that_saw_none_of_it_and_after_recovery() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    sign_out(&jonas.page);
    for text in ["first while you were away", "second while you were away"] {
        write(&mira.page, text);
        state(&mira.page, text, "waiting");
    }

    let phone = chromium.profile();
    let page = phone.tab(Screen::Phone, &server.url("/"));
    sign_in(&page, "jonas", &jonas.passphrase);
    page.see_text(&by("unread-count"), "2");
    open_chat(&page, "mira");
    page.see("unread-line");
    page.see_text(&by("message-text"), "first while you were away");
    page.see_text(&by("message-text"), "second while you were away");
    state(&mira.page, "second while you were away", "read");

    // He forgets the passphrase: the recovery key signs him in on yet another browser.
    let third = chromium.profile();
    let recovered = third.tab(Screen::Desktop, &server.url("/recover"));
    recovered.fill("recover-handle", "jonas");
    recovered.fill("recover-key", &jonas.recovery_key);
    let words = offered_words(&recovered);
    recovered.click("passphrase-kept");
    recovered.click("recover-submit");
    let new_key = confirm_recovery_key(&recovered);
    assert_ne!(new_key, jonas.recovery_key);
    recovered.see("main-menu");
    // Whoever had the old recovery key still has the keys: it says so, and asks.
    recovered.see_text(&by("confirm-dialog"), "can still write in your name");
    // Every page of this browser asks until it was answered, and none asks again.
    let beside = third.tab(Screen::Desktop, &server.url("/chat"));
    beside.see_text(&by("confirm-dialog"), "can still write in your name");
    beside.press("Escape", 0);
    beside.gone("confirm-dialog");
    beside.reload();
    beside.see("confirm-dialog");
    beside.click("confirm-no");
    beside.reload();
    beside.see("main-menu");
    beside.see("connection");
    assert_eq!(beside.count(&by("confirm-dialog")), 0);
    beside.close();
    recovered.click("confirm-no");
    page.see("sign-in-form");
    sign_in(&page, "jonas", &jonas.passphrase);
    page.see("form-error");
    sign_in(&page, "jonas", &words);
    page.see("main-menu");
    open_chat(&recovered, "mira");
    write(&recovered, "back again");
    mira.page.see_text(&by("message-text"), "back again");
    nothing_was_refused(&chromium, &[&mira.page, &page, &recovered]);
}

#[test]
fn after_kill_9_accounts_and_sessions_are_there_and_senders_learn_what_vanished() {
    let _turn = turn();
    let mut server = Server::start();
    let chromium = Chromium::start();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    jonas.page.click("back");
    sign_out(&jonas.page);
    write(&mira.page, "lost in the crash");
    state(&mira.page, "lost in the crash", "waiting");

    server.kill();
    server.start_again();
    assert_eq!(server.setup, None, "the set-up link works once");
    state(&mira.page, "lost in the crash", "vanished");
    mira.page.click("send-again");
    state(&mira.page, "lost in the crash", "waiting");
    mira.page.until(&format!(
        "!document.querySelector({})",
        quoted(&format!("{}[data-state=vanished]", by("message")))
    ));
    sign_in(&jonas.page, "jonas", &jonas.passphrase);
    open_chat(&jonas.page, "mira");
    jonas
        .page
        .see_text(&by("message-text"), "lost in the crash");
    state(&mira.page, "lost in the crash", "read");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_session_without_activity_ends_and_says_so() {
    let _turn = turn();
    let server = Server::with(&[("SECURE_MESSAGING_SESSION_IDLE_SECS", "12")]);
    let chromium = Chromium::start();
    let profile = chromium.profile();
    let mira = set_up(&server, &profile, Screen::Desktop);
    mira.page.see("signed-out-notice");
    mira.page.see("sign-in-form");
    let reason = mira.page.js(&format!(
        "document.querySelector({}).dataset.reason",
        quoted(&by("signed-out-notice"))
    ));
    assert_eq!(reason, "expired");
    sign_in(&mira.page, "mira", &mira.passphrase);
    mira.page.see("main-menu");
    nothing_was_refused(&chromium, &[&mira.page]);
}

#[test]
fn a_session_revoked_elsewhere_closes_at_once_and_a_changed_passphrase_opens() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let other = two.tab(Screen::Phone, &server.url("/"));
    sign_in(&other, "mira", &mira.passphrase);
    other.see("main-menu");

    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.see("settings");
    mira.page.click("revoke-others");
    mira.page.fill("revoke-others-passphrase", &mira.passphrase);
    mira.page.click("revoke-others-confirm");
    other.see("sign-in-form");
    mira.page
        .see_text(&by("confirm-dialog"), "signed out everywhere else");
    mira.page.click("confirm-no");

    mira.page.fill("current-passphrase", &mira.passphrase);
    let words = offered_words(&mira.page);
    mira.page.click("passphrase-kept");
    mira.page.click("change-submit");
    mira.page.see_text(&by("confirm-dialog"), "is changed");
    mira.page.click("confirm-yes");
    mira.page.see("prove-dialog");
    mira.page.click("prove-no");
    sign_in(&other, "mira", &mira.passphrase);
    other.see("form-error");
    sign_in(&other, "mira", &words);
    other.see("main-menu");
    nothing_was_refused(&chromium, &[&mira.page, &other]);
}

#[test]
fn a_new_identity_is_noticed_and_messages_are_held_until_it_is_accepted() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    write(&jonas.page, "before");
    mira.page.see_text(&by("message-text"), "before");

    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.click("new-identity");
    mira.page.fill("new-identity-passphrase", &mira.passphrase);
    mira.page.click("new-identity-confirm");
    mira.page.gone("prove-dialog");
    mira.page.click("settings-back");
    mira.page.see("main-menu");

    // The first line may have crossed with the new keys; it waits for his word as the second does.
    write(&jonas.page, "is it still you?");
    jonas.page.see("key-changed");
    for (width, height) in [(320, 256), (320, 568), (390, 844)] {
        jonas.page.resize(width, height, 1);
        all_fits(&jonas.page, "the notice of changed keys");
        all_within_reach(&jonas.page, "conversation");
    }
    write(&jonas.page, "I ask before I go on");
    for text in ["is it still you?", "I ask before I go on"] {
        state(&jonas.page, text, "held");
    }
    jonas.page.click("accept-key");
    jonas.page.gone("key-changed");
    open_chat(&mira.page, "jonas");
    for text in ["is it still you?", "I ask before I go on"] {
        mira.page.see_text(&by("message-text"), text);
        state(&jonas.page, text, "read");
    }
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}
