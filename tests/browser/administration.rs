//! Points 2 and 8: the administrator sees security events and no conversations; others see nothing.

use super::chromium::Chromium;
use super::page::{Screen, by, quoted};
use super::people::{acquainted, set_up, state, write};
use super::screenshots::keep;
use super::server::Server;
use super::{nothing_was_refused, opened, turn};

#[test]
fn an_administrator_sees_events_and_figures_and_nobody_else_does() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Desktop)]);
    write(&mira.page, "nobody but you");
    jonas.page.see_text(&by("message-text"), "nobody but you");

    let refused = two.tab(Screen::Desktop, &server.url("/admin"));
    refused.see("problem");
    assert_eq!(
        refused.js("fetch('/api/v1/admin/stats').then((answer) => answer.status)"),
        403
    );

    // It is acknowledged when it was shown, and so is the receipt for it.
    state(&mira.page, "nobody but you", "read");
    mira.page.until(
        "fetch('/api/v1/admin/stats').then((it) => it.json()).then((it) => it.messages_held === 0)",
    );
    let admin = one.tab(Screen::Desktop, &server.url("/admin"));
    admin.see("admin");
    assert_eq!(admin.text("figure-users"), "2");
    assert_eq!(admin.text("figure-messages_held"), "0");
    let body = admin.js("document.body.innerText").to_string();
    assert!(body.contains("jonas"), "who registered is an event");
    assert!(!body.contains("nobody but you"));
    let rows = admin.count(&by("audit-record"));
    assert!(rows >= 3, "only {rows} records");
    // Keys move while everybody goes on.
    admin.see_text(&by("keys-active"), "(local)");
    admin.click("keys-rotate");
    admin.click("confirm-no");
    admin.gone("confirm-dialog");
    admin.click("keys-rotate");
    admin.click("confirm-yes");
    admin.see_text(&by("keys-status"), "The key was replaced");
    admin.click("keys-renew");
    admin.see_text(&by("confirm-dialog"), "sealed anew");
    admin.click("confirm-no");
    admin.gone("confirm-dialog");
    let job = "fetch('/api/v1/admin/keys').then((it) => it.json()).then((it) => it.job.kind)";
    assert_eq!(
        admin.js(job),
        "rewrap",
        "nothing was begun without an answer"
    );
    admin.click("keys-renew");
    admin.click("confirm-yes");
    admin.see_text(&by("keys-status"), "Data keys were renewed");
    write(&mira.page, "after the keys moved");
    jonas
        .page
        .see_text(&by("message-text"), "after the keys moved");

    let refusals = format!(
        "[...document.querySelectorAll({})].filter((it) => /refus|denied|forbidden/i.test(it.textContent)).length",
        quoted(&by("audit-record"))
    );
    assert!(
        admin.js(&refusals).as_u64() >= Some(1),
        "the attempt of somebody else is not in the log"
    );

    admin.fill("filter-user", "jonas");
    admin.click("filter-submit");
    admin.until("location.search.includes('user=jonas') && document.readyState === 'complete'");
    admin.until("location.hash === '#records' && scrollY > 0");
    let others = format!(
        "[...document.querySelectorAll({})].some((it) => it.children[1].textContent !== 'jonas')",
        quoted(&by("audit-record"))
    );
    assert_eq!(admin.js(&others), false);
    assert!(admin.count(&by("audit-record")) >= 1);

    // Administration chooses who may register; a stranger then meets a closed door.
    mira.page.click("main-menu");
    mira.page.click("menu-settings");
    mira.page.click("registration-closed");
    mira.page.until("fetch('/api/v1/server').then((it) => it.json()).then((it) => it.registration === 'closed')");
    let stranger = chromium.profile();
    let door = stranger.tab(Screen::Phone, &server.url("/register"));
    door.see_text(&by("register-notice"), "no new accounts");

    // Whoever goes back to the page after signing out does not see it as it was.
    let signed_out = mira
        .page
        .js("fetch('/api/v1/session', { method: 'DELETE' }).then((it) => it.status)");
    assert_eq!(signed_out, 204);
    admin.js("void dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    admin.gone("admin");
    nothing_was_refused(
        &chromium,
        &[&mira.page, &jonas.page, &admin, &refused, &door],
    );
}

#[test]
fn an_administrator_verifies_the_log_in_place_and_sees_what_was_verified() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let away = format!("file:{}/away/heads", folder.path().display());
    let witnesses = format!(
        "[\"file:{}/heads.ndjson\", \"{away}\"]",
        folder.path().display()
    );
    let server = Server::with(&[("SECURE_MESSAGING_AUDIT_WITNESSES", &witnesses)]);
    let chromium = Chromium::start();
    let one = chromium.profile();
    let mira = set_up(&server, &one, Screen::Desktop);
    let marked = "[...document.querySelectorAll('[data-proved]')].filter((it) => it.checkVisibility()).length";
    for screen in [Screen::Desktop, Screen::Phone] {
        let admin = one.tab(screen, &server.url("/admin"));
        admin.see("audit-proof");
        if screen == Screen::Desktop {
            assert_eq!(admin.js(marked), 0, "nothing was verified yet");
        }
        admin.see_text(&by("audit-witness"), "Not taking heads");
        admin.see_text(&by("audit-witness"), "Up to date");
        admin.click("audit-verify");
        admin.see_text(&by("audit-result"), "Nothing was changed");
        admin.until(&format!("{marked} > 0"));
        admin.reload();
        admin.until(&format!("{marked} > 0"));
        admin.js("document.querySelector('[data-testid=audit-proof]').scrollIntoView()");
        for scheme in ["light", "dark"] {
            super::screenshots::keep(&admin, scheme, &format!("audit-{screen:?}-{scheme}"));
        }
        nothing_was_refused(&chromium, &[&mira.page, &admin]);
        admin.close();
    }
    server.tamper_with_the_log();
    let admin = one.tab(Screen::Desktop, &server.url("/admin"));
    admin.see("audit-proof");
    admin.click("audit-verify");
    admin.see_text(&by("audit-result"), "Record 2 was changed");
    admin.until(&format!("{marked} === 0"));
    super::screenshots::keep(&admin, "light", "audit-tampered");
    nothing_was_refused(&chromium, &[&mira.page, &admin]);
}

#[test]
fn an_auditor_reads_and_verifies_the_log_on_a_page_without_what_changes_anything() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    server.command(&["admin", "promote", "jonas", "--auditor"]);
    // As a person would come to it.
    for (screen, scheme, name) in [
        (Screen::Desktop, "light", "auditor"),
        (Screen::Phone, "dark", "auditor-phone"),
    ] {
        let page = two.tab(screen, &server.url("/admin"));
        page.see("admin");
        page.see("audit-table");
        assert_eq!(page.text("figure-users"), "2");
        for absent in ["keys-rotate", "keys-renew", "admin-keys", "admin-backups"] {
            assert_eq!(page.count(&by(absent)), 0, "{absent}");
        }
        page.click("audit-verify");
        page.until(VERIFIED);
        keep(&page, scheme, name);
        nothing_was_refused(&chromium, &[&page]);
        page.close();
    }
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

/// A record is marked as verified.
const VERIFIED: &str =
    "[...document.querySelectorAll('[data-proved]')].some((it) => it.checkVisibility())";
