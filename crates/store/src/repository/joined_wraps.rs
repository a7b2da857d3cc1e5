//! Carries over what an older schema kept of each account: both wraps of the safe key in one value.
//!
//! Migration V6 puts these values aside, because only this program can open them. Opening the database gives
//! each wrap a row of its own, so many accounts at once. Whoever is interrupted goes on at the next start.

use api::bodies::Wrap;
use api::ids::{UserId, WrapId};
use api::{Blob, WrapKind};

use crate::classes::Sealed;
use crate::engine::place::at;
use crate::engine::safes::SafeRows;
use crate::engine::safes::SealedWrap;
use crate::engine::{Changes, Opening};
use crate::fault::Fault;
use crate::sealing::codec;
use crate::sealing::sealer::{JOINED_WRAPS, Sealer, sealing};

/// Accounts in one transaction.
const AT_ONCE: usize = 256;

/// Carries everything over that is still to be carried over.
pub(crate) fn carry_over(opening: &mut Opening<'_>, sealer: &Sealer) -> Result<(), Fault> {
    loop {
        let Some(found) = opening.rows().joined_wraps(AT_ONCE)? else {
            return Ok(());
        };
        opening.transact(|rows| carry(rows, sealer, &found))?;
    }
}

fn carry(rows: &dyn Changes, sealer: &Sealer, found: &[(UserId, Sealed)]) -> Result<(), Fault> {
    if found.is_empty() {
        return rows.drop_joined_wraps();
    }
    for (user, joined) in found {
        match split(sealer, user, joined) {
            Ok(wraps) => {
                let mut wraps = wraps.iter();
                wraps.try_for_each(|wrap| rows.replace_wrap(user, wrap))?;
            }
            // The account is as damaged as it was, and the others go on.
            Err(fault @ Fault::Damaged { .. }) => {
                tracing::error!(cause = %fault, "the wraps of an account are lost");
            }
            Err(fault) => return Err(fault),
        }
        rows.delete_joined_wraps(user)?;
    }
    tracing::info!(
        accounts = found.len(),
        "wraps of the safe key have rows now"
    );
    Ok(())
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
    use crate::engine::users::UserRows;

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
