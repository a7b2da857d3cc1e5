//! Finds the end of a request's head and how its body is framed.

/// How a request's body is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// No body.
    Nothing,
    /// This many bytes, more than none.
    Length(u64),
    /// Everything that follows, in both directions.
    Upgrade,
    /// In chunks, or in a way that is no concern of this server.
    Unknown,
}

/// The longest line that is looked at; the dispatcher refuses heads long before.
const LINE_BYTES: usize = 8 * 1024;

/// The most header bytes that are looked at, above what the dispatcher accepts.
const HEAD_BYTES: usize = 256 * 1024;

/// A head that is being read.
#[derive(Default)]
pub(super) struct Head {
    line: Vec<u8>,
    lines: usize,
    bytes: usize,
    length: Option<u64>,
    upgrade: bool,
    unknown: bool,
}

impl Head {
    /// Says whether any byte of it was read.
    pub(super) fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    /// Reads on, up to the end of the head; returns how many bytes belong to it and, at its end,
    /// the framing of what follows.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Framing>) {
        let mut used = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            used += line.len();
            self.bytes += line.len();
            if self.bytes > HEAD_BYTES || self.line.len() + line.len() > LINE_BYTES {
                return (used, Some(Framing::Unknown));
            }
            self.line.extend_from_slice(line);
            if self.line.last() == Some(&b'\n') {
                let ended = self.line_ended();
                self.line.clear();
                if ended {
                    return (used, Some(self.framing()));
                }
            }
        }
        (used, None)
    }

    /// Takes a whole line in; returns whether it was the empty one that ends the head.
    fn line_ended(&mut self) -> bool {
        let line = self.line.trim_ascii_end();
        if line.is_empty() {
            // Empty lines before the request line are allowed and mean nothing.
            return self.lines > 0;
        }
        self.lines += 1;
        if self.lines == 1 {
            self.unknown |= line.starts_with(b"CONNECT ");
            return false;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return false;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            let length = std::str::from_utf8(value).ok().and_then(|v| v.parse().ok());
            self.unknown |= length.is_none() || self.length.is_some();
            self.length = length;
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.unknown = true;
        } else if name.eq_ignore_ascii_case(b"upgrade") {
            self.upgrade |= value.eq_ignore_ascii_case(b"websocket");
        }
        false
    }

    fn framing(&self) -> Framing {
        match self.length {
            _ if self.unknown => Framing::Unknown,
            _ if self.upgrade => Framing::Upgrade,
            None | Some(0) => Framing::Nothing,
            Some(length) => Framing::Length(length),
        }
    }
}
