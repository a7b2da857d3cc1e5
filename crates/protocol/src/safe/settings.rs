//! Settings: names and values, each with the time of its change.

use std::collections::BTreeMap;

use super::Stamped;
use crate::codec::{DecodeError, Reader, Writer};

/// Most settings that one session adds to.
const MAX_SETTINGS: usize = 1_024;
/// Most settings that merges leave and a reader takes.
const MAX_MERGED: usize = 2 * MAX_SETTINGS;
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 4_096;

/// A person's settings. Unknown names are kept, so that an older client loses nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<String, Stamped<String>>);

impl Settings {
    /// The value under `name` (at most 64 bytes).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|stamped| stamped.value.as_str())
    }

    /// A switch, or `default` where it was never set.
    pub fn switch(&self, name: &str, default: bool) -> bool {
        match self.get(name) {
            Some("on") => true,
            Some("off") => false,
            _ => default,
        }
    }

    /// A number, or `default` where it was never set.
    pub fn number(&self, name: &str, default: u64) -> u64 {
        self.get(name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    }

    /// Sets a value of at most 4,096 bytes; a longer name or value is not kept.
    pub fn set(&mut self, name: &str, value: &str, now: u64) {
        if name.len() > MAX_NAME || value.len() > MAX_VALUE {
            return;
        }
        let room = self.0.len() < MAX_SETTINGS;
        match self.0.get_mut(name) {
            Some(stamped) => stamped.set(now, value.to_owned()),
            None if !room => {}
            None => {
                let stamped = Stamped::new(now, value.to_owned());
                self.0.insert(name.to_owned(), stamped);
            }
        }
    }

    /// Sets a switch.
    pub fn set_switch(&mut self, name: &str, on: bool, now: u64) {
        self.set(name, if on { "on" } else { "off" }, now);
    }

    /// Sets a number.
    pub fn set_number(&mut self, name: &str, value: u64, now: u64) {
        self.set(name, &value.to_string(), now);
    }

    /// Takes the later value under each name.
    pub fn merge(&mut self, other: Self) {
        for (name, theirs) in other.0 {
            match self.0.get_mut(&name) {
                Some(ours) => ours.merge(theirs),
                None => {
                    self.0.insert(name, theirs);
                }
            }
        }
        // The first of all names are the same in whatever order they met.
        while self.0.len() > MAX_MERGED {
            self.0.pop_last();
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.len16(self.0.len());
        for (name, stamped) in &self.0 {
            writer.bytes16(name.as_bytes());
            stamped.write(writer, |value, writer| {
                writer.bytes16(value.as_bytes());
            });
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count16(MAX_MERGED, 12)?;
        let mut settings = BTreeMap::new();
        for _ in 0..count {
            let name = reader.text16(MAX_NAME)?.to_owned();
            if settings
                .last_key_value()
                .is_some_and(|(last, _)| *last >= name)
            {
                return Err(DecodeError::NotCanonical);
            }
            let stamped =
                Stamped::read(reader, |reader| reader.text16(MAX_VALUE).map(str::to_owned))?;
            settings.insert(name, stamped);
        }
        Ok(Self(settings))
    }
}
