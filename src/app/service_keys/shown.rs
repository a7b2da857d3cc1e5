//! Versions as callers see them.

use api::bodies;
use service_keys::{Described, NotAKey, PublicKey};
use store::ServiceKey;

/// Describes a version without its bytes.
pub(super) fn shown(key: ServiceKey) -> bodies::ServiceKey {
    bodies::ServiceKey {
        service: key.service,
        name: key.name,
        version: key.version,
        state: key.state,
        algorithm: key.algorithm,
        key_size: key.key_size,
        kid: key.kid,
        created_at: key.created_at,
        updated_at: key.updated_at,
        retired_at: key.retired_at,
    }
}

/// Reads the public half of a version.
pub(super) fn public_half(key: &ServiceKey) -> Result<PublicKey, NotAKey> {
    PublicKey::from_bytes(key.algorithm, key.public_key.clone())
}

/// Describes a version for its JWK.
pub(super) fn described<'a>(key: &ServiceKey, public: &'a PublicKey) -> Described<'a> {
    Described {
        key: public,
        version: key.version,
        state: key.state,
        created_at: key.created_at,
        retired_at: key.retired_at,
    }
}
