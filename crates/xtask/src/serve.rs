//! `cargo xtask serve`: prepare everything and become the server.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::bail;

use crate::bundle;
use crate::process::run_shown;
use crate::report::Report;
use crate::workspace::Workspace;

/// Builds bundle and server, then replaces this process by the server in the caller's folder.
///
/// The release profile costs minutes the first time; people then work with what it builds, and the
/// debug server is many times slower under load.
pub(crate) fn run(
    workspace: &Workspace,
    report: &mut Report,
    args: &[String],
) -> anyhow::Result<ExitCode> {
    let bundle = bundle::ensure(workspace, report, false)?;
    report.step("server (release build)", || {
        run_shown(
            workspace
                .cargo()
                .args(["build", "--release", "--bin", "secure-messaging"])
                .args(workspace.locked()),
        )
    })?;
    report.summary();
    let environment = |name: &str| std::env::var(name).ok();
    println!("\n==> starting the server: {}", address(args, environment));
    let program = workspace.target.join("release/secure-messaging");
    let error = Command::new(&program)
        .arg("serve")
        .args(args)
        .env("SECURE_MESSAGING_BUNDLE_DIR", bundle)
        .exec();
    bail!("{} could not be started: {error}", program.display())
}

/// Where people will find the server, as far as arguments and environment tell.
fn address(args: &[String], environment: impl Fn(&str) -> Option<String>) -> String {
    let argument = |name: &str| {
        let assigned = format!("{name}=");
        args.iter().enumerate().find_map(|(at, arg)| {
            if arg == name {
                args.get(at + 1).cloned()
            } else {
                arg.strip_prefix(&assigned).map(str::to_owned)
            }
        })
    };
    if let Some(url) = argument("--public-url").or_else(|| environment("PUBLIC_URL")) {
        return url;
    }
    let bound = argument("--bind-addr")
        .or_else(|| environment("BIND_ADDR"))
        .unwrap_or_else(|| "127.0.0.1:8080".into());
    format!("http://{bound}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str, environment: &[(&str, &str)]) -> String {
        let args: Vec<String> = line.split_whitespace().map(String::from).collect();
        address(&args, |name| {
            environment
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_address_comes_from_arguments_then_environment_then_the_default() {
        assert_eq!(told("", &[]), "http://127.0.0.1:8080");
        assert_eq!(
            told("", &[("BIND_ADDR", "127.0.0.1:9")]),
            "http://127.0.0.1:9"
        );
        assert_eq!(
            told("--bind-addr 127.0.0.1:7", &[("BIND_ADDR", "127.0.0.1:9")]),
            "http://127.0.0.1:7"
        );
        assert_eq!(
            told("--public-url=https://chat.example", &[]),
            "https://chat.example"
        );
    }
}
