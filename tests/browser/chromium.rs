//! One Chromium with any number of profiles that know nothing of each other.

use std::cell::RefCell;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cdp::{Cdp, PATIENCE};
use super::page::{Page, Screen};

const FLAGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
];

/// A running browser; it ends with this value.
pub(super) struct Chromium {
    child: Child,
    cdp: Rc<RefCell<Cdp>>,
    folder: tempfile::TempDir,
}

impl Chromium {
    /// Starts one with a fresh folder.
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = std::env::var_os("SECURE_MESSAGING_TEST_CHROMIUM_HEADLESS_SHELL")
            .map_or_else(|| PathBuf::from("chromium-headless-shell"), PathBuf::from);
        let data = folder.path().join("data");
        let child = Command::new(&program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", data.display()))
            .env("TMPDIR", folder.path())
            // Its helpers end with it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} does not start ({error}); run cargo xtask test",
                    program.display()
                )
            });
        let port = data.join("DevToolsActivePort");
        let end = Instant::now() + PATIENCE;
        let (port, path) = loop {
            let text = std::fs::read_to_string(&port).unwrap_or_default();
            if let Some((port, path)) = text.split_once('\n')
                && let Ok(port) = port.parse()
                && !path.is_empty()
            {
                break (port, path.trim().to_owned());
            }
            assert!(Instant::now() < end, "Chromium did not open its port");
            std::thread::park_timeout(Duration::from_millis(20));
        };
        let mut cdp = Cdp::connect(port, &path);
        // Workers write what the policy refused them into their own consoles.
        cdp.call(
            "",
            "Target.setAutoAttach",
            json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true,
                    "filter": [{ "type": "shared_worker" }, { "type": "worker" }] }),
        )
        .expect("auto attach");
        Self {
            child,
            cdp: Rc::new(RefCell::new(cdp)),
            folder,
        }
    }

    /// A new profile: its own cookies, storage and workers.
    pub(super) fn profile(&self) -> Profile {
        let answer = self
            .cdp
            .borrow_mut()
            .call("", "Target.createBrowserContext", json!({}))
            .expect("a profile");
        Profile {
            cdp: Rc::clone(&self.cdp),
            id: answer["browserContextId"]
                .as_str()
                .expect("an id")
                .to_owned(),
        }
    }

    /// The value of an expression in each worker of all profiles.
    pub(super) fn in_workers(&self, expression: &str) -> Vec<Value> {
        let mut cdp = self.cdp.borrow_mut();
        let mut values = Vec::new();
        for worker in cdp.workers() {
            let answer = cdp.call(
                &worker,
                "Runtime.evaluate",
                json!({ "expression": expression, "returnByValue": true }),
            );
            // A worker may have ended in between.
            let Ok(answer) = answer else { continue };
            values.push(answer["result"]["value"].clone());
        }
        values
    }

    /// The addresses that the workers of all profiles have fetched.
    pub(super) fn fetched_by_workers(&self) -> Vec<String> {
        let list = "performance.getEntriesByType('resource').map((it) => it.name)";
        let fetched = self.in_workers(list).into_iter();
        fetched
            .filter_map(|names| serde_json::from_value::<Vec<String>>(names).ok())
            .flatten()
            .collect()
    }

    /// What pages and workers wrote into their consoles that names the content security policy.
    pub(super) fn refused_by_policy(&self) -> Vec<String> {
        let mut cdp = self.cdp.borrow_mut();
        // A call in between reads everything that is still on its way.
        let _ = cdp.call("", "Browser.getVersion", json!({}));
        cdp.take_events()
            .iter()
            .filter(|event| event["method"] == "Log.entryAdded")
            .filter_map(|event| event["params"]["entry"]["text"].as_str())
            .filter(|text| {
                text.contains("Content Security Policy") || text.contains("Integrity-Policy")
            })
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.cdp.borrow_mut().call("", "Browser.close", json!({}));
        let group = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = self.child.wait();
        // A helper that is still ending may write once more.
        let end = Instant::now() + Duration::from_secs(2);
        while std::fs::remove_dir_all(self.folder.path()).is_err() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

/// One person's browser.
pub(super) struct Profile {
    cdp: Rc<RefCell<Cdp>>,
    id: String,
}

impl Profile {
    /// Opens a tab of this size.
    pub(super) fn tab(&self, screen: Screen, url: &str) -> Page {
        let page = self.empty_tab(screen);
        page.goto(url);
        page
    }

    /// Opens a tab that shows nothing yet.
    pub(super) fn empty_tab(&self, screen: Screen) -> Page {
        let mut cdp = self.cdp.borrow_mut();
        let target = cdp
            .call(
                "",
                "Target.createTarget",
                json!({ "url": "about:blank", "browserContextId": self.id }),
            )
            .expect("a tab");
        let target = target["targetId"].as_str().expect("an id").to_owned();
        let attached = cdp
            .call(
                "",
                "Target.attachToTarget",
                json!({ "targetId": target, "flatten": true }),
            )
            .expect("a session");
        let session = attached["sessionId"].as_str().expect("an id").to_owned();
        drop(cdp);
        Page::new(Rc::clone(&self.cdp), session, target, screen)
    }
}
