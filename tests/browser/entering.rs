//! The way in: links, names, the core that comes late, and the recovery key on paper.

use serde_json::json;

use super::page::{Screen, by, quoted};
use super::people::{acquainted, fill_in, offered_words, set_up, sign_in};
use super::{nothing_was_refused, opened};

/// Holds back what a page says to its worker until `release()`.
const LATE: &str = "
    const Real = window.SharedWorker;
    window.SharedWorker = class {
      constructor(url, options) {
        const { port } = new Real(url, options);
        const held = [];
        let released = false;
        this.port = {
          start: () => port.start(),
          addEventListener: (kind, listener) => port.addEventListener(kind, listener),
          postMessage: (message, transfer) => released ? port.postMessage(message, transfer ?? []) : held.push([message, transfer]),
        };
        window.release = () => {
          released = true;
          for (const [message, transfer] of held) port.postMessage(message, transfer ?? []);
        };
      }
      addEventListener() {}
    };";

#[test]
fn a_link_pasted_over_the_page_of_a_broken_one_works_and_leaves_the_address() {
    let (_turn, server, chromium) = opened();
    let link = server.setup.clone().expect("a set-up link");
    let (one, two) = (chromium.profile(), chromium.profile());
    let admin = one.tab(Screen::Desktop, &server.url("/setup"));
    admin.see_text(&by("register-notice"), "not complete");
    admin.js(&format!("location.href = {}", quoted(&link)));
    admin.until("location.pathname === '/setup' && location.hash === ''");
    let mira = fill_in(admin, "mira", "Mira");
    mira.page.click("mode-open");
    mira.page.click("mode-submit");
    mira.page.see("main-menu");

    mira.page.click("new-chat");
    mira.page.click("open-invite");
    let invite = mira.page.until(&format!(
        "document.querySelector({}).value",
        quoted(&by("invite-link"))
    ));
    let invite = invite.as_str().expect("a link");
    let noor = two.tab(Screen::Phone, &server.url("/i"));
    noor.see("invite-broken");
    noor.js(&format!("location.href = {}", quoted(invite)));
    noor.see("invite-register");
    assert_eq!(noor.js("location.hash"), "");
    noor.click("invite-register");
    let noor = fill_in(noor, "noor", "Noor");

    // She lands in the chat of whoever invited her, and both see by what.
    noor.page.see_text(&by("chat-name"), "Mira");
    mira.page.press("Escape", 0);
    mira.page
        .see_text(&by("request-row"), "Came by your invite link");
    let set_up = two.tab(Screen::Desktop, &server.url("/i"));
    set_up.see("main-menu");
    nothing_was_refused(&chromium, &[&mira.page, &noor.page]);
}

#[test]
fn a_used_link_is_listed_as_used_and_told_on_the_first_step() {
    let (_turn, server, chromium) = opened();
    let (one, two, three) = (chromium.profile(), chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.click("settings-invite");
    let link = mira.page.until(&format!(
        "document.querySelector({}).value",
        quoted(&by("invite-link"))
    ));
    let link = link.as_str().expect("a link").to_owned();
    mira.page.press("Escape", 0);
    mira.page.see_text(&by("invite"), "Not used yet");
    mira.page.see("revoke-invite");

    let noor = two.tab(Screen::Desktop, &link);
    noor.click("invite-register");
    fill_in(noor, "noor", "Noor").page.see("main-menu");
    mira.page.click("settings-back");
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.see_text(&by("invite"), "Used.");
    assert_eq!(mira.page.count(&by("revoke-invite")), 0);

    // The server is open: whoever comes second may go on, but not by this link.
    let second = three.tab(Screen::Phone, &link);
    second.click("invite-register");
    second.see_text(&by("form-error"), "was used");
    second.see_text(&by("form-error"), "without it");
    second.fill("register-handle", "lena");
    second.click("register-next");
    offered_words(&second);
    second.click("passphrase-kept");
    second.click("register-next");
    second.see("recovery-key");
    nothing_was_refused(&chromium, &[&mira.page, &second]);
}

#[test]
fn what_is_typed_before_the_core_is_there_is_sent_when_it_comes() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let page = two.empty_tab(Screen::Desktop);
    page.before_scripts(LATE);
    page.goto(&server.url("/"));
    // Six words as a phone writes them.
    let words = mira.passphrase.replace('-', " ");
    let words = format!("{}{} ", words[..1].to_uppercase(), &words[1..]);
    sign_in(&page, "mira", &words);
    page.until(&format!(
        "document.querySelector({}).getAttribute('aria-busy') === 'true'",
        quoted(&by("sign-in-submit"))
    ));
    page.js("window.release()");
    page.see("main-menu");

    // Who was signed in here is not asked for a passphrase meanwhile.
    page.goto(&server.url("/"));
    page.see("splash");
    assert_eq!(page.count(&by("sign-in-form")), 0);
    page.js("window.release()");
    page.see("main-menu");
    nothing_was_refused(&chromium, &[&page]);
}

#[test]
fn a_changed_name_is_said_to_be_saved_and_reaches_whoever_knows_the_old_one() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.fill("settings-alias", "Mira\u{202e}");
    mira.page.click("save-alias");
    mira.page.see_text(&by("alias-error"), "hidden character");
    mira.page
        .fill("settings-alias", "Mira \u{1f469}\u{200d}\u{1f680}");
    mira.page.click("save-alias");
    mira.page.see_text(&by("toast"), "saved");
    jonas
        .page
        .see_text(&by("chat-name"), "Mira \u{1f469}\u{200d}\u{1f680}");
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_printed_recovery_key_says_whose_it_is_and_nothing_else_is_on_the_paper() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let _mira = set_up(&server, &one, Screen::Desktop);
    let page = two.tab(Screen::Desktop, &server.url("/register"));
    page.fill("register-handle", "@Noor");
    page.click("register-next");
    offered_words(&page);
    page.click("passphrase-kept");
    let asks = "(() => { const asked = new Event('beforeunload', { cancelable: true }); \
                window.wantsToBeAsked = true; dispatchEvent(asked); window.wantsToBeAsked = false; \
                return asked.defaultPrevented; })()";
    assert_eq!(page.js(asks), json!(false), "the control");
    page.click("register-next");
    page.see("recovery-key");
    page.see_text(&by("recovery-key-whose"), "Of @noor at");
    assert_eq!(page.js(asks), json!(true));
    page.call("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    let printed = "[...document.querySelectorAll('body *')].filter((it) => it.checkVisibility({ visibilityProperty: true }) && it.childElementCount === 0 && it.textContent.trim() !== '' && !it.closest('.sheet')).map((it) => it.textContent)";
    assert_eq!(page.js(printed), json!([]));
    assert_eq!(
        page.count(&format!("{} li", by("recovery-key"))),
        9,
        "the key is on the paper"
    );
    page.call("Emulation.setEmulatedMedia", json!({ "media": "" }));
    nothing_was_refused(&chromium, &[&page]);
}

#[test]
fn what_keeps_the_core_from_starting_is_told_as_what_it_is() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    for (gone, words) in [
        (
            "Object.defineProperty(window, 'isSecureContext', { value: false })",
            "https://",
        ),
        (
            "Object.defineProperty(navigator, 'cookieEnabled', { value: false })",
            "blocks cookies",
        ),
        ("delete window.WebAssembly", "WebAssembly"),
    ] {
        let page = profile.empty_tab(Screen::Desktop);
        page.before_scripts(gone);
        page.goto(&server.url("/"));
        page.see_text(&by("fatal"), words);
        page.close();
    }
}
