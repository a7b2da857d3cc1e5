//! Whether a node forgets what it must forget and keeps what it must keep.

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, Value, cmd};
use thiserror::Error;

/// A setting of a node, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    /// A setting has another value.
    #[error(
        "{why}: set `{setting} {wanted}` in its configuration, where it has `{setting} {found}`"
    )]
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// What it has.
        found: String,
        /// What it must have.
        wanted: &'static str,
        /// What the present value does.
        why: &'static str,
    },
    /// It copies another one.
    #[error("it is a replica of another server: name the primary, and remove `replicaof` there")]
    Replica,
    /// Another one copies it.
    #[error(
        "it has {0} replicas, which keep what was burned: remove them (`replicaof no one` at each)"
    )]
    Replicas(u64),
    /// Freed memory keeps what was in it.
    #[error(
        "it does not overwrite memory that it frees: start it with the environment variable \
         MALLOC_CONF=junk:free, with an allocator that heeds it (the packages of Debian do: \
         `redis-cli memory malloc-stats` then shows opt.junk: \"free\")"
    )]
    Memory,
    /// It does not say.
    #[error(
        "it does not answer `{0}`, without which nobody knows what it keeps: let the server's user run \
         it (`ACL SETUSER name +config|get +info +memory|malloc-stats`)"
    )]
    Hidden(&'static str),
    /// It does not say it to somebody without a name.
    #[error(
        "it does not answer `{0}` to somebody without a name: write its user and password into the address, as \
         valkey://user:password@host:6379"
    )]
    Nameless(&'static str),
}

/// A setting, what it must be, and why.
struct Rule {
    setting: &'static str,
    wanted: &'static str,
    why: &'static str,
}

const DISK: &str = "it writes what it holds to a disk";
const LOGS: &str = "it logs requests, with what they carry";
const RULES: [Rule; 7] = [
    rule("save", "\"\"", DISK),
    rule("appendonly", "no", DISK),
    rule(
        "maxmemory-policy",
        "noeviction",
        "it throws away messages when its memory is full",
    ),
    rule(
        "cluster-enabled",
        "no",
        "its functions may not touch several keys: name independent servers instead",
    ),
    rule("slowlog-log-slower-than", "-1", LOGS),
    rule("commandlog-request-larger-than", "-1", LOGS),
    rule("commandlog-reply-larger-than", "-1", LOGS),
];

const fn rule(setting: &'static str, wanted: &'static str, why: &'static str) -> Rule {
    Rule {
        setting,
        wanted,
        why,
    }
}

/// Checks a node.
///
/// # Errors
/// What the connection says, or what is to be changed.
pub(super) async fn check(
    connection: &mut MultiplexedConnection,
) -> RedisResult<Result<(), Unfit>> {
    let mut ask = cmd("CONFIG");
    ask.arg("GET");
    RULES.iter().for_each(|rule| {
        ask.arg(rule.setting);
    });
    let Some(found) = answer(connection, &ask).await? else {
        return Ok(Err(Unfit::Hidden("CONFIG GET")));
    };
    let Some(replication) = answer(connection, cmd("INFO").arg("replication")).await? else {
        return Ok(Err(Unfit::Hidden("INFO")));
    };
    let Some(memory) = answer(connection, cmd("MEMORY").arg("MALLOC-STATS")).await? else {
        return Ok(Err(Unfit::Hidden("MEMORY MALLOC-STATS")));
    };
    Ok(settings(&found)
        .and_then(|()| replicas(&replication.concat()))
        .and_then(|()| allocator(&memory.concat())))
}

/// The texts of an answer; `None` if the server refuses to say.
async fn answer(
    connection: &mut MultiplexedConnection,
    ask: &redis::Cmd,
) -> RedisResult<Option<Vec<String>>> {
    match connection.send_packed_command(ask).await {
        Ok(Value::ServerError(_)) => Ok(None),
        Ok(value) => Ok(Some(texts(value))),
        Err(error) if error.is_io_error() || error.is_connection_dropped() => Err(error),
        Err(_) => Ok(None),
    }
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.into_iter().flat_map(texts).collect(),
        Value::BulkString(bytes) => vec![String::from_utf8_lossy(&bytes).into_owned()],
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => vec![text],
        Value::Map(pairs) => {
            let both = pairs.into_iter().flat_map(|(name, value)| [name, value]);
            both.flat_map(texts).collect()
        }
        _ => Vec::new(),
    }
}

/// Settings that an engine does not know are those of other engines, except for those that all have.
fn settings(found: &[String]) -> Result<(), Unfit> {
    let known = |setting: &str| {
        let mut pairs = found.chunks_exact(2);
        pairs.find(|pair| pair[0] == setting).map(|pair| &pair[1])
    };
    if known("save").is_none() {
        return Err(Unfit::Hidden("CONFIG GET"));
    }
    for rule in &RULES {
        let wanted = rule.wanted.trim_matches('"');
        match known(rule.setting) {
            Some(found) if found != wanted => {
                return Err(Unfit::Setting {
                    setting: rule.setting,
                    found: found.clone(),
                    wanted: rule.wanted,
                    why: rule.why,
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn replicas(info: &str) -> Result<(), Unfit> {
    let value = |name: &str| {
        let mut lines = info.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
    };
    match (value("role"), value("connected_slaves")) {
        (Some("master"), Some("0")) => Ok(()),
        (Some("master"), Some(count)) => Err(Unfit::Replicas(count.parse().unwrap_or(1))),
        (Some(_), _) => Err(Unfit::Replica),
        (None, _) => Err(Unfit::Hidden("INFO")),
    }
}

fn allocator(statistics: &str) -> Result<(), Unfit> {
    let wipes = |line: &str| {
        let said = line.trim().strip_prefix("opt.junk:").map(str::trim);
        matches!(said, Some("\"free\"" | "\"true\""))
    };
    match statistics.lines().any(wipes) {
        true => Ok(()),
        false => Err(Unfit::Memory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(setting: &str, value: &str) -> Result<(), Unfit> {
        let of = |rule: &Rule| {
            let wanted = rule.wanted.trim_matches('"');
            let value = if rule.setting == setting {
                value
            } else {
                wanted
            };
            [rule.setting.to_owned(), value.to_owned()]
        };
        settings(&RULES.iter().flat_map(of).collect::<Vec<_>>())
    }

    #[test]
    fn each_setting_that_keeps_or_loses_something_is_named_with_what_it_must_be() {
        assert_eq!(with("none", ""), Ok(()));
        for rule in &RULES {
            let Err(unfit) = with(rule.setting, "1") else {
                panic!("{} is not looked at", rule.setting);
            };
            let told = format!("`{} {}`", rule.setting, rule.wanted);
            assert!(unfit.to_string().contains(&told), "{unfit}");
        }
        assert_eq!(settings(&[]), Err(Unfit::Hidden("CONFIG GET")));
    }

    #[test]
    fn replicas_and_an_allocator_that_keeps_what_it_frees_are_refused() {
        let primary = "# Replication\r\nrole:master\r\nconnected_slaves:";
        assert_eq!(replicas(&format!("{primary}0\r\n")), Ok(()));
        let two = replicas(&format!("{primary}2\r\n"));
        assert_eq!(two, Err(Unfit::Replicas(2)));
        assert_eq!(replicas("role:slave\r\n"), Err(Unfit::Replica));
        assert_eq!(replicas(""), Err(Unfit::Hidden("INFO")));
        assert_eq!(allocator("  opt.junk: \"free\"\n"), Ok(()));
        assert_eq!(allocator("opt.junk: \"true\""), Ok(()));
        for keeps in [
            "opt.junk: \"false\"",
            "opt.junk: \"alloc\"",
            "Stats not supported",
        ] {
            assert_eq!(allocator(keeps), Err(Unfit::Memory));
        }
    }
}
