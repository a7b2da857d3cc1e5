//! Writes down what is not part of a transaction: refusals and reads.

use store::{AuditEvent, Fault};

use crate::app::origin::ClientIp;
use crate::app::{App, Problem};
use api::Code;

/// Writes a record of a refusal or a read, or counts it beyond the rate.
///
/// It fails closed: what nobody can write down nobody gets to see.
pub(crate) async fn write(app: &App, event: AuditEvent, from: ClientIp) -> Result<(), Problem> {
    let Some(event) = app.repeats().admit(event, from.network()) else {
        return Ok(());
    };
    let written = app.store().append_audit(vec![event]).await;
    written.map_err(|fault| match fault {
        Fault::Full => {
            tracing::error!(cause = %fault, "the disk is full");
            Problem::new(
                Code::DiskFull,
                "This is written into the audit log before it is answered, and the server's disk is full. \
                 Free some space on the server, then try again.",
            )
            .retry_after(60)
        }
        fault => Problem::from(&fault),
    })
}
