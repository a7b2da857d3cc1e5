//! A view that goes takes along what it listens to, waits for and subscribed to.

use super::page::{Page, Screen, quoted};
use super::people::{Person, acquainted, open_chat, unlock, write};
use super::{nothing_was_refused, opened};

/// Counts what is listened to on whatever target, signals of subscriptions among them, and what is
/// repeated; from before the first script.
const COUNT: &str = "(() => { const live = new Set(); const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype; \
     const parts = (options) => (typeof options === 'object' && options ? options : { capture: Boolean(options) }); \
     EventTarget.prototype.addEventListener = function (kind, listener, options) { \
       const { signal, once = false, capture = false } = parts(options); \
       if (!signal?.aborted) { \
         const entry = { target: this, kind, listener, capture }; \
         const gone = () => live.delete(entry); \
         live.add(entry); \
         if (signal) add.call(signal, 'abort', gone, { once: true }); \
         if (once) add.call(this, kind, gone, { once, capture, signal }); } \
       return add.call(this, kind, listener, options); }; \
     EventTarget.prototype.removeEventListener = function (kind, listener, options) { \
       const { capture = false } = parts(options); \
       for (const it of live) if (it.target === this && it.kind === kind && it.listener === listener && it.capture === capture) live.delete(it); \
       return remove.call(this, kind, listener, options); }; \
     const repeated = new Set(); const { setInterval: begin, clearInterval: end, clearTimeout: stop } = window; \
     window.setInterval = (...given) => { const id = begin(...given); repeated.add(id); return id; }; \
     window.clearInterval = (id) => { repeated.delete(id); end(id); }; \
     window.clearTimeout = (id) => { repeated.delete(id); stop(id); }; \
     window.listening = () => { const counts = {}; \
       for (const { target, kind } of live) { const name = `${target.constructor.name} ${kind}`; counts[name] = (counts[name] ?? 0) + 1; } \
       return JSON.stringify([Object.entries(counts).sort(), repeated.size]); }; })()";

/// Opens and closes everything that a person can, and comes back to the list of chats.
fn go_round(page: &Page, with: &Person, passphrase: &str) {
    open_chat(page, &with.handle);
    write(page, "Still there?");
    page.click("toggle-details");
    page.see("safety-number");
    page.click("close-details");
    page.click("timer-chip");
    page.see("timer-menu");
    page.press("Escape", 0);
    page.gone("timer-menu");
    page.click("message-menu");
    page.see("menu-message");
    page.press("Escape", 0);
    page.gone("menu-message");
    for (open, seen) in [("new-chat", "new-chat-dialog"), ("main-menu", "menu")] {
        page.click(open);
        page.see(seen);
        page.press("Escape", 0);
        page.gone(seen);
    }
    page.press("k", 2);
    page.see("switcher");
    page.press("Escape", 0);
    page.gone("switcher");
    page.click("main-menu");
    page.click("menu-settings");
    page.see("session");
    page.click("new-identity");
    page.see("prove-dialog");
    page.press("Escape", 0);
    page.gone("prove-dialog");
    page.click("settings-back");
    page.see("composer");
    page.click("lock-button");
    unlock(page, passphrase);
    page.see("empty-state");
}

#[test]
fn a_view_that_goes_leaves_no_listener_subscription_or_timer_behind() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    let page = &mira.page;
    page.before_scripts(COUNT);
    page.reload();
    page.see("composer");
    let listening = || page.js("listening()").as_str().expect("text").to_owned();
    page.click("lock-button");
    unlock(page, &mira.passphrase);
    page.see("empty-state");
    let before = listening();
    page.click("main-menu");
    page.see("menu");
    assert_ne!(listening(), before, "an open menu listens");
    page.press("Escape", 0);
    page.gone("menu");
    for _ in 0..2 {
        go_round(page, &jonas, &mira.passphrase);
        page.until(&format!("listening() === {}", quoted(&before)));
    }
    assert_eq!(listening(), before);
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}
