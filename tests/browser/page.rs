//! One tab, driven as a person would: real clicks and keys, and waiting until something is so.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cdp::{Cdp, PATIENCE};

/// How large a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Screen {
    /// 1280 × 800.
    Desktop,
    /// 390 × 844, with touch.
    Phone,
}

/// How long a page may take to load anew before it is asked once more.
const RELOADED: Duration = Duration::from_secs(5);

/// Collects what the policies refuse, from before the first script. Scripts that the integrity policy
/// blocks stand in no console.
/// A test that goes to another page means it, unless it says that it wants to be asked.
const WATCH: &str = "addEventListener('beforeunload', (event) => { if (!window.wantsToBeAsked) event.preventDefault = () => {}; }); \
     window.refused = []; addEventListener('securitypolicyviolation', (event) => \
     window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`)); \
     new ReportingObserver((reports) => { for (const { type, body } of reports) \
     window.refused.push(`${type} ${body.blockedURL}`); }, \
     { types: ['integrity-violation'], buffered: true }).observe();";

/// A tab.
pub(super) struct Page {
    cdp: Rc<RefCell<Cdp>>,
    session: String,
    target: String,
    screen: Screen,
}

/// The CSS selector of a `data-testid`.
pub(super) fn by(testid: &str) -> String {
    format!("[data-testid=\"{testid}\"]")
}

impl Page {
    pub(super) fn new(
        cdp: Rc<RefCell<Cdp>>,
        session: String,
        target: String,
        screen: Screen,
    ) -> Self {
        let page = Self {
            cdp,
            session,
            target,
            screen,
        };
        let (width, height, scale, phone) = match screen {
            Screen::Desktop => (1280, 800, 1, false),
            Screen::Phone => (390, 844, 2, true),
        };
        for (method, params) in [
            ("Runtime.enable", json!({})),
            ("Log.enable", json!({})),
            ("Page.enable", json!({})),
            (
                "Page.addScriptToEvaluateOnNewDocument",
                json!({ "source": WATCH }),
            ),
            ("Emulation.setLocaleOverride", json!({ "locale": "en-GB" })),
            (
                "Emulation.setTouchEmulationEnabled",
                json!({ "enabled": phone }),
            ),
            (
                "Emulation.setFocusEmulationEnabled",
                json!({ "enabled": true }),
            ),
        ] {
            page.call(method, params);
        }
        page.resize(width, height, scale);
        page
    }

    /// Gives the window another size in CSS pixels, as turning a phone or enlarging the page does.
    pub(super) fn resize(&self, width: u32, height: u32, scale: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": scale,
                    "mobile": self.screen == Screen::Phone }),
        );
    }

    /// The size of its window.
    pub(super) fn screen(&self) -> Screen {
        self.screen
    }

    /// Calls the browser for this tab.
    pub(super) fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, params)
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    fn try_call(&self, method: &str, params: Value) -> Result<Value, String> {
        self.cdp.borrow_mut().call(&self.session, method, params)
    }

    /// Runs a script before the page's own ones, from the next load on.
    pub(super) fn before_scripts(&self, source: &str) {
        self.call(
            "Page.addScriptToEvaluateOnNewDocument",
            json!({ "source": source }),
        );
    }

    /// Loads an address and waits until its scripts have run.
    #[track_caller]
    pub(super) fn goto(&self, url: &str) {
        self.call("Page.navigate", json!({ "url": url }));
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// Loads the page again and waits until it is a new one.
    #[track_caller]
    pub(super) fn reload(&self) {
        const DONE: &str = "!window.old && document.readyState === 'complete'";
        self.js("window.old = true");
        self.call("Page.reload", json!({}));
        if self.comes_true(DONE, RELOADED).is_none() {
            // A dialog that closed steps back in the history, which ends a load that has just begun.
            self.call("Page.reload", json!({}));
            self.until(DONE);
        }
    }

    /// Evaluates an expression, waiting for promises.
    #[track_caller]
    pub(super) fn js(&self, expression: &str) -> Value {
        self.try_js(expression)
            .unwrap_or_else(|error| panic!("{expression}: {error}\n{}", self.told()))
    }

    pub(super) fn try_js(&self, expression: &str) -> Result<Value, String> {
        let answer = self.try_call(
            "Runtime.evaluate",
            json!({ "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true }),
        )?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(details["exception"]["description"]
                .as_str()
                .unwrap_or("an exception")
                .to_owned()),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// Waits until an expression is truthy and gives its value.
    #[track_caller]
    pub(super) fn until(&self, expression: &str) -> Value {
        self.comes_true(expression, PATIENCE)
            .unwrap_or_else(|| panic!("it did not come true that {expression}\n{}", self.told()))
    }

    /// Waits so long until an expression is truthy; its value, if it was.
    fn comes_true(&self, expression: &str, patience: Duration) -> Option<Value> {
        let end = Instant::now() + patience;
        // The page looks by itself for a second, so that the socket is not flooded.
        let look = format!(
            "new Promise((done) => {{ const end = performance.now() + 1000; const look = async () => {{ let value; \
             try {{ value = await ({expression}); }} catch {{ value = null; }} \
             if (value || performance.now() > end) done(value ?? null); else setTimeout(look, 15); }}; look(); }})"
        );
        loop {
            match self.try_js(&look) {
                Ok(value) if truthy(&value) => return Some(value),
                // The page may be in between two documents.
                Ok(_) | Err(_) => {}
            }
            if Instant::now() >= end {
                return None;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Waits until something with this test id is on the screen.
    #[track_caller]
    pub(super) fn see(&self, testid: &str) {
        self.until(&format!("({VISIBLE})({})", quoted(&by(testid))));
    }

    /// Waits until nothing with this test id is on the screen.
    #[track_caller]
    pub(super) fn gone(&self, testid: &str) {
        self.until(&format!("!({VISIBLE})({})", quoted(&by(testid))));
    }

    /// Waits until some element that fits `selector` has this text in it.
    #[track_caller]
    pub(super) fn see_text(&self, selector: &str, text: &str) {
        self.until(&format!(
            "[...document.querySelectorAll({})].some((it) => it.checkVisibility() && it.textContent.includes({}))",
            quoted(selector),
            quoted(text)
        ));
    }

    /// The text of the first element with this test id.
    #[track_caller]
    pub(super) fn text(&self, testid: &str) -> String {
        self.until(&format!(
            "document.querySelector({})?.textContent.trim()",
            quoted(&by(testid))
        ))
        .as_str()
        .unwrap_or_default()
        .to_owned()
    }

    /// How many elements fit.
    pub(super) fn count(&self, selector: &str) -> u64 {
        self.js(&format!(
            "document.querySelectorAll({}).length",
            quoted(selector)
        ))
        .as_u64()
        .unwrap_or_default()
    }

    /// Puts the text into a field in place of what was there.
    #[track_caller]
    pub(super) fn fill(&self, testid: &str, text: &str) {
        self.click(testid);
        self.js("document.activeElement.select?.()");
        self.call("Input.insertText", json!({ "text": text }));
        self.until(&format!(
            "document.querySelector({}).value === {}",
            quoted(&by(testid)),
            quoted(text)
        ));
    }

    /// Presses a key such as `Enter`, `ArrowUp` or `k` with `Alt` 1, `Ctrl` 2, `Shift` 8 added up.
    pub(super) fn press(&self, key: &str, modifiers: u8) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "ArrowUp" => 38,
            "ArrowDown" => 40,
            "Tab" => 9,
            "/" => 191,
            other => other
                .to_ascii_uppercase()
                .bytes()
                .next()
                .map_or(0, u32::from),
        };
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({ "type": kind, "key": key, "code": key,
                "windowsVirtualKeyCode": code, "modifiers": modifiers });
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Shows it as if the system asked for this.
    pub(super) fn emulate(&self, scheme: &str) {
        self.emulate_media(&[("prefers-color-scheme", scheme)]);
    }

    /// Shows it as if the system asked for all of these.
    pub(super) fn emulate_media(&self, features: &[(&str, &str)]) {
        let features: Vec<Value> = features
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        );
    }

    /// A picture of the window as PNG.
    pub(super) fn picture(&self) -> Vec<u8> {
        use base64::Engine as _;
        let answer = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let data = answer["data"].as_str().unwrap_or_default();
        base64::engine::general_purpose::STANDARD
            .decode(data)
            .expect("base64")
    }

    /// What the policy refused in this document.
    pub(super) fn refused(&self) -> Vec<String> {
        serde_json::from_value(self.js("window.refused")).unwrap_or_default()
    }

    /// Closes the tab.
    pub(super) fn close(self) {
        let params = json!({ "targetId": self.target });
        let mut cdp = self.cdp.borrow_mut();
        let _ = cdp.call("", "Target.closeTarget", params);
        // It is gone when the browser no longer lists it, not when it says that it will go.
        let end = Instant::now() + PATIENCE;
        while cdp
            .call("", "Target.getTargets", json!({}))
            .is_ok_and(|all| all.to_string().contains(&self.target))
        {
            assert!(Instant::now() < end, "the tab does not close");
        }
    }

    /// What is on the page, for a failed test.
    pub(super) fn told(&self) -> String {
        let text = self
            .try_js("`${location.pathname} ${document.documentElement.dataset.view ?? ''}\\n${document.getElementById('app')?.innerText ?? document.body.innerText}`")
            .unwrap_or_default();
        let consoles: Vec<String> = self
            .cdp
            .borrow_mut()
            .take_events()
            .iter()
            .filter_map(|event| match event["method"].as_str() {
                Some("Log.entryAdded") => Some(event["params"]["entry"]["text"].to_string()),
                Some("Runtime.exceptionThrown") => Some(
                    event["params"]["exceptionDetails"]["exception"]["description"].to_string(),
                ),
                _ => None,
            })
            .collect();
        format!(
            "on the page: {}\nin the consoles: {consoles:#?}",
            text.as_str().unwrap_or_default()
        )
    }
}

/// Whether an element is drawn.
const VISIBLE: &str =
    "(selector) => [...document.querySelectorAll(selector)].some((it) => it.checkVisibility())";

/// As a JavaScript string.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}
