//! The project's commands: everything that prepares, builds, checks or measures it.
//!
//! `cargo xtask help` lists them. They need a Rust toolchain and the package registries; whatever
//! else is missing is fetched into a private folder and nothing outside the work tree is changed,
//! except that root on a Debian machine gets Chromium, SoftHSM and Python's environments installed as
//! ordinary packages.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool of the developers measures real time"
)]

mod apt;
mod args;
mod bench;
mod bundle;
mod cargo_tool;
mod check;
mod debian_rust;
mod deny;
mod engines;
mod javascript;
mod left_out;
mod manifest;
mod mutants;
mod process;
mod proof_log;
mod prove;
mod python;
mod report;
mod serve;
mod test;
mod tools;
mod wasm;
mod wasm_route;
mod workspace;

use std::process::ExitCode;

use args::Command;
use report::Report;
use workspace::Workspace;

fn main() -> ExitCode {
    let command = match args::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(usage) => usage.exit(),
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nxtask failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut report = Report::new();
    let outcome = match command {
        Command::Serve(args) => return serve::run(&workspace, &mut report, args.alone()),
        Command::Bundle { force } => bundle::ensure(&workspace, &mut report, force).map(|_| ()),
        Command::Test(args) => test::run(&workspace, &mut report, args.all()),
        Command::Fmt { check } => check::fmt(&workspace, &mut report, check),
        Command::Lint => check::lint(&workspace, &mut report),
        Command::Deny => deny::run(&workspace, &mut report),
        Command::Machete => check::machete(&workspace, &mut report),
        Command::Ci => check::ci(&workspace, &mut report),
        Command::Prove(args) => match args.mutants() {
            Some(args) => mutants::run(&workspace, &mut report, args),
            None if args.engines() => prove::engines(&workspace, &mut report),
            None => prove::run(&workspace, &mut report, args.all()),
        },
        Command::Bench(args) => bench::run(&workspace, &mut report, args.alone()),
    };
    report.summary();
    outcome.map(|()| ExitCode::SUCCESS)
}
