//! The pictures in `docs/screenshots`: real chats.
//!
//! Every run takes them, into the target folder; to renew those of the documents, name their folder:
//! `SECURE_MESSAGING_SCREENSHOTS=docs/screenshots cargo xtask test pictures`.

use std::path::Path;

use super::opened;
use super::page::{Page, Screen, by};
use super::people::{
    ask, befriend, choose_timer, open_chat, open_request, register, set_up, sign_in, state,
    to_list, write,
};

pub(super) fn keep(page: &Page, scheme: &str, name: &str) {
    page.emulate(scheme);
    page.until("document.getAnimations().every((it) => it.playState !== 'running' || it.effect.getTiming().iterations === Infinity)");
    page.js("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
    let folder = match std::env::var_os("SECURE_MESSAGING_SCREENSHOTS") {
        Some(folder) => Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
        None => Path::new(env!("CARGO_TARGET_TMPDIR")).join("screenshots"),
    };
    std::fs::create_dir_all(&folder).expect("the folder");
    std::fs::write(folder.join(format!("{name}.png")), page.picture()).expect("the picture");
}

#[test]
fn pictures_of_real_chats_are_taken() {
    let (_turn, server, chromium) = opened();
    let profiles = [(); 5].map(|()| chromium.profile());
    let mira = set_up(&server, &profiles[0], Screen::Desktop);
    let visitor = profiles[4].tab(Screen::Desktop, &server.url("/register"));
    visitor.fill("register-handle", "ada");
    visitor.click("register-next");
    visitor.see("passphrase-picker");
    super::people::offered_words(&visitor);
    keep(&visitor, "light", "register");
    visitor.close();

    let jonas = register(&server, &profiles[1], Screen::Phone, "jonas", "Jonas Weber");
    let noor = register(
        &server,
        &profiles[2],
        Screen::Desktop,
        "noor",
        "Noor El-Amin",
    );
    let sam = register(&server, &profiles[3], Screen::Desktop, "sam", "Sam Ortega");
    befriend(&mira, &noor);
    write(
        &noor.page,
        "Legal has the draft. They want the source’s name out of paragraph four.",
    );
    mira.page
        .see_text(&by("message-text"), "Legal has the draft");
    write(&mira.page, "Done. It never was in our files.");
    befriend(&mira, &jonas);
    ask(
        &sam.page,
        "mira",
        "We met at the press day in Oslo. I have something for you.",
    );
    mira.page.see("request-row");

    write(&jonas.page, "Morning! Did the contract come through?");
    mira.page.see_text(&by("message-text"), "Did the contract");
    write(&mira.page, "Yes, signed and countersigned.");
    jonas.page.see_text(&by("message-text"), "countersigned");
    write(
        &jonas.page,
        "Good. I need the login for the archive again, sorry.",
    );
    mira.page.see_text(&by("message-text"), "archive again");
    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "kestrel-9 / blue harbour 41");
    jonas.page.click("reveal");
    jonas.page.see_text(&by("message-text"), "kestrel-9");
    jonas.page.click("hide");
    choose_timer(&mira.page, "burn-after-300");
    write(
        &mira.page,
        "That one burned when you closed it. Write it on paper, not in a note.",
    );
    jonas.page.see("burn-countdown");
    write(&jonas.page, "Got it. Thank you!");
    mira.page.see_text(&by("message-text"), "Got it");
    mira.page.click("toggle-details");
    mira.page.see("safety-qr");
    mira.page.click("verify");
    mira.page.see("verify");
    keep(&mira.page, "light", "details");
    mira.page.click("close-details");
    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "One more thing, for your eyes only.");
    jonas.page.see("reveal");
    keep(&jonas.page, "light", "phone");
    keep(&jonas.page, "dark", "phone-dark");
    choose_timer(&mira.page, "burn-never");
    to_list(&jonas.page);
    jonas.page.click("lock-button");
    jonas.page.see("lock-screen");
    write(
        &mira.page,
        "Room 12, second shelf. Call me when you are out.",
    );
    state(&mira.page, "Room 12", "waiting");
    write(&noor.page, "Call me when you are out of the meeting?");
    mira.page.see("unread-count");
    keep(&mira.page, "light", "chat");
    keep(&mira.page, "dark", "chat-dark");
    mira.page.click("timer-chip");
    keep(&mira.page, "light", "timers");
    mira.page.press("Escape", 0);
    open_request(&mira.page, "sam");
    keep(&mira.page, "light", "request");
    mira.page.click("new-chat");
    mira.page.click("open-invite");
    mira.page
        .until("document.querySelector('[data-testid=invite-qr] img')");
    keep(&mira.page, "light", "invite");
    mira.page.press("Escape", 0);
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.see("session");
    keep(&mira.page, "light", "settings");

    let list = profiles[4].tab(Screen::Phone, &server.url("/"));
    sign_in(&list, "mira", &mira.passphrase);
    list.see("chat-row");
    keep(&list, "light", "phone-list");
    open_chat(&list, "noor");
    let admin = profiles[0].tab(Screen::Desktop, &server.url("/admin"));
    admin.see("admin");
    keep(&admin, "light", "administration");
}
