//! Writes `data/ranked.txt` from the word lists of the zxcvbn crate: `cargo run -p strength --example ranked`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The crate's lists and their class: passwords, English, films, names.
const LISTS: [(&str, u8); 6] = [
    ("PASSWORDS", 0),
    ("ENGLISH_WIKI", 1),
    ("US_TV_AND_FILM", 2),
    ("FEMALE_NAMES", 3),
    ("MALE_NAMES", 3),
    ("SURNAMES", 3),
];
/// The highest rank of each tier.
const TIERS: [u32; 6] = [10, 100, 316, 1_000, 3_162, 10_000];

fn main() {
    let lists = std::fs::read_to_string(source().join("src/frequency_lists.rs")).expect("lists");
    let mut best: BTreeMap<String, (u32, u8)> = BTreeMap::new();
    for (name, class) in LISTS {
        for (word, rank) in list(&lists, name).split(',').zip(1_u32..) {
            let word = word.replace("\\\\", "\\");
            let kept = best.entry(word).or_insert((rank, class));
            *kept = (*kept).min((rank, class));
        }
    }
    best.retain(|word, (rank, _)| is_worth_it(word, *rank));
    let mut packed = String::new();
    let mut before = String::new();
    for (word, (rank, class)) in &best {
        let tier = TIERS.iter().position(|most| rank <= most).expect("a tier");
        let shared = word.bytes().zip(before.bytes());
        let shared = shared.take_while(|(one, two)| one == two).count();
        // A line for each first letter.
        if shared == 0 && !packed.is_empty() {
            packed.push('\n');
        }
        packed.push(letter(shared));
        packed.push_str(&word[shared..]);
        packed.push(letter(tier * 4 + usize::from(*class)));
        before.clone_from(word);
    }
    packed.push('\n');
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/ranked.txt");
    std::fs::write(&out, &packed).expect("written");
    println!("{} words, {} bytes", best.len(), packed.len());
}

/// Whether knowing a word makes the guesses a quarter or less, and its rank is within the last tier.
fn is_worth_it(word: &str, rank: u32) -> bool {
    let length = u32::try_from(word.len()).expect("a length");
    let spelled = 10_u64.saturating_pow(length);
    rank <= TIERS[5] && u64::from(rank) * 4 <= spelled
}

fn letter(value: usize) -> char {
    char::from(b'A' + u8::try_from(value).expect("a small number"))
}

/// The text of a constant.
fn list<'a>(source: &'a str, name: &str) -> &'a str {
    let begin = format!("const {name}: &str = \"");
    let rest = source.split_once(&begin).expect("a list").1;
    rest.split_once("\";").expect("an end").0
}

/// Where Cargo has put the crate's source.
fn source() -> PathBuf {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        .output()
        .expect("cargo metadata");
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let found = packages.iter().find(|it| it["name"] == "zxcvbn");
    let manifest = found.expect("zxcvbn")["manifest_path"]
        .as_str()
        .expect("a path");
    Path::new(manifest).parent().expect("a folder").to_owned()
}
