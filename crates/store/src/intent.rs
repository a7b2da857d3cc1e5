//! Proof that an act of an administrator was recorded before it is carried out.

use std::fmt;

use serde_json::Value;

use crate::audit::AuditEvent;
use api::ids::UserId;

/// The names of the three records of one kind of act.
#[derive(Debug, PartialEq, Eq)]
pub struct Act {
    /// The record before the act.
    pub intent: &'static str,
    /// The record after the act.
    pub done: &'static str,
    /// The record after a failure.
    pub failed: &'static str,
}

/// An act that somebody is about to carry out.
#[derive(Clone)]
pub struct Declaration {
    /// The account; `None` for the server itself and for its terminal.
    pub user_id: Option<UserId>,
    /// The kind of act.
    pub act: &'static Act,
    /// Details, including where it comes from; a JSON object.
    pub details: Value,
}

/// A declaration whose record is on stable storage; only
/// [`AuditLog::declare`](crate::AuditLog::declare) makes one.
///
/// Methods that change the server for an administrator take it, so that none can be called before the intent
/// was recorded.
#[must_use = "an intent without an outcome says that something was cut off"]
pub struct Intent(Declaration);

impl Intent {
    pub(crate) fn committed(declaration: Declaration) -> Self {
        Self(declaration)
    }

    /// The record of success, for the transaction that does what was declared.
    pub fn done(&self, timestamp: u64) -> AuditEvent {
        self.event(self.0.act.done, timestamp, self.0.details.clone())
    }

    /// The record of success with what came out of it, under the name `result`.
    pub fn done_with(&self, timestamp: u64, result: Value) -> AuditEvent {
        let details = joined(&self.0.details, "result", result);
        self.event(self.0.act.done, timestamp, details)
    }

    /// The record of failure with its reason.
    pub fn failed(&self, timestamp: u64, reason: &str) -> AuditEvent {
        let details = joined(&self.0.details, "reason", reason.into());
        self.event(self.0.act.failed, timestamp, details)
    }

    fn event(&self, action: &'static str, timestamp: u64, details: Value) -> AuditEvent {
        AuditEvent {
            user_id: self.0.user_id,
            action,
            timestamp,
            details,
        }
    }
}

impl Declaration {
    pub(crate) fn event(&self, timestamp: u64) -> AuditEvent {
        AuditEvent {
            user_id: self.user_id,
            action: self.act.intent,
            timestamp,
            details: self.details.clone(),
        }
    }
}

impl fmt::Debug for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Declaration")
            .field("user_id", &self.user_id)
            .field("act", &self.act.intent)
            .field("details", &"[redacted]")
            .finish()
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Intent").field(&self.0).finish()
    }
}

fn joined(details: &Value, name: &str, value: Value) -> Value {
    let mut details = details.clone();
    match details.as_object_mut() {
        Some(members) => {
            members.insert(name.to_owned(), value);
            details
        }
        None => serde_json::json!({ "details": details, name: value }),
    }
}
