//! Lines that follow what happens: the preview of a chat, its timer, what passes by over the page.

use serde_json::json;

use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, choose_timer, offered_words, open_chat, sign_in, to_list, write};
use super::{nothing_was_refused, opened};

#[test]
fn the_preview_of_a_chat_follows_an_edit_in_every_session() {
    let (_turn, server, chromium) = opened();
    let profiles = [(); 3].map(|()| chromium.profile());
    let [mira, jonas] = acquainted(
        &server,
        [
            (&profiles[0], Screen::Desktop),
            (&profiles[1], Screen::Desktop),
        ],
    );
    let second = profiles[2].tab(Screen::Phone, &server.url("/"));
    sign_in(&second, "mira", &mira.passphrase);
    open_chat(&second, "jonas");
    // What comes from the phone shows that the first session knows of it.
    write(&second, "on the phone now");
    mira.page.see_text(&by("message-text"), "on the phone now");
    to_list(&second);
    let pages = [&mira.page, &jonas.page, &second];
    write(&mira.page, "the firts draft");
    for page in pages {
        page.see_text(&by("chat-row"), "the firts draft");
    }
    mira.page.press("ArrowUp", 0);
    mira.page.see("editing");
    mira.page.fill("composer-text", "the first draft");
    mira.page.press("Enter", 0);
    for page in pages {
        page.see_text(&by("chat-row"), "the first draft");
    }
    nothing_was_refused(&chromium, &pages);
}

#[test]
fn the_timer_of_a_chat_stays_until_it_is_changed_and_the_details_say_the_same() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    let chip = format!(
        "document.querySelector({}).dataset.value",
        quoted(&by("timer-chip"))
    );
    choose_timer(&mira.page, "burn-on_read");
    mira.page.click("toggle-details");
    mira.page.see_text(&by("details"), "Burns on reading");
    write(&mira.page, "one");
    assert_eq!(mira.page.js(&chip), "on_read");
    write(&mira.page, "two");
    let reveals = format!(
        "document.querySelectorAll({}).length === 2",
        quoted(&by("reveal"))
    );
    jonas.page.until(&reveals);
    // Also after the page was loaded again and unlocked, and in another browser.
    let second = chromium.profile().tab(Screen::Desktop, &server.url("/"));
    sign_in(&second, "mira", &mira.passphrase);
    open_chat(&second, "jonas");
    second.until(&format!("{chip} === 'on_read'"));
    choose_timer(&second, "burn-never");
    mira.page.until(&format!("{chip} === 'never'"));
    mira.page.see_text(&by("details"), "Stays in open tabs");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page, &second]);
}

/// Whether a passing line lies over any of these.
fn covered(page: &Page, testids: &[&str]) -> serde_json::Value {
    page.js(&format!(
        "(() => {{ const line = document.querySelector({}).getBoundingClientRect(); \
         return {}.filter((it) => {{ const box = document.querySelector(`[data-testid=\"${{it}}\"]`).getBoundingClientRect(); \
         return box.left < line.right && box.right > line.left && box.top < line.bottom && box.bottom > line.top; }}); }})()",
        quoted(&by("toast")),
        json!(testids)
    ))
}

#[test]
fn passing_lines_cover_nothing_that_is_used_and_go_with_their_page() {
    let (_turn, server, chromium) = opened();
    let profiles = [(); 3].map(|()| chromium.profile());
    let [mira, jonas] = acquainted(
        &server,
        [
            (&profiles[0], Screen::Desktop),
            (&profiles[1], Screen::Phone),
        ],
    );
    for page in [&mira.page, &jonas.page] {
        write(page, "something to copy");
        let text = if page.screen() == Screen::Phone {
            "one line"
        } else {
            "a draft\nof\nmany\nlines"
        };
        page.fill("composer-text", text);
        page.js("document.querySelector('[data-mine=true] [data-testid=message-menu]').click()");
        page.click("copy-message");
        page.see("toast");
        let mut all = vec!["composer", "send", "timer-chip", "chat-name", "message"];
        if page.screen() == Screen::Desktop {
            all.push("conversation");
        }
        assert_eq!(covered(page, &all), json!([]), "{:?}", page.screen());
        // The control: it does lie over something.
        assert_eq!(covered(page, &["app"]), json!(["app"]));
    }
    let page = profiles[2].tab(Screen::Desktop, &server.url("/register"));
    page.fill("register-handle", "noor");
    page.click("register-next");
    offered_words(&page);
    page.js("document.querySelector('[data-testid=passphrase-picker] [data-action=copy]').click()");
    page.see("toast");
    // Long enough to count as said before.
    page.js("new Promise((done) => setTimeout(done, 1100))");
    page.see("toast");
    page.js("document.querySelector('[data-slot=has-account] a').click()");
    page.see("sign-in-form");
    assert_eq!(page.count(&by("toast")), 0);
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page, &page]);
}
