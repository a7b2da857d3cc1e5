//! Deleting one's account.

use super::chromium::Chromium;
use super::page::{Page, Screen, by, quoted};
use super::people::{
    Person, acquainted, befriend, open_chat, register, set_up, sign_in, state, to_list, write,
};
use super::screenshots::keep;
use super::server::Server;
use super::{nothing_was_refused, opened};

fn to_settings(page: &Page) {
    page.click("main-menu");
    page.click("menu-settings");
    page.see("delete-account");
}

fn delete(page: &Page, passphrase: &str) {
    page.click("delete-account");
    page.fill("delete-account-passphrase", passphrase);
    page.click("delete-account-confirm");
}

/// Whether the browser keeps a resume wrap or what it saw of a safe.
fn keeps_something(page: &Page) -> bool {
    let keys = page.js(
        "indexedDB.databases().then((all) => Promise.all(all.map((it) => new Promise((done) => { \
         const asked = indexedDB.open(it.name); asked.onsuccess = () => { const db = asked.result; \
         const keys = [...db.objectStoreNames].map((name) => new Promise((known) => { \
         const got = db.transaction(name).objectStore(name).getAllKeys(); \
         got.onsuccess = () => known(got.result); })); \
         Promise.all(keys).then((all) => { db.close(); done(all.flat().map(String)); }); }; })))) \
         .then((all) => all.flat())",
    );
    let keys: Vec<String> = serde_json::from_value(keys).expect("a list");
    keys.iter()
        .any(|key| key == "resume" || key.starts_with("safe."))
}

fn pictures(page: &Page, width: u32) {
    for scheme in ["light", "dark"] {
        page.js("document.querySelector('#danger').scrollIntoView({ block: 'center' })");
        keep(page, scheme, &format!("danger-{width}-{scheme}"));
        page.click("delete-account");
        page.see("prove-dialog");
        keep(page, scheme, &format!("delete-account-{width}-{scheme}"));
        page.press("Escape", 0);
        page.gone("prove-dialog");
    }
}

/// Deletes, after a wrong passphrase was refused, an account that is open in two browsers.
fn leaves(server: &Server, chromium: &Chromium, mira: &Person, screen: Screen, handle: &str) {
    let (one, two) = (chromium.profile(), chromium.profile());
    let person = register(server, &one, screen, handle, "Jonas Weber");
    befriend(mira, &person);
    let other = two.tab(Screen::Desktop, &server.url("/"));
    sign_in(&other, handle, &person.passphrase);
    other.see("main-menu");
    let page = &person.page;
    to_list(page);
    to_settings(page);
    let width = if screen == Screen::Phone { 390 } else { 1280 };
    pictures(page, width);

    delete(page, "a guess");
    page.see_text(&by("prove-error"), "wrong");
    page.press("Escape", 0);
    page.gone("prove-dialog");
    page.click("settings-back");
    open_chat(page, "mira");
    write(page, "still here");
    mira.page.see_text(&by("message-text"), "still here");
    state(page, "still here", "read");

    to_list(page);
    to_settings(page);
    assert!(keeps_something(page), "the control");
    delete(page, &person.passphrase);
    page.see_text(&by("signed-out-notice"), "Your account is deleted");
    let reason = page.js(&format!(
        "document.querySelector({}).dataset.reason",
        quoted(&by("signed-out-notice"))
    ));
    assert_eq!(reason, "deleted");
    keep(page, "light", &format!("deleted-{width}"));
    other.see("sign-in-form");
    assert!(!keeps_something(page), "nothing of it is left");

    // Like a handle that nobody has, in both browsers.
    for page in [page, &other] {
        let mut said = Vec::new();
        for unknown in [handle, "nobody-at-all"] {
            sign_in(page, unknown, &person.passphrase);
            page.until(&format!(
                "document.querySelector({})?.textContent.includes('wrong') && \
                 !document.querySelector('[aria-busy=true]')",
                quoted(&by("form-error"))
            ));
            said.push(page.text("form-error"));
        }
        assert_eq!(said[0], said[1]);
    }

    // Whoever knew them is told when they write, and what was read stays.
    write(&mira.page, "are you there?");
    state(&mira.page, "are you there?", "failed");
    mira.page
        .see_text(&by("message-foot"), "This account does not exist any more");
    mira.page.see_text(&by("message-text"), "still here");
    nothing_was_refused(chromium, &[&mira.page, page, &other]);
}

#[test]
fn an_account_is_deleted_at_both_widths_and_is_out_of_every_browser_at_once() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let mira = set_up(&server, &profile, Screen::Desktop);
    leaves(&server, &chromium, &mira, Screen::Desktop, "jonas");
    leaves(&server, &chromium, &mira, Screen::Phone, "noor");
}

#[test]
fn what_waited_for_a_deleted_account_is_gone_and_the_last_administrator_stays() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    to_list(&jonas.page);
    to_settings(&jonas.page);
    // It burns: it waits sealed until somebody opens it.
    super::people::choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "for your eyes only");
    // Whatever the sender was told of it until now, it is in the server's memory.
    mira.page.until(&format!(
        "[...document.querySelectorAll({})].some((it) => ['waiting', 'delivered'].includes(it.dataset.state) \
         && it.textContent.includes('for your eyes only'))",
        quoted(&by("message"))
    ));
    delete(&jonas.page, &jonas.passphrase);
    jonas.page.see("signed-out-notice");
    state(&mira.page, "for your eyes only", "expired");

    to_settings(&mira.page);
    delete(&mira.page, &mira.passphrase);
    mira.page
        .see_text(&by("prove-error"), "admin promote HANDLE");
    keep(&mira.page, "light", "delete-account-last-administrator");
    mira.page.press("Escape", 0);
    mira.page.gone("prove-dialog");
    mira.page.click("settings-back");
    mira.page.see("main-menu");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}
