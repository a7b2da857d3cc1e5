//! Rows of service keys: sealing, tagging and reading them.

use api::{ServiceId, ServiceKeyAlgorithm, ServiceKeyState};
use zeroize::Zeroizing;

use crate::classes::{Critical, Sealed};
use crate::engine::Changes;
use crate::engine::place::at;
use crate::engine::service_keys::ServiceKeyRow;
use crate::fault::Fault;
use crate::sealing::sealer::{SERVICE_KEY, Sealer, service_key_row};
use crate::sealing::tags::{Tagged, Tags};
use crate::service_keys::{NewServiceKey, PrivateServiceKey, ServiceKey};

impl Tagged for ServiceKeyRow {
    const TABLE: &'static str = "service_keys";

    fn with_values<T>(&self, use_them: impl FnOnce(&[&[u8]]) -> T) -> T {
        // A version that is not retired has no bytes in the place of the time.
        let retired_at = self.retired_at.map(u64::to_be_bytes);
        let retired_at = retired_at.as_ref().map_or(&[][..], |bytes| &bytes[..]);
        use_them(&[
            self.service.as_bytes(),
            self.name.as_bytes(),
            &self.version.to_be_bytes(),
            self.state.as_bytes(),
            self.algorithm.as_bytes(),
            &self.key_size.to_be_bytes(),
            self.kid.as_bytes(),
            &self.public_key,
            &self.created_at.to_be_bytes(),
            &self.updated_at.to_be_bytes(),
            retired_at,
        ])
    }
}

impl ServiceKeyRow {
    /// An active version; the private half is sealed for its row.
    pub(crate) fn seal(
        sealer: &Sealer,
        service: &ServiceId,
        name: String,
        version: u32,
        key: NewServiceKey,
        now: u64,
    ) -> Result<(Self, Sealed), Fault> {
        let place = service_key_row(service.as_str(), &key.kid, version);
        let private = sealer.seal_critical(SERVICE_KEY, &place, &key.private_key)?;
        let mut row = Self {
            service: service.to_string(),
            name,
            version,
            state: ServiceKeyState::Active.as_str().to_owned(),
            algorithm: key.algorithm.as_str().to_owned(),
            key_size: key.key_size,
            kid: key.kid,
            public_key: key.public_key,
            created_at: now,
            updated_at: now,
            retired_at: None,
            tag: None,
        };
        row.tag = Some(sealer.tags.of(&row).to_vec());
        Ok((row, private))
    }

    /// Opens the private half of this row.
    pub(crate) fn open(
        &self,
        sealer: &Sealer,
        private: &Sealed,
    ) -> Result<PrivateServiceKey, Fault> {
        let place = service_key_row(&self.service, &self.kid, self.version);
        let opened = sealer.open_critical(SERVICE_KEY, &place, private)?;
        let opened: Zeroizing<Vec<u8>> = opened.into_inner().into_inner();
        Ok(PrivateServiceKey::new(Critical::new(opened)))
    }

    /// The version of this program; damage if it is not.
    pub(crate) fn checked(&self, tags: &Tags) -> Result<ServiceKey, Fault> {
        let name = service_key_row(&self.service, &self.kid, self.version);
        let place = at("service_keys", &name);
        tags.check(place, self, self.tag.as_deref())?;
        let unknown = |what: &str| place.damaged(format!("this program knows no such {what}"));
        Ok(ServiceKey {
            service: self.service.parse().map_err(|_| unknown("id"))?,
            name: self.name.clone(),
            version: self.version,
            state: ServiceKeyState::named(&self.state).ok_or_else(|| unknown("state"))?,
            algorithm: ServiceKeyAlgorithm::named(&self.algorithm)
                .ok_or_else(|| unknown("algorithm"))?,
            key_size: self.key_size,
            kid: self.kid.clone(),
            public_key: self.public_key.clone(),
            created_at: self.created_at,
            updated_at: self.updated_at,
            retired_at: self.retired_at,
        })
    }

    /// Returns whether this is the version to use.
    pub(crate) fn is_active(&self) -> bool {
        self.state == ServiceKeyState::Active.as_str()
    }

    /// Makes it a retired version.
    pub(crate) fn retire(&mut self, now: u64) {
        self.state = ServiceKeyState::Retired.as_str().to_owned();
        self.updated_at = now;
        self.retired_at = Some(now);
    }

    /// Writes what may change, with a new tag; `false` if the row is gone.
    pub(crate) fn save(&mut self, rows: &dyn Changes, tags: &Tags) -> Result<bool, Fault> {
        self.tag = Some(tags.of(self).to_vec());
        rows.update_service_key(self)
    }

    /// About how many bytes the writer takes on.
    pub(crate) fn weight(&self, private: &Sealed) -> usize {
        self.public_key.len() + private.len() + 400
    }
}
