//! What can be pressed is on the screen and under the pointer, however small the window or large the page.

use super::page::{Page, Screen, by, quoted};
use super::people::{acquainted, choose_timer, open_chat, write};
use super::sizes::{all_fits, all_within_reach};
use super::{nothing_was_refused, opened};

/// Windows in CSS pixels: desks at 100, 200 and 400 %, phones upright, small and held sideways.
const DESKS: [(u32, u32); 3] = [(1280, 800), (640, 400), (320, 256)];
const PHONES: [(u32, u32); 3] = [(390, 844), (320, 568), (844, 320)];

fn every_control(page: &Page, sizes: [(u32, u32); 3]) {
    for (width, height) in sizes {
        page.resize(width, height, 1);
        let what = format!("{width} × {height}");
        all_within_reach(page, "conversation");
        all_fits(page, &what);

        page.click("toggle-details");
        page.until(&format!(
            "document.querySelector({})?.naturalWidth > 0",
            quoted(&format!("{} img", by("safety-qr")))
        ));
        all_within_reach(page, "details");
        for _ in 0..24 {
            page.press("Tab", 0);
        }
        all_fits(page, &what);
        page.press("Escape", 0);
        page.gone("details");

        page.click("timer-chip");
        all_within_reach(page, "timer-menu");
        all_fits(page, &what);
        page.press("Escape", 0);
        page.gone("timer-menu");

        let one_pane = width < 700;
        if one_pane {
            page.click("back");
        }
        page.click("main-menu");
        all_within_reach(page, "menu");
        all_fits(page, &what);
        page.press("Escape", 0);
        page.gone("menu");
        page.wheel_to(&by("chat-row"));
        for (dialog, open) in [
            ("new-chat-dialog", ("new-chat", None)),
            ("invite-dialog", ("new-chat", Some("open-invite"))),
        ] {
            page.click(open.0);
            if let Some(next) = open.1 {
                page.click(next);
            }
            all_within_reach(page, dialog);
            all_fits(page, &what);
            page.press("Escape", 0);
            page.gone(dialog);
        }
        page.press("/", 2);
        all_within_reach(page, "shortcuts-dialog");
        all_fits(page, &what);
        page.press("Escape", 0);
        page.gone("shortcuts-dialog");
        open_chat(
            page,
            if page.count("[data-handle=mira]") > 0 {
                "mira"
            } else {
                "jonas"
            },
        );
    }
}

#[test]
fn every_control_of_a_chat_is_under_the_pointer_at_any_size() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    for n in 1..=6 {
        write(
            &mira.page,
            &format!("line {n}, with https://example.org/{n} in it"),
        );
    }
    choose_timer(&mira.page, "burn-on_read");
    write(&mira.page, "something that burns");
    jonas.page.see("reveal");
    every_control(&mira.page, DESKS);
    every_control(&jonas.page, PHONES);
    nothing_was_refused(&chromium, &[&mira.page, &jonas.page]);
}

#[test]
fn a_menu_stays_in_the_window_when_that_changes_its_size() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [_, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    let page = &jonas.page;
    let inside = "(() => { const box = document.querySelector('.menu').getBoundingClientRect(); \
         return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth; })()";
    page.click("timer-chip");
    page.see("timer-menu");
    for (width, height) in [(390, 420), (844, 390), (320, 256), (390, 844)] {
        page.resize(width, height, 1);
        page.until(&format!("innerHeight === {height} && {inside}"));
        assert_eq!(page.count(&by("timer-menu")), 1);
    }
    page.resize(844, 320, 1);
    page.click("life-604800");
    page.click("burn-on_read");
    page.press("Escape", 0);
    let chosen = format!(
        "document.querySelector({}).dataset",
        quoted(&by("timer-chip"))
    );
    assert_eq!(page.js(&format!("{chosen}.life")), "604800");
    assert_eq!(page.js(&format!("{chosen}.value")), "on_read");
    nothing_was_refused(&chromium, &[page]);
}

#[test]
fn a_control_out_of_reach_is_noticed() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, _] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    mira.page.click("toggle-details");
    mira.page.see("details");
    mira.page.wheel_to(&by("block-contact"));
    // The control: a pane that does not scroll, and something on top.
    mira.page
        .js("document.querySelector('.details__body').scrollTop = 0");
    mira.page
        .js("document.querySelector('.details__body').style.overflow = 'hidden'");
    let unreachable =
        |run: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err();
    assert!(unreachable(&|| {
        mira.page.wheel_to(&by("block-contact"));
    }));
    mira.page
        .js("document.querySelector('.details__body').style.overflow = ''");
    assert!(unreachable(&|| mira.page.click_in_sight("block-contact")));
    mira.page.click_in_sight("close-details");
    mira.page.gone("details");
}

#[test]
fn forced_colours_leave_the_state_of_everything_to_be_seen() {
    let (_turn, server, chromium) = opened();
    let (one, two) = (chromium.profile(), chromium.profile());
    let [mira, jonas] = acquainted(&server, [(&one, Screen::Desktop), (&two, Screen::Phone)]);
    write(&mira.page, "mine");
    jonas.page.see_text(&by("message-text"), "mine");
    write(&jonas.page, "yours");
    mira.page.see_text(&by("message-text"), "yours");
    let page = &mira.page;
    page.emulate_media(&[
        ("forced-colors", "active"),
        ("prefers-color-scheme", "dark"),
    ]);
    page.click("toggle-details");
    page.see("chat-muted");
    // As a person sees it: borders and backgrounds, not names of states.
    let look = |selector: &str| {
        page.js(&format!(
            "(() => {{ const it = document.querySelector({}); const style = getComputedStyle(it); \
             return [style.backgroundColor, style.borderColor, style.borderWidth, style.outlineStyle].join(); }})()",
            quoted(selector)
        ))
    };
    let switch = by("chat-muted");
    let off = look(&switch);
    page.click("chat-muted");
    page.until(&format!(
        "document.querySelector({}).checked",
        quoted(&switch)
    ));
    page.until("document.getAnimations().every((it) => it.playState !== 'running')");
    assert_ne!(look(&switch), off, "a switch");
    page.click("close-details");
    page.click("timer-chip");
    page.see("timer-menu");
    assert_ne!(
        look(".timers__grid label:has(:checked)"),
        look(".timers__grid label:not(:has(:checked))"),
        "a choice"
    );
    page.press("Escape", 0);
    assert_ne!(
        look(".msg--own .bubble"),
        look(".msg:not(.msg--own) .bubble"),
        "whose a message is"
    );
    let open = look(".chat-row[aria-current=true]");
    page.js("document.querySelector('.chat-row').removeAttribute('aria-current')");
    assert_ne!(look(".chat-row"), open, "the open chat");
}
