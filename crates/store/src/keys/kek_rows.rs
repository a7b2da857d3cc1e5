//! Rows of `keks`.

use keyring::{KekId, KekParameters, MINIMUM_ITERATIONS, ProviderTag, SALT_LEN};
use rusqlite::Row;

use crate::config::OpenError;
use crate::engine::sqlite::db::{Db, at, many};
use crate::fault::Fault;
use crate::keys::KekInfo;
use crate::sealing::classes::{Public, Sealed};
use api::KekState;

/// A row as it stands.
pub(crate) struct KekRow {
    pub kek_id: [u8; 16],
    pub provider: String,
    pub version: u32,
    pub state: String,
    pub parameters: KekParameters,
    pub check: Sealed,
    pub handover: Option<Sealed>,
    pub created_at: u64,
    pub retired_at: Option<u64>,
}

impl KekRow {
    /// Every key, the newest first; also in a database that was not migrated yet.
    pub(crate) fn all(db: Db<'_>) -> Result<Vec<Self>, Fault> {
        let later = "SELECT count(*) FROM pragma_table_info('keks') WHERE name = 'reference'";
        let columns = match db.number(many("keks"), later, [])? {
            0 => "NULL, NULL, NULL",
            _ => "reference, encrypted_handover, retired_at",
        };
        let sql = format!(
            "SELECT kek_id, provider, version, state, salt, iterations, encrypted_check,
                 created_at, {columns} FROM keks ORDER BY created_at DESC, state, kek_id"
        );
        db.all(many("keks"), &sql, [], Self::read)
    }

    /// The keys that values may be under.
    pub(crate) fn live(db: Db<'_>) -> Result<Vec<Self>, Fault> {
        let mut rows = Self::all(db)?;
        rows.retain(|row| row.state != "retired");
        Ok(rows)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            kek_id: row.get(0)?,
            provider: row.get(1)?,
            version: row.get(2)?,
            state: row.get(3)?,
            parameters: KekParameters {
                salt: row.get(4)?,
                iterations: row.get(5)?,
                reference: row.get(8)?,
            },
            check: row.get(6)?,
            created_at: row.get(7)?,
            handover: row.get(9)?,
            retired_at: row.get(10)?,
        })
    }

    pub(crate) fn id(&self) -> KekId {
        KekId::from_bytes(self.kek_id)
    }

    pub(crate) fn is_active(&self) -> bool {
        self.state == "active"
    }

    /// The provider's tag; a name that nothing knows is damage.
    pub(crate) fn tag(&self) -> Result<ProviderTag, Fault> {
        ProviderTag::from_name(&self.provider).ok_or_else(|| {
            at("keks", &self.kek_id).damaged(format!("unknown provider {:?}", self.provider))
        })
    }

    /// Refuses what no key of ours was ever derived with.
    pub(crate) fn check_parameters(&self) -> Result<(), OpenError> {
        if self.tag().map_err(OpenError::Damaged)? != ProviderTag::LOCAL {
            return Ok(());
        }
        let given = self.parameters.iterations.unwrap_or_default();
        if given < MINIMUM_ITERATIONS {
            return Err(keyring::KdfError::TooFewIterations { given }.into());
        }
        match self.parameters.salt.as_ref().map_or(0, Vec::len) {
            SALT_LEN => Ok(()),
            given => Err(keyring::KdfError::BadSalt { given }.into()),
        }
    }

    /// Inserts the row of a new active key.
    pub(crate) fn insert(&self, db: Db<'_>) -> Result<(), Fault> {
        db.execute(
            at("keks", &self.kek_id),
            "INSERT INTO keks (kek_id, provider, version, state, salt, iterations, reference,
                 encrypted_check, encrypted_handover, created_at)
             VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                &self.kek_id,
                Public(&self.provider),
                self.version,
                self.parameters.salt.as_ref().map(Public),
                self.parameters.iterations,
                self.parameters.reference.as_ref().map(Public),
                &self.check,
                self.handover.as_ref(),
                self.created_at,
            ),
        )?;
        Ok(())
    }

    pub(crate) fn info(self) -> Result<KekInfo, Fault> {
        let state = KekState::named(&self.state)
            .ok_or_else(|| at("keks", &self.kek_id).damaged("unknown state"))?;
        Ok(KekInfo {
            kek_id: self.id(),
            provider: self.provider,
            reference: self.parameters.reference,
            state,
            created_at: self.created_at,
            retired_at: self.retired_at,
        })
    }
}
