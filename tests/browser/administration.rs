//! Points 2 and 8: the administrator sees security events and no conversations; others see nothing.

use super::chromium::Chromium;
use super::page::{Screen, by, quoted};
use super::people::{befriend, register, set_up, write};
use super::server::Server;
use super::{nothing_was_refused, turn};

#[test]
fn an_administrator_sees_events_and_figures_and_nobody_else_does() {
    let _turn = turn();
    let server = Server::start();
    let chromium = Chromium::start();
    let (one, two) = (chromium.profile(), chromium.profile());
    let mira = set_up(&server, &one, Screen::Desktop);
    let jonas = register(&server, &two, Screen::Desktop, "jonas", "Jonas Weber");
    befriend(&mira, &jonas);
    write(&mira.page, "nobody but you");
    jonas.page.see_text(&by("message-text"), "nobody but you");

    let refused = two.tab(Screen::Desktop, &server.url("/admin"));
    refused.see("problem");
    assert_eq!(
        refused.js("fetch('/api/v1/admin/stats').then((answer) => answer.status)"),
        403
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
    nothing_was_refused(
        &chromium,
        &[&mira.page, &jonas.page, &admin, &refused, &door],
    );
}
