//! What people do: register, find each other, write.

use super::chromium::Profile;
use super::page::{Page, Screen, by, quoted};
use super::server::Server;

/// Somebody with an account and a tab.
pub(super) struct Person {
    /// Their tab.
    pub page: Page,
    /// The name they sign in with.
    pub handle: String,
    /// The six words that were offered.
    pub passphrase: String,
    /// The recovery key that was shown once.
    pub recovery_key: String,
}

/// Follows the set-up link, becomes the administrator and lets everybody register.
#[track_caller]
pub(super) fn set_up(server: &Server, profile: &Profile, screen: Screen) -> Person {
    let link = server.setup.clone().expect("a set-up link in the log");
    let page = profile.tab(screen, &server.url(&link));
    let person = fill_in(page, "mira", "Mira Holm");
    person.page.see("mode-form");
    person.page.click("mode-open");
    person.page.click("mode-submit");
    person.page.see("main-menu");
    person
}

/// Creates an account on an open server.
#[track_caller]
pub(super) fn register(
    server: &Server,
    profile: &Profile,
    screen: Screen,
    handle: &str,
    alias: &str,
) -> Person {
    let page = profile.tab(screen, &server.url("/register"));
    let person = fill_in(page, handle, alias);
    person.page.see("main-menu");
    person
}

/// The three steps of a registration, from whatever page shows them.
#[track_caller]
pub(super) fn fill_in(page: Page, handle: &str, alias: &str) -> Person {
    page.see("register-form");
    page.fill("register-handle", handle);
    page.fill("register-alias", alias);
    page.click("register-next");
    let passphrase = offered_words(&page);
    page.click("passphrase-kept");
    page.click("register-next");
    let recovery_key = confirm_recovery_key(&page);
    Person {
        page,
        handle: handle.to_owned(),
        passphrase,
        recovery_key,
    }
}

/// The passphrase that the page offers.
#[track_caller]
pub(super) fn offered_words(page: &Page) -> String {
    // They are drawn before their step is shown.
    page.see("offered-words");
    page.until(&format!(
        "document.querySelector({}).textContent.split('-').length >= 6",
        quoted(&by("offered-words"))
    ));
    page.text("offered-words")
}

/// Reads the recovery key, is told off for a wrong one, and types the right one back.
#[track_caller]
pub(super) fn confirm_recovery_key(page: &Page) -> String {
    page.see("recovery-key");
    let groups = format!(
        "[...document.querySelectorAll({})].map((it) => it.textContent).join('-')",
        quoted(&format!("{} li", by("recovery-key")))
    );
    let key = page
        .until(&groups)
        .as_str()
        .expect("a recovery key")
        .to_owned();
    page.fill("confirm-key", "AAAAA-BBBBB");
    page.click("confirm-key-submit");
    page.see("form-error");
    page.fill("confirm-key", &key.to_lowercase().replace('-', " "));
    page.click("confirm-key-submit");
    key
}

/// Signs in on a page that asks for it.
#[track_caller]
pub(super) fn sign_in(page: &Page, handle: &str, passphrase: &str) {
    page.fill("sign-in-handle", handle);
    page.fill("sign-in-passphrase", passphrase);
    page.click("sign-in-submit");
}

/// Signs out.
#[track_caller]
pub(super) fn sign_out(page: &Page) {
    page.click("main-menu");
    page.click("menu-sign-out");
    page.click("confirm-yes");
    page.see("sign-in-form");
}

/// Opens the passphrase's lock.
#[track_caller]
pub(super) fn unlock(page: &Page, passphrase: &str) {
    page.see("lock-screen");
    page.fill("unlock-passphrase", passphrase);
    page.click("unlock-submit");
    page.see("main-menu");
}

/// Finds somebody by handle and asks to talk.
#[track_caller]
pub(super) fn ask(page: &Page, handle: &str, greeting: &str) {
    page.click("new-chat");
    page.fill("find-handle", handle);
    page.press("Enter", 0);
    page.see("found-person");
    page.fill("find-greeting", greeting);
    page.click("send-request");
    page.see("composer");
}

/// Opens the request of somebody.
#[track_caller]
pub(super) fn open_request(page: &Page, handle: &str) {
    page.click_on(&format!(
        "{}[data-handle={}]",
        by("request-row"),
        quoted(handle)
    ));
    page.see("request-pane");
}

/// Two people become contacts; both have the chat open afterwards.
#[track_caller]
pub(super) fn befriend(asking: &Person, answering: &Person) {
    ask(&asking.page, &answering.handle, "Hello, it is me.");
    open_request(&answering.page, &asking.handle);
    answering.page.click("accept-request");
    answering.page.see("composer");
    asking.page.until(&format!(
        "!document.querySelector({}).textContent.includes('answered')",
        quoted(&by("chat-sub"))
    ));
}

/// Mira, who administers the server, and Jonas, who are contacts and have their chat open.
#[track_caller]
pub(super) fn acquainted(server: &Server, places: [(&Profile, Screen); 2]) -> [Person; 2] {
    let [(one, first), (two, second)] = places;
    let mira = set_up(server, one, first);
    let jonas = register(server, two, second, "jonas", "Jonas Weber");
    befriend(&mira, &jonas);
    [mira, jonas]
}

/// Opens the chat with somebody from the list.
#[track_caller]
pub(super) fn open_chat(page: &Page, handle: &str) {
    page.click_on(&format!(
        "{}[data-handle={}]",
        by("chat-row"),
        quoted(handle)
    ));
    page.see("composer");
}

/// Goes back to the list where only one pane fits.
#[track_caller]
pub(super) fn to_list(page: &Page) {
    if page.screen() == Screen::Phone {
        page.click("back");
    }
    page.see("main-menu");
}

/// Writes a message into the open chat.
#[track_caller]
pub(super) fn write(page: &Page, text: &str) {
    page.fill("composer-text", text);
    page.press("Enter", 0);
    page.see_text(&by("message-text"), text);
}

/// Chooses when messages go.
#[track_caller]
pub(super) fn choose_timer(page: &Page, choice: &str) {
    page.click("timer-chip");
    page.see("timer-menu");
    page.click(choice);
    page.press("Escape", 0);
    page.gone("timer-menu");
}

/// Waits until the message with this text is in this state.
#[track_caller]
pub(super) fn state(page: &Page, text: &str, state: &str) {
    page.until(&format!(
        "[...document.querySelectorAll({})].some((it) => it.textContent.includes({}) && it.dataset.state === {})",
        quoted(&by("message")),
        quoted(text),
        quoted(state)
    ));
}

/// The path that a message with this text took.
#[track_caller]
pub(super) fn path(page: &Page, text: &str) -> serde_json::Value {
    page.js(&format!(
        "[...document.querySelectorAll({})].find((it) => it.textContent.includes({})).dataset.path",
        quoted(&by("message")),
        quoted(text)
    ))
}

/// Waits until this many messages are in this state, whatever is left of them.
#[track_caller]
pub(super) fn states(page: &Page, state: &str, count: usize) {
    page.until(&format!(
        "document.querySelectorAll({}).length === {count}",
        quoted(&format!("{}[data-state=\"{state}\"]", by("message")))
    ));
}

/// Waits until no message on the page has this text.
#[track_caller]
pub(super) fn no_text(page: &Page, text: &str) {
    page.until(&format!(
        "![...document.querySelectorAll({})].some((it) => it.textContent.includes({}))",
        quoted(&by("message-text")),
        quoted(text)
    ));
}
