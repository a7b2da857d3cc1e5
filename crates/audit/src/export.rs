//! The log as lines of JSON (NDJSON): a header, doors, records each followed by the heads that sign
//! it, and a closing line that signs all before it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::codec::Writer;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha3::{Digest, Sha3_512};

use crate::door::Door;
use crate::encoding::{base64_bytes, hex_array};
use crate::head::{Fingerprint, Head, HeadSigningKey, HeadVerifyKey, SignedHead};
use crate::record::Record;

/// The most bytes of a line; an export has none that is longer.
pub const MAX_LINE: usize = 4 << 20;

pub(crate) const FORMAT: &str = "secure-messaging/1 audit export";
const LABEL: &[u8] = b"secure-messaging/1 audit export end";

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Line {
    Header {
        format: String,
        created_at: u64,
        /// Fingerprint of the key below.
        fingerprint: Fingerprint,
        #[serde(with = "base64_bytes")]
        verify_key: Vec<u8>,
        /// The time of the export, as its maker says, unix seconds.
        from: Option<u64>,
        to: Option<u64>,
        /// The record that the first one follows; 0 for the whole log.
        after_id: u64,
        #[serde(with = "hex_array")]
        after_hash: [u8; 64],
    },
    Retention {
        through_id: u64,
        #[serde(with = "hex_array")]
        hash: [u8; 64],
        cutoff: u64,
        timestamp: u64,
    },
    Record {
        record: Record,
        /// The details, opened; the sealed ones are what the chain proves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opened: Option<Value>,
        /// Whether the details are damaged: they do not open.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        damaged: bool,
    },
    Head {
        number: u64,
        record_id: u64,
        #[serde(with = "hex_array")]
        hash: [u8; 64],
        timestamp: u64,
        #[serde(with = "base64_bytes")]
        signature: Vec<u8>,
    },
    End {
        records: u64,
        heads: u64,
        last: u64,
        timestamp: u64,
        /// SHA3-512 of every byte before this line.
        #[serde(with = "hex_array")]
        digest: [u8; 64],
        #[serde(with = "base64_bytes")]
        signature: Vec<u8>,
    },
}

/// What the closing signature covers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    pub records: u64,
    pub heads: u64,
    pub last: u64,
    pub timestamp: u64,
    pub digest: [u8; 64],
}

impl Closing {
    fn message(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(96);
        writer
            .u64(self.records)
            .u64(self.heads)
            .u64(self.last)
            .u64(self.timestamp)
            .raw(&self.digest);
        writer.into_bytes()
    }

    pub(crate) fn is_signed(&self, key: &HeadVerifyKey, signature: &[u8]) -> bool {
        key.verify_for(LABEL, &self.message(), signature)
    }
}

/// The first line: what was exported, when, and under which key it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Unix seconds.
    pub created_at: u64,
    /// The key. The maker of the file chose it, so it proves nothing until it is pinned.
    pub key: HeadVerifyKey,
    /// Earlier records were left out, unix seconds.
    pub from: Option<u64>,
    /// Later records were left out, unix seconds.
    pub to: Option<u64>,
    /// The record before the first; 0 for the whole log.
    pub after_id: u64,
    /// Its hash.
    pub after_hash: [u8; 64],
}

/// Makes the lines of an export, each with its end.
pub struct ExportWriter {
    digest: Sha3_512,
    records: u64,
    heads: u64,
    last: u64,
}

impl ExportWriter {
    /// Starts an export; returns the first line.
    pub fn begin(header: &Header) -> (Self, String) {
        let mut writer = Self {
            digest: Sha3_512::new(),
            records: 0,
            heads: 0,
            last: header.after_id,
        };
        let line = writer.line(&Line::Header {
            format: FORMAT.to_owned(),
            created_at: header.created_at,
            fingerprint: header.key.fingerprint(),
            verify_key: header.key.to_bytes(),
            from: header.from,
            to: header.to,
            after_id: header.after_id,
            after_hash: header.after_hash,
        });
        (writer, line)
    }

    /// A door; all of them come before the first record.
    pub fn door(&mut self, door: &Door) -> String {
        self.line(&Line::Retention {
            through_id: door.through_id,
            hash: door.hash,
            cutoff: door.cutoff,
            timestamp: door.timestamp,
        })
    }

    /// Returns the line of the next record, with its details opened if wanted, or marked as damaged.
    pub fn record(&mut self, record: Record, opened: Option<Value>, damaged: bool) -> String {
        self.records += 1;
        self.last = record.id;
        self.line(&Line::Record {
            record,
            opened,
            damaged,
        })
    }

    /// A head, after the record that it signs.
    pub fn head(&mut self, signed: SignedHead) -> String {
        self.heads += 1;
        let SignedHead { head, signature } = signed;
        self.line(&Line::Head {
            number: head.number,
            record_id: head.record_id,
            hash: head.hash,
            timestamp: head.timestamp,
            signature,
        })
    }

    /// The closing line.
    pub fn end(
        mut self,
        key: &HeadSigningKey,
        rng: &mut (impl CryptoRng + ?Sized),
        timestamp: u64,
    ) -> String {
        let closing = Closing {
            records: self.records,
            heads: self.heads,
            last: self.last,
            timestamp,
            digest: self.digest.finalize_reset().into(),
        };
        let signature = key.sign_for(rng, LABEL, &closing.message());
        self.line(&Line::End {
            records: closing.records,
            heads: closing.heads,
            last: closing.last,
            timestamp,
            digest: closing.digest,
            signature,
        })
    }

    fn line(&mut self, line: &Line) -> String {
        // Strings and numbers only: it cannot fail.
        let mut text = serde_json::to_string(line).unwrap_or_default();
        text.push('\n');
        self.digest.update(text.as_bytes());
        text
    }
}

impl Header {
    /// The key as text, as the server publishes it.
    pub fn key_text(key: &HeadVerifyKey) -> String {
        STANDARD.encode(key.to_bytes())
    }

    /// Reads what [`Header::key_text`] gave.
    pub fn parse_key(text: &str) -> Option<HeadVerifyKey> {
        let bytes = STANDARD.decode(text.trim()).ok()?;
        HeadVerifyKey::from_bytes(&bytes).ok()
    }

    pub(crate) fn read(line: Line) -> Option<Self> {
        let Line::Header {
            format,
            created_at,
            fingerprint,
            verify_key,
            from,
            to,
            after_id,
            after_hash,
        } = line
        else {
            return None;
        };
        let key = HeadVerifyKey::from_bytes(&verify_key).ok()?;
        (format == FORMAT && key.fingerprint() == fingerprint).then_some(Self {
            created_at,
            key,
            from,
            to,
            after_id,
            after_hash,
        })
    }
}

impl SignedHead {
    pub(crate) fn of(
        number: u64,
        record_id: u64,
        hash: [u8; 64],
        timestamp: u64,
        signature: Vec<u8>,
    ) -> Self {
        Self {
            head: Head {
                number,
                record_id,
                hash,
                timestamp,
            },
            signature,
        }
    }
}
