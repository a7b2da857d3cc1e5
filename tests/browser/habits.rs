//! What people who chat expect: keys, unread marks, typing, taking back, receipts, tabs without a
//! shared worker.

use super::page::{Page, Screen, by, quoted};
use super::people::{befriend, no_text, open_chat, register, set_up, state, states, unlock, write};
use super::{nothing_was_refused, opened};

fn title(page: &Page, start: &str) {
    page.until(&format!("document.title.startsWith({})", quoted(start)));
}

#[test]
fn keys_unread_marks_typing_and_receipts_are_what_chat_users_expect() {
    let (_turn, server, chromium) = opened();
    let profiles = [(); 3].map(|()| chromium.profile());
    let mira = set_up(&server, &profiles[0], Screen::Desktop);
    let noor = register(
        &server,
        &profiles[1],
        Screen::Desktop,
        "noor",
        "Noor El-Amin",
    );
    let jonas = register(&server, &profiles[2], Screen::Phone, "jonas", "Jonas Weber");
    befriend(&mira, &noor);
    befriend(&mira, &jonas);

    // Jonas' chat is open; what Noor writes makes a badge and opens at the divider.
    write(&noor.page, "Are you there?");
    title(&mira.page, "(1) Secure Messaging");
    mira.page.press("k", 2);
    mira.page.see("switcher");
    mira.page.fill("switcher-text", "noo");
    mira.page.press("Enter", 0);
    mira.page.see_text(&by("chat-name"), "Noor El-Amin");
    mira.page.see("unread-line");
    title(&mira.page, "Secure Messaging");
    state(&noor.page, "Are you there?", "read");
    mira.page.press("ArrowDown", 1);
    mira.page.see_text(&by("chat-name"), "Jonas Weber");
    mira.page.press("/", 2);
    mira.page.see("shortcuts-dialog");
    mira.page.press("Escape", 0);
    mira.page.gone("shortcuts-dialog");
    // What opens a tab of its own says so.
    mira.page.click("main-menu");
    mira.page.see_text(&by("menu-admin"), "new tab");
    mira.page.press("Escape", 0);

    jonas.page.fill("composer-text", "I am writing");
    mira.page.see("typing");
    jonas.page.press("Enter", 0);
    mira.page.gone("typing");
    mira.page.see_text(&by("message-text"), "I am writing");

    // Shift+Enter breaks the line; what was sent is taken back on both sides.
    mira.page.fill("composer-text", "a line");
    mira.page.press("Enter", 8);
    mira.page.until(&format!(
        "document.querySelector({}).value.includes('\\n')",
        quoted(&by("composer-text"))
    ));
    mira.page.press("Enter", 0);
    jonas.page.see_text(&by("message-text"), "a line");
    let last = format!("{}[data-mine=true]:last-child", by("message"));
    mira.page.click_on(&format!("{last} .bubble"));
    mira.page
        .click_on(&format!("{last} {}", by("message-menu")));
    mira.page.click("delete-everywhere");
    // It is asked about first; whoever says no keeps it.
    mira.page
        .see_text(&by("confirm-dialog"), "cannot be taken back");
    super::screenshots::keep(&mira.page, "light", "delete-for-both");
    mira.page.click("confirm-no");
    state(&jonas.page, "a line", "read");
    mira.page
        .click_on(&format!("{last} {}", by("message-menu")));
    mira.page.click("delete-everywhere");
    mira.page.click("confirm-yes");
    no_text(&jonas.page, "a line");
    states(&jonas.page, "deleted", 1);

    // Whoever has scrolled up is not pulled down.
    for line in 1..=14 {
        write(
            &mira.page,
            &format!("line {line} of many,\nwith a second\nand a third line"),
        );
    }
    jonas.page.see_text(&by("message-text"), "line 14 of many");
    jonas.page.js(&format!(
        "document.querySelector({}).scrollTop = 0",
        quoted(&by("scroll"))
    ));
    jonas.page.until("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))");
    write(&mira.page, "below the fold");
    jonas.page.see_text(&by("to-new"), "1 new");
    state(&mira.page, "below the fold", "delivered");
    jonas.page.click("to-new");
    jonas.page.gone("to-new");
    state(&mira.page, "below the fold", "read");

    // Without receipts there is only the server's word, which says nothing of reading.
    jonas.page.click("toggle-details");
    jonas.page.click("chat-receipts");
    jonas.page.click("close-details");
    jonas.page.until(&format!(
        "!document.querySelector({})",
        quoted(&by("close-details"))
    ));
    write(&mira.page, "did you read this?");
    jonas
        .page
        .see_text(&by("message-text"), "did you read this?");
    write(&jonas.page, "an answer, after it was shown");
    mira.page
        .see_text(&by("message-text"), "an answer, after it was shown");
    // The receipts of what came before may still be under way; this one never comes, although it was shown.
    mira.page.until(
        "document.querySelectorAll('[data-state=delivered][data-by-server=true]').length === 1",
    );
    state(&mira.page, "did you read this?", "delivered");
    mira.page
        .see_text(&by("message-foot"), "Delivered, according to the server");
    nothing_was_refused(&chromium, &[&mira.page, &noor.page, &jonas.page]);
}

#[test]
fn where_there_is_no_shared_worker_each_tab_has_a_core_and_a_lock_reaches_all() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let tab = |path: &str| {
        let page = two.empty_tab(Screen::Phone);
        page.before_scripts("delete window.SharedWorker");
        page.goto(&server.url(path));
        page
    };
    let jonas = super::people::fill_in(tab("/register"), "jonas", "Jonas Weber");
    jonas.page.see("main-menu");
    assert_eq!(jonas.page.js("'SharedWorker' in window"), false);
    befriend(&mira, &jonas);
    write(&mira.page, "to the first tab");
    jonas.page.see_text(&by("message-text"), "to the first tab");
    let second = tab("/chat");
    open_chat(&second, "mira");
    no_text(&second, "to the first tab");
    write(&second, "from the second tab");
    mira.page
        .see_text(&by("message-text"), "from the second tab");
    jonas.page.click("back");
    jonas.page.click("lock-button");
    jonas.page.see("lock-screen");
    second.see("lock-screen");
    unlock(&second, &jonas.passphrase);
    // Whoever forgot it finds the other way in, and whose account this is.
    second.see("main-menu");
    jonas
        .page
        .see_text(&by("lock-screen"), "Jonas Weber, @jonas.");
    jonas.page.click("lock-recover");
    jonas.page.see("recover-handle");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page, &second]);
}
