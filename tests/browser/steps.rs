//! The steps of a registration: back and forth, a page that is loaded again, a passphrase of one's own.

use super::page::{Page, Screen, by, quoted};
use super::people::{confirm_recovery_key, fill_in, offered_words, register, set_up};
use super::{nothing_was_refused, opened};

fn go_back(page: &Page) {
    page.js("void history.back()");
}

fn invite_of(page: &Page) -> String {
    page.click("new-chat");
    page.click("open-invite");
    let link = page.until(&format!(
        "document.querySelector({}).value",
        quoted(&by("invite-link"))
    ));
    page.press("Escape", 0);
    link.as_str().expect("a link").to_owned()
}

#[test]
fn a_page_that_is_loaded_again_says_to_open_its_link_again_and_that_works() {
    let (_turn, server, chromium) = opened();
    let link = server.setup.clone().expect("a set-up link");
    let profiles = [(); 3].map(|()| chromium.profile());
    let admin = profiles[0].tab(Screen::Desktop, &server.url(&link));
    admin.see("register-form");
    admin.reload();
    admin.see_text(&by("register-notice"), "Open the link again");
    admin.goto(&server.url("/"));
    admin.goto(&server.url(&link));
    let mira = fill_in(admin, "mira", "Mira");
    mira.page.click("mode-invite");
    mira.page.click("mode-submit");
    mira.page.see("main-menu");
    let invite = invite_of(&mira.page);

    let noor = profiles[1].tab(Screen::Phone, &invite);
    noor.see("invite-register");
    noor.reload();
    noor.see_text(&by("invite-broken"), "Open the link again");
    noor.see("broken-sign-in");
    noor.js(&format!("location.href = {}", quoted(&invite)));
    noor.see("invite-register");
    noor.click("invite-register");
    noor.see("register-form");
    noor.reload();
    noor.see_text(&by("register-notice"), "Open the link again");
    noor.goto(&invite);
    noor.click("invite-sign-in");
    noor.see("sign-in-form");
    noor.reload();
    noor.see_text(&by("signed-out-notice"), "open the link again");
    noor.goto(&invite);
    noor.click("invite-register");
    fill_in(noor, "noor", "Noor")
        .page
        .see_text(&by("chat-name"), "Mira");

    // The page of the set-up link leads whoever comes late to where they can go on.
    let stranger = profiles[2].tab(Screen::Desktop, &server.url("/setup"));
    stranger.see_text(&by("register-notice"), "set up already");
    stranger.click("setup-sign-in");
    stranger.see("sign-in-form");
    assert_eq!(stranger.js("location.pathname"), "/");

    // Nobody had a link here: nothing is said of one.
    stranger.goto(&server.url("/i"));
    stranger.reload();
    stranger.see_text(&by("invite-broken"), "not complete");
    stranger.click("broken-sign-in");
    stranger.see("sign-in-form");
    assert_eq!(
        stranger.js("document.querySelector('[data-testid=signed-out-notice]').hidden"),
        true
    );
    nothing_was_refused(&chromium, &[&mira.page, &stranger]);
}

#[test]
fn the_browsers_back_goes_one_step_back_in_a_registration() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let page = two.tab(Screen::Phone, &server.url("/"));
    page.click("to-register");
    page.fill("register-handle", "noor");
    page.click("register-next");
    offered_words(&page);
    go_back(&page);
    page.see("register-handle");
    page.gone("offered-words");
    page.click("register-next");
    offered_words(&page);
    // The page's own button leaves nothing behind to go back through.
    page.click("register-back");
    page.see("register-handle");
    page.until("(history.state?.layers ?? 0) === 0");
    page.click("register-next");
    let words = offered_words(&page);
    page.click("passphrase-kept");
    page.click("register-next");
    page.see("recovery-key");
    go_back(&page);
    page.see("offered-words");
    page.gone("recovery-key");
    assert_eq!(page.text("offered-words"), words);
    go_back(&page);
    page.see("register-handle");
    go_back(&page);
    page.see("sign-in-form");
    page.click("to-register");
    let noor = fill_in(page, "noor", "Noor");
    noor.page.see("main-menu");
    noor.page
        .until("location.pathname === '/chat' && (history.state?.layers ?? 0) === 0");
    nothing_was_refused(&chromium, &[&mira.page, &noor.page]);
}

#[test]
fn a_handle_that_somebody_else_took_in_the_meantime_is_said_at_its_field() {
    let (_turn, server, chromium) = opened();
    let profiles = [(); 3].map(|()| chromium.profile());
    set_up(&server, &profiles[0], Screen::Desktop);
    let page = profiles[1].tab(Screen::Desktop, &server.url("/register"));
    page.fill("register-handle", "noor");
    page.click("register-next");
    offered_words(&page);
    page.click("passphrase-kept");
    page.click("register-next");
    page.see("recovery-key");
    register(&server, &profiles[2], Screen::Phone, "noor", "Noor");

    confirm_recovery_key(&page);
    page.see_text(&by("form-error"), "has this handle already");
    page.until("document.activeElement.dataset.testid === 'register-handle' && document.activeElement.ariaInvalid === 'true'");
    super::screenshots::keep(&page, "light", "handle-taken");
    page.fill("register-handle", "noor2");
    page.click("register-next");
    // The passphrase stands as it was, and so does the mark that it was kept.
    offered_words(&page);
    page.click("register-next");
    confirm_recovery_key(&page);
    page.see("main-menu");
    nothing_was_refused(&chromium, &[&page]);
}

#[test]
fn a_passphrase_that_can_be_guessed_is_asked_about_and_one_that_is_not_seen_is_typed_twice() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let page = two.tab(Screen::Desktop, &server.url("/register"));
    page.fill("register-handle", "noor");
    page.click("register-next");
    page.click("passphrase-own");
    page.fill("own-passphrase", "hunter2");
    page.see_text(&by("passphrase-strength"), "Weak");
    page.click("register-next");
    page.see_text(&by("form-error"), "can be guessed");
    page.see("passphrase-anyway");
    // Another one takes the question away.
    page.fill("own-passphrase", "hunter3");
    page.gone("passphrase-anyway");
    page.gone("form-error");
    page.see_text(&by("passphrase-strength"), "Weak");

    page.click("own-show");
    page.click("register-next");
    page.see_text(&by("form-error"), "once more");
    page.fill("again-passphrase", "hunter4");
    page.click("register-next");
    page.see_text(&by("form-error"), "not the same");
    page.fill("again-passphrase", "hunter3");
    page.click("register-next");
    page.see_text(&by("form-error"), "can be guessed");
    assert_eq!(page.count(&by("recovery-key")), 0);
    page.click("passphrase-anyway");
    page.see("recovery-key");
    nothing_was_refused(&chromium, &[&mira.page, &page]);
}
