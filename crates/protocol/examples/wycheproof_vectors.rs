//! Writes Wycheproof's vectors, in the shape of `protocol::vectors`, into a folder, so that
//! the same file is checked natively and in WebAssembly.
#![allow(clippy::unwrap_used)]

#[path = "support/wycheproof.rs"]
mod wycheproof;

fn main() -> std::io::Result<()> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    std::fs::create_dir_all(&folder)?;
    for (name, json) in wycheproof::all() {
        std::fs::write(format!("{folder}/{name}.json"), json)?;
    }
    Ok(())
}
