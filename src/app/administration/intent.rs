//! Acts of an administrator: the intent is recorded before, the outcome after, also of failures.
//!
//! [`Intent::declare`] writes the intent and returns when it is on stable storage. The act then runs to its
//! end even if the browser disconnects. Functions of the store for administrators take a [`store::Intent`],
//! which only this path can get.

use std::fmt::Display;
use std::future::Future;
use std::sync::Arc;

use api::Action;
use serde_json::{Value, json};
use store::{Act, Declaration, Fault, Store, UserId};

use crate::app::authority::{Authorized, Principal};
use crate::app::origin::Origin;
use ambient::Ambient;

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident = $intent:ident, $done:ident, $failed:ident;)+) => {
        $($(#[$doc])*
        pub static $name: Act = Act {
            intent: Action::$intent.as_str(),
            done: Action::$done.as_str(),
            failed: Action::$failed.as_str(),
        };)+
    };
}

acts! {
    /// Choosing who may register.
    REGISTRATION = RegistrationIntent, RegistrationDone, RegistrationFailed;
    /// Making, promoting or demoting somebody.
    USER_ROLE = UserRoleIntent, UserRoleDone, UserRoleFailed;
    /// Disabling or enabling an account.
    USER_ACTIVITY = UserActivityIntent, UserActivityDone, UserActivityFailed;
    /// Erasing an account.
    USER_ERASURE = UserErasureIntent, UserErasureDone, UserErasureFailed;
    /// A new key-encryption key.
    KEY_ROTATION = KeyRotationIntent, KeyRotationDone, KeyRotationFailed;
    /// New data keys.
    KEY_RENEWAL = KeyRenewalIntent, KeyRenewalDone, KeyRenewalFailed;
    /// A backup that somebody asks for.
    BACKUP = BackupIntent, BackupDone, BackupFailed;
    /// A trial restore that somebody asks for.
    BACKUP_DRILL = BackupDrillIntent, BackupDrillDone, BackupDrillFailed;
    /// Making a service's key, or renaming the service.
    SERVICE_KEY = ServiceKeyIntent, ServiceKeyDone, ServiceKeyFailed;
    /// A new version of a service's key.
    SERVICE_KEY_ROTATION = ServiceKeyRotationIntent, ServiceKeyRotationDone, ServiceKeyRotationFailed;
    /// Reading the private half of a service's key.
    SERVICE_KEY_READING = ServiceKeyReadingIntent, ServiceKeyReadingDone, ServiceKeyReadingFailed;
    /// Deleting keys of a service.
    SERVICE_KEY_DELETION = ServiceKeyDeletionIntent, ServiceKeyDeletionDone, ServiceKeyDeletionFailed;
    /// Verifying the audit log from the admin page.
    AUDIT_VERIFICATION = AuditVerificationIntent, AuditVerificationDone, AuditVerificationFailed;
}

/// The actor of an act, and its origin; only [`Actor::of`] makes one.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The account; `None` is whoever sits at the server's terminal, or the server itself.
    user_id: Option<UserId>,
    /// Request id and address, or the subcommand; a JSON object.
    pub(super) details: Value,
}

impl Actor {
    /// Whoever was let through, from where.
    pub fn of<'a, P>(allowed: &Authorized<P>, origin: impl Into<Option<&'a Origin>>) -> Self {
        let principal = allowed.principal();
        let details = match principal {
            Principal::Person(_) => origin.into().map_or_else(|| json!({}), Origin::asked),
            Principal::Terminal(subcommand) => {
                json!({ "from": "terminal", "subcommand": subcommand })
            }
            Principal::Server(reason) => json!({ "from": "server", "reason": reason }),
        };
        Self {
            user_id: principal.user_id(),
            details,
        }
    }
}

/// A declared act without an outcome yet.
#[must_use = "an intent without an outcome says that something was cut off"]
pub struct Intent {
    store: Store,
    ambient: Ambient,
    act: &'static Act,
    declared: Arc<store::Intent>,
}

impl Intent {
    /// Records the intent; `what` is a JSON object that joins the actor's details.
    pub async fn declare(
        store: &Store,
        ambient: &Ambient,
        actor: Actor,
        act: &'static Act,
        what: Value,
    ) -> Result<Self, Fault> {
        let mut details = actor.details;
        if let (Some(members), Value::Object(what)) = (details.as_object_mut(), what) {
            members.extend(what);
        }
        let declaration = Declaration {
            user_id: actor.user_id,
            act,
            details,
        };
        let declared = store.declare(declaration, ambient.now()).await?;
        Ok(Self {
            store: store.clone(),
            ambient: ambient.clone(),
            act,
            declared: Arc::new(declared),
        })
    }

    /// Runs an act that records [`store::Intent::done`] in its own transaction; records a failure here.
    ///
    /// It runs to its end even if the caller is dropped.
    pub async fn carry_out<T, E, F>(self, act: impl FnOnce(Arc<store::Intent>) -> F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Display + From<Fault> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let doing = act(Arc::clone(&self.declared));
        self.run(doing, false).await
    }

    /// Runs an act that writes no audit record; records success and failure here.
    ///
    /// It runs to its end even if the caller is dropped.
    pub async fn perform<T, E, F>(self, act: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Display + From<Fault> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        self.run(act, true).await
    }

    async fn run<T, E, F>(self, act: F, writes_success: bool) -> Result<T, E>
    where
        T: Send + 'static,
        E: Display + From<Fault> + Send + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let Self {
            store,
            ambient,
            act: kind,
            declared,
        } = self;
        let cut = || Fault::Unavailable("an internal error".to_owned());
        let settled = tokio::spawn(async move {
            // A task of its own, so that a panic in it leaves a record as well.
            let result = tokio::spawn(act).await;
            let now = ambient.now();
            let result = result.unwrap_or_else(|_| Err(E::from(cut())));
            let record = match &result {
                Ok(_) if !writes_success => return result,
                Ok(_) => declared.done(now),
                Err(error) => declared.failed(now, &error.to_string()),
            };
            if let Err(cause) = store.append_audit(vec![record]).await {
                tracing::error!(act = kind.intent, %cause, "an outcome could not be written down");
                // Without its record, success is none.
                return result.and(Err(E::from(cause)));
            }
            result
        });
        settled.await.unwrap_or_else(|_| Err(E::from(cut())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use store::{AuditFilter, KeySource, StoreConfig};

    use super::*;
    use crate::app::authority::permit;

    async fn written(store: &Store) -> Vec<(String, Value)> {
        let page = store
            .query_audit(AuditFilter::default(), None, 10)
            .await
            .unwrap();
        let records = page.records.into_iter().rev();
        records.map(|it| (it.action, it.details)).collect()
    }

    async fn declared(folder: &std::path::Path) -> (Store, Intent) {
        let path = folder.join("secure_messaging.db");
        let key = KeySource::beside(Some("a key of the tests".to_owned()), &path);
        let mut config = StoreConfig::new(&path, key);
        config.iterations = 100_000;
        let store = Store::open(&config).unwrap();
        let terminal = Principal::Terminal("test");
        let backups: Authorized<permit::MakeBackups> = Authorized::check(terminal).unwrap();
        let intent = Intent::declare(
            &store,
            &Ambient::system(),
            Actor::of(&backups, None),
            &BACKUP,
            json!({ "target": "somewhere" }),
        )
        .await
        .unwrap();
        (store, intent)
    }

    #[tokio::test]
    async fn success_is_written_after_the_intent() {
        let folder = tempfile::tempdir().unwrap();
        let (store, intent) = declared(folder.path()).await;
        let done: Result<u8, Fault> = intent.perform(async { Ok(7) }).await;
        assert_eq!(done.unwrap(), 7);
        let written = written(&store).await;
        assert_eq!(written[0].0, "admin.backup.intent");
        assert_eq!(written[0].1["target"], "somewhere");
        assert_eq!(written[1].0, "admin.backup.done");
        assert_eq!(written[1].1["subcommand"], "test");
        assert_eq!(written.len(), 2);
    }

    #[tokio::test]
    async fn a_failure_is_written_with_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (store, intent) = declared(folder.path()).await;
        let failed: Result<(), Fault> = intent.carry_out(|_| async { Err(Fault::Full) }).await;
        assert!(matches!(failed, Err(Fault::Full)));
        let written = written(&store).await;
        assert_eq!(written[1].0, "admin.backup.failed");
        assert!(
            written[1].1["reason"]
                .as_str()
                .unwrap()
                .contains("no space is left")
        );
    }

    #[tokio::test]
    async fn a_panic_is_written_as_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let (store, intent) = declared(folder.path()).await;
        let failed: Result<(), Fault> = intent
            .perform(async { panic!("a mistake of the act") })
            .await;
        assert!(failed.is_err());
        assert_eq!(written(&store).await[1].0, "admin.backup.failed");
    }

    #[tokio::test]
    async fn an_act_runs_to_its_end_when_nobody_waits_for_it_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let (store, intent) = declared(folder.path()).await;
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (go_on, may_go_on) = tokio::sync::oneshot::channel();
        let caller = tokio::spawn(intent.perform(async move {
            begun.send(()).unwrap();
            may_go_on.await.unwrap();
            Ok::<(), Fault>(())
        }));
        has_begun.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go_on.send(()).unwrap();
        while written(&store).await.len() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(written(&store).await[1].0, "admin.backup.done");
    }
}
