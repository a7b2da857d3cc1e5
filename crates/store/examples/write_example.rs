//! Writes `secure_messaging.db.example` anew: `cargo run -p store --example write_example`.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../secure_messaging.db.example");
    match store::example::write(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the example was not written: {error}");
            ExitCode::FAILURE
        }
    }
}
