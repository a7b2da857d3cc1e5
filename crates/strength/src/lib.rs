//! How strong a passphrase is, in bits.
//!
//! A crate of its own because of the estimator's words: the browser loads them as a second WebAssembly
//! module, and only where somebody types a passphrase of their own. Nothing is refused by strength; the
//! interface warns.
#![forbid(unsafe_code)]

mod advice;
#[cfg(test)]
mod agreement;
#[cfg(target_arch = "wasm32")]
mod browser;
mod dictionary;
mod estimate;
mod guesses;
mod matching;
mod words;

use dictionary::Dictionary;
use protocol::passphrase::{self, BITS_PER_WORD, WARN_BELOW_BITS};

/// What a passphrase is worth.
#[cfg_attr(
    target_arch = "wasm32",
    wasm_bindgen::prelude::wasm_bindgen(getter_with_clone)
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// Estimated strength in whole bits; exact for words of our own list.
    pub bits: u32,
    /// Whether people are warned: under 70 bits.
    pub weak: bool,
    /// Advice for people; what makes a weak one strong is always in it.
    pub advice: String,
}

/// Measures what has been typed until now.
///
/// Copies that the estimator makes on the way are not overwritten: the browser overwrites the
/// module's whole memory soon after.
#[must_use]
pub fn measure(passphrase: &str) -> Strength {
    #[cfg(target_arch = "wasm32")]
    protocol::normal::set_host(|text| js_sys::JsString::from(text).normalize("NFC").into());
    let prepared = passphrase::prepare(passphrase);
    let passphrase = prepared.as_str();
    // Words of our own list are counted exactly; the estimator would call them common.
    let (bits, advice) = match words::bits(passphrase) {
        Some(bits) => (bits, String::new()),
        None => estimate::bits_and_advice(passphrase, Dictionary::common()),
    };
    let missing = WARN_BELOW_BITS.saturating_sub(bits);
    Strength {
        bits,
        weak: missing > 0,
        advice: match missing {
            0 => advice,
            _ => format!("{advice} {}", longer(missing))
                .trim_start()
                .to_owned(),
        },
    }
}

/// Says what makes a passphrase strong that lacks so many bits.
fn longer(missing: u32) -> String {
    match missing.div_ceil(BITS_PER_WORD) {
        1 => "One more unrelated word makes it strong.".to_owned(),
        count => format!("{count} more unrelated words make it strong."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> String {
        let words: Vec<&str> = passphrase::words().step_by(40).take(count).collect();
        words.join("-")
    }

    #[test]
    fn whoever_has_a_weak_passphrase_is_told_what_makes_it_strong() {
        let advised = |typed: &str| {
            let strength = measure(typed);
            assert!(strength.weak, "{strength:?}");
            let told = strength.advice.contains("more unrelated word");
            assert!(told && strength.advice.ends_with("strong."), "{strength:?}");
        };
        for typed in [
            &words(5),
            &words(3),
            "kR7vq2Lw9",
            "correct horse",
            "aaaaaaaaaa",
        ] {
            advised(typed);
        }
        assert_eq!(longer(12), "One more unrelated word makes it strong.");
        assert_eq!(longer(13), "2 more unrelated words make it strong.");
        assert_eq!(measure(&words(6)).advice, "");
    }
}
