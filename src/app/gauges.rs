//! What the measurements show of the server's state.

use super::{App, Problem};

/// A gauge: its name, what it is, and its value.
pub type Gauge = (&'static str, &'static str, u64);

/// Writes counters and gauges, with those of the machine.
///
/// It does not query the database: the jobs read those gauges.
pub async fn text(app: &App, machine: &[Gauge]) -> Result<String, Problem> {
    let stats = app.vault().stats().await?;
    let durable = app.metrics().durable();
    let mut gauges = vec![
        ("users", "Accounts.", durable.users),
        (
            "active_sessions",
            "Sessions that have not expired.",
            durable.active_sessions,
        ),
        (
            "audit_records",
            "Records of the audit log.",
            durable.audit_records,
        ),
        (
            "open_sockets",
            "Connected WebSockets.",
            app.hub().count() as u64,
        ),
        (
            "messages_held",
            "Messages that wait or are being read.",
            stats.messages,
        ),
        ("bytes_held", "Bytes that messages take.", stats.bytes),
        (
            "started_seconds",
            "Unix time of the start.",
            app.boot().started_at(),
        ),
    ];
    let replicas = app.store().replicas();
    if replicas.configured > 0 {
        let what = "Replicas of the database that answer look-ups.";
        gauges.push(("database_replicas", what, replicas.in_use));
    }
    gauges.extend_from_slice(machine);
    gauges.extend(app.backups().gauges(app.ambient().now()));
    gauges.extend(app.auditor().gauges());
    Ok(app.metrics().render(&gauges))
}
