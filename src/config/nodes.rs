//! The nodes of the ephemeral plane, whose addresses may hold passwords.

use zeroize::Zeroizing;

use super::secrets::{SecretError, secret_from_environment};

/// The variable, and its other name.
const NAMES: [&str; 2] = ["VALKEY_URL", "REDIS_URL"];

/// Returns the addresses of the nodes; none where the plane lies in the memory of this process.
///
/// # Errors
/// Both names are set, or one cannot be read.
pub fn plane_nodes() -> Result<Vec<Zeroizing<String>>, SecretError> {
    let [one, other] = NAMES.map(secret_from_environment);
    match (one?, other?) {
        (Some(_), Some(_)) => Err(SecretError::Alias(NAMES[0], NAMES[1])),
        (Some(list), None) | (None, Some(list)) => Ok(addresses(&list)),
        (None, None) => Ok(Vec::new()),
    }
}

/// Splits a list at commas and white space.
fn addresses(list: &str) -> Vec<Zeroizing<String>> {
    let parts = list.split(|letter: char| letter == ',' || letter.is_whitespace());
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(|part| Zeroizing::new(part.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_written_with_commas_or_on_lines_of_their_own() {
        for list in ["valkey://a, valkey://b", "valkey://a\nvalkey://b\n"] {
            let found = addresses(list);
            let found: Vec<&str> = found.iter().map(|it| it.as_str()).collect();
            assert_eq!(found, ["valkey://a", "valkey://b"]);
        }
    }
}
