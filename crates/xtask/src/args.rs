//! The command line.

use clap::{Parser, Subcommand};

const ENVIRONMENT: &str = "\
Environment:
  SECURE_MESSAGING_TOOLS  folder for fetched tools (default: <target>/tools)
  SECURE_MESSAGING_PRIVATE_TOOLS=1  use nothing that the machine has, and install nothing on it";

/// The project's commands
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", after_help = ENVIRONMENT, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// One command with its arguments.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Prepare everything, build the release server and start it; ARGS go to the server
    Serve(Passed),
    /// Prepare everything and run every test
    ///
    /// ARGS go to `cargo test`: a name filters, -p CRATE picks a crate, and what comes after -- goes to
    /// the test programs.
    Test(Passed),
    /// Build what the browser loads: target/bundle and static/wasm
    Bundle {
        /// Rebuild even when the inputs are unchanged
        #[arg(long)]
        force: bool,
    },
    /// Run the slow proofs, and write target/proofs.md
    ///
    /// ARGS filter as in test. `prove engines` runs the ephemeral plane over other engines alone. `prove mutants` changes protocol, client, ephemeral, keyring and audit in one
    /// place at a time: a test must tell, or .cargo/mutants.toml has the reason. It takes hours; its ARGS go
    /// to cargo-mutants.
    Prove(Passed),
    /// Run the benchmarks; their tables and plots are left in target/
    ///
    /// The first of ARGS may name one.
    Bench(Passed),
    /// Do what CI does: fmt, deny, machete, test, lint
    Ci,
    /// Format the Rust and JavaScript sources
    Fmt {
        /// Only look
        #[arg(long)]
        check: bool,
    },
    /// Run clippy and ESLint over everything; a warning is an error
    #[command(alias = "clippy")]
    Lint,
    /// Check bans, licences, sources and advisories of the dependencies
    Deny,
    /// Find dependencies that nothing uses
    Machete,
}

/// Arguments for another program.
#[derive(Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Passed {
    /// Passed on as they are
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

impl Passed {
    /// Returns the arguments without the separator that may stand before them.
    pub(crate) fn alone(&self) -> &[String] {
        match self.args.split_first() {
            Some((first, rest)) if first == "--" => rest,
            _ => &self.args,
        }
    }

    /// Returns the arguments of `prove mutants`.
    pub(crate) fn mutants(&self) -> Option<&[String]> {
        let (first, rest) = self.args.split_first()?;
        let rest = match rest.split_first() {
            Some((separator, rest)) if separator == "--" => rest,
            _ => rest,
        };
        (first == "mutants").then_some(rest)
    }

    /// Returns whether it is `prove engines`.
    pub(crate) fn engines(&self) -> bool {
        self.args == ["engines"]
    }

    /// Returns the arguments with the separator, which divides those of `cargo test`.
    pub(crate) fn all(&self) -> &[String] {
        &self.args
    }
}

/// Reads the arguments after the program's name; the error has the usage.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Command, clap::Error> {
    let mut args: Vec<String> = args.into_iter().collect();
    // clap keeps every separator but the first: it gets one of its own.
    if args.get(1).is_some_and(|first| first == "--") {
        args.insert(1, "--".to_owned());
    }
    args.insert(0, "xtask".to_owned());
    Cli::try_parse_from(args).map(|cli| cli.command)
}

/// What `cargo test` is given: the whole workspace unless the caller named packages.
pub(crate) fn cargo_test_args(passed: &[String]) -> Vec<String> {
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
    // Not the examples: there are no tests in them.
    if !passed
        .iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| is_target(arg))
    {
        all.push("--tests".into());
    }
    all.push("--no-fail-fast".into());
    all.extend(passed.iter().cloned());
    all
}

/// Whether an argument of `cargo test` picks targets.
fn is_target(arg: &str) -> bool {
    const TARGETS: [&str; 6] = ["--lib", "--bin", "--test", "--example", "--doc", "--bench"];
    TARGETS.iter().any(|target| arg.starts_with(target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Command {
        parse(strings(line)).unwrap()
    }

    fn passed(line: &str) -> Passed {
        Passed {
            args: strings(line),
        }
    }

    fn strings(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn no_command_means_help() {
        let help = parse([]).unwrap_err().to_string();
        for word in ["serve", "machete", "SECURE_MESSAGING_TOOLS"] {
            assert!(help.contains(word), "{help}");
        }
    }

    #[test]
    fn server_arguments_pass_through_with_and_without_separator() {
        for line in ["serve --bind 127.0.0.1:0", "serve -- --bind 127.0.0.1:0"] {
            let Command::Serve(args) = parsed(line) else {
                panic!("{line}");
            };
            assert_eq!(args.alone(), strings("--bind 127.0.0.1:0"), "{line}");
        }
    }

    #[test]
    fn test_keeps_the_separator_for_the_test_programs() {
        for args in ["burn -- --nocapture", "-- --nocapture", "-p ephemeral"] {
            let read = parsed(&format!("test {args}"));
            assert_eq!(read, Command::Test(passed(args)));
        }
    }

    #[test]
    fn unknown_commands_and_stray_arguments_are_refused() {
        for line in ["deploy", "ci now", "fmt --force", "bundle --check"] {
            assert!(parse(strings(line)).is_err(), "{line}");
        }
    }

    #[test]
    fn mutants_and_engines_are_proofs_of_their_own() {
        for line in ["prove mutants --shard 1/8", "prove mutants -- --shard 1/8"] {
            let Command::Prove(args) = parsed(line) else {
                panic!("{line}");
            };
            assert_eq!(args.mutants(), Some(&strings("--shard 1/8")[..]), "{line}");
        }
        let Command::Prove(args) = parsed("prove burned") else {
            panic!("a proof");
        };
        assert_eq!(args.mutants(), None);
        assert!(!args.engines());
        let Command::Prove(args) = parsed("prove engines") else {
            panic!("a proof");
        };
        assert!(args.engines());
    }

    #[test]
    fn without_packages_the_whole_workspace_is_tested() {
        assert_eq!(
            cargo_test_args(&strings("burn")),
            strings("--workspace --exclude xtask --tests --no-fail-fast burn")
        );
    }

    #[test]
    fn a_named_package_replaces_the_workspace() {
        assert_eq!(
            cargo_test_args(&strings("-p ephemeral")),
            strings("--tests --no-fail-fast -p ephemeral")
        );
        assert_eq!(
            cargo_test_args(&strings("--package=ephemeral")),
            strings("--tests --no-fail-fast --package=ephemeral")
        );
    }

    #[test]
    fn a_named_target_replaces_all_of_them() {
        for line in ["--test integration", "--test=integration -- audit"] {
            let all = cargo_test_args(&strings(line));
            assert!(!all.contains(&"--tests".to_owned()), "{all:?}");
        }
    }

    #[test]
    fn a_package_flag_after_the_separator_belongs_to_the_test_programs() {
        assert_eq!(
            cargo_test_args(&strings("burn -- -p")),
            strings("--workspace --exclude xtask --tests --no-fail-fast burn -- -p")
        );
    }
}
