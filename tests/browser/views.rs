//! The views beside the chat are whole at any size: the way in, settings, administration, and their questions.

use super::chromium::Chromium;
use super::page::{Screen, by, quoted};
use super::people::{confirm_recovery_key, offered_words, set_up};
use super::server::Server;
use super::sizes::whole_at_every_size;
use super::{nothing_was_refused, opened, turn};

#[test]
fn the_way_in_is_whole_at_any_size() {
    let (_turn, server, chromium) = opened();
    let profile = chromium.profile();
    let link = server.setup.clone().expect("a set-up link");
    let page = profile.tab(Screen::Phone, &server.url(&link));
    page.see("register-form");
    whole_at_every_size(&page, "app", "a name");
    page.fill("register-handle", "mira");
    page.click("register-next");
    offered_words(&page);
    whole_at_every_size(&page, "app", "six words");
    page.click("passphrase-own");
    page.fill("own-passphrase", "hunter2");
    page.see_text(&by("passphrase-strength"), "Weak");
    page.click("own-show");
    page.fill("again-passphrase", "hunter2");
    page.click("register-next");
    page.see("passphrase-anyway");
    whole_at_every_size(&page, "app", "a passphrase of one's own");
    page.click("passphrase-offered");
    page.click("passphrase-kept");
    page.click("register-next");
    page.see("recovery-key");
    whole_at_every_size(&page, "app", "the recovery key");
    confirm_recovery_key(&page);
    page.see("mode-form");
    whole_at_every_size(&page, "app", "who may register");
    page.click("mode-submit");
    page.see("main-menu");
    page.click("lock-button");
    page.see("lock-screen");
    whole_at_every_size(&page, "lock-screen", "locked");
    page.click("lock-sign-out");
    page.see("signed-out-notice");
    whole_at_every_size(&page, "app", "signed out");

    let made_up = format!(
        "/i#{}.{}.{}",
        "a".repeat(32),
        "b".repeat(32),
        "c".repeat(64)
    );
    for (path, root, seen) in [
        ("/recover", "app", "recover-form"),
        ("/i", "app", "invite-broken"),
        (made_up.as_str(), "app", "invite-register"),
        ("/nothing-is-here", "problem", "problem"),
    ] {
        page.goto(&server.url("/"));
        page.goto(&server.url(path));
        page.see(seen);
        whole_at_every_size(&page, root, path);
    }
    nothing_was_refused(&chromium, &[&page]);
}

#[test]
fn settings_administration_and_their_questions_are_whole_at_any_size() {
    let _turn = turn();
    let folder = tempfile::tempdir().expect("a folder");
    let target = format!("file:{}/backups", folder.path().display());
    std::fs::create_dir(folder.path().join("backups")).expect("a folder");
    let away = format!("file:{}/away/heads", folder.path().display());
    let server = Server::with(&[
        ("SECURE_MESSAGING_BACKUP_TARGET", &target),
        ("BACKUP_KEY", &"0123456789abcdef".repeat(4)),
        ("SECURE_MESSAGING_AUDIT_WITNESSES", &format!("[\"{away}\"]")),
    ]);
    let chromium = Chromium::start();
    let profile = chromium.profile();
    let mira = set_up(&server, &profile, Screen::Desktop);
    let page = &mira.page;
    page.click("main-menu");
    page.click("menu-settings");
    page.see("session");
    page.click("settings-invite");
    page.until(&format!(
        "document.querySelector({}).value !== ''",
        quoted(&by("invite-link"))
    ));
    page.press("Escape", 0);
    page.see_text(&by("invite"), "Not used yet");
    whole_at_every_size(page, "settings", "settings");
    for (button, dialog) in [
        ("new-identity", "prove-dialog"),
        ("settings-sign-out", "confirm-dialog"),
    ] {
        page.click(button);
        whole_at_every_size(page, dialog, button);
        page.press("Escape", 0);
        page.gone(dialog);
    }

    let admin = profile.tab(Screen::Desktop, &server.url("/admin"));
    admin.see("backup");
    admin.see_text(&by("audit-witness"), "Not taking heads");
    admin.click("audit-verify");
    admin.see_text(&by("audit-result"), "Nothing was changed");
    whole_at_every_size(&admin, "admin", "administration");
    admin.click("keys-renew");
    whole_at_every_size(&admin, "confirm-dialog", "a question of administration");
    admin.press("Escape", 0);
    admin.gone("confirm-dialog");
    nothing_was_refused(&chromium, &[page, &admin]);
}
