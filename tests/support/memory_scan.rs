//! Looking for planted bytes in a process and in files.
//!
//! A marker is sixteen bytes: eight that all markers of a set share, by which they are searched,
//! and eight of its own. Content is planted as the marker over and over, so that a fragment of 31
//! bytes of it is enough to be found. Searched are the bytes as they are, as hex and as base64, in
//! every alignment.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem::Finder;
use protocol::primitives::agreement::AgreementSecret;

use super::random_id;

const PREFIX: usize = 8;
const MARKER: usize = 16;

/// Bytes read at once, and by how much two readings overlap.
const WINDOW: usize = 4 << 20;
const OVERLAP: usize = 64;

/// A set of markers that no other set shares.
pub(crate) struct Markers {
    prefix: [u8; PREFIX],
    tails: Vec<[u8; MARKER - PREFIX]>,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Which markers, as they are.
    pub markers: BTreeSet<usize>,
    /// How many times, as they are.
    pub raw: usize,
    /// How many times as hex.
    pub hex: usize,
    /// How many times as base64.
    pub base64: usize,
    /// How many bytes were read.
    pub read: u64,
    /// Where the first ones lay.
    pub places: Vec<String>,
}

impl Found {
    /// Counts hits of every form.
    pub(crate) fn hits(&self) -> usize {
        self.raw + self.hex + self.base64
    }
}

impl Markers {
    /// Makes `count` markers at random.
    pub(crate) fn new(count: usize) -> Self {
        let half = || -> [u8; 8] { random_id()[..8].try_into().unwrap() };
        Self {
            prefix: half(),
            tails: (0..count).map(|_| half()).collect(),
        }
    }

    /// Content of `length` bytes, full of one marker.
    pub(crate) fn content(&self, index: usize, length: usize) -> Vec<u8> {
        let marker = [self.prefix, self.tails[index]].concat();
        marker.into_iter().cycle().take(length).collect()
    }

    /// Searches everything that a process has mapped and may read.
    pub(crate) fn in_process(&self, pid: u32) -> Found {
        let search = Search::new(self);
        let mut found = Found::default();
        mapped(pid, |memory, range, name, _| {
            search.read(memory, range, name, &mut found);
        });
        found
    }

    /// Searches every file below a folder.
    pub(crate) fn in_folder(&self, folder: &Path) -> Found {
        let search = Search::new(self);
        let mut found = Found::default();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(file) = File::open(&path) {
                    let length = file.metadata().unwrap().len();
                    search.read(&file, 0..length, &path.display().to_string(), &mut found);
                }
            }
        }
        found
    }

    /// Searches bytes at hand.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> Found {
        let mut found = Found::default();
        Search::new(self).look(bytes, 0, "bytes", &mut found);
        found
    }
}

/// Gives everything that a process has mapped and may read, with its name and what the process may do there.
fn mapped(pid: u32, mut each: impl FnMut(&File, Range<u64>, &str, &str)) {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = File::open(format!("/proc/{pid}/mem")).unwrap();
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        let name = fields.nth(3).unwrap_or("anonymous");
        // The kernel's own pages cannot be read from outside.
        if !rights.starts_with('r') || name.starts_with("[vvar") || name == "[vsyscall]" {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        each(&memory, address(start)..address(end), name, rights);
    }
}

/// Reads a range in windows that overlap.
fn windows(from: &File, range: Range<u64>, mut look: impl FnMut(&[u8], u64)) {
    let mut window = vec![0; WINDOW];
    let mut at = range.start;
    while at < range.end {
        let length = WINDOW.min((range.end - at) as usize);
        let read = match from.read_at(&mut window[..length], at) {
            Ok(0) => return,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            // A page that nobody can read, a guard page for instance.
            Err(_) => {
                at += 4096;
                continue;
            }
        };
        look(&window[..read], at);
        let last = at + read as u64 >= range.end;
        at += if last || read <= OVERLAP {
            read
        } else {
            read - OVERLAP
        } as u64;
    }
}

/// Keys that are looked for whole and in halves.
pub(crate) struct Keys {
    halves: HashMap<[u8; 16], usize>,
    begins: Vec<bool>,
}

impl Keys {
    pub(crate) fn new(keys: &[[u8; 32]]) -> Self {
        let (mut halves, mut begins) = (HashMap::new(), vec![false; 1 << 16]);
        for (index, key) in keys.iter().enumerate() {
            for half in key.as_chunks::<16>().0 {
                halves.insert(*half, index);
                begins[usize::from(u16::from_be_bytes([half[0], half[1]]))] = true;
            }
        }
        Self { halves, begins }
    }

    /// Which of them bytes hold, and where the first half of each lies.
    pub(crate) fn in_bytes(&self, bytes: &[u8]) -> BTreeMap<usize, usize> {
        let mut found = BTreeMap::new();
        for (offset, half) in bytes.windows(16).enumerate() {
            if self.begins[usize::from(u16::from_be_bytes([half[0], half[1]]))]
                && let Some(index) = self.halves.get(half)
            {
                found.entry(*index).or_insert(offset);
            }
        }
        found
    }

    /// Which of them a process has in its memory, and where.
    pub(crate) fn in_process(&self, pid: u32) -> BTreeMap<usize, String> {
        let mut found = BTreeMap::new();
        mapped(pid, |memory, range, name, _| {
            windows(memory, range, |bytes, at| {
                for (index, offset) in self.in_bytes(bytes) {
                    let place = || format!("{name} at {:#x}", at + offset as u64);
                    found.entry(index).or_insert_with(place);
                }
            });
        });
        found
    }
}

/// Of which of these public keys a process has the private half in memory that it writes to.
///
/// Every 32 bytes that look random are tried. A key lies where an allocation or a word of a stack begins.
pub(crate) fn private_halves_in_process(pid: u32, publics: &[[u8; 32]]) -> BTreeSet<usize> {
    let mut tried = HashSet::new();
    let mut found = BTreeSet::new();
    mapped(pid, |memory, range, _, rights| {
        if !rights.starts_with("rw") {
            return;
        }
        windows(memory, range, |bytes, _| {
            for at in (0..bytes.len().saturating_sub(31)).step_by(8) {
                let candidate: [u8; 32] = bytes[at..at + 32].try_into().unwrap();
                let looks_random = !candidate.as_chunks().0.contains(&[0; 8])
                    && candidate.iter().collect::<HashSet<_>>().len() > 20;
                if looks_random && tried.insert(candidate) {
                    let public = AgreementSecret::from_bytes(&candidate).public();
                    found.extend(publics.iter().position(|it| it == public.as_bytes()));
                }
            }
        });
    });
    found
}

struct Search {
    prefix: Finder<'static>,
    tails: HashMap<[u8; MARKER - PREFIX], usize>,
    hex: Vec<Finder<'static>>,
    base64: Vec<Finder<'static>>,
}

impl Search {
    fn new(markers: &Markers) -> Self {
        let finder = |text: String| Finder::new(text.as_bytes()).into_owned();
        let hex = hex::encode(markers.prefix);
        let mut base64 = BTreeSet::new();
        // Three bytes become four characters: of each alignment, the whole groups in the prefix.
        for group in [
            &markers.prefix[0..6],
            &markers.prefix[1..7],
            &markers.prefix[2..8],
        ] {
            base64.insert(STANDARD_NO_PAD.encode(group));
            base64.insert(URL_SAFE_NO_PAD.encode(group));
        }
        let tails = markers.tails.iter().enumerate();
        Self {
            prefix: Finder::new(&markers.prefix).into_owned(),
            tails: tails.map(|(index, tail)| (*tail, index)).collect(),
            hex: vec![finder(hex.to_uppercase()), finder(hex)],
            base64: base64.into_iter().map(finder).collect(),
        }
    }

    fn read(&self, from: &File, range: Range<u64>, name: &str, found: &mut Found) {
        windows(from, range, |bytes, at| {
            found.read += bytes.len() as u64;
            self.look(bytes, at, name, found);
        });
    }

    fn look(&self, bytes: &[u8], at: u64, name: &str, found: &mut Found) {
        for position in self.prefix.find_iter(bytes) {
            found.raw += 1;
            let tail = bytes.get(position + PREFIX..position + MARKER);
            if let Some(index) = tail.and_then(|tail| self.tails.get(tail)) {
                found.markers.insert(*index);
            }
            found.note("raw", name, at + position as u64);
        }
        for finder in &self.hex {
            for position in finder.find_iter(bytes) {
                found.hex += 1;
                found.note("hex", name, at + position as u64);
            }
        }
        for finder in &self.base64 {
            for position in finder.find_iter(bytes) {
                found.base64 += 1;
                found.note("base64", name, at + position as u64);
            }
        }
    }
}

impl Found {
    fn note(&mut self, form: &str, name: &str, at: u64) {
        if self.places.len() < 10 {
            self.places.push(format!("{form} in {name} at {at:#x}"));
        }
    }
}

#[test]
fn a_marker_is_found_in_every_form_and_alignment() {
    let markers = Markers::new(3);
    let content = markers.content(1, 64);
    let found = markers.in_bytes(&content);
    assert_eq!(found.markers, BTreeSet::from([1]));
    assert_eq!((found.raw, found.hex, found.base64), (4, 0, 0));
    let upper = hex::encode_upper(&content);
    for text in [hex::encode(&content), upper] {
        assert_eq!(markers.in_bytes(text.as_bytes()).hex, 4);
    }
    for shift in 0..3 {
        let shifted = [vec![b'x'; shift], markers.content(2, 16)].concat();
        for text in [
            STANDARD_NO_PAD.encode(&shifted),
            URL_SAFE_NO_PAD.encode(&shifted),
        ] {
            assert!(
                markers.in_bytes(text.as_bytes()).base64 > 0,
                "shifted by {shift}"
            );
        }
    }
    assert_eq!(Markers::new(1).in_bytes(&content).hits(), 0);
}
