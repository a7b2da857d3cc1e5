//! A subcommand's end of the control socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use api::bodies::KeyJob;
use zeroize::Zeroizing;

use super::{Answer, Question, socket_path};
use crate::config::Config;

/// Why a running server refused a request of a subcommand.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It says so itself.
    #[error("{0}")]
    Refused(String),
    /// The connection broke.
    #[error(
        "the server went away ({0}); a key job that it began goes on at its next start, the admin \
         page shows how far it is"
    )]
    Io(#[from] io::Error),
}

/// A connection to a running server.
pub struct Server(UnixStream);

impl Server {
    /// Finds the server that has this configuration's data directory; `None` when none answers.
    pub fn find(config: &Config) -> Option<Self> {
        UnixStream::connect(socket_path(config)).ok().map(Self)
    }

    /// Asks, and tells how far it is until it is done.
    pub fn ask(
        mut self,
        question: &Question,
        mut tell: impl FnMut(&KeyJob),
    ) -> Result<(), AskError> {
        let line = Zeroizing::new(serde_json::to_string(question).map_err(io::Error::from)? + "\n");
        self.0.write_all(line.as_bytes())?;
        for line in BufReader::new(self.0).lines() {
            match serde_json::from_str(&line?).map_err(io::Error::from)? {
                Answer::Done => return Ok(()),
                Answer::Failed(reason) => return Err(AskError::Refused(reason)),
                Answer::Progress(progress) => {
                    tell(&progress);
                    if progress.finished {
                        return Ok(());
                    }
                }
            }
        }
        Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }
}
