//! The server's end of the control socket.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyring::KeyMaterial;
use store::{KekSource, KeyJob, LocalSource, NewKey};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use zeroize::Zeroizing;

use super::{Answer, KeyWork, Question, Wanted, socket_path};
use crate::app::App;
use crate::app::administration::accounts;
use crate::app::administration::intent::Actor;
use crate::app::audit;
use crate::app::authority::{Authorized, Permit, Principal, permit};
use crate::app::backups::{Begun, Work};
use crate::app::service_keys::{self, Desk};
use crate::config::Config;

/// Longest question, in bytes: it may hold a key of 64 KiB.
const MAX_QUESTION: u64 = 100_000;
/// How long a subcommand may take to ask.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a waiting subcommand is told how far a job is.
const TELL: Duration = Duration::from_millis(100);

/// Why a subcommand with another target gets no backup.
const OTHER_TARGET: &str = "the running server has another backup_target, or none: give it the same and \
     restart it, or leave yours out";

/// The socket; its file is removed with it.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    inode: u64,
}

impl Control {
    /// Binds the socket in the data directory; one that a killed server left there is replaced.
    ///
    /// Call it when the database's lock is held: then no other server is behind the old one.
    pub fn bind(app: &App) -> io::Result<Self> {
        let path = socket_path(app.config());
        if app.config().in_memory() && !app.config().data_dir.is_dir() {
            let reason = "the database is in memory, and no folder is made for a socket; make data_dir, \
                          or do without";
            return Err(io::Error::new(io::ErrorKind::NotFound, reason));
        }
        // The database may stand elsewhere, so that nothing has made this folder yet.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&app.config().data_dir)?;
        clear(&path)?;
        // Whoever connects must be allowed to write to it: others never are.
        let listener = UnixListener::bind(&path)?;
        let inode = std::fs::symlink_metadata(&path)?.ino();
        Ok(Self {
            listener,
            path,
            inode,
        })
    }

    /// Answers until the future is dropped.
    pub async fn run(self, app: Arc<App>) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let app = Arc::clone(&app);
                    actix_web::rt::spawn(async move {
                        if let Err(cause) = serve(&app, stream).await {
                            tracing::debug!(%cause, "a subcommand went away");
                        }
                    });
                }
                Err(cause) => {
                    tracing::warn!(%cause, "the control socket takes nobody");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let found = std::fs::symlink_metadata(&self.path);
        if found.is_ok_and(|it| it.file_type().is_socket() && it.ino() == self.inode) {
            // Whoever finds it later would wait for nobody.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes the socket of a server that is gone; nothing else is ever removed.
fn clear(path: &Path) -> io::Result<()> {
    let found = match std::fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let reason = if !found.file_type().is_socket() {
        "it is there and is no socket; move it away"
    } else if std::os::unix::net::UnixStream::connect(path).is_ok() {
        "another server with the same data_dir answers there; give each a data_dir of its own"
    } else {
        return std::fs::remove_file(path);
    };
    let reason = format!("{}: {reason}", path.display());
    Err(io::Error::new(io::ErrorKind::AlreadyExists, reason))
}

async fn serve(app: &Arc<App>, stream: UnixStream) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid();
    if peer != own.as_raw() && peer != 0 {
        tracing::warn!(uid = peer, "another user asked at the control socket");
        return Ok(());
    }
    let (reading, mut writing) = stream.into_split();
    let mut line = Zeroizing::new(String::with_capacity(4_096));
    let mut reading = BufReader::new(reading.take(MAX_QUESTION));
    tokio::time::timeout(PATIENCE, reading.read_line(&mut line)).await??;
    let Ok(question) = serde_json::from_str::<Question>(&line) else {
        let answer = Answer::Failed("the server does not know this question".to_owned());
        return tell(&mut writing, &answer).await;
    };
    let answer = match question {
        Question::Accounts { question } => administer(app, question).await,
        Question::ServiceKeys { question } => service_keys(app, question).await,
        Question::Figures {} => figures(app).await,
        Question::Backups { work, target } => match begin_work(app, work, target.as_deref()) {
            Ok(begun) => return report(begun, &mut writing).await,
            Err(refused) => Err(refused),
        },
        Question::Export { wanted } => export(app, &wanted, &mut writing).await,
        Question::Keys { work } => match begin(app, work).await {
            Ok(job) => return follow(app, job, &mut writing).await,
            Err(refused) => Err(refused),
        },
    };
    tell(&mut writing, &answer.unwrap_or_else(|refused| refused)).await
}

/// Decides whether somebody at the terminal may do what a subcommand does.
fn allowed<P: Permit>(subcommand: &'static str) -> Result<Authorized<P>, Answer> {
    Authorized::check(Principal::Terminal(subcommand)).map_err(|denied| failed(&denied))
}

async fn begin(app: &Arc<App>, work: KeyWork) -> Result<KeyJob, Answer> {
    let admin = allowed::<permit::ChangeKeys>("rotate-keys")?;
    let actor = Actor::of(&admin, None);
    let reason = "somebody at the server's terminal asked for it";
    let begun = match work {
        KeyWork::Renew => app.keys().renew(app, actor, reason).await,
        KeyWork::Rotate { key } => {
            let new = new_key(app.config(), key);
            app.keys().rotate(app, actor, new, reason).await
        }
    };
    begun.map_err(|error| failed(&error))
}

async fn figures(app: &App) -> Result<Answer, Answer> {
    allowed::<permit::ReadFigures>("stats")?;
    let figures = app.store().statistics(app.ambient().now()).await;
    figures.map(Answer::Figures).map_err(|fault| failed(&fault))
}

fn begin_work(app: &App, work: Work, target: Option<&str>) -> Result<Begun, Answer> {
    if target.is_some() && target != app.config().backups.backup_target.as_deref() {
        return Err(failed(&OTHER_TARGET));
    }
    let admin = allowed::<permit::MakeBackups>(work.subcommand())?;
    let actor = Actor::of(&admin, None);
    let begun = app.backups().begin(app.store(), app.ambient(), work, actor);
    begun.map_err(|error| failed(&error))
}

/// Tells how far work on backups is until it is over.
async fn report(mut begun: Begun, writing: &mut (impl AsyncWriteExt + Unpin)) -> io::Result<()> {
    loop {
        tell(writing, &Answer::Working(begun.progress.look())).await?;
        let Ok(ended) = tokio::time::timeout(TELL, &mut begun.outcome).await else {
            continue;
        };
        let answer = match ended {
            Ok(Ok(report)) => Answer::Reported(report),
            Ok(Err(reason)) => Answer::Failed(reason),
            Err(gone) => failed(&gone),
        };
        return tell(writing, &answer).await;
    }
}

async fn export(
    app: &App,
    wanted: &audit::Wanted,
    writing: &mut (impl AsyncWriteExt + Unpin),
) -> Result<Answer, Answer> {
    allowed::<permit::ReadAudit>("audit export")?;
    let line = async |line| Ok(tell(writing, &Answer::Line(line)).await?);
    let exported = audit::export(app.store(), app.ambient(), wanted, line).await;
    exported
        .map(Answer::Exported)
        .map_err(|error| failed(&error))
}

async fn administer(app: &Arc<App>, question: accounts::Question) -> Result<Answer, Answer> {
    let admin = allowed(question.subcommand())?;
    let answer = accounts::answer_here(app, &admin, question).await;
    answer
        .map(Answer::Accounts)
        .map_err(|refusal| failed(&refusal))
}

async fn service_keys(app: &App, question: service_keys::Question) -> Result<Answer, Answer> {
    let desk = Desk {
        store: app.store(),
        ambient: app.ambient(),
    };
    let answer = desk.answer(question).await;
    answer
        .map(|answer| Answer::ServiceKeys(Box::new(answer)))
        .map_err(|refusal| failed(&refusal))
}

/// What a rotation is told of the key that was asked for.
pub(crate) fn new_key(config: &Config, wanted: Wanted) -> NewKey {
    match wanted {
        Wanted::Configured => NewKey::Configured,
        Wanted::KeyFile => NewKey::KeyFile,
        Wanted::Given(key) => NewKey::Source(local_source(config, &key)),
    }
}

/// Makes keys from a key of the operator.
fn local_source(config: &Config, key: &str) -> Arc<dyn KekSource> {
    Arc::new(LocalSource::new(
        KeyMaterial::new(key.as_bytes().to_vec()),
        config.kdf_iterations,
        config.keys.suite.suite(),
        Arc::new(ambient::OsEntropy),
    ))
}

/// Tells how far a job is until it is over, or until another one is the newest.
async fn follow(
    app: &Arc<App>,
    begun: KeyJob,
    writing: &mut (impl AsyncWriteExt + Unpin),
) -> io::Result<()> {
    loop {
        let job = match app.store().key_job().await {
            Ok(Some(job)) if job.id == begun.id => job,
            Ok(_) => KeyJob {
                finished: true,
                done: begun.total,
                ..begun.clone()
            },
            Err(fault) => return tell(writing, &failed(&fault)).await,
        };
        if let Some(trouble) = app.keys().trouble().filter(|_| !job.finished) {
            return tell(writing, &Answer::Failed(trouble)).await;
        }
        let finished = job.finished;
        tell(writing, &Answer::Progress(job)).await?;
        if finished {
            return Ok(());
        }
        tokio::time::sleep(TELL).await;
    }
}

fn failed(reason: &dyn std::fmt::Display) -> Answer {
    Answer::Failed(reason.to_string())
}

async fn tell(writing: &mut (impl AsyncWriteExt + Unpin), answer: &Answer) -> io::Result<()> {
    // It may hold the secret of a link or a private key.
    let mut line = Zeroizing::new(serde_json::to_string(answer)?);
    line.push('\n');
    writing.write_all(line.as_bytes()).await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn only_a_socket_that_nobody_answers_at_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        clear(&path).unwrap();
        std::fs::write(&path, b"somebody's notes").unwrap();
        assert!(clear(&path).unwrap_err().to_string().contains("no socket"));
        assert_eq!(std::fs::read(&path).unwrap(), b"somebody's notes");
        let other = folder.path().join("other");
        std::fs::rename(&path, &other).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        assert!(clear(&path).is_err());
        std::fs::remove_file(&path).unwrap();
        let listening = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let refused = clear(&path).unwrap_err();
        assert!(refused.to_string().contains("another server"), "{refused}");
        drop(listening);
        clear(&path).unwrap();
        assert!(!path.exists());
    }
}
