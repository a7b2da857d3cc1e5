//! A subcommand's end of the control socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use api::bodies::KeyJob;
use backup::Progress;
use store::Statistics;
use zeroize::Zeroizing;

use super::{Answer, KeyWork, Question, socket_path};
use crate::app::administration::accounts;
use crate::app::audit;
use crate::app::backups::{Report, Work};
use crate::app::service_keys;
use crate::config::Config;
use crate::faces::commands::output::OutputError;

/// Why a running server refused a request of a subcommand.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It says so itself.
    #[error("{0}")]
    Refused(String),
    /// It answers another question.
    #[error("the server answers another question; it is of another version: restart it")]
    Strange,
    /// The connection broke.
    #[error(
        "the server went away ({0}); the admin page shows what became of it, and a key job goes on at the \
         next start"
    )]
    Io(#[from] io::Error),
    /// What it answered cannot be written.
    #[error(transparent)]
    Output(#[from] OutputError),
}

/// A connection to a running server.
pub struct Server(UnixStream);

impl Server {
    /// Finds the server that has this configuration's data directory; `None` when none answers.
    pub fn find(config: &Config) -> Option<Self> {
        UnixStream::connect(socket_path(config)).ok().map(Self)
    }

    /// Asks for a job on the keys, and tells how far it is until it is done.
    pub fn ask_for_key_work(
        self,
        work: KeyWork,
        mut tell: impl FnMut(&KeyJob),
    ) -> Result<(), AskError> {
        self.ask(&Question::Keys { work }, |answer| match answer {
            Answer::Progress(progress) => {
                tell(&progress);
                Ok(progress.finished.then_some(()))
            }
            _ => Err(AskError::Strange),
        })
    }

    /// Asks to administer accounts.
    pub fn ask_about_accounts(
        self,
        question: accounts::Question,
    ) -> Result<accounts::Answer, AskError> {
        self.ask(&Question::Accounts { question }, |answer| match answer {
            Answer::Accounts(answer) => Ok(Some(answer)),
            _ => Err(AskError::Strange),
        })
    }

    /// Asks to administer keys of services.
    pub fn ask_about_service_keys(
        self,
        question: service_keys::Question,
    ) -> Result<service_keys::Answer, AskError> {
        self.ask(&Question::ServiceKeys { question }, |answer| match answer {
            Answer::ServiceKeys(answer) => Ok(Some(*answer)),
            _ => Err(AskError::Strange),
        })
    }

    /// Asks for the figures of the database.
    pub fn ask_for_figures(self) -> Result<Statistics, AskError> {
        self.ask(&Question::Figures {}, |answer| match answer {
            Answer::Figures(figures) => Ok(Some(figures)),
            _ => Err(AskError::Strange),
        })
    }

    /// Asks for work on backups, and takes over how far it is.
    pub fn ask_for_backup(
        self,
        work: Work,
        target: Option<String>,
        progress: &Progress,
    ) -> Result<Report, AskError> {
        self.ask(&Question::Backups { work, target }, |answer| match answer {
            Answer::Working(standing) => {
                progress.show(standing);
                Ok(None)
            }
            Answer::Reported(report) => Ok(Some(report)),
            _ => Err(AskError::Strange),
        })
    }

    /// Asks for the lines of the audit log.
    pub fn ask_for_export(
        self,
        wanted: audit::Wanted,
        mut write: impl FnMut(&str) -> Result<(), OutputError>,
    ) -> Result<audit::Damaged, AskError> {
        self.ask(&Question::Export { wanted }, |answer| match answer {
            Answer::Line(line) => Ok(write(&line).map(|()| None)?),
            Answer::Exported(damaged) => Ok(Some(damaged)),
            _ => Err(AskError::Strange),
        })
    }

    /// Asks, and reads answers until one is the last.
    fn ask<T>(
        mut self,
        question: &Question,
        mut read: impl FnMut(Answer) -> Result<Option<T>, AskError>,
    ) -> Result<T, AskError> {
        let line = Zeroizing::new(serde_json::to_string(question).map_err(io::Error::from)? + "\n");
        self.0.write_all(line.as_bytes())?;
        for line in BufReader::new(self.0).lines() {
            let line = Zeroizing::new(line?);
            match serde_json::from_str(&line).map_err(io::Error::from)? {
                Answer::Failed(reason) => return Err(AskError::Refused(reason)),
                answer => {
                    if let Some(last) = read(answer)? {
                        return Ok(last);
                    }
                }
            }
        }
        Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }
}
