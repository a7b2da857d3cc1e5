//! Whether a view is whole at a size: nothing sticks out of the window, nothing scrolls sideways, and pointer and keys
//! get to everything.

use serde_json::json;

use super::page::{Page, Screen, by, quoted};

/// Windows in CSS pixels: a desk at 200 and at 400 %, phones upright, small and held sideways.
const SIZES: [(u32, u32); 5] = [(640, 400), (320, 256), (390, 844), (320, 568), (844, 320)];

/// Where the most has to be scrolled.
const LEAST: (u32, u32) = (320, 256);

/// Brings everything that can be pressed in `root` under the pointer.
#[track_caller]
pub(super) fn all_within_reach(page: &Page, root: &str) {
    page.see(root);
    let all = format!(
        "[...[...document.querySelectorAll({})].at(-1).querySelectorAll('a[href], button, input, textarea, select')]\
         .filter((it) => it.checkVisibility() && !it.disabled)",
        quoted(&by(root))
    );
    let count = page.js(&format!("{all}.length")).as_u64();
    let count = count.unwrap_or_default();
    assert!(count > 0, "nothing can be pressed in {root}");
    for n in 0..count {
        // Controls may be redrawn meanwhile; they are found again by their place.
        let marked = format!(
            "(() => {{ document.querySelectorAll('[data-reach]').forEach((it) => it.removeAttribute('data-reach')); \
             const it = {all}[{n}]; if (it) it.dataset.reach = ''; return it !== undefined; }})()"
        );
        assert_eq!(page.js(&marked), json!(true), "control {n} of {root}");
        page.wheel_to("[data-reach]");
    }
}

/// Goes with Tab from the first of what can be pressed in `root` to the last and back: everything gets the focus, and is
/// on the screen then.
#[track_caller]
fn all_by_keys(page: &Page, root: &str, what: &str) {
    // Of the choices of a group, one is a stop.
    let begun = page.js(&format!(
        "(() => {{ const root = [...document.querySelectorAll({})].at(-1); \
         window.stops = [...root.querySelectorAll('a[href], button, input, textarea, select, [tabindex=\"0\"]')] \
           .filter((it) => it.checkVisibility() && !it.disabled && it.tabIndex >= 0) \
           .filter((it) => it.type !== 'radio' || it.checked || !root.querySelector(`[name=\"${{it.name}}\"]:checked`)); \
         document.activeElement.blur(); stops[0].focus(); return stops.length; }})()",
        quoted(&by(root))
    ));
    let most = 8 * begun.as_u64().unwrap_or_default();
    for (modifiers, end) in [(0, "stops.at(-1)"), (8, "stops[0]")] {
        page.js("window.reached = new Set()");
        for _ in 0..most {
            assert_eq!(page.js(FOCUSED), json!(""), "{what}: out of sight");
            if page.js(&format!("document.activeElement === {end}")) == true {
                break;
            }
            page.press("Tab", modifiers);
        }
        let missing = page
            .js("stops.filter((it) => !reached.has(it)).map((it) => it.outerHTML.slice(0, 160))");
        assert_eq!(missing, json!([]), "{what}: no key leads there");
    }
}

/// What has the focus, if the middle of what is left of it in the window is something else.
const FOCUSED: &str = "(() => { const it = document.activeElement; reached.add(it); \
     const box = it.getBoundingClientRect(); \
     const x = (Math.max(0, box.left) + Math.min(innerWidth, box.right)) / 2; \
     const y = (Math.max(0, box.top) + Math.min(innerHeight, box.bottom)) / 2; \
     const top = document.elementFromPoint(x, y); \
     const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth; \
     return seen && top && (it.contains(top) || top.closest('label')?.contains(it)) ? '' \
       : `${it.outerHTML.slice(0, 160)} at ${x}, ${y}, under ${top?.outerHTML.slice(0, 160)}`; })()";

/// Nothing that is drawn sticks out of the window, no button's text sticks out of the button, and nothing but a table
/// scrolls sideways.
#[track_caller]
pub(super) fn all_fits(page: &Page, what: &str) {
    let out = page.js(
        "[...document.querySelectorAll('button, input, select, textarea, a, p, h1, h2, h3, label, li, dt, dd, dialog, .notice')] \
         .filter((it) => it.checkVisibility() && !it.closest('.visually-hidden, .skip, .table-wrap')) \
         .filter((it) => { const box = it.getBoundingClientRect(); \
           return box.width > 0 && (box.left < -1 || box.right > document.documentElement.clientWidth + 1) \
             || it.matches('button') && it.scrollWidth > it.clientWidth + 1; }) \
         .map((it) => it.outerHTML.slice(0, 160))",
    );
    assert_eq!(out, json!([]), "{what}");
    let sideways = page.js(
        "[document.documentElement, ...document.querySelectorAll('body *')] \
         .filter((it) => it.scrollWidth > it.clientWidth + 1 && !it.matches('.table-wrap, input, textarea')) \
         .filter((it) => it === document.documentElement || ['auto', 'scroll'].includes(getComputedStyle(it).overflowX)) \
         .map((it) => it.outerHTML.slice(0, 160))",
    );
    assert_eq!(sideways, json!([]), "{what}");
    // The chats fill the window: what gets the focus there never moves the page.
    let moved = page.js(
        "(() => { const app = document.querySelector('.app'); return [scrollX, app ? scrollY : 0, app?.scrollTop ?? 0]; })()",
    );
    assert_eq!(moved, json!([0, 0, 0]), "{what}");
}

/// Looks at a view at every size, and leaves it at the window's own.
#[track_caller]
pub(super) fn whole_at_every_size(page: &Page, root: &str, what: &str) {
    page.see(root);
    for (width, height) in SIZES {
        page.resize(width, height, 1);
        page.until(&format!(
            "document.documentElement.clientHeight === {height}"
        ));
        let what = format!("{what}, {width} × {height}");
        all_fits(page, &what);
        all_by_keys(page, root, &what);
        if (width, height) == LEAST {
            all_within_reach(page, root);
        }
    }
    match page.screen() {
        Screen::Desktop => page.resize(1280, 800, 1),
        Screen::Phone => page.resize(390, 844, 2),
    }
}
