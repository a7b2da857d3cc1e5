//! Rows of `keks`: making and checking them.

use keyring::{KekId, KekParameters, KekProvider, MINIMUM_ITERATIONS, ProviderTag, SALT_LEN};

use crate::classes::Sealed;
use crate::config::OpenError;
use crate::engine::Rows;
use crate::engine::keys::KekRow;
use crate::engine::place::at;
use crate::fault::Fault;
use crate::keys::KekInfo;
use api::KekState;

impl KekRow {
    /// The keys that values may be under.
    pub(crate) fn live(rows: &dyn Rows) -> Result<Vec<Self>, Fault> {
        let mut keks = rows.keks()?;
        keks.retain(|row| row.state != "retired");
        Ok(keks)
    }

    /// What it is derived, found or unwrapped with.
    pub(crate) fn parameters(&self) -> KekParameters {
        KekParameters {
            salt: self.salt.clone(),
            iterations: self.iterations,
            reference: self.reference.clone(),
            wrapped: self.wrapped.clone(),
        }
    }

    /// The row of a new active key; `check` and `handover` are sealed.
    pub(crate) fn new(
        provider: &dyn KekProvider,
        parameters: KekParameters,
        check: Vec<u8>,
        handover: Option<Sealed>,
        now: u64,
    ) -> Self {
        Self {
            kek_id: *provider.kek_id().as_bytes(),
            provider: provider.tag().to_string(),
            version: provider.key_version(),
            state: "active".to_owned(),
            salt: parameters.salt,
            iterations: parameters.iterations,
            reference: parameters.reference,
            wrapped: parameters.wrapped,
            check: Sealed::of_envelope(check),
            handover,
            created_at: now,
            retired_at: None,
        }
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
        let given = self.iterations.unwrap_or_default();
        if given < MINIMUM_ITERATIONS {
            return Err(keyring::KdfError::TooFewIterations { given }.into());
        }
        match self.salt.as_ref().map_or(0, Vec::len) {
            SALT_LEN => Ok(()),
            given => Err(keyring::KdfError::BadSalt { given }.into()),
        }
    }

    pub(crate) fn info(self) -> Result<KekInfo, Fault> {
        let state = KekState::named(&self.state)
            .ok_or_else(|| at("keks", &self.kek_id).damaged("unknown state"))?;
        Ok(KekInfo {
            kek_id: self.id(),
            provider: self.provider,
            reference: self.reference,
            state,
            created_at: self.created_at,
            retired_at: self.retired_at,
        })
    }
}
