//! The composer: what is written stays until it was taken, and arrives as it was written.

use serde_json::json;

use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, choose_timer, state, write};
use super::{nothing_was_refused, opened};

/// Puts text into the composer as pasting does.
#[track_caller]
fn paste(page: &Page, text: &str) {
    page.click("composer-text");
    page.js(&format!(
        "(() => {{ const field = document.activeElement; field.value = {}; \
         field.dispatchEvent(new InputEvent('input', {{ bubbles: true }})); return true; }})()",
        // A lone half of a character cannot be written in Rust.
        quoted(text).replace("HALF", "\\ud83d")
    ));
}

fn field(page: &Page) -> String {
    let value = page.js(&format!(
        "document.querySelector({}).value",
        quoted(&by("composer-text"))
    ));
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(page: &Page) -> serde_json::Value {
    page.js(&format!(
        "[...document.querySelectorAll({})].map((it) => it.textContent)",
        quoted(&by("message-text"))
    ))
}

#[test]
fn a_text_that_is_refused_stays_in_the_composer_with_the_reason() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    let long = "wort ".repeat(14_000);
    paste(page, &long);
    page.press("Enter", 0);
    page.see_text(&by("composer-refused"), "64 KiB");
    assert_eq!(field(page), long, "there is something to split");
    paste(page, "\u{200b}\u{2800}");
    page.gone("composer-refused");
    page.press("Enter", 0);
    page.see_text(&by("composer-refused"), "Write something");

    // Half a character is shown as what it is before anything goes out.
    paste(page, "broken HALF here");
    page.press("Enter", 0);
    page.see_text(&by("composer-refused"), "�");
    assert_eq!(field(page), "broken � here");
    assert_eq!(page.count(&format!("{}[data-mine=true]", by("message"))), 1);
    page.press("Enter", 0);
    jonas.page.see_text(&by("message-text"), "broken � here");
    page.until(&format!(
        "document.querySelector({}).value === ''",
        quoted(&by("composer-text"))
    ));

    // An edit that is not taken stays as well.
    write(page, "to be changed");
    state(page, "to be changed", "read");
    page.press("ArrowUp", 0);
    page.see("editing");
    paste(page, &long);
    page.press("Enter", 0);
    page.see_text(&by("composer-refused"), "64 KiB");
    assert_eq!(field(page), long);
    page.see("editing");
    paste(page, "changed");
    page.press("Enter", 0);
    page.gone("editing");
    jonas.page.see_text(&by("message-text"), "changed");
    nothing_was_refused(&chromium, &[page, &jonas.page]);
}

#[test]
fn a_message_arrives_with_its_spaces_its_direction_and_its_addresses() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let code = "    if x {\n        y();\n    }\n";
    paste(&mira.page, code);
    mira.page.press("Enter", 0);
    jonas.page.see_text(&by("message-text"), "y();");
    let all = texts(&jonas.page);
    assert!(all.as_array().unwrap().contains(&json!(code)), "{all}");

    let direction = |page: &Page, selector: &str| {
        page.js(&format!(
            "getComputedStyle([...document.querySelectorAll({})].at(-1)).direction",
            quoted(selector)
        ))
    };
    paste(&mira.page, "שלום, מה שלומך?");
    assert_eq!(direction(&mira.page, &by("composer-text")), "rtl");
    mira.page.press("Enter", 0);
    jonas.page.see_text(&by("message-text"), "שלום");
    assert_eq!(direction(&jonas.page, &by("message-text")), "rtl");
    // Time and marks are not written over the first word.
    let apart = "(() => { const text = [...document.querySelectorAll('.bubble__text')].at(-1); \
         const range = document.createRange(); range.selectNodeContents(text); const meta = text.nextElementSibling.getBoundingClientRect(); \
         return [...range.getClientRects()].every((box) => box.right <= meta.left || box.left >= meta.right || box.bottom <= meta.top + 2); })()";
    assert_eq!(jonas.page.js(apart), true);

    write(
        &mira.page,
        "See https://example.org/a_(b)?c=1#d. And (http://example.net/), not https://bank.example@evil.example/ or javascript:alert(1)",
    );
    jonas.page.see("message-link");
    let links = jonas.page.js(&format!(
        "[...document.querySelectorAll({})].map((it) => [it.textContent, it.getAttribute('href'), it.target, it.rel, it.referrerPolicy])",
        quoted(&by("message-link"))
    ));
    let link = |address: &str| {
        json!([
            address,
            address,
            "_blank",
            "noopener noreferrer",
            "no-referrer"
        ])
    };
    assert_eq!(
        links,
        json!([
            link("https://example.org/a_(b)?c=1#d"),
            link("http://example.net/")
        ])
    );
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn the_key_that_ends_a_composition_sends_nothing() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, _] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &mira.page;
    page.fill("composer-text", "にほ");
    // As Safari has it: the composition is over, and only the key code tells that the key belonged to it.
    page.js(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 229, isComposing: false, bubbles: true, cancelable: true }))",
    );
    // As all others have it.
    page.js(
        "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', keyCode: 13, isComposing: true, bubbles: true, cancelable: true }))",
    );
    assert_eq!(field(page), "にほ");
    page.press("Enter", 0);
    page.see_text(&by("message-text"), "にほ");
    assert_eq!(page.count(&format!("{}[data-mine=true]", by("message"))), 2);
}

#[test]
fn the_row_of_a_chat_and_the_sealed_message_say_what_they_are() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "once only");
    jonas.page.see("reveal");
    jonas
        .page
        .see_text(&by("message"), "Mira Holm: Burns on reading");
    jonas.page.click("reveal");
    jonas.page.see_text(&by("message-text"), "once only");
    jonas.page.click("hide");
    jonas.page.see_text(&by("chat-row"), "Burned");
    mira.page.see_text(&by("chat-row"), "Burned");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn an_error_about_a_box_goes_with_the_box() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let page = profile.tab(
        Screen::Desktop,
        &server.url(server.setup.as_deref().unwrap()),
    );
    page.fill("register-handle", "mira");
    page.click("register-next");
    super::people::offered_words(&page);
    page.click("register-next");
    page.see_text(&by("form-error"), "tick the box");
    page.click("passphrase-own");
    page.gone("form-error");
}

#[test]
fn what_is_left_is_written_in_one_form_from_minutes_to_the_last_second() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let page = profile.tab(Screen::Desktop, &server.url("/"));
    page.see("sign-in-form");
    let told = page.js(
        "import(document.querySelector('link[href$=\"js/lib/format.js\"]').href).then(({ countdown }) => \
         [119, 92, 60, 9, 0, 7380].map((left) => countdown(left * 1000, 0)))",
    );
    assert_eq!(
        told,
        json!(["1:59", "1:32", "1:00", "0:09", "0:00", "2 h 3 min"])
    );
}

#[test]
fn the_time_at_which_a_message_goes_cannot_be_mistaken() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let page = profile.tab(Screen::Desktop, &server.url("/"));
    page.see("sign-in-form");
    let told = page.js(
        "import(document.querySelector('link[href$=\"js/lib/format.js\"]').href).then(({ expiry }) => { \
         const now = new Date(2026, 10, 28, 12, 0, 0).getTime(); \
         return [30, 3600, 86_400, 3 * 86_400, 7 * 86_400].map((after) => expiry(now / 1000 + after, now)); })",
    );
    assert_eq!(
        told,
        json!([
            "12:00:30",
            "13:00",
            "tomorrow 12:00",
            "Tue 12:00",
            "Sat 5 Dec 12:00"
        ])
    );
}
