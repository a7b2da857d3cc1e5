//! What the measurements show of the server's state.

use super::App;
use super::readiness::Parts;

/// A gauge: its name, what it is, and its value.
pub type Gauge = (&'static str, &'static str, u64);

/// Writes counters and gauges, with those of the machine.
///
/// Of the database it asks only what readiness asks, at most once in a few seconds: the jobs read the other
/// gauges. What nodes of the ephemeral plane hold is left out while one of them does not answer.
pub async fn text(app: &App, machine: &[Gauge]) -> String {
    let (stats, parts) = tokio::join!(app.vault().stats(), Parts::look(app));
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
            "vault_bytes",
            "Bytes that messages may take in all.",
            app.config().vault_bytes as u64,
        ),
        (
            "ready_database",
            "1 where the database takes a write.",
            parts.database.into(),
        ),
        (
            "ready_keys",
            "1 where every key can be used.",
            parts.keys.into(),
        ),
        (
            "ready_plane",
            "1 where what holds messages answers and forgets.",
            parts.plane.into(),
        ),
        (
            "draining",
            "1 where the server was asked to stop.",
            app.drain().has_begun().into(),
        ),
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
    if let Ok(stats) = stats {
        gauges.extend([
            (
                "messages_held",
                "Messages that wait or are being read.",
                stats.messages,
            ),
            ("bytes_held", "Bytes that messages take.", stats.bytes),
        ]);
    }
    gauges.extend_from_slice(machine);
    gauges.extend(app.backups().gauges(app.ambient().now()));
    gauges.extend(app.auditor().gauges());
    app.metrics().render(&gauges)
}
