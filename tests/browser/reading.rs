//! Long messages, long chats, and the way through them with the keyboard.

use serde_json::json;

use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, open_chat, sign_in, sign_out, state, to_list, write};
use super::{nothing_was_refused, opened};

#[test]
fn a_message_higher_than_its_pane_is_read_when_its_lines_were_on_the_screen() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    to_list(&jonas.page);
    let lines: Vec<String> = (0..300)
        .map(|n| format!("line {n} of a long one"))
        .collect();
    mira.page.fill("composer-text", &lines.join("\n"));
    mira.page.press("Enter", 0);
    state(&mira.page, "line 299 of", "delivered");
    jonas.page.see_text(&by("unread-count"), "1");
    open_chat(&jonas.page, "mira");
    state(&mira.page, "line 299 of", "read");
    jonas.page.gone("unread-count");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

/// Lets a test say to a page what the core would say.
const PORT: &str = "const Real = SharedWorker; window.SharedWorker = class extends Real { \
     constructor(...given) { super(...given); window.port = this.port; } };";

/// The page's chat as if 2,000 messages were in it; `more` makes one, `drawn` counts what is there.
const MANY: &str = "(() => { const chat = document.querySelector('.chat-row[aria-current]').dataset.chat; \
     const start = Date.now() - 2_000_000; \
     window.tell = (event) => port.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ chat, ...event }) })); \
     window.more = (n, extra) => ({ id: n.toString(16).padStart(32, '0'), mine: n % 3 === 0, text: `message ${n}`, sealed: false, \
       sent_ms: start + n * 1000, seen_ms: start + n * 1000, state: n % 3 === 0 ? 'delivered' : 'read', by_server: false, path: 'live', \
       expires_at: null, burn: 'never', burns_ms: null, edited: false, warnings: [], ...extra }); \
     tell({ e: 'conversation', messages: Array.from({ length: 2000 }, (_, n) => more(n)) }); return true; })()";

/// How many nodes an event touches.
fn touched(page: &Page, event: &str) -> u64 {
    let count = page.js(&format!(
        "(() => {{ const watch = new MutationObserver(() => {{}}); \
         watch.observe(document.querySelector({}), {{ subtree: true, childList: true, attributes: true, characterData: true }}); \
         {event}; const nodes = new Set(); \
         for (const record of watch.takeRecords()) for (const node of [record.target, ...record.addedNodes, ...record.removedNodes]) nodes.add(node); \
         watch.disconnect(); return nodes.size; }})()",
        quoted(&by("messages"))
    ));
    count.as_u64().expect("a count")
}

#[test]
fn a_long_chat_is_drawn_in_part_and_a_message_touches_only_what_is_beside_it() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    state(page, "Hello, it is me.", "read");
    page.before_scripts(PORT);
    page.reload();
    open_chat(page, "jonas");
    page.js(MANY);
    let drawn = || page.count(&by("message"));
    page.see_text(&by("message-text"), "message 1999");
    assert!(drawn() <= 200, "{} are drawn", drawn());

    assert!(touched(page, "tell({ e: 'message', message: more(2000) })") < 30);
    page.see_text(&by("message-text"), "message 2000");
    let changed = "tell({ e: 'message', message: more(1998, { state: 'read', mine: true }) })";
    assert!(touched(page, changed) < 40);
    let far = "tell({ e: 'message', message: more(3, { state: 'read' }) })";
    assert_eq!(touched(page, far), 0, "what is not drawn costs nothing");

    // Going up by the wheel draws what is older, without moving what is read.
    let top = "(() => { const pane = document.querySelector('[data-testid=scroll]').getBoundingClientRect(); \
         const it = [...document.querySelectorAll('[data-testid=message]')].find((one) => one.getBoundingClientRect().top > pane.top + 40); \
         return { text: it.querySelector('[data-testid=message-text]').textContent, top: it.getBoundingClientRect().top }; })()";
    for _ in 0..60 {
        page.call(
            "Input.dispatchMouseEvent",
            json!({ "type": "mouseWheel", "x": 800, "y": 400, "deltaX": 0, "deltaY": -900 }),
        );
        page.js("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
        assert!(drawn() <= 200, "{} are drawn", drawn());
    }
    page.until(&format!("Number({top}.text.split(' ')[1]) < 1500"));
    let seen = page.js(top);
    for event in [
        "tell({ e: 'message', message: more(2001) })",
        "tell({ e: 'message', message: more(2002) })",
        "tell({ e: 'message_removed', message: more(5).id })",
        "tell({ e: 'message', message: more(1997, { text: 'changed\\nwith\\nlines' }) })",
    ] {
        page.js(&format!("(() => {{ {event}; return true; }})()"));
        assert_eq!(page.js(top), seen, "{event}");
    }
    page.see_text(&by("to-new"), "1 new");
    page.click("to-new");
    page.see_text(&by("message-text"), "message 2002");
    page.gone("to-new");
    // Going up to the very first finds all of them in order.
    page.click("scroll");
    page.press("Home", 0);
    page.until(&format!(
        "{} >= 0",
        "(() => { document.querySelector('[data-testid=scroll]').scrollTop = 0; \
          return document.querySelector('[data-testid=message-text]').textContent === 'message 0' ? 0 : -1; })()"
    ));
    let order = page.js(&format!(
        "[...document.querySelectorAll({})].map((it) => Number(it.textContent.split(' ')[1])).every((n, at, all) => at === 0 || n > all[at - 1])",
        quoted(&by("message-text"))
    ));
    assert_eq!(order, true);
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}

#[test]
fn arrow_keys_go_through_the_messages_and_tab_passes_them_in_one_step() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    for n in 1..=8 {
        write(page, &format!("line {n}"));
    }
    let focus =
        || page.js("document.activeElement.dataset.testid ?? document.activeElement.tagName");
    page.click("composer-text");
    page.press("Tab", 8);
    assert_eq!(focus(), "timer-chip");
    page.press("Tab", 8);
    assert_eq!(focus(), "message-menu", "that of the newest message");
    page.press("Tab", 8);
    assert_eq!(focus(), "scroll");
    page.press("Tab", 8);
    assert_eq!(focus(), "toggle-details");

    page.press("Tab", 0);
    let at = |text: &str| {
        page.until(&format!(
            "document.activeElement.dataset.testid === 'message' && document.activeElement.textContent.includes({})",
            quoted(text)
        ))
    };
    page.press("ArrowUp", 0);
    at("line 8");
    page.press("ArrowUp", 0);
    at("line 7");
    page.press("Home", 0);
    at("Hello, it is me.");
    page.press("ArrowDown", 0);
    at("line 1");
    page.press("Enter", 0);
    page.see("menu-message");
    page.press("Escape", 0);
    page.gone("menu-message");
    assert_eq!(focus(), "message-menu");
    page.press("Enter", 0);
    page.press("End", 0);
    page.press("Enter", 0);
    // The last of its menu asks, and takes it away; the focus does not fall out of the messages.
    page.see("confirm-dialog");
    page.press("Escape", 0);
    page.gone("confirm-dialog");
    page.until("document.activeElement.dataset.testid === 'message-menu'");
    page.press("Enter", 0);
    page.press("End", 0);
    page.press("Enter", 0);
    page.see("confirm-dialog");
    page.press("Tab", 0);
    page.press("Enter", 0);
    page.gone("confirm-dialog");
    page.until("document.activeElement.closest('[data-testid=scroll]') !== null");
    jonas.page.until("![...document.querySelectorAll('[data-testid=message-text]')].some((it) => it.textContent === 'line 1')");
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}

#[test]
fn the_header_says_once_that_somebody_is_verified() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, _] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    mira.page.click("toggle-details");
    mira.page.click("verify");
    mira.page.until(&format!(
        "document.querySelector({})",
        quoted(&by("verified-mark"))
    ));
    let text = mira.page.text("open-details");
    assert_eq!(text.matches("Verified").count(), 1, "{text}");
}

#[test]
fn a_message_of_which_something_becomes_known_keeps_its_selection_and_the_focus_on_its_link() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    sign_out(&jonas.page);
    let page = &mira.page;
    write(page, "look at https://example.org/ soon");
    state(page, "look at", "waiting");
    let link = quoted(&by("message-link"));
    let kept = format!(
        "[document.activeElement === document.querySelector({link}), getSelection().toString()]"
    );
    page.js(&format!(
        "document.querySelector({link}).focus(); getSelection().selectAllChildren(document.querySelector({link}))"
    ));
    let before = json!([true, "https://example.org/"]);
    assert_eq!(page.js(&kept), before);

    sign_in(&jonas.page, "jonas", &jonas.passphrase);
    open_chat(&jonas.page, "mira");
    state(page, "look at", "read");
    assert_eq!(page.js(&kept), before);
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}
