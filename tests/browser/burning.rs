//! Point 5: messages that go when they were read, or when nobody read them.

use super::page::{Page, Screen, by, quoted};
use super::people::{
    acquainted, choose_timer, no_text, open_chat, sign_in, sign_out, state, states, write,
};
use super::{nothing_was_refused, opened};

/// Waits until the row of the only chat shows that its newest message burns, and not its text.
fn not_in_the_list(page: &Page, text: &str) {
    let row = format!(
        "document.querySelector({}).textContent",
        quoted(&by("chat-row"))
    );
    page.until(&format!(
        "{row}.includes('message that burns') || {row}.includes('Burned')"
    ));
    assert_eq!(page.js(&format!("{row}.includes({})", quoted(text))), false);
}

#[test]
fn messages_burn_on_reading_after_reading_and_unread() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);

    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "once only");
    jonas.page.see("reveal");
    no_text(&jonas.page, "once only");
    jonas.page.click("reveal");
    jonas.page.see_text(&by("message-text"), "once only");
    // While it is open the list says of what kind it is, here and there.
    for page in [&jonas.page, &mira.page] {
        not_in_the_list(page, "once only");
    }
    mira.page
        .see_text(&by("message"), "There it burns within 2 minutes");
    jonas
        .page
        .until("/^[12]:[0-5][0-9]$/.test(document.querySelector('.burns__left').textContent)");
    jonas.page.click("hide");
    mira.page
        .see_text(&by("message"), "Read and burned, here and there");
    no_text(&jonas.page, "once only");
    states(&jonas.page, "burned", 1);
    states(&mira.page, "burned", 1);
    no_text(&mira.page, "once only");

    choose_timer(&mira.page, "burn-after-5");
    write(&mira.page, "a short while");
    jonas.page.see_text(&by("message-text"), "a short while");
    jonas.page.see("burn-countdown");
    no_text(&jonas.page, "a short while");
    states(&jonas.page, "burned", 2);
    states(&mira.page, "burned", 2);

    // He leaves; what he does not read goes when its time is up.
    jonas.page.click("back");
    sign_out(&jonas.page);
    choose_timer(&mira.page, "burn-never");
    choose_timer(&mira.page, "life-5");
    write(&mira.page, "five seconds at most");
    choose_timer(&mira.page, "life-86400");
    write(&mira.page, "this one waits");
    state(&mira.page, "this one waits", "waiting");
    state(&mira.page, "five seconds at most", "expired");
    sign_in(&jonas.page, "jonas", &jonas.passphrase);
    open_chat(&jonas.page, "mira");
    jonas.page.see_text(&by("message-text"), "this one waits");
    no_text(&jonas.page, "five seconds at most");
    state(&mira.page, "this one waits", "read");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_reader_who_reloads_as_soon_as_a_message_is_read_has_told_its_sender() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "once only");
    jonas.page.see("reveal");
    jonas
        .page
        .js("(() => { window.old = true; new MutationObserver(() => { \
         if (document.querySelector('[data-burning]')) location.reload(); }) \
         .observe(document.body, { subtree: true, childList: true, attributes: true }); })()");
    jonas.page.click("reveal");
    jonas
        .page
        .until("!window.old && document.readyState === 'complete'");
    mira.page
        .see_text(&by("message"), "There it burns within 2 minutes");
    states(&mira.page, "burned", 1);
    // What was here before is in no tab any more, and the page says so where nothing has come yet.
    jonas.page.see("composer");
    jonas
        .page
        .see_text(&by("note-first"), "they are not in this tab");
    assert_eq!(jonas.page.count(&by("reveal")), 0);
    // One thing has one name: in the menu and on what opens it.
    assert!(mira.page.text("timer-chip").contains("On reading"));
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_sealed_message_can_be_deleted_unread_and_one_that_was_taken_without_a_receipt_says_so() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "never read");
    jonas.page.see("reveal");
    let sealed = format!("{}[data-sealed=true]", by("message"));
    let menu = format!("{sealed} {}", by("message-menu"));
    jonas.page.click_on(&format!("{sealed} .bubble span"));
    jonas.page.click_on(&menu);
    super::screenshots::keep(&jonas.page, "dark", "sealed-menu");
    jonas.page.click("delete-here");
    jonas.page.see_text(&by("confirm-dialog"), "unread");
    jonas.page.click("confirm-yes");
    jonas
        .page
        .until(&format!("!document.querySelector({})", quoted(&sealed)));
    mira.page.see_text(
        &by("message-foot"),
        "Taken for good, according to the server",
    );
    super::screenshots::keep(&mira.page, "light", "taken-without-receipt");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_message_is_deleted_here_only_after_a_question() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    write(&mira.page, "to be deleted");
    jonas.page.see_text(&by("message-text"), "to be deleted");
    let menu = format!("{}:last-of-type {}", by("message"), by("message-menu"));
    for (page, whose) in [
        (&jonas.page, "Mira Holm is not told"),
        (&mira.page, "Jonas Weber keeps it"),
    ] {
        page.click_on(&menu);
        page.click("delete-here");
        page.see_text(&by("confirm-dialog"), whose);
        page.click("confirm-no");
        page.gone("confirm-dialog");
        page.see_text(&by("message-text"), "to be deleted");
        page.click_on(&menu);
        page.click("delete-here");
        page.click("confirm-yes");
        no_text(page, "to be deleted");
    }
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}
