//! RFC 9457 problem documents: what every refusal over HTTP answers with.

use serde::{Deserialize, Serialize};

use crate::Code;

/// Why the server did not do what was asked. A document may have further members, such as those of
/// `SafeConflict`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Problem {
    /// `/problems/<code>`.
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub r#type: String,
    /// The same short sentence for every problem of this code.
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub title: String,
    /// The HTTP status.
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub status: u16,
    /// The stable name of a code.
    #[cfg_attr(feature = "schema", schema(required = true, value_type = Code))]
    pub code: String,
    /// What happened this time, and what to do next.
    #[cfg_attr(feature = "schema", schema(required = true))]
    pub detail: String,
    /// Seconds to wait before trying again, where waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(nullable = false))]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// Makes the document of a code; it names the seconds that are usual where waiting helps.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("/problems/{}", code.name()),
            title: code.title().to_owned(),
            status: code.status(),
            code: code.name().to_owned(),
            detail: detail.into(),
            retry_after: code.words().wait.map(u64::from),
        }
    }
}
