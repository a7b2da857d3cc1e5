//! What the core tells of clocks, of messages that the server no longer knows, and of a way that lets no socket through.

use serde_json::json;

use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, open_chat, state, unlock, write};
use super::sizes::whole_at_every_size;
use super::{nothing_was_refused, opened};

/// Lets a test say to a page what the core would say, and hear both; with `alone` the page says nothing to the core.
pub(super) const PORT: &str = "const Real = SharedWorker; window.heard = []; window.said = []; window.alone = false; \
     window.SharedWorker = class extends Real { constructor(...given) { super(...given); \
       const { port } = this; const post = port.postMessage.bind(port); \
       port.addEventListener('message', ({ data }) => heard.push(JSON.parse(data))); \
       port.postMessage = (message, transfer) => { said.push(message.json); if (!alone) post(message, transfer ?? []); }; \
       window.tell = (event) => { port.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(event) })); return true; }; } };";

/// Every socket of a core is closed before it opens, as by a proxy that passes no upgrades.
const NO_SOCKETS: &str = "(globalThis.WebSocket = class extends EventTarget { \
     constructor() { super(); setTimeout(() => this.dispatchEvent(new CloseEvent('close', { code: 1006 }))); } close() {} }, true)";

const CONFLICT: &str = "tell({ e: 'clock_conflict', device_at: 1800000000, server_at: 1800003600, seen_at: 1900000000, \
     text: 'One of the clocks was wrong.' })";

/// Presses a button of the question, and lets the core answer; what was said to it.
fn answer(page: &Page, button: &str) -> serde_json::Value {
    page.js(CONFLICT);
    page.js("window.alone = true; window.said = []");
    page.click(button);
    page.until("[...document.querySelectorAll('button')].every((it) => it.disabled)");
    let said = page.js("said.map((it) => JSON.parse(it).c).filter((it) => it !== 'user_active')");
    page.js("tell(heard.findLast((it) => it.e === 'state'))");
    page.gone("clock");
    page.see("main-menu");
    page.js("window.alone = false");
    said
}

/// Timers of minutes are kept, for the test to run.
const LATE: &str = "window.late = []; const timer = window.setTimeout; \
     window.setTimeout = (run, wait, ...more) => (wait >= 100_000 ? late.push(run) : timer(run, wait, ...more));";

/// Says that a message was unreadable, as often as anybody can cause it.
fn unreadable(page: &Page, times: u32) {
    for _ in 0..times {
        page.js("tell({ e: 'refused', code: 'malformed', text: 'Something unreadable came.' })");
    }
}

/// The passing lines that there are now, which then go.
fn lines(page: &Page) -> serde_json::Value {
    page.js(
        "[...document.querySelectorAll('.toast')].map((line) => { line.remove(); return line.textContent; })",
    )
}

#[test]
fn a_row_that_is_pressed_while_it_or_its_list_changes_is_opened_and_what_is_unreadable_is_counted()
{
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, _jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    page.before_scripts(&format!("{PORT}{LATE}"));
    page.reload();
    page.see("chat-row");
    page.see_text(&by("connection"), "Online");

    page.click_while(&by("chat-row"), || {
        page.js(
            "(() => { const { chats } = heard.findLast((it) => it.e === 'chats'); \
             return tell({ e: 'chats', chats: chats.map((chat) => ({ ...chat, alias: 'שלום', preview: 'something else' })) }); })()",
        );
    });
    page.see("composer-text");
    page.fill("chat-filter", "שלום");
    page.js("window.asked = (n) => ({ chat: `request-${n}`, handle: `person${n}`, alias: 'דנה', greeting: 'שלום', received_ms: 1, key_changed: false, by_link: false }); \
             tell({ e: 'requests', requests: [asked(1)] })");
    page.click_while(&by("request-row"), || {
        page.js("tell({ e: 'requests', requests: [asked(1), asked(2)] })");
    });
    page.see("request-pane");
    // Each of these is read from the side on which its own words begin.
    for place in [
        "request-row .chat-row__name",
        "request-row .chat-row__preview",
        "chat-filter",
        "request-name",
        "request-greeting",
    ] {
        let (test_id, rest) = place.split_once(' ').unwrap_or((place, ""));
        let selector = quoted(&format!("{} {rest}", by(test_id)));
        let direction = format!("getComputedStyle(document.querySelector({selector})).direction");
        page.until(&format!("{direction} === 'rtl'"));
    }

    lines(page);
    unreadable(page, 3);
    assert_eq!(lines(page), json!(["Something unreadable came."]));
    page.js("late.shift()()");
    assert_eq!(lines(page), json!(["2 more messages could not be read."]));
    unreadable(page, 1);
    assert_eq!(lines(page), json!([]));
    page.js("late.shift()()");
    assert_eq!(lines(page), json!(["One more message could not be read."]));
    page.js("late.shift()()");
    unreadable(page, 1);
    assert_eq!(lines(page), json!(["Something unreadable came."]));
    nothing_was_refused(&chromium, &[page]);
}

#[test]
fn clocks_that_disagree_the_servers_word_and_sockets_held_up_are_told_as_what_they_are() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    page.before_scripts(PORT);
    page.reload();
    open_chat(page, "jonas");
    write(page, "where did it go?");
    state(page, "where did it go?", "read");
    // A restart that the server has signed is one thing, its bare word another.
    for (by_server, words) in [
        (true, "Gone before it was read, according to the server"),
        (false, "Vanished: the server restarted before it was read"),
    ] {
        page.js(&format!(
            "(() => {{ const {{ chat, message }} = heard.findLast((it) => it.e === 'message' && it.message.mine); \
             return tell({{ e: 'message', chat, message: {{ ...message, state: 'vanished', by_server: {by_server} }} }}); }})()"
        ));
        page.see_text(&by("message-foot"), words);
        page.see("send-again");
    }

    page.js(CONFLICT);
    page.see_text(&by("clock-text"), "One of the clocks was wrong.");
    let times = page.js(
        "['clock-device', 'clock-server', 'clock-seen'].map((it) => Date.parse(document.querySelector(`[data-testid=${it}]`).dateTime) / 1000)",
    );
    assert_eq!(times, json!([1_800_000_000, 1_800_003_600, 1_900_000_000]));
    super::screenshots::keep(page, "light", "clock");
    whole_at_every_size(page, "clock", "the question about clocks");
    assert_eq!(answer(page, "clock-accept"), json!(["accept_clock"]));
    assert_eq!(answer(page, "clock-decline"), json!(["cancel"]));

    // Its next core finds no way for sockets, and the server answers everything else.
    chromium.in_workers(NO_SOCKETS);
    page.click("lock-button");
    unlock(page, &mira.passphrase);
    page.see_text(&by("connection"), "Messages are blocked on the way");
    page.see_text(&by("toast"), "blocks WebSocket connections");
    super::screenshots::keep(page, "light", "blocked");
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}

#[test]
fn what_was_not_sent_is_counted_on_the_locked_page_and_sent_once_after_unlocking() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    chromium.in_workers("(globalThis.Sockets = WebSocket, true)");
    chromium.in_workers(NO_SOCKETS);
    page.click("lock-button");
    unlock(page, &mira.passphrase);
    open_chat(page, "jonas");
    for text in ["kept over a lock", "and this one too"] {
        write(page, text);
        state(page, text, "sending");
    }
    page.click("lock-button");
    page.see_text(&by("lock-unsent"), "2 messages were not sent.");
    chromium.in_workers("(globalThis.WebSocket = Sockets, true)");
    unlock(page, &mira.passphrase);
    open_chat(page, "jonas");
    for text in ["kept over a lock", "and this one too"] {
        jonas.page.see_text(&by("message-text"), text);
        state(page, text, "read");
        let shown = quoted(&by("message-text"));
        let times = jonas.page.js(&format!(
            "[...document.querySelectorAll({shown})].filter((it) => it.textContent.includes({})).length",
            quoted(text)
        ));
        assert_eq!(times, json!(1));
    }
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}
