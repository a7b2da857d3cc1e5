//! The wasm-bindgen shim over the client core.
