//! Invite links that are opened by people with an account, or end while somebody registers with them.

use super::page::{Screen, by, quoted};
use super::people::{
    Person, acquainted, confirm_recovery_key, fill_in, offered_words, open_request, register,
    set_up, sign_in, sign_out, to_list,
};
use super::{nothing_was_refused, opened};

/// Makes a link in the settings, and leaves them open.
fn make_link(maker: &Person) -> String {
    let page = &maker.page;
    page.click("main-menu");
    page.click("menu-settings");
    page.click("settings-invite");
    let link = page.until(&format!(
        "document.querySelector({}).value",
        quoted(&by("invite-link"))
    ));
    page.press("Escape", 0);
    page.see_text(&by("invite"), "Not used yet");
    link.as_str().expect("a link").to_owned()
}

#[test]
fn a_link_that_somebody_with_an_account_used_brings_nobody_else() {
    let (_turn, server, chromium) = opened();
    let (one, two, three) = (chromium.profile(), chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let jonas = register(&server, &two, Screen::Desktop, "jonas", "Jonas Weber");
    let noor = register(&server, &three, Screen::Phone, "noor", "Noor El-Amin");
    let link = make_link(&mira);

    jonas.page.goto(&link);
    jonas.page.see_text(&by("chat-name"), "Mira");
    jonas
        .page
        .see_text(&by("toast"), "Your request waits for an answer");
    jonas.page.see_text(&by("chat-sub"), "Has not answered yet");
    assert_eq!(
        jonas
            .page
            .js("document.body.innerText.includes('connected')"),
        false
    );
    noor.page.goto(&link);
    noor.page.see_text(&by("toast"), "was used");
    noor.page.see_text(&by("toast"), "Ask for another one");
    // Jonas opens it once more: he is led to the same chat.
    jonas.page.goto(&link);
    jonas.page.see_text(&by("chat-name"), "Mira");

    mira.page.click("settings-back");
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.see_text(&by("invite"), "Used.");
    mira.page.click("settings-back");
    mira.page
        .see_text(&by("request-row"), "Came by your invite link");
    assert_eq!(
        mira.page.count(&by("request-row")),
        1,
        "the second person made no request"
    );
    open_request(&mira.page, "jonas");
    mira.page.click("accept-request");
    jonas
        .page
        .see_text(&by("toast"), "has answered. You are connected");
    assert_eq!(noor.page.count(&by("chat-row")), 0);
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page, &noor.page]);
}

#[test]
fn a_link_that_cannot_be_used_any_more_says_so_before_anything_is_typed() {
    let (_turn, server, chromium) = opened();
    let (one, two, three) = (chromium.profile(), chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let link = make_link(&mira);
    // The control: while it can be used, nothing is said of it or of a handle.
    let noor = two.tab(Screen::Desktop, &link);
    noor.click("invite-register");
    noor.see("register-handle");
    mira.page.click("revoke-invite");
    mira.page.until(&format!(
        "document.querySelector({}) === null",
        quoted(&by("revoke-invite"))
    ));
    let late = three.tab(Screen::Phone, &link);
    late.click("invite-register");
    late.see_text(&by("form-error"), "was withdrawn");
    assert_eq!(late.js("document.querySelector('[name=handle]').value"), "");
    assert_eq!(
        noor.count(&format!("{}:not([hidden])", by("form-error"))),
        0
    );
    nothing_was_refused(&chromium, &[&mira.page, &noor]);
}

#[test]
fn whoever_registers_with_a_link_that_ends_meanwhile_is_told() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let link = make_link(&mira);
    let noor = two.tab(Screen::Desktop, &link);
    noor.click("invite-register");
    noor.fill("register-handle", "noor");
    noor.fill("register-alias", "Noor");
    noor.click("register-next");
    offered_words(&noor);

    mira.page.click("revoke-invite");
    mira.page.until(&format!(
        "document.querySelector({}) === null",
        quoted(&by("revoke-invite"))
    ));
    // The server is open: it makes the account, and the link brings her to nobody.
    noor.click("passphrase-kept");
    noor.click("register-next");
    confirm_recovery_key(&noor);
    noor.see("main-menu");
    noor.see_text(&by("toast"), "was withdrawn");
    assert_eq!(noor.count(&by("chat-row")), 0);
    assert_eq!(mira.page.count(&by("request-row")), 0);
    nothing_was_refused(&chromium, &[&mira.page, &noor]);
}

#[test]
fn whoever_signs_in_by_a_link_is_told_what_will_happen_and_what_happened() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let link = make_link(&mira);
    mira.page.click("settings-back");
    sign_out(&mira.page);
    to_list(&jonas.page);
    sign_out(&jonas.page);
    for (person, words) in [
        (&mira, "Nothing was done with it"),
        (&jonas, "You know Mira Holm already"),
    ] {
        let page = &person.page;
        page.goto(&link);
        page.click("invite-sign-in");
        page.see_text(&by("signed-out-notice"), "asked to talk with you");
        sign_in(page, &person.handle, &person.passphrase);
        page.see_text(&by("toast"), words);
    }
    jonas.page.see_text(&by("chat-name"), "Mira Holm");
    // It was used by neither of them.
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.see_text(&by("invite"), "Not used yet");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_page_without_its_links_secret_does_not_say_that_the_link_works() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let link = make_link(&mira);
    let noor = two.tab(Screen::Desktop, &link);
    noor.click("invite-register");
    let noor = fill_in(noor, "noor", "Noor");
    noor.page.see_text(&by("chat-name"), "Mira");
    sign_out(&noor.page);
    // Entries of this tab's history remember that there was a link; the link was used.
    for (path, place) in [
        ("/i", "invite-broken"),
        ("/register", "register-notice"),
        ("/", "signed-out-notice"),
    ] {
        let page = &noor.page;
        page.goto(&server.url(path));
        page.js("void history.replaceState({ link: true }, '', location.pathname)");
        page.reload();
        page.see_text(&by(place), "unless it was used");
        assert!(!page.text(place).contains("still works"), "{path}");
    }
    nothing_was_refused(&chromium, &[&mira.page, &noor.page]);
}
