//! Opens a store; nothing is changed before the key is known to be right.

use std::sync::Arc;

use keyring::{KeyOrigin, private_file};

use crate::audit::chain;
use crate::config::{OpenError, OpenReport, StoreConfig};
use crate::engine::log::Chain;
use crate::engine::{Opening, Site};
use crate::keys::opening::{HalfMoved, initialise, open_keyring, sealer};
use crate::keys::sources::Sources;
use crate::keys::state::KeyState;
use crate::moving::{MoveError, Moved, taken};
use crate::repository::Repository;
use crate::repository::joined_wraps::carry_over;
use crate::sealing::binding::bind_rows;
use crate::sealing::sealer::Sealer;
use crate::sealing::tags::Tags;

/// Opens or makes a database and starts its threads.
pub(crate) fn open(config: &StoreConfig) -> Result<(Repository, OpenReport), OpenError> {
    let file = Site::find(config)?;
    let created = file.is_new();
    if created && config.existing {
        return Err(OpenError::Missing(config.path.clone()));
    }
    file.prepare()?;
    if !created {
        close_key_to_others(config);
    }
    let mut sources = Sources::find(config, created)?;
    let mut opening = file.open()?;
    let (sealer, migrated) = prepare(&mut opening, config, &mut sources)?;
    let key_origin = sources.origin.clone();
    let schema = opening.schema();
    let chain: Arc<dyn Chain> = Arc::<Tags>::clone(&sealer.tags);
    #[cfg(feature = "testing")]
    let chain = crate::testing::panicking(chain, config.panics.as_ref());
    let engine = opening.start(chain)?;
    let keys = KeyState::new(sources, config.ambient.clock());
    let repository = Repository::new(engine, sealer, keys).map_err(OpenError::Damaged)?;
    let report = OpenReport {
        created,
        key_origin,
        migrated,
        schema,
    };
    tell(config, &report);
    Ok((repository, report))
}

/// Checks that the key opens the database, and changes nothing; a database that is not there yet
/// is no error.
pub(crate) fn check_key(config: &StoreConfig) -> Result<(), OpenError> {
    let file = Site::find(config)?;
    if file.is_new() {
        return Ok(());
    }
    let mut sources = Sources::find(config, false)?;
    let opening = file.open_to_read()?;
    if opening.has_tables() {
        open_keyring(&*opening.rows(), config, &mut sources, HalfMoved::Leave)?;
    }
    Ok(())
}

fn prepare(
    opening: &mut Opening<'_>,
    config: &StoreConfig,
    sources: &mut Sources,
) -> Result<(Sealer, usize), OpenError> {
    let now = config.ambient.now();
    // Before any migration: a wrong key changes nothing.
    let keyring = if opening.has_tables() {
        open_keyring(&*opening.rows(), config, sources, HalfMoved::Finish)?
    } else {
        None
    };
    let migrated = opening.migrate()?;
    let keyring = match keyring {
        Some(keyring) => keyring,
        None => initialise(opening, config, sources, now)?,
    };
    chain::verify_newest(&*opening.rows()).map_err(OpenError::Damaged)?;
    let (sealer, bound) = sealer(&*opening.rows(), config, keyring).map_err(OpenError::Damaged)?;
    if !bound {
        opening
            .transact(|rows| bind_rows(rows, &sealer, now))
            .map_err(OpenError::Damaged)?;
    }
    carry_over(opening, &sealer).map_err(OpenError::Damaged)?;
    Ok((sealer, migrated))
}

/// Lets a role serve a database that is up to date.
pub(crate) fn grant(config: &StoreConfig, role: &str) -> Result<(), OpenError> {
    Site::find(config)?.open()?.grant(role)
}

/// Copies the rows of one database into a new one.
pub(crate) fn move_rows(
    from: &StoreConfig,
    to: &StoreConfig,
    copied: impl FnMut(u64, u64),
) -> Result<Moved, MoveError> {
    let site = Site::find(from)?;
    if site.is_new() {
        return Err(OpenError::Missing(from.path.clone()).into());
    }
    let mut sources = Sources::find(from, false)?;
    let opening = site.open_to_read()?;
    open_keyring(&*opening.rows(), from, &mut sources, HalfMoved::Leave)?;
    chain::verify_newest(&*opening.rows()).map_err(OpenError::Damaged)?;
    let before = taken(&*opening.rows())?;

    let site = Site::find(to)?;
    if !site.is_new() {
        return Err(MoveError::NotEmpty(to.path.display().to_string()));
    }
    site.prepare()?;
    let mut filled = site.open()?;
    filled.migrate()?;
    filled.fill_from(&opening, copied, |arrived, sent| {
        if taken(sent)? != before {
            return Err(MoveError::Changed);
        }
        let arrived = taken(arrived)?;
        arrived.holds(&before)
    })?;
    Ok(taken(&*filled.rows())?)
}

/// Restricts the key file to its owner.
fn close_key_to_others(config: &StoreConfig) {
    let key_file = config.key.key_file();
    // One that stays open to others is refused when it is read.
    if let Ok(true) = private_file::close_to_others(key_file) {
        tracing::warn!("others could read the key file; its mode is set to 0600");
    }
    if let Some(owner) = private_file::foreign_owner(key_file) {
        tracing::warn!(
            owner,
            key_file = %key_file.display(),
            "the key file belongs to another user, who can read and replace the key: give it to the \
             server's user with chown"
        );
    }
}

fn tell(config: &StoreConfig, report: &OpenReport) {
    if let Some(KeyOrigin::CreatedFile(path)) = &report.key_origin {
        tracing::warn!(
            key_file = %path.display(),
            "no DB_ENCRYPTION_KEY is set, so a key file was made: back it up apart from the \
             database, without it nothing in there can be read"
        );
    }
    tracing::info!(
        database = %config.path.display(),
        created = report.created,
        migrations = report.migrated,
        "the database is open"
    );
}

/// Opens a database as it is, with the keys that stand in it.
#[cfg(feature = "testing")]
pub(crate) fn with_its_keys(
    config: &StoreConfig,
) -> Result<(Opening<'_>, Sealer), Box<dyn std::error::Error>> {
    let opening = Site::find(config)?.open()?;
    let mut sources = Sources::find(config, false)?;
    let keyring = open_keyring(&*opening.rows(), config, &mut sources, HalfMoved::Leave)?;
    let (sealer, _) = sealer(&*opening.rows(), config, keyring.ok_or("no key")?)?;
    Ok((opening, sealer))
}
