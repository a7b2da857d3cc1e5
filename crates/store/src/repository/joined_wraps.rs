//! Carries over what an older schema kept of each account: both wraps of the safe key in one value.
//!
//! Migration V6 puts these values aside, because only this program can open them. Opening the database gives
//! each wrap a row of its own, for so many accounts in one transaction, and goes on after an interruption. A value
//! that does not open stays as it is: the next opening tries again, perhaps with its key.

use api::bodies::Wrap;
use api::ids::{UserId, WrapId};
use api::{Blob, WrapKind};

use crate::classes::Sealed;
use crate::engine::place::at;
use crate::engine::safes::SealedWrap;
use crate::engine::{Changes, Opening};
use crate::fault::Fault;
use crate::sealing::codec;
use crate::sealing::sealer::{JOINED_WRAPS, Sealer, sealing};

/// Accounts in one transaction.
const AT_ONCE: usize = 256;

/// Carries over every value that opens.
pub(crate) fn carry_over(opening: &mut Opening<'_>, sealer: &Sealer) -> Result<(), Fault> {
    let (mut after, mut kept) = (None, 0);
    loop {
        let Some(found) = opening.rows().joined_wraps(after, AT_ONCE)? else {
            return Ok(());
        };
        let Some((last, _)) = found.last() else {
            return match kept {
                0 => opening.transact(|rows| rows.drop_joined_wraps()),
                _ => Ok(()),
            };
        };
        after = Some(*last);
        kept += opening.transact(|rows| carry(rows, sealer, &found))?;
    }
}

/// Gives the number of values that did not open and stay.
fn carry(rows: &dyn Changes, sealer: &Sealer, found: &[(UserId, Sealed)]) -> Result<usize, Fault> {
    let mut kept = 0;
    for (user, joined) in found {
        if !rows.wraps(user)?.is_empty() {
            // Its owner changed the passphrase since: these are older.
            rows.delete_joined_wraps(user)?;
            continue;
        }
        match split(sealer, user, joined) {
            Ok(wraps) => {
                let mut wraps = wraps.iter();
                wraps.try_for_each(|wrap| rows.replace_wrap(user, wrap))?;
                rows.delete_joined_wraps(user)?;
            }
            Err(fault @ Fault::Damaged { .. }) => {
                tracing::error!(cause = %fault, "the wraps of an account do not open, and stay as they are");
                kept += 1;
            }
            Err(fault) => return Err(fault),
        }
    }
    tracing::info!(
        accounts = found.len() - kept,
        "wraps of the safe key have rows now"
    );
    Ok(kept)
}

fn split(sealer: &Sealer, user: &UserId, joined: &Sealed) -> Result<Vec<SealedWrap>, Fault> {
    let opened = sealer.open(JOINED_WRAPS, user.as_bytes(), joined)?;
    let damaged = || at("key_safes", user.as_bytes()).damaged("its wraps have another layout");
    let both: [&[u8]; 2] = codec::decode(opened.expose()).ok_or_else(damaged)?;
    let wraps = WrapKind::OF_EVERY_ACCOUNT.into_iter().zip(both);
    let sealed = wraps.map(|(kind, data)| {
        let mut id = [0; WrapId::LEN];
        sealer.entropy.fill(&mut id).map_err(sealing)?;
        let wrap = Wrap {
            id: WrapId::from_bytes(id),
            kind,
            made: 0,
            data: Blob::from(data),
        };
        SealedWrap::seal(sealer, user, &wrap)
    });
    sealed.collect()
}

/// Puts every wrap back to where the schema before had it.
#[cfg(feature = "testing")]
pub(crate) fn join(config: &crate::StoreConfig) -> Result<(), Box<dyn std::error::Error>> {
    let (opening, sealer) = crate::repository::with_its_keys(config)?;
    let mut joined = Vec::new();
    for found in opening.rows().bound_users()? {
        let user = UserId::from_bytes(found?.user_id);
        let wraps = opening.rows().wraps(&user)?;
        let wraps: Vec<Wrap> = wraps
            .into_iter()
            .map(|wrap| wrap.open(&sealer, &user))
            .collect::<Result<_, _>>()?;
        let fields: Vec<&[u8]> = wraps.iter().map(|wrap| &*wrap.data).collect();
        let sealed = sealer.seal(JOINED_WRAPS, user.as_bytes(), &codec::encode(&fields))?;
        joined.push((*user.as_bytes(), sealed.as_bytes().to_vec()));
    }
    drop(opening);
    Ok(crate::engine::testing::join_wraps(&config.path, &joined)?)
}
