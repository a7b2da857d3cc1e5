//! Variables that begin like this server's settings: each is a setting, or is known to be none.

use std::collections::HashSet;

/// Beginning of every variable that is a setting.
pub(super) const PREFIX: &str = "SECURE_MESSAGING_";

/// What this project's own commands and tests read, behind the prefix.
const COMMANDS: [&str; 7] = [
    "BENCH_DIR",
    "DUMPABLE",
    "LONG",
    "PRIVATE_TOOLS",
    "SCREENSHOTS",
    "TOOLS",
    "WYCHEPROOF_DIR",
];

/// Beginnings of groups of them.
const COMMAND_GROUPS: [&str; 4] = ["FUZZ_", "MUTANTS_", "TEST_", "WASM_"];

/// Names of this process's variables.
pub(super) fn of_this_process() -> impl Iterator<Item = String> {
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())
}

/// Finds a variable that begins as a setting does and is none, probably a misspelt one.
pub(super) fn misspelt(
    variables: impl Iterator<Item = String>,
    settings: &HashSet<String>,
) -> Option<String> {
    let mut unknown: Vec<String> = variables
        .filter(|name| {
            name.strip_prefix(PREFIX).is_some_and(|rest| {
                !settings.contains(&rest.to_ascii_lowercase())
                    && !COMMANDS.contains(&rest)
                    && !COMMAND_GROUPS.iter().any(|group| rest.starts_with(group))
                    && !is_service_link(rest)
            })
        })
        .collect();
    unknown.sort();
    unknown.into_iter().next()
}

/// Whether Kubernetes sets this in each container beside a service named `secure-messaging`:
/// `SERVICE_HOST`, `SERVICE_PORT…` and `PORT…`.
fn is_service_link(rest: &str) -> bool {
    let port = rest.strip_prefix("SERVICE_").unwrap_or(rest);
    rest == "SERVICE_HOST" || port == "PORT" || port.starts_with("PORT_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Option<String> {
        let settings = HashSet::from(["log".to_owned(), "workers".to_owned()]);
        misspelt(names.iter().map(|name| (*name).to_owned()), &settings)
    }

    #[test]
    fn a_misspelt_variable_is_found() {
        let names = ["SECURE_MESSAGING_LOG", "SECURE_MESSAGING_WOKERS", "PATH"];
        assert_eq!(found(&names).as_deref(), Some("SECURE_MESSAGING_WOKERS"));
        assert_eq!(found(&["SECURE_MESSAGING_"]).as_deref(), Some(PREFIX));
        assert_eq!(found(&["SECURE_MESSAGING_LOG", "HOME"]), None);
    }

    #[test]
    fn what_kubernetes_and_the_projects_commands_set_is_left_alone() {
        for rest in [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_HTTP",
            "PORT",
            "PORT_8080_TCP",
            "PORT_8080_TCP_ADDR",
            "TEST_CHROMIUM",
            "TOOLS",
        ] {
            assert_eq!(found(&[&format!("{PREFIX}{rest}")]), None, "{rest}");
        }
        assert!(found(&["SECURE_MESSAGING_PORTS"]).is_some());
    }
}
