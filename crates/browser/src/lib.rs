//! The wasm-bindgen shim over the client core: it translates, and decides nothing.
//!
//! Every call hands one [`Input`] to the core and gives its [`Output`]s back as an array of plain
//! objects with the tag `o`; `static/js/core/host.js` carries them out.
#![forbid(unsafe_code)]

mod output;

use client::{Config, Core, Input};
use js_sys::Array;
use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

/// One client core for all tabs of a browser.
#[wasm_bindgen]
#[derive(Debug)]
pub struct BrowserCore {
    core: Core,
}

#[wasm_bindgen]
impl BrowserCore {
    /// A core for the page with this origin, such as `https://chat.example`; it knows nothing yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(origin: String) -> Self {
        #[cfg(target_arch = "wasm32")]
        protocol::normal::set_host(|text| js_sys::JsString::from(text).normalize("NFC").into());
        Self {
            core: Core::new(Config { origin }, Box::new(ambient::Rng::system())),
        }
    }

    /// A tab's command, as JSON.
    ///
    /// # Errors
    /// Text that is no command.
    pub fn command(&mut self, json: String, now: f64) -> Result<Array, JsError> {
        let json = Zeroizing::new(json);
        let command = serde_json::from_str(&json).map_err(|_| JsError::new("not a command"))?;
        Ok(self.tell(Input::Command(command), now))
    }

    /// The answer to an `http` output.
    pub fn http(&mut self, id: f64, status: u16, body: Vec<u8>, now: f64) -> Array {
        let id = whole(id);
        self.tell(Input::Http { id, status, body }, now)
    }

    /// An `http` output that got no answer.
    pub fn http_failed(&mut self, id: f64, now: f64) -> Array {
        self.tell(Input::HttpFailed { id: whole(id) }, now)
    }

    /// A binary message came; an empty one in the place of a message of text.
    pub fn socket_frame(&mut self, bytes: Vec<u8>, now: f64) -> Array {
        self.tell(Input::SocketFrame(bytes), now)
    }

    /// The socket was closed, or could not be opened.
    pub fn socket_closed(&mut self, code: u16, now: f64) -> Array {
        self.tell(Input::SocketClosed { code }, now)
    }

    /// The time of a `wake_at` output has come.
    pub fn tick(&mut self, now: f64) -> Array {
        self.tell(Input::Tick, now)
    }

    /// The answer to a `load` output.
    pub fn stored(&mut self, key: String, value: Option<Vec<u8>>, now: f64) -> Array {
        let value = value.map(Zeroizing::new);
        self.tell(Input::Stored { key, value }, now)
    }

    /// The sealed bytes of the last `wiped` output, for a core that knows nothing yet.
    pub fn unsent(&mut self, sealed: Vec<u8>, now: f64) -> Array {
        self.tell(Input::Unsent(Zeroizing::new(sealed)), now)
    }

    fn tell(&mut self, input: Input, now: f64) -> Array {
        self.core
            .handle(input, whole(now))
            .into_iter()
            .map(output::object)
            .collect()
    }
}

/// The linear memory, so that the worker can fill all of it with zeros after a lock.
#[wasm_bindgen]
#[must_use]
pub fn linear_memory() -> JsValue {
    wasm_bindgen::memory()
}

/// Checks a file of the protocol's vectors in this very WebAssembly; gives how many hold. The bundle
/// leaves it out.
///
/// # Errors
/// Names the first vector that does not hold.
#[wasm_bindgen]
pub fn run_vectors(json: &str) -> Result<usize, JsError> {
    protocol::vectors::run(json).map_err(|error| JsError::new(&error))
}

/// The protocol's own vectors of a seed, made in this very WebAssembly. The bundle leaves it out.
///
/// # Errors
/// Names what could not be made.
#[wasm_bindgen]
pub fn produce_vectors(seed: u32) -> Result<String, JsError> {
    protocol::vectors::produce(seed.into()).map_err(|error| JsError::new(&error))
}

/// JavaScript's only number as a whole one; below zero and not-a-number become 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: f64) -> u64 {
    number as u64
}
