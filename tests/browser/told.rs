//! What the core tells of clocks, of messages that the server no longer knows, and of a way that lets no socket through.

use serde_json::json;

use super::chromium::Chromium;
use super::page::{Page, Screen, by};
use super::people::{acquainted, open_chat, state, unlock, write};
use super::server::Server;
use super::sizes::whole_at_every_size;
use super::{nothing_was_refused, turn};

/// Lets a test say to a page what the core would say, and hear both; with `alone` the page says nothing to the core.
const PORT: &str = "const Real = SharedWorker; window.heard = []; window.said = []; window.alone = false; \
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

#[test]
fn clocks_that_disagree_the_servers_word_and_sockets_held_up_are_told_as_what_they_are() {
    let _turn = turn();
    let server = Server::start();
    let chromium = Chromium::start();
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
