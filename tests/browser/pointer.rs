//! A person's pointer: it hits what is on the screen and nothing else. What is further down in a pane is
//! reached by turning the wheel over that pane, and only where the pane scrolls.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cdp::PATIENCE;
use super::page::{Page, by, quoted};

/// How long something may move, or be covered by what is just going, before it counts as out of reach.
const STEADY: Duration = Duration::from_secs(4);

impl Page {
    /// Clicks the middle of what has this test id, turning the wheel where that is needed.
    #[track_caller]
    pub(super) fn click(&self, testid: &str) {
        self.click_on(&by(testid));
    }

    /// Clicks the middle of what fits the selector, turning the wheel where that is needed.
    #[track_caller]
    pub(super) fn click_on(&self, selector: &str) {
        let end = Instant::now() + PATIENCE;
        let mut place = self.wheel_to(selector);
        self.point(&place);
        // What is still being filled in may move on just before the click.
        while self.where_is(selector) != place {
            assert!(Instant::now() < end, "{selector} does not stand still");
            place = self.wheel_to(selector);
            self.point(&place);
        }
        self.press_button(&place);
    }

    /// Clicks the middle of what has this test id as it is on the screen now: scrolls nothing, and fails when the
    /// middle is not visible or something else is hit there.
    #[track_caller]
    pub(super) fn click_in_sight(&self, testid: &str) {
        let end = Instant::now() + STEADY;
        loop {
            let place = self.where_is(&by(testid));
            if place["is"] == "there" {
                self.point(&place);
                self.press_button(&place);
                return;
            }
            assert!(
                Instant::now() < end,
                "{testid} cannot be clicked as it is: {place}\n{}",
                self.told()
            );
            std::thread::park_timeout(Duration::from_millis(15));
        }
    }

    /// Turns the wheel over the panes around an element until its middle can be hit; says where that is.
    #[track_caller]
    pub(super) fn wheel_to(&self, selector: &str) -> Value {
        let mut end = Instant::now() + PATIENCE;
        let mut covered = None;
        loop {
            let place = self.where_is(selector);
            let pane = place["pane"].is_object().then_some(&place["pane"]);
            match (place["is"].as_str(), pane) {
                (Some("there"), _) => return place,
                (Some("outside"), Some(pane)) => self.wheel(pane),
                // Nothing that scrolls leads to it.
                (Some("outside"), None) => end = end.min(Instant::now() + STEADY),
                // A passing line goes by itself; from under what stays the wheel leads away.
                (Some("covered"), Some(pane)) => {
                    let since = *covered.get_or_insert_with(Instant::now);
                    if since.elapsed() > STEADY {
                        self.wheel(pane);
                    }
                }
                _ => covered = None,
            }
            assert!(
                Instant::now() < end,
                "no pointer reaches {selector}: {place}\n{}",
                self.told()
            );
            std::thread::park_timeout(Duration::from_millis(15));
        }
    }

    fn wheel(&self, pane: &Value) {
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": "mouseWheel", "x": pane["x"], "y": pane["y"],
                    "deltaX": 0, "deltaY": pane["by"] }),
        );
        self.js(SETTLED);
    }

    fn where_is(&self, selector: &str) -> Value {
        // The page may be in between two documents.
        self.try_js(&format!("({WHERE})({})", quoted(selector)))
            .unwrap_or_default()
    }

    fn point(&self, place: &Value) {
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": "mouseMoved", "x": place["x"], "y": place["y"] }),
        );
    }

    fn press_button(&self, place: &Value) {
        self.button("mousePressed", place);
        self.button("mouseReleased", place);
    }

    /// Presses the button over what fits the selector, lets `between` happen, and releases it there.
    #[track_caller]
    pub(super) fn click_while(&self, selector: &str, between: impl FnOnce()) {
        let place = self.wheel_to(selector);
        self.point(&place);
        self.button("mousePressed", &place);
        between();
        self.button("mouseReleased", &place);
    }

    fn button(&self, kind: &str, place: &Value) {
        self.call(
            "Input.dispatchMouseEvent",
            json!({ "type": kind, "x": place["x"], "y": place["y"],
                    "button": "left", "clickCount": 1 }),
        );
    }
}

/// Where an element is for a pointer: `there` and steady, or why not. Where a pane around it scrolls, also where to
/// turn the wheel and by how much.
const WHERE: &str = "(selector) => { \
    const it = [...document.querySelectorAll(selector)].find((one) => one.checkVisibility()); \
    if (!it) return { is: 'absent' }; \
    if (it.disabled) return { is: 'disabled' }; \
    const box = it.getBoundingClientRect(); \
    const x = box.left + box.width / 2; const y = box.top + box.height / 2; \
    const top = document.elementFromPoint(x, y); \
    if (top && (it.contains(top) || top.closest('label')?.contains(it))) { \
      const before = window.placed; const now = performance.now(); \
      if (before && before.it === it && before.x === x && before.y === y) return now - before.since > 50 ? { is: 'there', x, y } : { is: 'new' }; \
      window.placed = { it, x, y, since: now }; return { is: 'new' }; } \
    for (let pane = it.parentElement; pane; pane = pane.parentElement) { \
      const page = pane === document.scrollingElement; \
      const style = getComputedStyle(pane); \
      const scrolls = page ? !['hidden', 'clip'].includes(style.overflowY) : ['auto', 'scroll'].includes(style.overflowY); \
      if (!scrolls || pane.scrollHeight <= pane.clientHeight) continue; \
      const seen = page ? { left: 0, top: 0, right: innerWidth, bottom: innerHeight } : pane.getBoundingClientRect(); \
      const left = Math.max(0, seen.left), right = Math.min(innerWidth, seen.right); \
      const upper = Math.max(0, seen.top), lower = Math.min(innerHeight, seen.bottom); \
      const middle = { x: (left + right) / 2, y: (upper + lower) / 2 }; \
      const turn = Math.round(y - middle.y); \
      const end = turn < 0 ? pane.scrollTop <= 0 : pane.scrollTop + pane.clientHeight >= pane.scrollHeight - 1; \
      const over = document.elementFromPoint(middle.x, middle.y); \
      if (turn === 0 || end || !over || !pane.contains(over)) continue; \
      const inside = x >= left && x <= right && y >= upper && y <= lower; \
      return { is: inside ? 'covered' : 'outside', x, y, by: top?.outerHTML.slice(0, 120), \
        pane: { ...middle, by: Math.max(-400, Math.min(400, turn)) } }; } \
    return { is: x < 0 || y < 0 || x > innerWidth || y > innerHeight ? 'outside' : 'covered', x, y, by: top?.outerHTML.slice(0, 120) }; }";

/// Until nothing scrolls any more.
const SETTLED: &str = "new Promise((done) => { const all = () => [...document.querySelectorAll('*')].map((it) => it.scrollTop).join(); \
    let before = all(); let same = 0; const look = () => { const now = all(); same = now === before ? same + 1 : 0; before = now; \
    if (same >= 3) done(true); else setTimeout(look, 20); }; setTimeout(look, 20); })";
