//! Where a call comes from, for limits, the log and the audit log.

use std::fmt;
use std::net::IpAddr;

use ambient::Stopwatch;
use serde_json::json;

use crate::platform::net::network_of;

/// The most characters of a user agent that are kept.
const MAX_AGENT: usize = 200;

/// The address that limits are counted against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientIp(pub IpAddr);

impl ClientIp {
    /// Returns the network that one customer usually holds: the address, or the first 64 bits.
    pub fn network(self) -> IpAddr {
        network_of(self.0)
    }
}

/// The number by which a log line and an audit record of one call are matched; no two calls have the same,
/// whichever start of the server they came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId(pub u128);

impl RequestId {
    /// The call of this number since the start with this id.
    pub fn new(boot: [u8; 16], number: u64) -> Self {
        let mut bytes = boot;
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        Self(u128::from_be_bytes(bytes))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// When a call came in.
#[derive(Debug, Clone)]
pub struct Arrival(pub Stopwatch);

impl Arrival {
    /// Milliseconds since then.
    pub fn millis(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Where a call comes from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Network address.
    pub ip: ClientIp,
    /// Number of the call in the log.
    pub request_id: RequestId,
    /// When it came in.
    pub arrival: Option<Arrival>,
    /// The browser's `User-Agent`, cut off after 200 characters.
    pub user_agent: String,
}

impl Origin {
    /// Joins what is known of a call.
    pub fn new(ip: ClientIp, request_id: RequestId, arrival: Option<Arrival>, agent: &str) -> Self {
        Self {
            ip,
            request_id,
            arrival,
            user_agent: agent.chars().take(MAX_AGENT).collect(),
        }
    }

    /// Returns the identifier and the origin of the request, for an audit record.
    pub fn asked(&self) -> serde_json::Value {
        json!({"request_id": self.request_id.to_string(), "ip": self.ip.0.to_string()})
    }

    /// Returns the details of the audit record of a request that succeeded.
    pub fn details(&self) -> serde_json::Value {
        self.answered(200)
    }

    /// Returns the details of the audit record of a request that is answered with this status; its
    /// latency is up to the record, which is on the disk before the answer leaves.
    pub fn answered(&self, status: u16) -> serde_json::Value {
        let mut details = self.asked();
        details["status"] = status.into();
        details["latency_ms"] = self.arrival.as_ref().map(Arrival::millis).into();
        details
    }
}
