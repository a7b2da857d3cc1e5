//! What a key job needs beyond the database: where keys come from, which are on their way out.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::{Clock, Stopwatch};
use keyring::{KekId, KekProvider, KekSource, KeyOrigin, KeySource, Keyring, ProviderTag};

use crate::fault::Fault;
use crate::keys::sources::{LocalSettings, Sources};
use crate::keys::{BeginError, NewKey};
use crate::repository::ChunkSize;

/// Rows in the first chunk of a key job; later ones adapt.
const FIRST_CHUNK: usize = 32;
const SMALLEST_CHUNK: usize = 4;
/// How long a retired key stays in memory, for whoever read a value before it was moved and has not
/// opened it yet.
const GRACE: Duration = Duration::from_secs(30);

/// State of the keys in this process.
pub(crate) struct KeyState {
    /// Makes new keys.
    source: Mutex<Option<Arc<dyn KekSource>>>,
    /// The other sources, which only load.
    others: Vec<Arc<dyn KekSource>>,
    /// The key of a rotation that may have been committed and is not active yet.
    pending: Mutex<Option<Arc<dyn KekProvider>>>,
    /// Whether a new key file must take its place before the rotation is over.
    adopt: Mutex<bool>,
    leaving: Mutex<Vec<(Stopwatch, KekId)>>,
    local: LocalSettings,
    key_file: Option<PathBuf>,
    /// One step at a time.
    pub job: tokio::sync::Mutex<()>,
    clock: Arc<dyn Clock>,
    /// How many rows a job takes at once.
    pub chunk: ChunkSize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl KeyState {
    pub(crate) fn new(sources: Sources, clock: Arc<dyn Clock>) -> Self {
        let key_file = match sources.origin {
            Some(KeyOrigin::File(path) | KeyOrigin::CreatedFile(path)) => Some(path),
            Some(KeyOrigin::Given) | None => None,
        };
        Self {
            source: Mutex::new(sources.configured),
            others: sources.others,
            pending: Mutex::default(),
            adopt: Mutex::default(),
            leaving: Mutex::default(),
            local: sources.local,
            key_file,
            job: tokio::sync::Mutex::default(),
            clock,
            chunk: ChunkSize::new(FIRST_CHUNK, SMALLEST_CHUNK),
        }
    }

    /// Finds what makes the new key.
    pub(crate) fn source_of(&self, new: &NewKey) -> Result<Arc<dyn KekSource>, BeginError> {
        let configured = lock(&self.source).clone().ok_or_else(|| {
            let reason = "no provider is configured that could make a key".to_owned();
            Fault::Unavailable(reason)
        })?;
        let other = || BeginError::OtherProvider(configured.tag());
        match new {
            NewKey::Configured => Ok(configured),
            NewKey::Source(source) if source.tag() != configured.tag() => Err(other()),
            NewKey::Source(source) => Ok(Arc::clone(source)),
            NewKey::KeyFile if configured.tag() != ProviderTag::LOCAL => Err(other()),
            NewKey::KeyFile => {
                let files = self.key_files().ok_or(BeginError::NoKeyFile)?;
                Ok(self.local.source(files.prepare_next(self.local.entropy())?))
            }
        }
    }

    /// Every source of a kind, the one that makes new keys first.
    pub(crate) fn sources_of(&self, tag: ProviderTag) -> Vec<Arc<dyn KekSource>> {
        let configured = lock(&self.source).clone();
        let all = configured.iter().chain(&self.others);
        all.filter(|source| source.tag() == tag)
            .map(Arc::clone)
            .collect()
    }

    /// Returns the clock that the work on keys and sessions is measured by.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    fn key_files(&self) -> Option<KeySource> {
        let path = self.key_file.as_ref()?;
        Some(KeySource::new(None, path))
    }

    /// Remembers a key that is about to be committed as the active one.
    pub(crate) fn set_pending(&self, provider: Arc<dyn KekProvider>) {
        *lock(&self.pending) = Some(provider);
    }

    /// Takes the pending key if it is this one.
    pub(crate) fn take_pending(&self, kek_id: KekId) -> Option<Arc<dyn KekProvider>> {
        lock(&self.pending).take_if(|pending| pending.kek_id() == kek_id)
    }

    /// Notes that a rotation to a key of `source` was committed.
    pub(crate) fn begun(&self, new: &NewKey, source: Arc<dyn KekSource>) {
        *lock(&self.source) = Some(source);
        *lock(&self.adopt) = matches!(new, NewKey::KeyFile);
        if let Err(cause) = self.adopt_key_file() {
            tracing::error!(%cause, "the new key file is not in its place yet; it is tried again");
        }
    }

    /// Puts a new key file in its place, where that is still to be done.
    pub(crate) fn adopt_key_file(&self) -> Result<(), keyring::KeySourceError> {
        let mut adopt = lock(&self.adopt);
        if *adopt && let Some(files) = self.key_files() {
            files.adopt_next()?;
        }
        *adopt = false;
        Ok(())
    }

    /// Lets retired keys go after a while.
    pub(crate) fn retire(&self, keks: impl IntoIterator<Item = KekId>) {
        let watch = Stopwatch::start(self.clock());
        lock(&self.leaving).extend(keks.into_iter().map(|kek| (watch.clone(), kek)));
    }

    /// Whether a key was retired, and is kept for a moment only.
    pub(crate) fn is_leaving(&self, kek_id: KekId) -> bool {
        lock(&self.leaving).iter().any(|(_, kek)| *kek == kek_id)
    }

    /// Forgets the retired keys that nobody can need any more.
    pub(crate) fn forget(&self, keyring: &Keyring) {
        lock(&self.leaving).retain(|(since, kek)| {
            let stays = since.elapsed() < GRACE;
            if !stays {
                keyring.remove(*kek);
            }
            stays
        });
    }
}
