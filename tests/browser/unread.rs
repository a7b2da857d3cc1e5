//! What is unread survives a reload and a lock, also when its sender has gone.

use super::chromium::Chromium;
use super::page::{Screen, by};
use super::people::{acquainted, open_chat, state, to_list, unlock, write};
use super::server::Server;
use super::{nothing_was_refused, turn};

#[test]
fn what_is_unread_is_there_after_a_reload_and_a_lock_although_its_sender_has_gone() {
    let _turn = turn();
    let server = Server::start();
    let chromium = Chromium::start();
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

    jonas.page.reload();
    jonas.page.see_text(&by("unread-count"), "2");
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
    nothing_was_refused(&chromium, &[&jonas.page]);
}
