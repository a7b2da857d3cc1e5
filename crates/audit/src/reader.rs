//! Verifies an export line by line.

use sha3::{Digest, Sha3_512};

use crate::door::Door;
use crate::export::{Closing, Header, Line, MAX_LINE};
use crate::finding::Finding;
use crate::head::SignedHead;
use crate::outside::Outside;
use crate::verifier::{Verdict, Verifier};

/// A field that every record's line has, which tells what an unreadable line was.
const RECORD: &[u8] = br#""type":"record""#;

/// The first line is not that of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not an export of an audit log, or its first line was changed")]
pub struct NotAnExport;

/// Takes the lines of an export in their order, without keeping them.
#[derive(Debug)]
pub struct ExportVerifier {
    header: Header,
    verifier: Verifier,
    digest: Sha3_512,
    lines: u64,
    records: u64,
    heads: u64,
    /// Whether a valid closing line was read.
    closed: Option<bool>,
    unreadable: bool,
}

impl ExportVerifier {
    /// Reads the first line, which names the key.
    pub fn header(line: &[u8]) -> Result<Header, NotAnExport> {
        let line = serde_json::from_slice(line).map_err(|_| NotAnExport)?;
        Header::read(line).ok_or(NotAnExport)
    }

    /// Begins with the first line; `outside` are the heads kept elsewhere.
    pub fn begin(line: &[u8], outside: Option<Outside>) -> Result<Self, NotAnExport> {
        let header = Self::header(line)?;
        let key = Some(header.key.clone());
        let verifier = Verifier::after(header.after_id, header.after_hash, key, outside);
        let mut this = Self {
            header,
            verifier,
            digest: Sha3_512::new(),
            lines: 1,
            records: 0,
            heads: 0,
            closed: None,
            unreadable: false,
        };
        this.take_in(line);
        Ok(this)
    }

    /// Takes the next line, without its end.
    pub fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        if self.closed.is_some() {
            // Nothing belongs behind the closing line.
            self.closed = Some(false);
            return;
        }
        let parsed = (line.len() <= MAX_LINE).then(|| serde_json::from_slice(line));
        match parsed {
            Some(Ok(parsed)) => self.parsed(parsed),
            _ => {
                self.unreadable = true;
                if line.windows(RECORD.len()).any(|part| part == RECORD) {
                    self.records += 1;
                    self.verifier.unreadable_record(None);
                } else {
                    let line = self.lines;
                    self.verifier.find(Finding::Unreadable { line });
                }
            }
        }
        if self.closed.is_none() {
            self.take_in(line);
        }
    }

    /// Returns the verdict.
    pub fn finish(mut self) -> Verdict {
        match self.closed {
            Some(true) => self.verifier.finish_signed(),
            Some(false) => {
                let mut verdict = self.verifier.finish();
                // What was done is told already where it has a name of its own.
                let unsigned = |it: &Finding| matches!(it, Finding::Unsigned { .. });
                verdict.findings.retain(|finding| !unsigned(finding));
                if verdict.findings.is_empty() {
                    verdict.findings.push(Finding::AlteredExport);
                }
                verdict
            }
            None => {
                let last = self.verifier.last();
                if !self.unreadable {
                    self.verifier.find(Finding::CutExport { last });
                }
                self.verifier.finish()
            }
        }
    }

    /// The first line.
    pub fn about(&self) -> &Header {
        &self.header
    }

    fn parsed(&mut self, line: Line) {
        match line {
            Line::Header { .. } => {
                let line = self.lines;
                self.verifier.find(Finding::Unreadable { line });
            }
            Line::Retention {
                through_id,
                hash,
                cutoff,
                timestamp,
            } => self.verifier.door(Door {
                through_id,
                hash,
                cutoff,
                timestamp,
            }),
            Line::Record {
                record, damaged, ..
            } => {
                if damaged {
                    self.verifier.damaged_details(record.id);
                }
                self.records += 1;
                self.verifier.record(record);
            }
            Line::Head {
                number,
                record_id,
                hash,
                timestamp,
                signature,
            } => {
                self.heads += 1;
                let head = SignedHead::of(number, record_id, hash, timestamp, signature);
                self.verifier.head(head);
            }
            Line::End {
                records,
                heads,
                last,
                timestamp,
                digest,
                signature,
            } => {
                let closing = Closing {
                    records,
                    heads,
                    last,
                    timestamp,
                    digest,
                };
                let found = Closing {
                    records: self.records,
                    heads: self.heads,
                    digest: self.digest.clone().finalize().into(),
                    ..closing
                };
                let signed = closing.is_signed(&self.header.key, &signature);
                self.closed = Some(signed && closing == found);
            }
        }
    }

    fn take_in(&mut self, line: &[u8]) {
        self.digest.update(line);
        self.digest.update(b"\n");
    }
}
