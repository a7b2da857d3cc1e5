//! What a page says while the server is away, and of what was lost or kept meanwhile.

use super::chromium::Chromium;
use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, state, write};
use super::server::Server;
use super::told::PORT;
use super::{nothing_was_refused, opened, turn};

/// Says to a page that it is locked or signed out, with further fields.
fn close(page: &Page, state: &str, fields: &str) {
    page.js(&format!(
        "tell({{ ...heard.findLast((it) => it.e === 'state'), state: {}, {fields} }})",
        quoted(state)
    ));
}

#[test]
fn an_open_chat_says_that_the_server_is_away_and_when_it_is_back() {
    let _turn = turn();
    let mut server = Server::start();
    let chromium = Chromium::start();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Phone), (&two, Screen::Desktop)]);
    write(&mira.page, "before");
    state(&mira.page, "before", "read");
    for page in [&mira.page, &jonas.page] {
        page.gone("chat-connection");
    }
    server.kill();
    for page in [&mira.page, &jonas.page] {
        page.see_text(&by("chat-connection"), "No connection, trying again");
    }
    super::screenshots::keep(&mira.page, "light", "server-away");
    write(&mira.page, "meanwhile");
    server.start_again();
    for page in [&mira.page, &jonas.page] {
        page.gone("chat-connection");
    }
    jonas.page.see_text(&by("message-text"), "meanwhile");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_closed_page_tells_what_waits_what_is_gone_and_what_was_not_sent() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    page.before_scripts(PORT);
    page.reload();
    page.see("composer");
    close(page, "locked", "reason: 'user'");
    page.see_text(&by("lock-screen"), "or the server restarts");
    page.gone("lock-unsent");
    let server_was = |change: &str| {
        page.js(&format!(
            "tell({{ ...heard.findLast((it) => it.e === 'server'), {change} }})"
        ));
    };
    server_was("boot_id: 'another'");
    page.see_text(&by("lock-screen"), "The server was restarted meanwhile");
    close(
        page,
        "signed_out",
        "reason: 'expired', unsent: [{ chat: 'a', messages: 2 }, { chat: 'b', messages: 1 }]",
    );
    page.see_text(
        &by("signed-out-notice"),
        "The server was restarted meanwhile",
    );
    page.see_text(&by("signed-out-notice"), "3 messages were not sent");
    server_was("boot_id: 'a third', restored_at: 1800000000");
    page.see_text(&by("signed-out-notice"), "restored from a backup meanwhile");
    assert!(
        !page.text("signed-out-notice").contains("still wait"),
        "nothing waits after a restore"
    );
    close(
        page,
        "locked",
        "reason: 'idle', unsent: [{ chat: 'a', messages: 1 }]",
    );
    page.see_text(&by("lock-unsent"), "1 message was not sent");
    super::screenshots::keep(page, "light", "lock-unsent");
    page.js("tell(heard.findLast((it) => it.e === 'state' && it.state === 'unlocked'))");
    page.click("lock-button");
    page.see("lock-screen");
    assert!(
        !page.text("lock-screen").contains("restored"),
        "it was told"
    );
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}
