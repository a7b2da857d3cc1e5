//! `audit`: verify the log or write it out, whether a server runs or not.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use ::audit::{
    ExportVerifier, Finding, Fingerprint, HeadVerifyKey, Header, MAX_LINE, Outside, Pin, Verdict,
    Verifier, Witnessed,
};
use store::{AuditFile, OpenError};

use super::output::{OutputError, hint, say};
use super::{Outcome, existing_database, in_database};
use crate::app::audit::{Damaged, Wanted, export as export_log};
use crate::app::time;
use crate::config::{Auditing, Config, Overrides};
use crate::faces::control::client::Server;
use ambient::Ambient;

/// Arguments of `audit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What can be done with the log.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Verify an export or a database, and name what was done to it
    ///
    /// Without FILE and --database the database of the configuration is verified. No key of the
    /// database is needed, nothing is changed, and a server may be running. The exit status is 1
    /// when anything was found.
    Verify(Verify),
    /// Write the log to the standard output, one JSON object a line
    Export(Export),
}

/// Arguments of `audit verify`.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// An export; `-` is the standard input
    #[arg(value_name = "FILE", conflicts_with = "database")]
    pub file: Option<PathBuf>,
    /// A database file
    #[arg(long, value_name = "PATH")]
    pub database: Option<PathBuf>,
    /// Heads that a witness kept, one a line; they show a cut end and an older copy
    #[arg(long, value_name = "HEADFILE")]
    pub against: Option<PathBuf>,
    /// The fingerprint of the key that must have signed, or at least its first 32 digits
    #[arg(long, value_name = "FINGERPRINT")]
    pub key: Option<Pin>,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Arguments of `audit export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// From this time on, UTC: 2026-11-21, 2026-11-21T23:07 or unix seconds
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub from: Option<u64>,
    /// Up to this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub to: Option<u64>,
    /// With the details opened: who did it from where, in the clear
    #[arg(long)]
    pub details: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Runs the action.
pub fn run(args: Args) -> Outcome {
    match args.what {
        What::Verify(verify) => verified(verify),
        What::Export(export) => exported(&export),
    }
}

/// Seconds that the end of a log may stand unsigned, beyond the time that the server leaves it.
const PATIENCE: u64 = 600;

/// Which key is trusted, and on whose word.
struct Trust {
    pin: Option<Pin>,
    why: String,
}

impl Trust {
    fn new(verify: &Verify, source: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let witnessed = match &verify.against {
            Some(path) => Some(first_key(path)?),
            None => None,
        };
        let (pin, why) = match (&verify.key, witnessed) {
            (Some(pin), _) => (Some(pin.clone()), "which you gave".to_owned()),
            (None, Some(key)) => {
                let why = "which the heads kept elsewhere name".to_owned();
                (Some(Pin::from(key)), why)
            }
            (None, None) => {
                let why = format!(
                    "which {source} itself names: whoever made the file chose it, so compare it \
                     with the admin page, or pin it with --key"
                );
                (None, why)
            }
        };
        Ok(Self { pin, why })
    }

    /// The heads kept elsewhere, once it is clear that the key is the one to trust.
    fn outside(
        &self,
        verify: &Verify,
        key: &HeadVerifyKey,
    ) -> Result<Option<Outside>, Box<dyn std::error::Error>> {
        let found = key.fingerprint();
        if self.pin.as_ref().is_some_and(|pin| !pin.fits(&found)) {
            return Err(sentence(&Finding::OtherKey { found }).into());
        }
        let Some(path) = &verify.against else {
            return Ok(None);
        };
        let mut outside = Outside::under(key.clone());
        let mut lines = Lines::open(path)?;
        while let Some(line) = lines.next()? {
            outside
                .line(line)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Some(outside))
    }

    /// Says what came out; an error where anything was found. Records at the end may stand unsigned for
    /// so many seconds.
    fn tell(&self, verdict: &Verdict, patience: u64) -> Outcome {
        // What was found is told even where the rest cannot be printed.
        let printed = self.print(verdict);
        let stale = verdict.stale(Ambient::system().now(), patience);
        let mut findings = verdict.findings.iter().chain(&stale);
        if let Some(first) = findings.next() {
            for finding in findings {
                hint!("also: {}", sentence(finding));
            }
            if verdict.more > 0 {
                hint!("and {} more", verdict.more);
            }
            return Err(sentence(first).into());
        }
        printed?;
        match verdict.unsigned() {
            None => say!("the log is whole")?,
            Some((from, to)) => say!(
                "what is signed is whole; records {from} to {to} are not signed yet, so nothing says who \
                 wrote them: verify again when the server has signed or was stopped"
            )?,
        }
        Ok(())
    }

    /// Prints what was read, and under which key.
    fn print(&self, verdict: &Verdict) -> Result<(), OutputError> {
        if verdict.records > 0 {
            say!(
                "{} records ({} to {}) and {} signed heads were read; signatures vouch for records up \
                 to {}",
                verdict.records,
                verdict.from,
                verdict.to,
                verdict.heads,
                verdict.vouched
            )?;
        } else {
            say!("the log is empty")?;
        }
        if let Some(key) = &verdict.key {
            say!("verified with the key {key}, {}", self.why)?;
        }
        Ok(())
    }
}

fn sentence(finding: &Finding) -> String {
    format!("{finding}")
}

fn verified(verify: Verify) -> Outcome {
    match (&verify.file, &verify.database) {
        (Some(file), _) => verified_export(&verify, file),
        (None, Some(database)) => {
            let leaves = Auditing::default().audit_head_secs;
            verified_database(&verify, || AuditFile::open(database), leaves)
        }
        (None, None) => {
            let config = Config::load(&verify.overrides)?;
            let leaves = config.auditing.audit_head_secs;
            match config.postgres()? {
                Some(server) => verified_database(&verify, || AuditFile::connect(&server), leaves),
                None => {
                    let path = config.database_path()?;
                    verified_database(&verify, || AuditFile::open(&path), leaves)
                }
            }
        }
    }
}

/// Verifies a database whose server leaves records unsigned for so many seconds.
fn verified_database(
    verify: &Verify,
    open: impl FnOnce() -> Result<AuditFile, OpenError>,
    leaves: u64,
) -> Outcome {
    let trust = Trust::new(verify, "the database")?;
    let file = open()?;
    let named = file.named_key()?;
    let key = named.as_deref().and_then(Header::parse_key);
    let Some(key) = key else {
        return Err(sentence(&Finding::NoKey).into());
    };
    let outside = trust.outside(verify, &key)?;
    let verdict = file.verify(Verifier::new(Some(key), outside))?;
    trust.tell(&verdict, PATIENCE.saturating_add(leaves))
}

fn verified_export(verify: &Verify, path: &Path) -> Outcome {
    let trust = Trust::new(verify, "the export")?;
    let mut lines = Lines::open(path)?;
    let header = lines.next()?.unwrap_or_default();
    let key = ExportVerifier::header(header)?.key;
    let outside = trust.outside(verify, &key)?;
    let mut verifier = ExportVerifier::begin(header, outside)?;
    while let Some(line) = lines.next()? {
        verifier.line(line);
    }
    let about = verifier.about();
    let printed = match about.from.or(about.to) {
        Some(_) => {
            say!("the export is of a part of the log: what is before and after was not looked at")
        }
        None => Ok(()),
    };
    trust.tell(&verifier.finish(), PATIENCE)?;
    Ok(printed?)
}

/// The key that the first head of a file names.
fn first_key(path: &Path) -> Result<Fingerprint, Box<dyn std::error::Error>> {
    let mut lines = Lines::open(path)?;
    while let Some(line) = lines.next()? {
        if !line.trim_ascii().is_empty() {
            let head = Witnessed::parse(line);
            return Ok(head
                .map_err(|error| format!("{}: {error}", path.display()))?
                .key());
        }
    }
    Err(format!("{} holds no head", path.display()).into())
}

/// Lines of a file, one at a time and none of them endless.
struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let reader: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
            Box::new(BufReader::new(file))
        };
        Ok(Self {
            reader,
            line: Vec::new(),
        })
    }

    fn next(&mut self) -> std::io::Result<Option<&[u8]>> {
        self.line.clear();
        let most = MAX_LINE as u64 + 2;
        let mut part = self.reader.by_ref().take(most);
        if part.read_until(b'\n', &mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        }
        Ok(Some(&self.line))
    }
}

fn exported(export: &Export) -> Outcome {
    let config = Config::load(&export.overrides)?;
    existing_database(&config)?;
    let wanted = Wanted {
        from: export.from,
        to: export.to,
        details: export.details,
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut write = |line: &str| out.write_all(line.as_bytes()).map_err(OutputError::from);
    let damaged = match Server::find(&config) {
        Some(server) => server.ask_for_export(wanted, write)?,
        None => in_database(&config, async |store, ambient| {
            export_log(store, ambient, &wanted, async |line| Ok(write(&line)?)).await
        })?,
    };
    out.flush().map_err(OutputError::from)?;
    tell(&damaged)
}

/// Names damaged records on the standard error stream; an error where there is any.
fn tell(damaged: &Damaged) -> Outcome {
    for id in &damaged.details {
        hint!("record {id}: details damaged, they do not open");
    }
    for id in &damaged.unreadable {
        hint!("record {id}: it cannot be read and is left out");
    }
    let count = damaged.details.len() + damaged.unreadable.len();
    if count == 0 {
        return Ok(());
    }
    Err(format!(
        "the export is written to its end, and {count} records in it are damaged; \
         `secure-messaging audit verify` has more"
    )
    .into())
}

/// Reads a time as people type it.
fn moment(text: &str) -> Result<u64, String> {
    let day = || time::parse(&format!("{text}T00:00"));
    text.parse()
        .ok()
        .or_else(|| time::parse(text))
        .or_else(day)
        .ok_or_else(|| "write 2026-11-21, 2026-11-21T23:07 or unix seconds, in UTC".to_owned())
}
