//! Running other programs: aloud, quietly with a heartbeat, or for their answer.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::report::seconds;

const HEARTBEAT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Runs a program whose output the user sees; an error when it fails.
pub(crate) fn run_shown(command: &mut Command) -> anyhow::Result<()> {
    let name = name_of(command);
    let status = command
        .status()
        .with_context(|| format!("{name} could not be started"))?;
    check(&name, status)
}

/// Runs a program whose output goes to `log`; says every half minute that it still works.
///
/// When it fails or runs longer than `limit`, the error carries the log's last lines.
pub(crate) fn run_quietly(
    command: &mut Command,
    log: &Path,
    limit: Duration,
) -> anyhow::Result<()> {
    let name = name_of(command);
    if let Some(dir) = log.parent() {
        std::fs::create_dir_all(dir)?;
    }
    let file = File::create(log).with_context(|| log.display().to_string())?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        .spawn()
        .with_context(|| format!("{name} could not be started"))?;
    let status = wait(&name, &mut child, limit)?;
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => bail!("{name}: {status}\n{}", tail(log)),
        None => bail!("{name}: no end after {}\n{}", seconds(limit), tail(log)),
    }
}

/// Runs a program and hands back what it wrote to standard output.
pub(crate) fn answer(command: &mut Command) -> anyhow::Result<String> {
    let name = name_of(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name} could not be started"))?;
    if !output.status.success() {
        bail!(
            "{name}: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program whose standard output the user sees and `each_line` gets too.
pub(crate) fn run_watched(
    command: &mut Command,
    mut each_line: impl FnMut(&str),
) -> anyhow::Result<ExitStatus> {
    let name = name_of(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{name} could not be started"))?;
    if let Some(stdout) = child.stdout.take() {
        let mut shown = std::io::stdout();
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line?;
            let text = String::from_utf8_lossy(&line);
            writeln!(shown, "{text}")?;
            each_line(&text);
        }
    }
    Ok(child.wait()?)
}

/// Turns a program's exit status into an error that names it.
pub(crate) fn check(name: &str, status: ExitStatus) -> anyhow::Result<()> {
    if status.success() {
        Ok(())
    } else {
        bail!("{name}: {status}")
    }
}

/// Whether a program of that name is on the path.
pub(crate) fn on_path(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// Whether this process may install packages.
pub(crate) fn is_root() -> bool {
    answer(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// What an error says first; a log may follow.
pub(crate) fn first_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    text.lines().next().unwrap_or_default().to_owned()
}

fn wait(name: &str, child: &mut Child, limit: Duration) -> anyhow::Result<Option<ExitStatus>> {
    let begun = Instant::now();
    let mut next_line = HEARTBEAT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let elapsed = begun.elapsed();
        if elapsed > limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        if elapsed > next_line {
            println!("    … {name}: still working after {}", seconds(elapsed));
            next_line += HEARTBEAT;
        }
        std::thread::sleep(POLL);
    }
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let mut name = program.to_string_lossy().into_owned();
    // The subcommand is what tells one run of cargo or apt-get from another.
    if let Some(word) = command
        .get_args()
        .map(|arg| arg.to_string_lossy())
        .find(|arg| arg.starts_with(|c: char| c.is_ascii_lowercase()) && !arg.contains(['/', '=']))
    {
        name.push(' ');
        name.push_str(&word);
    }
    name
}

fn tail(log: &Path) -> String {
    const LINES: usize = 25;
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LINES);
    lines[from..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Scratch;

    #[test]
    fn a_failing_program_is_reported_with_its_last_words() {
        let scratch = Scratch::new("quiet");
        let outcome = run_quietly(
            Command::new("sh").args(["-c", "echo it broke >&2; exit 3"]),
            &scratch.0.join("log"),
            Duration::from_secs(20),
        );
        let text = outcome.expect_err("must fail").to_string();
        assert!(text.contains("it broke"), "{text}");
        assert!(text.contains('3'), "{text}");
    }

    #[test]
    fn a_program_that_hangs_is_ended_at_its_limit() {
        let scratch = Scratch::new("hang");
        let outcome = run_quietly(
            Command::new("sleep").arg("600"),
            &scratch.0.join("log"),
            Duration::from_millis(100),
        );
        let text = outcome.expect_err("must be ended").to_string();
        assert!(text.contains("no end after"), "{text}");
    }

    #[test]
    fn watched_lines_and_the_exit_status_both_arrive() {
        let mut seen = Vec::new();
        let status = run_watched(
            Command::new("sh").args(["-c", "echo one; echo two; exit 4"]),
            |line| seen.push(line.to_owned()),
        )
        .expect("runs");
        assert_eq!(seen, ["one", "two"]);
        assert_eq!(status.code(), Some(4));
    }

    #[test]
    fn programs_are_named_with_their_subcommand() {
        let mut command = Command::new("/usr/bin/apt-get");
        command.args(["-o", "Dir::Cache=/x", "update"]);
        assert_eq!(name_of(&command), "apt-get update");
    }
}
