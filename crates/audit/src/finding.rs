//! Findings of the verifier, each with one sentence.

use crate::head::Fingerprint;

/// Something that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// A record's content does not fit its hash.
    #[error("record {id} was changed: its hash does not fit its content")]
    Changed {
        /// The record.
        id: u64,
    },
    /// The details of a record do not open under their key.
    #[error("the details of record {id} are damaged: they do not open, or their key was changed")]
    DetailsDamaged {
        /// The record.
        id: u64,
    },
    /// A record has no valid tag of the server.
    #[error("record {id} was not written by this server")]
    Foreign {
        /// The record.
        id: u64,
    },
    /// Records between two others are gone.
    #[error("{} missing", records(*.from, *.to))]
    Missing {
        /// The first that is gone.
        from: u64,
        /// The last that is gone.
        to: u64,
    },
    /// Two records stand in each other's places.
    #[error("records {a} and {b} were swapped")]
    Swapped {
        /// The earlier place.
        a: u64,
        /// The later place.
        b: u64,
    },
    /// A record stands where another belongs, or a second time.
    #[error("record {id} stands in place of record {at}")]
    OutOfPlace {
        /// What the record calls itself.
        id: u64,
        /// Where it stands.
        at: u64,
    },
    /// A record is whole and does not follow the one before it.
    #[error("record {id} does not follow the one before it: one of the two was replaced")]
    Unlinked {
        /// The record.
        id: u64,
    },
    /// The chain fits itself and not a signed head of its own.
    #[error(
        "history was rewritten between records {after} and {id}: head {number} signs another \
         record {id}"
    )]
    Rewritten {
        /// The last record that a head vouches for before.
        after: u64,
        /// The record that the head signs.
        id: u64,
        /// The head.
        number: u64,
    },
    /// A head's signature does not hold.
    #[error(
        "head {number} of record {record_id} is forged: not both of its signatures are the \
         server's"
    )]
    ForgedHead {
        /// The head.
        number: u64,
        /// The record that it names.
        record_id: u64,
    },
    /// Heads between two others are gone.
    #[error("{} missing", heads(*.from, *.to))]
    MissingHeads {
        /// The first that is gone.
        from: u64,
        /// The last that is gone.
        to: u64,
    },
    /// A head stands where another belongs, or a second time.
    #[error("head {number} is out of its place")]
    MisplacedHead {
        /// The head.
        number: u64,
    },
    /// The log's own heads sign records that are gone from its end.
    #[error("the end was cut off after record {last}: a head signs record {expected}")]
    CutTail {
        /// The newest record that is there.
        last: u64,
        /// The newest record that a head signs.
        expected: u64,
    },
    /// A head kept elsewhere signs a record that the log does not reach, and nothing in the log
    /// tells of it.
    #[error(
        "the log was rolled back: it ends with record {last}, and a head kept elsewhere signs \
         record {expected} at unix time {at}"
    )]
    RolledBack {
        /// The newest record that is there.
        last: u64,
        /// The newest record that was there once.
        expected: u64,
        /// When it was.
        at: u64,
    },
    /// A head kept elsewhere signs another record of the same number.
    #[error(
        "the log went another way: a head kept elsewhere signs another record {id}, so an older \
         copy was put back and continued, or history was rewritten"
    )]
    Forked {
        /// The record.
        id: u64,
    },
    /// A head kept elsewhere does not hold.
    #[error("line {line} of the heads kept elsewhere is forged: not both signatures hold")]
    ForgedOutsideHead {
        /// Counted from 1.
        line: u64,
    },
    /// Two heads kept elsewhere contradict each other.
    #[error(
        "the heads kept elsewhere sign two different records {id}: the server went two ways, as \
         after an older copy was put back"
    )]
    TwoHistories {
        /// The record.
        id: u64,
    },
    /// Records at the beginning are gone and no signed record says that they may be.
    #[error(
        "records up to {through} are gone, and no signed record of the log says that its \
         retention took them"
    )]
    UnprovenRetention {
        /// The last that is gone.
        through: u64,
    },
    /// No signature vouches for anything.
    #[error("no signed head vouches for the {records} records")]
    Unsigned {
        /// How many there are.
        records: u64,
    },
    /// Records at the end that no signature vouches for, although there was time for one.
    #[error(
        "{} unsigned for longer than the server takes to sign: it did not write them, or it was \
         killed; start it once: it signs what it wrote and names what it did not",
        records(*.from, *.to)
    )]
    UnsignedTail {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// An export ends without its closing line.
    #[error("the export was cut off after record {last}: its closing line is missing")]
    CutExport {
        /// The newest record that is there.
        last: u64,
    },
    /// An export is not what was signed when it was made.
    #[error("the export was changed: its closing signature does not fit what stands before it")]
    AlteredExport,
    /// A line of an export cannot be read.
    #[error("line {line} of the export cannot be read")]
    Unreadable {
        /// Counted from 1.
        line: u64,
    },
    /// Signed under another key than the one that is trusted.
    #[error("the log is signed under the key {found}, and not under the one that is trusted")]
    OtherKey {
        /// The fingerprint of the key that the log names.
        found: Fingerprint,
    },
    /// The database names no key or one that cannot be read.
    #[error("the log names no key that its heads could be verified with")]
    NoKey,
}

impl Finding {
    /// The record that this is about, where it is about one.
    pub fn record(&self) -> Option<u64> {
        match *self {
            Self::Changed { id }
            | Self::DetailsDamaged { id }
            | Self::Foreign { id }
            | Self::OutOfPlace { at: id, .. }
            | Self::Unlinked { id }
            | Self::Rewritten { id, .. }
            | Self::Forked { id }
            | Self::TwoHistories { id } => Some(id),
            Self::Missing { from, .. } | Self::UnsignedTail { from, .. } => Some(from),
            Self::Swapped { a, .. } => Some(a),
            Self::ForgedHead { record_id, .. } => Some(record_id),
            Self::UnprovenRetention { through } => Some(through),
            Self::CutTail { last, .. }
            | Self::RolledBack { last, .. }
            | Self::CutExport { last } => Some(last.saturating_add(1)),
            _ => None,
        }
    }
}

fn records(from: u64, to: u64) -> String {
    if from == to {
        format!("record {from} is")
    } else {
        format!("records {from} to {to} are")
    }
}

fn heads(from: u64, to: u64) -> String {
    if from == to {
        format!("head {from} is")
    } else {
        format!("heads {from} to {to} are")
    }
}
