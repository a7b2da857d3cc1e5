//! The keys that a database needs before anything else can be read.

use std::sync::{Arc, RwLock};

use keyring::{
    IndexKey, KekId, KekProvider, KekSource, KeySource, Keyring, Opened, ProviderError,
    ProviderTag, SubjectKey, TagKey,
};
use zeroize::Zeroizing;

use crate::classes::{Critical, Sealed};
use crate::config::{OpenError, StoreConfig};
use crate::engine::keys::KekRow;
use crate::engine::place::{at, many};
use crate::engine::{Changes, Opening, Rows};
use crate::fault::Fault;
use crate::keys::rings::Rings;
use crate::keys::sources::Sources;
use crate::sealing::bound_setting::{AUDIT_SIGNED, BoundSetting, REGISTRATION, SETUP, SETUP_OPEN};
use crate::sealing::in_flight::InFlight;
use crate::sealing::sealer::{
    AUDIT_KEY, KEK_CHECK, SERVER_SECRET, Sealer, open_critical, seal, sealing, subject_key,
};
use crate::sealing::tags::Tags;
use api::RegistrationMode;

/// Subject of the audit records that belong to no user.
pub(crate) const SYSTEM: [u8; 16] = [0; 16];
/// The plaintext of the check column.
pub(crate) const CHECK: &[u8] = b"this key opens this database";
/// Name of the store's own keys among the server's secrets: the handle index's, then the tags'.
pub(crate) const STORE_KEYS: &str = "store-keys";
/// Name under which a database without tags keeps the handle index's key.
pub(crate) const HANDLE_INDEX: &str = "handle-index";

/// What to do if the file of a new key is waiting to replace the present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HalfMoved {
    /// Replace it: a rotation was interrupted just before.
    Finish,
    /// Leave the files as they are.
    Leave,
}

/// Opens the keyring of an existing database; `None` when it has no KEK at all.
///
/// While a rotation runs there are two, and either key of the operator opens both: each is kept
/// sealed under the other.
pub(crate) fn open_keyring(
    rows: &dyn Rows,
    config: &StoreConfig,
    sources: &mut Sources,
    half_moved: HalfMoved,
) -> Result<Option<Keyring>, OpenError> {
    let keks = KekRow::live(rows).map_err(OpenError::Damaged)?;
    if !keks.iter().any(KekRow::is_active) {
        return Ok(None);
    }
    let mut opened: Vec<Arc<dyn KekProvider>> = Vec::new();
    let mut closed = Vec::new();
    for row in &keks {
        match load(row, config, sources)? {
            Loaded::Opens(provider, source) => {
                // New keys are made by what opens the newest.
                if row.is_active() && sources.origin.is_some() && row.tag().is_ok_and(is_local) {
                    prefer(sources, &source);
                }
                opened.push(provider);
            }
            Loaded::Refused => closed.push((row, None)),
            Loaded::NoSource(error) => closed.push((row, Some(error))),
        }
    }
    for (row, error) in closed {
        let from = opened
            .iter()
            .find_map(|provider| Rings::of(config).handed_over(provider, row));
        match (from, error) {
            (Some(provider), _) => {
                if row.is_active() && half_moved == HalfMoved::Finish {
                    adopt(row, config, sources)?;
                }
                opened.push(provider);
            }
            (None, Some(error)) => return Err(error),
            (None, None) => {
                return Err(OpenError::WrongKey {
                    database: config.path.clone(),
                    kek_id: hex::encode(row.kek_id),
                });
            }
        }
    }
    let active = keks.iter().find(|row| row.is_active()).map(KekRow::id);
    let (active, others): (Vec<_>, Vec<_>) = opened
        .into_iter()
        .partition(|provider| Some(provider.kek_id()) == active);
    let Some(active) = active.into_iter().next() else {
        return Ok(None);
    };
    let keyring = Rings::of(config).with(active);
    for other in others {
        keyring.add(other);
    }
    Ok(Some(keyring))
}

fn is_local(tag: ProviderTag) -> bool {
    tag == ProviderTag::LOCAL
}

/// Makes keys by `source` from now on, where it is of the kind that is configured.
fn prefer(sources: &mut Sources, source: &Arc<dyn KekSource>) {
    if let Some(configured) = &sources.configured
        && configured.tag() == source.tag()
    {
        sources.configured = Some(Arc::clone(source));
    }
}

enum Loaded {
    Opens(Arc<dyn KekProvider>, Arc<dyn KekSource>),
    /// There are sources of its kind, none of which has the right key.
    Refused,
    NoSource(OpenError),
}

/// Tries every source of the row's kind.
fn load(row: &KekRow, config: &StoreConfig, sources: &mut Sources) -> Result<Loaded, OpenError> {
    row.check_parameters()?;
    let tag = row.tag().map_err(OpenError::Damaged)?;
    let candidates: Vec<_> = sources.of(tag).map(Arc::clone).collect();
    if candidates.is_empty() {
        return Ok(Loaded::NoSource(sources.none(config, &row.kek_id, tag)));
    }
    for source in candidates {
        match source.load(row.id(), row.version, &row.parameters()) {
            Ok(provider) => {
                if opens(config, &provider, row)? {
                    return Ok(Loaded::Opens(provider, source));
                }
            }
            Err(reason) => return Ok(Loaded::NoSource(provider_error(tag, reason))),
        }
    }
    Ok(Loaded::Refused)
}

/// Whether this is the key of the row; an error when its provider cannot say.
fn opens(
    config: &StoreConfig,
    provider: &Arc<dyn KekProvider>,
    row: &KekRow,
) -> Result<bool, OpenError> {
    let opens = Rings::of(config).opens(provider, row);
    opens.map_err(|reason| provider_error(provider.tag(), reason))
}

/// Finishes an interrupted replacement of the key file by the new one.
fn adopt(row: &KekRow, config: &StoreConfig, sources: &mut Sources) -> Result<(), OpenError> {
    let Some(next) = sources.next_key() else {
        return Ok(());
    };
    let loaded = next.load(row.id(), row.version, &row.parameters());
    let fits = match loaded {
        Ok(provider) => opens(config, &provider, row)?,
        Err(_) => false,
    };
    if fits {
        KeySource::new(None, &sources.key_file).adopt_next()?;
        prefer(sources, &next);
    }
    Ok(())
}

fn provider_error(provider: ProviderTag, reason: ProviderError) -> OpenError {
    match reason {
        ProviderError::Kdf(error) => error.into(),
        reason => OpenError::Provider { provider, reason },
    }
}

/// Draws and keeps the keys of a new database, in one transaction.
///
/// Refused if the database has rows already: rows without their keys mean damage, and a new key would hide it.
pub(crate) fn initialise(
    opening: &mut Opening<'_>,
    config: &StoreConfig,
    sources: &mut Sources,
    now: u64,
) -> Result<Keyring, OpenError> {
    let mut kek_id = [0; 16];
    config
        .ambient
        .entropy()
        .fill(&mut kek_id)
        .map_err(|error| OpenError::Damaged(sealing(error)))?;
    let source = match &sources.configured {
        Some(source) => Arc::clone(source),
        None => return Err(sources.none(config, &kek_id, ProviderTag::LOCAL)),
    };
    let tag = source.tag();
    let (provider, parameters) = source
        .create(KekId::from_bytes(kek_id))
        .map_err(|reason| provider_error(tag, reason))?;
    let keyring = Rings::of(config).with(Arc::clone(&provider));
    let check = seal(&keyring, KEK_CHECK, &kek_id, CHECK).map_err(OpenError::Damaged)?;
    let row = KekRow::new(&*provider, parameters, check, None, now);
    opening
        .transact(|rows| write_first_rows(rows, config, &keyring, &row))
        .map_err(OpenError::Damaged)?;
    Ok(keyring)
}

fn write_first_rows(
    rows: &dyn Changes,
    config: &StoreConfig,
    keyring: &Keyring,
    row: &KekRow,
) -> Result<(), Fault> {
    let now = row.created_at;
    let system_key = SubjectKey::generate(&*config.ambient.entropy()).map_err(sealing)?;
    let index_key = IndexKey::generate(&*config.ambient.entropy()).map_err(sealing)?;
    let tag_key = TagKey::generate(&*config.ambient.entropy()).map_err(sealing)?;
    for table in ["keks", "users", "server_secrets", "audit_keys", "audit_log"] {
        if rows.count_rows(table)? > 0 {
            return Err(
                many("keks").damaged(format!("there is no active key, yet {table} has rows"))
            );
        }
    }
    rows.insert_kek(row)?;
    let sealed = seal(keyring, AUDIT_KEY, &SYSTEM, system_key.expose())?;
    rows.insert_audit_key(&SYSTEM, &Sealed::of_envelope(sealed), now)?;
    insert_store_keys(rows, keyring, (&index_key, &tag_key), now)?;
    let tags = Tags::new(tag_key);
    let closed = RegistrationMode::Closed.as_str();
    for (name, value) in [
        (REGISTRATION, closed),
        (SETUP, SETUP_OPEN),
        (AUDIT_SIGNED, "0"),
    ] {
        BoundSetting::put(rows, &tags, name, value)?;
    }
    Ok(())
}

fn insert_store_keys(
    rows: &dyn Changes,
    keyring: &Keyring,
    (index, tag): (&IndexKey, &TagKey),
    now: u64,
) -> Result<(), Fault> {
    let mut both = Zeroizing::new(Vec::with_capacity(64));
    both.extend_from_slice(index.expose());
    both.extend_from_slice(tag.expose());
    let sealed = seal(keyring, SERVER_SECRET, STORE_KEYS.as_bytes(), &both)?;
    if rows.insert_secret(STORE_KEYS, &Sealed::of_envelope(sealed), now)? {
        return Ok(());
    }
    Err(Fault::Unavailable(format!(
        "another process made {STORE_KEYS} meanwhile: try again"
    )))
}

/// Keeps the keys of a sealer whose tags no row has yet.
pub(crate) fn keep_store_keys(rows: &dyn Changes, sealer: &Sealer, now: u64) -> Result<(), Fault> {
    let keys = (&sealer.index_key, sealer.tags.key());
    insert_store_keys(rows, &sealer.keyring, keys, now)
}

/// One secret of the store's own, opened.
fn secret(
    rows: &dyn Rows,
    keyring: &Keyring,
    name: &str,
) -> Result<Option<Critical<Opened>>, Fault> {
    let open =
        |sealed: Sealed| open_critical(keyring, SERVER_SECRET, name.as_bytes(), sealed.as_bytes());
    rows.secret(name)?.map(open).transpose()
}

/// Opens the keys that stand in the database itself; one that is missing is damage.
///
/// It also returns whether rows have tags; if not, the key of the tags is a new one.
pub(crate) fn sealer(
    rows: &dyn Rows,
    config: &StoreConfig,
    keyring: Keyring,
) -> Result<(Sealer, bool), Fault> {
    let gone = || at("audit_keys", &SYSTEM).damaged("the row is gone");
    let sealed = rows.audit_key(&SYSTEM)?.ok_or_else(gone)?;
    let system_key = subject_key(&keyring, &SYSTEM, sealed.as_bytes())?;

    let (keys, bound) = match secret(rows, &keyring, STORE_KEYS)? {
        Some(both) => (both_keys(both.expose().expose()), true),
        None => {
            let index = secret(rows, &keyring, HANDLE_INDEX)?;
            let index = index.and_then(|key| IndexKey::from_slice(key.expose().expose()));
            let tag = TagKey::generate(&*config.ambient.entropy()).map_err(sealing)?;
            (index.map(|index| (index, tag)), false)
        }
    };
    let gone = || Fault::damaged("server_secrets", STORE_KEYS, "the row is gone or no keys");
    let (index_key, tag_key) = keys.ok_or_else(gone)?;
    let sealer = Sealer {
        keyring,
        entropy: config.ambient.entropy(),
        system_key,
        index_key,
        tags: Arc::new(Tags::new(tag_key)),
        in_flight: InFlight::default(),
        decoy: RwLock::new(Arc::new(Sealed::of_envelope(Vec::new()))),
    };
    Ok((sealer, bound))
}

fn both_keys(bytes: &[u8]) -> Option<(IndexKey, TagKey)> {
    let (index, tag) = bytes.split_at_checked(bytes.len() / 2)?;
    IndexKey::from_slice(index).zip(TagKey::from_slice(tag))
}
