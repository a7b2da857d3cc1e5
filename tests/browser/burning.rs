//! Point 5: messages that go when they were read, or when nobody read them.

use super::chromium::Chromium;
use super::page::{Screen, by};
use super::people::{acquainted, choose_timer, no_text, open_chat, sign_in, state, states, write};
use super::server::Server;
use super::{nothing_was_refused, turn};

#[test]
fn messages_burn_on_reading_after_reading_and_unread() {
    let _turn = turn();
    let server = Server::start();
    let chromium = Chromium::start();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);

    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "once only");
    jonas.page.see("reveal");
    no_text(&jonas.page, "once only");
    jonas.page.click("reveal");
    jonas.page.see_text(&by("message-text"), "once only");
    jonas.page.click("hide");
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
    jonas.page.click("main-menu");
    jonas.page.click("menu-sign-out");
    jonas.page.click("confirm-yes");
    jonas.page.see("sign-in-form");
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
