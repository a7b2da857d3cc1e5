//! What is unread survives a reload and a lock, also when its sender has gone.

use super::page::{Page, Screen, by};
use super::people::{acquainted, open_chat, state, to_list, unlock, write};
use super::{nothing_was_refused, opened};

#[test]
fn what_is_unread_is_there_after_a_reload_and_a_lock_although_its_sender_has_gone() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    to_list(&jonas.page);
    write(&mira.page, "read this before noon");
    write(&mira.page, "and then call me");
    jonas.page.see_text(&by("unread-count"), "2");
    state(&mira.page, "and then call me", "delivered");
    // Nobody reads them: they wait, and the sender sees it.
    let waits = |text: &str| {
        let messages = by("message");
        mira.page.until(&format!(
            "[...document.querySelectorAll('{messages}')].some((it) => it.textContent.includes('{text}') && it.dataset.path === 'waiting')"
        ));
    };
    waits("read this before noon");
    waits("and then call me");
    mira.page.close();

    // However often the page is loaded, the row says when it was written.
    let time = format!("document.querySelector('{} time').dateTime", by("chat-row"));
    let written = jonas.page.until(&time);
    jonas.page.reload();
    jonas.page.see_text(&by("unread-count"), "2");
    assert_eq!(jonas.page.until(&time), written);
    jonas.page.click("main-menu");
    jonas.page.click("menu-lock");
    unlock(&jonas.page, &jonas.passphrase);
    jonas.page.see_text(&by("unread-count"), "2");
    open_chat(&jonas.page, "mira");
    jonas.page.see("unread-line");
    let texts = format!(
        "[...document.querySelectorAll('{}')].map((it) => it.textContent).join('; ')",
        by("message-text")
    );
    jonas
        .page
        .until(&format!("({texts}).includes('noon; and then')"));
    assert_eq!(jonas.page.count("[data-testid^=warning-]"), 0);
    // All of it was read: the line over it goes.
    jonas.page.gone("unread-line");
    nothing_was_refused(&chromium, &[&jonas.page]);
}

/// Whether the page would ask before it goes.
fn asks(page: &Page) -> bool {
    let asked = "(() => { window.wantsToBeAsked = true; \
        const event = new Event('beforeunload', { cancelable: true }); dispatchEvent(event); \
        window.wantsToBeAsked = false; document.body.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true })); \
        return event.defaultPrevented; })()";
    page.js(asked) == true
}

#[test]
fn the_open_chat_survives_a_reload_and_a_page_asks_before_something_is_lost_with_it() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    write(&mira.page, "what was said goes with the last tab");
    state(&mira.page, "what was said goes with the last tab", "read");
    assert!(asks(&mira.page) && asks(&jonas.page));
    // With another tab of the same browser nothing is lost, nor what was typed: every tab has it.
    let second = one.tab(Screen::Desktop, &server.url("/chat"));
    second.see("main-menu");
    assert!(!asks(&mira.page));
    mira.page.fill("composer-text", "not sent yet");
    assert!(!asks(&mira.page));
    mira.page.fill("composer-text", "");
    assert!(!asks(&mira.page));
    second.close();
    mira.page.until("document.hasFocus()");

    for page in [&mira.page, &jonas.page] {
        let address = page.js("location.pathname + location.hash");
        let address = address.as_str().unwrap().to_owned();
        assert!(!address.to_lowercase().contains("mira"));
        assert!(!address.to_lowercase().contains("jonas"));
        page.reload();
        page.see("composer");
        assert_eq!(page.js("location.pathname + location.hash"), address);
    }
    mira.page.see_text(&by("chat-name"), "Jonas Weber");
    jonas.page.see_text(&by("chat-name"), "Mira Holm");
    assert!(!asks(&mira.page), "there is nothing to lose");
    // A lock forgets which chat was open.
    mira.page.click("main-menu");
    mira.page.click("menu-lock");
    mira.page.see("lock-screen");
    assert_eq!(mira.page.js("location.hash"), "");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}
