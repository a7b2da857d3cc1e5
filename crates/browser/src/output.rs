//! The core's wishes as objects that JavaScript reads.

use client::{Output, Unsent};
use js_sys::{Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

/// One output: `{o: "http", id: 1, method: "GET", …}`.
pub(crate) fn object(output: Output) -> JsValue {
    match output {
        Output::Http {
            id,
            method,
            path,
            content_type,
            body,
        } => tagged(
            "http",
            &[
                #[expect(clippy::cast_precision_loss)]
                ("id", JsValue::from(id as f64)),
                ("method", JsValue::from(method)),
                ("path", JsValue::from(path)),
                ("content_type", JsValue::from(content_type)),
                ("body", bytes(&body)),
            ],
        ),
        Output::SocketConnect { live_id } => {
            tagged("socket_connect", &[("live_id", JsValue::from(live_id))])
        }
        Output::SocketFrame(frame) => tagged("socket_frame", &[("data", bytes(&frame))]),
        Output::SocketDisconnect => tagged("socket_disconnect", &[]),
        Output::Store { key, value, sealed } => tagged(
            "store",
            &[
                ("key", JsValue::from(key)),
                ("value", bytes(&value)),
                ("sealed", JsValue::from(sealed)),
            ],
        ),
        Output::Load { key, sealed } => tagged(
            "load",
            &[
                ("key", JsValue::from(key)),
                ("sealed", JsValue::from(sealed)),
            ],
        ),
        Output::Erase { key } => tagged("erase", &[("key", JsValue::from(key))]),
        #[expect(clippy::cast_precision_loss)]
        Output::WakeAt(ms) => tagged("wake_at", &[("ms", JsValue::from(ms as f64))]),
        Output::Wiped { unsent } => {
            let sealed = unsent.as_ref().map_or(&[][..], Unsent::as_bytes);
            tagged("wiped", &[("unsent", bytes(sealed))])
        }
        Output::Event(event) => {
            // Straight to text: the worker hands it on without reading it.
            let json = Zeroizing::new(serde_json::to_string(&event).unwrap_or_default());
            tagged("event", &[("json", JsValue::from(json.as_str()))])
        }
    }
}

fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

fn tagged(tag: &str, fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    let set = |name: &str, value: &JsValue| {
        // Setting a field of a fresh, ordinary object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from(name), value);
    };
    set("o", &JsValue::from(tag));
    for (name, value) in fields {
        set(name, value);
    }
    object.into()
}
