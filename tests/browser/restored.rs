//! A server that came out of a backup: the browser asks its owner.

use super::chromium::Chromium;
use super::page::{Page, Screen, by, quoted};
use super::people::{set_up, sign_in};
use super::server::Server;
use super::{nothing_was_refused, turn};

fn unlock(page: &Page, passphrase: &str) {
    page.see("lock-screen");
    page.fill("unlock-passphrase", passphrase);
    page.click("unlock-submit");
}

#[test]
fn a_browser_that_remembers_more_asks_its_owner_about_a_restore() {
    let _turn = turn();
    let backups = tempfile::tempdir().unwrap();
    let target = format!("file:{}", backups.path().display());
    let mut server = Server::with(&[
        ("SECURE_MESSAGING_BACKUP_TARGET", &target),
        ("BACKUP_KEY", &"0123456789abcdef".repeat(4)),
    ]);
    let chromium = Chromium::start();
    let one = chromium.profile();
    let mira = set_up(&server, &one, Screen::Desktop);
    let admin = one.tab(Screen::Desktop, &server.url("/admin"));
    admin.see_text(&by("backups-about"), "Backups go to file:");
    // The server makes its first one by itself, perhaps before anybody had an account.
    let rows = by("backup");
    let before = admin.count(&rows);
    admin.click("backups-now");
    let more = format!(
        "document.querySelectorAll({}).length > {before}",
        quoted(&rows)
    );
    admin.until(&more);
    admin.close();

    server.put_back(&target);
    server.start_again();
    // Sessions ended with the restore; the browser stays the same.
    mira.page.see("sign-in-form");
    sign_in(&mira.page, &mira.handle, &mira.passphrase);
    mira.page.see("restored");
    mira.page
        .see_text(&by("restored-text"), "restored from a backup");
    // Whoever does not believe it is where they were.
    mira.page.click("restored-decline");
    unlock(&mira.page, &mira.passphrase);
    mira.page.see("restored-at");
    mira.page.click("restored-accept");
    mira.page.see("main-menu");
    nothing_was_refused(&chromium, &[&mira.page]);
}
