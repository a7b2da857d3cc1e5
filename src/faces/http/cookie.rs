//! The cookie: actix-session over the server's own store.

use std::collections::HashMap;
use std::sync::Arc;

use actix_session::config::{CookieContentSecurity, PersistentSession};
use actix_session::storage::{LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Key, SameSite};
use sha3::{Digest, Sha3_256};
use store::SessionId;

use crate::app::Problem;
use crate::app::sessions::{Registry, SessionSecret};
use crate::config::{Config, PublicUrl};

/// Entry of a new session's state: the cookie's secret, for the answer that sets it.
const SECRET: &str = "secret";

/// Entry of a loaded state: the hash under which the session is stored.
const ID: &str = "id";

/// Shows the server's sessions to the middleware, which can neither create nor revive one.
#[derive(Clone)]
pub struct CookieStore(Arc<Registry>);

/// Returns the cookie's name.
///
/// Browsers refuse a `__Host-` cookie without TLS, so loopback HTTP has another name.
pub fn cookie_name(public_url: &PublicUrl) -> &'static str {
    match public_url.is_https() {
        true => "__Host-session",
        false => "session",
    }
}

/// Builds the middleware of every request.
pub fn middleware(
    registry: Arc<Registry>,
    config: &Config,
    public_url: &PublicUrl,
    key: Key,
) -> SessionMiddleware<CookieStore> {
    let secure = public_url.is_https();
    let name = cookie_name(public_url);
    let life = i64::try_from(config.session_absolute_secs).unwrap_or(i64::MAX);
    SessionMiddleware::builder(CookieStore(registry), key)
        .cookie_name(name.to_owned())
        .cookie_secure(secure)
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Strict)
        .cookie_path("/".to_owned())
        .cookie_content_security(CookieContentSecurity::Signed)
        .session_lifecycle(PersistentSession::default().session_ttl(Duration::seconds(life)))
        .build()
}

/// Returns the hash under which the session of a cookie's secret is stored.
fn session_id(secret: &str) -> Option<SessionId> {
    let mut bytes = zeroize::Zeroizing::new([0_u8; 32]);
    hex::decode_to_slice(secret, bytes.as_mut_slice()).ok()?;
    Some(SessionId::from_bytes(
        Sha3_256::digest(bytes.as_slice()).into(),
    ))
}

/// Reads the session's id from the state that [`CookieStore`] loaded.
pub(super) fn loaded_id(entries: &HashMap<String, String>) -> Option<SessionId> {
    entries.get(ID)?.parse().ok()
}

/// Puts a committed session's secret into the answer's cookie.
pub(crate) fn hand_out(cookie: &Session, secret: &SessionSecret) -> Result<(), Problem> {
    cookie.renew();
    cookie
        .insert(SECRET, secret.as_str())
        .map_err(|cause| Problem::internal(&cause))
}

#[derive(Debug, thiserror::Error)]
#[error("the session has ended; sign in again")]
struct Ended;

impl CookieStore {
    /// Whether a session has not ended, as far as anybody knows: while the database is away its cookie is kept.
    /// What was committed is done, and each request looks for its session again.
    async fn may_live(&self, secret: &str) -> bool {
        let Some(id) = session_id(secret) else {
            return false;
        };
        match self.0.find(id).await {
            Ok(found) => found.is_some(),
            Err(cause) => {
                tracing::debug!(%cause, "a session could not be looked at");
                true
            }
        }
    }
}

impl SessionStore for CookieStore {
    async fn load(&self, key: &SessionKey) -> Result<Option<HashMap<String, String>>, LoadError> {
        let Some(id) = session_id(key.as_ref()) else {
            return Ok(None);
        };
        let named = || HashMap::from([(ID.to_owned(), id.to_string())]);
        match self.0.find(id).await {
            Ok(found) => Ok(found.map(|_| named())),
            // Whoever needs the session looks for it again and answers with the problem; whoever
            // does not need it, as signing in, goes on.
            Err(cause) => {
                tracing::debug!(%cause, "a session could not be looked at");
                Ok(Some(named()))
            }
        }
    }

    /// Hands out the secret of a session that sign-in has just committed.
    async fn save(
        &self,
        state: HashMap<String, String>,
        _: &Duration,
    ) -> Result<SessionKey, SaveError> {
        let secret: String = state
            .get(SECRET)
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| SaveError::Other(Ended.into()))?;
        match self.may_live(&secret).await {
            true => SessionKey::try_from(secret).map_err(|_| SaveError::Other(Ended.into())),
            false => Err(SaveError::Other(Ended.into())),
        }
    }

    /// Fails where the session has ended: a request that was in flight must not bring it back.
    async fn update(
        &self,
        key: SessionKey,
        _: HashMap<String, String>,
        _: &Duration,
    ) -> Result<SessionKey, UpdateError> {
        match self.may_live(key.as_ref()).await {
            true => Ok(key),
            false => Err(UpdateError::Other(Ended.into())),
        }
    }

    async fn update_ttl(&self, key: &SessionKey, _: &Duration) -> Result<(), anyhow::Error> {
        match self.may_live(key.as_ref()).await {
            true => Ok(()),
            false => Err(Ended.into()),
        }
    }

    /// Does nothing: the caller has ended the session in the store, with its audit record.
    async fn delete(&self, _: &SessionKey) -> Result<(), anyhow::Error> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use ambient::Ambient;
    use api::ids::BootId;
    use ephemeral::Ephemeral;
    use protocol::boot::BootSigningKey;
    use store::{KeySource, Store, StoreConfig};

    use super::*;
    use crate::app::links::Links;
    use crate::app::messages::Hub;

    fn over(store: Store) -> CookieStore {
        let ambient = Ambient::system();
        let plane = Ephemeral::memory(ephemeral::Config::default(), ambient.clone());
        let key = BootSigningKey::generate(&mut ambient.rng());
        let links = Links::new(&key, BootId::from_bytes([1; 16]), ambient.clone());
        let (hub, links) = (Hub::new(plane.clone()), Arc::new(links));
        let config = Config::default();
        CookieStore(Registry::new(&config, store, ambient, hub, links, plane))
    }

    #[tokio::test]
    async fn what_was_committed_is_answered_although_the_database_went_away_since() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("database");
        let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
        let mut config = StoreConfig::new(&path, key);
        config.iterations = 100_000;
        let store = Store::open(&config).unwrap();
        let cookies = over(store.clone());
        let secret = hex::encode([7; 32]);
        let state = || HashMap::from([(SECRET.to_owned(), format!("{secret:?}"))]);
        let life = Duration::seconds(60);
        let ended = cookies.save(state(), &life).await;
        assert!(ended.is_err(), "there is no such session");
        store.close().unwrap();
        let kept = cookies.save(state(), &life).await.unwrap();
        assert_eq!(kept.as_ref(), secret);
        assert!(cookies.update_ttl(&kept, &life).await.is_ok());
        assert!(cookies.update(kept, state(), &life).await.is_ok());
    }
}
