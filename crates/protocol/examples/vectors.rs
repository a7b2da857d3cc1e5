//! Prints the protocol's own vectors as JSON; they are kept in `crates/protocol/vectors/`.

fn main() -> Result<(), String> {
    print!("{}", protocol::vectors::produce(1)?);
    Ok(())
}
