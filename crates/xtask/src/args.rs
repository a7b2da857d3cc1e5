//! The command line.

/// What `cargo xtask help` prints.
pub const USAGE: &str = "\
cargo xtask COMMAND

  serve [ARGS]    prepare everything, build the release server and start it; ARGS go to the server
  test [ARGS]     prepare everything and run every test; ARGS go to `cargo test`
                  (a name filters; -p CRATE picks a crate; after -- they go to the test programs)
  bundle [--force]  build what the browser loads: target/bundle and static/wasm
  prove [ARGS]    the slow proofs; writes target/proofs.md; ARGS filter as in test
  prove mutants [ARGS]  changes protocol, client, vault, keyring and audit in one place at a time:
                  a test must tell, or docs/mutants.txt has the reason; hours; ARGS go to cargo-mutants
  bench [NAME] [ARGS]  the benchmarks; their tables and plots are left in target/
  ci              what CI runs: fmt, lint, cargo-deny, test
  fmt [--check]   format the Rust and JavaScript sources
  lint            clippy and ESLint over everything, warnings are errors
  deny            bans, licences, sources and advisories of the dependencies
  tools           fetch the tools that the tests need, and say where they are

Environment
  SECURE_MESSAGING_TOOLS       folder for fetched tools (default: <target>/tools)
  SECURE_MESSAGING_WASM_ROUTE  installed, rustup or debian: which wasm32 toolchain to use
  SECURE_MESSAGING_PRIVATE_TOOLS=1  unpack Debian packages privately even for root";

/// One command with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the usage.
    Help,
    /// Build and start the server.
    Serve {
        /// Passed to the server.
        args: Vec<String>,
    },
    /// Build the browser bundle.
    Bundle {
        /// Rebuild even when the inputs are unchanged.
        force: bool,
    },
    /// Run every test.
    Test {
        /// Passed to `cargo test`.
        args: Vec<String>,
    },
    /// Format.
    Fmt {
        /// Only look.
        check: bool,
    },
    /// Clippy.
    Lint,
    /// cargo-deny.
    Deny,
    /// All that CI runs.
    Ci,
    /// The slow proofs.
    Prove {
        /// Passed to `cargo test`.
        args: Vec<String>,
    },
    /// The mutants of the crates that everything stands on.
    Mutants {
        /// Passed to cargo-mutants.
        args: Vec<String>,
    },
    /// The benchmarks.
    Bench {
        /// A benchmark's name first, then its arguments.
        args: Vec<String>,
    },
    /// Fetch the test tools.
    Tools,
}

/// Reads the arguments after the program's name; the error says what is wrong with them.
pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Command, String> {
    let Some(name) = args.next() else {
        return Ok(Command::Help);
    };
    let rest: Vec<String> = args.collect();
    match name.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "serve" => Ok(Command::Serve {
            args: without_separator(rest),
        }),
        "bundle" => Ok(Command::Bundle {
            force: flag(&name, &rest, "--force")?,
        }),
        "test" => Ok(Command::Test { args: rest }),
        "fmt" => Ok(Command::Fmt {
            check: flag(&name, &rest, "--check")?,
        }),
        "lint" | "clippy" => none(&name, &rest, Command::Lint),
        "deny" => none(&name, &rest, Command::Deny),
        "ci" => none(&name, &rest, Command::Ci),
        "tools" => none(&name, &rest, Command::Tools),
        "prove" if rest.first().is_some_and(|first| first == "mutants") => Ok(Command::Mutants {
            args: without_separator(rest[1..].to_vec()),
        }),
        "prove" => Ok(Command::Prove { args: rest }),
        "bench" => Ok(Command::Bench {
            args: without_separator(rest),
        }),
        other => Err(format!("there is no command `{other}`")),
    }
}

/// What `cargo test` is given: the whole workspace unless the caller named packages.
pub fn cargo_test_args(passed: &[String]) -> Vec<String> {
    let before_separator = passed.iter().take_while(|arg| *arg != "--");
    let named = before_separator.into_iter().any(|arg| {
        arg == "-p"
            || arg == "--package"
            || arg.starts_with("--package=")
            || (arg.starts_with("-p") && !arg.starts_with("--"))
    });
    let mut all: Vec<String> = if named {
        Vec::new()
    } else {
        // xtask is built alone by `cargo xtask`: in one build with everything else its libraries
        // would get other features and be compiled a second time.
        ["--workspace", "--exclude", "xtask"]
            .map(String::from)
            .to_vec()
    };
    all.push("--no-fail-fast".into());
    all.extend(passed.iter().cloned());
    all
}

fn without_separator(mut rest: Vec<String>) -> Vec<String> {
    if rest.first().is_some_and(|first| first == "--") {
        rest.remove(0);
    }
    rest
}

fn flag(name: &str, rest: &[String], known: &str) -> Result<bool, String> {
    match rest {
        [] => Ok(false),
        [only] if only == known => Ok(true),
        _ => Err(format!("`{name}` takes only {known}")),
    }
}

fn none(name: &str, rest: &[String], command: Command) -> Result<Command, String> {
    if rest.is_empty() {
        Ok(command)
    } else {
        Err(format!("`{name}` takes no arguments"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(String::from))
    }

    fn strings(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn no_command_means_help() {
        assert_eq!(parsed(""), Ok(Command::Help));
    }

    #[test]
    fn server_arguments_pass_through_with_and_without_separator() {
        let wanted = Ok(Command::Serve {
            args: strings("--bind 127.0.0.1:0"),
        });
        assert_eq!(parsed("serve --bind 127.0.0.1:0"), wanted);
        assert_eq!(parsed("serve -- --bind 127.0.0.1:0"), wanted);
    }

    #[test]
    fn test_keeps_the_separator_for_the_test_programs() {
        assert_eq!(
            parsed("test burn -- --nocapture"),
            Ok(Command::Test {
                args: strings("burn -- --nocapture")
            })
        );
    }

    #[test]
    fn unknown_commands_and_stray_arguments_are_refused() {
        assert!(parsed("deploy").is_err());
        assert!(parsed("ci now").is_err());
        assert!(parsed("fmt --force").is_err());
        assert!(parsed("bundle --check").is_err());
    }

    #[test]
    fn mutants_are_a_proof_of_their_own() {
        let wanted = Ok(Command::Mutants {
            args: strings("--shard 1/8"),
        });
        assert_eq!(parsed("prove mutants --shard 1/8"), wanted);
        assert_eq!(parsed("prove mutants -- --shard 1/8"), wanted);
        let filtered = Ok(Command::Prove {
            args: strings("burned"),
        });
        assert_eq!(parsed("prove burned"), filtered);
    }

    #[test]
    fn without_packages_the_whole_workspace_is_tested() {
        assert_eq!(
            cargo_test_args(&strings("burn")),
            strings("--workspace --exclude xtask --no-fail-fast burn")
        );
    }

    #[test]
    fn a_named_package_replaces_the_workspace() {
        assert_eq!(
            cargo_test_args(&strings("-p vault")),
            strings("--no-fail-fast -p vault")
        );
        assert_eq!(
            cargo_test_args(&strings("--package=vault")),
            strings("--no-fail-fast --package=vault")
        );
    }

    #[test]
    fn a_package_flag_after_the_separator_belongs_to_the_test_programs() {
        assert_eq!(
            cargo_test_args(&strings("burn -- -p")),
            strings("--workspace --exclude xtask --no-fail-fast burn -- -p")
        );
    }
}
