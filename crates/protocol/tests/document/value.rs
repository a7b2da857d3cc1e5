//! What a constant's expression comes to: numbers, names, `+ - * <<`, brackets, `Duration`, `.len()`.

use std::collections::BTreeMap;

use crate::source::{Constants, constants};
use crate::{labels, tree};

/// The constants of a folder, by file.
pub(crate) struct Crate(BTreeMap<String, Constants>);

impl Crate {
    /// Reads every file below a folder.
    pub(crate) fn read(folder: &str) -> Self {
        let files = tree::files(folder, ".rs").into_iter();
        let files = files.map(|path| {
            let found = constants(&path);
            let name = path.strip_prefix(folder).unwrap().trim_start_matches('/');
            (name.to_owned(), found)
        });
        Self(files.collect())
    }

    /// Every constant: file, name and expression.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.0.iter();
        files.flat_map(|(file, found)| found.keys().map(move |name| (file.as_str(), name.as_str())))
    }

    /// The value of a file's constant; `None` where the file declares no such name.
    pub(crate) fn value(&self, file: &str, name: &str) -> Option<u64> {
        let expression = self.0.get(file)?.get(name)?;
        let owner = name.rsplit_once("::").map_or("", |(owner, _)| owner);
        let mut reader = Reader {
            all: self,
            file,
            owner,
            rest: expression,
        };
        let value = reader.shifted();
        assert!(reader.rest.trim().is_empty(), "{file} {name}: {expression}");
        Some(value)
    }

    fn find(&self, file: &str, owner: &str, path: &str) -> u64 {
        let path = path.replace("Self::", &format!("{owner}::"));
        // What stands behind a module is a name of that module.
        let name = match path.split_once("::") {
            Some((module, name)) if module.starts_with(char::is_lowercase) => name.to_owned(),
            _ => path.clone(),
        };
        let within = |all: &Self| all.0.keys().find_map(|file| all.value(file, &name));
        let found = self.value(file, &name).or_else(|| within(self));
        // What both sides share is declared by the protocol and the contract.
        let mut shared = ["crates/protocol/src", "crates/api/src"].into_iter();
        let found = found.or_else(|| shared.find_map(|folder| within(&Self::read(folder))));
        found.unwrap_or_else(|| panic!("{file} names {path}, which is nowhere"))
    }
}

struct Reader<'a> {
    all: &'a Crate,
    file: &'a str,
    owner: &'a str,
    rest: &'a str,
}

impl Reader<'_> {
    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start();
        let taken = rest.strip_prefix(sign);
        self.rest = taken.unwrap_or(rest);
        taken.is_some()
    }

    fn shifted(&mut self) -> u64 {
        let mut value = self.sum();
        while self.takes("<<") {
            value <<= self.sum();
        }
        value
    }

    fn sum(&mut self) -> u64 {
        let mut value = self.product();
        loop {
            if self.takes("+") {
                value += self.product();
            } else if self.takes("-") {
                value -= self.product();
            } else {
                return value;
            }
        }
    }

    fn product(&mut self) -> u64 {
        let mut value = self.atom();
        while self.takes("*") {
            value *= self.atom();
        }
        value
    }

    fn atom(&mut self) -> u64 {
        if self.takes("(") {
            let value = self.shifted();
            assert!(self.takes(")"), "{}", self.rest);
            return value;
        }
        let rest = self.rest.trim_start();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.');
        let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let word = word.replace('_', "");
            return match word.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).unwrap(),
                None => word.parse().unwrap(),
            };
        }
        if let Some(label) = word.strip_suffix(".len") {
            assert!(self.takes("()"), "{word}");
            let label = label.rsplit("::").next().unwrap();
            return labels::of_the_protocol()[label].len() as u64;
        }
        if word == "Duration::from_secs" {
            return self.atom();
        }
        self.all.find(self.file, self.owner, word)
    }
}

#[test]
fn expressions_come_to_what_the_compiler_makes_of_them() {
    let protocol = Crate::read("crates/protocol/src");
    for (file, name, value) in [
        ("epoch/bucket.rs", "OLDEST_EPOCH_SECS", 691_200),
        ("epoch/handshake.rs", "Handshake::LEN", 1_716),
        ("envelope/ends.rs", "EarlierEnds::LEN", 32),
        ("prekeys/leaf.rs", "PrekeyLeaf::ENCODED_LEN", 1_668),
        ("safe/seal.rs", "PAD_STEP", 16_384),
    ] {
        assert_eq!(protocol.value(file, name), Some(value), "{file} {name}");
    }
    assert_eq!(protocol.value("epoch/bucket.rs", "NOTHING"), None);
}
