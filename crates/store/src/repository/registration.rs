//! Registration: everything of a new account in one transaction.

use crate::audit::AuditEvent;
use crate::audit::log::{SubjectKeys, weight};
use crate::classes::Sealed;
use crate::engine::Changes;
use crate::engine::log::Events;
use crate::engine::prekeys::PackedBatch;
use crate::engine::sessions::RawSession;
use crate::engine::users::BoundUser;
use crate::fault::Fault;
use crate::public_keys::StoredPublicKeys;
use crate::repository::administration::use_link;
use crate::repository::credentials::SealedReplacement;
use crate::repository::invite_rows::take;
use crate::repository::public_key_rows::BoundKeys;
use crate::repository::user_rows::seal_data;
use crate::repository::{Repository, Tx};
use crate::sealing::bound_setting::{BoundSetting, REGISTRATION, SETUP, SETUP_DONE, SETUP_OPEN};
use crate::sealing::sealer::Sealer;
use crate::sealing::tags::Tags;
use crate::sessions::NewSession;
use crate::users::{Admission, NewUser, RegisterError};
use api::RegistrationMode;
use api::Role;
use api::ids::UserId;

/// A registration, sealed and packed in the caller's task, so that the writer only writes.
struct Prepared {
    user_id: UserId,
    /// What decides, but for the role.
    bound: BoundUser,
    admission: Admission,
    data: Sealed,
    sealed: SealedReplacement,
    public_keys: StoredPublicKeys,
    batch: PackedBatch,
    audit_key: Sealed,
    session: RawSession,
    events: Events,
}

impl Prepared {
    fn seal(
        sealer: &Sealer,
        user: NewUser,
        session: &NewSession,
        audit: Vec<AuditEvent>,
    ) -> Result<Self, Fault> {
        let id = user.user_id;
        let (key, audit_key) = sealer.new_subject_key(id.as_bytes())?;
        let keys = SubjectKeys::with(sealer, id, key);
        let (safe, prekey_safe) = ((&user.safe, 0), (&user.prekey_safe, 0));
        Ok(Self {
            user_id: id,
            bound: BoundUser {
                user_id: *id.as_bytes(),
                handle_index: sealer.handle_index(user.handle.expose()),
                fingerprint: user.fingerprint,
                role: String::new(),
                active: true,
                created_at: user.created_at,
                tag: None,
            },
            admission: user.admission,
            data: seal_data(sealer, &id, &user.handle, &user.alias)?,
            sealed: SealedReplacement::seal(sealer, id, user.opaque_record, safe, prekey_safe)?,
            public_keys: StoredPublicKeys {
                keys: user.public_keys,
                signed_prekey: user.prekeys.signed_prekey.clone(),
                quantum_public_key: user.prekeys.quantum_public_key.clone(),
            },
            batch: PackedBatch::new(user.prekeys),
            audit_key,
            session: RawSession::seal(sealer, session)?,
            events: audit
                .into_iter()
                .map(|event| keys.seal(event))
                .collect::<Result<_, _>>()?,
        })
    }

    fn weight(&self) -> usize {
        self.batch.weight()
            + self.sealed.weight()
            + self.public_keys.keys.account_keys.len() * 2
            + weight(&self.events)
    }

    fn write(&mut self, tx: &mut Tx<'_>) -> Result<Role, RegisterError> {
        let (rows, tags) = (tx.rows, tx.tags);
        let (user, now) = (self.user_id, self.bound.created_at);
        let role = admit(rows, tags, self.admission, now)?;
        self.bound.role = role.as_str().to_owned();
        self.bound.tag = Some(tags.of(&self.bound).to_vec());
        if !rows.insert_user(&self.bound, &self.data, &self.sealed.credential)? {
            return Err(if rows.user_exists(&user)? {
                RegisterError::AlreadyRegistered
            } else {
                RegisterError::HandleTaken
            });
        }
        let keys = &self.public_keys.keys;
        let tag = tags.of(&BoundKeys { user, keys });
        rows.insert_public_keys(&user, &self.public_keys, &tag)?;
        rows.insert_key_safe(&self.sealed.safe)?;
        self.sealed.write_wraps(rows)?;
        rows.insert_prekey_safe(&self.sealed.prekey_safe)?;
        if self.batch.publish(rows, &user)?.is_err() {
            return Err(RegisterError::AlreadyRegistered);
        }
        rows.insert_audit_key(user.as_bytes(), &self.audit_key, now)?;
        if !self.session.insert(rows, tags)? {
            return Err(RegisterError::AlreadyRegistered);
        }
        tx.append(&self.events);
        Ok(role)
    }
}

/// Uses up the right to register; the transaction gives it back if anything else fails.
fn admit(
    rows: &dyn Changes,
    tags: &Tags,
    admission: Admission,
    now: u64,
) -> Result<Role, RegisterError> {
    match admission {
        Admission::Open => Ok(Role::User),
        Admission::Invite(invite) => {
            take(rows, tags, &invite, now)?;
            Ok(Role::User)
        }
        Admission::Setup => {
            if !set_up(rows, tags)? {
                return Err(RegisterError::AlreadySetUp);
            }
            Ok(Role::Admin)
        }
        Admission::AdminLink(hash) => {
            if !use_link(rows, tags, &hash, now)? {
                return Err(RegisterError::AdminLinkUnusable);
            }
            set_up(rows, tags)?;
            Ok(Role::Admin)
        }
    }
}

/// Notes the set-up, once; `false` when it was done before.
fn set_up(rows: &dyn Changes, tags: &Tags) -> Result<bool, Fault> {
    if BoundSetting::value(rows, tags, SETUP)? != SETUP_OPEN {
        return Ok(false);
    }
    BoundSetting::put(rows, tags, SETUP, SETUP_DONE)?;
    BoundSetting::put(rows, tags, REGISTRATION, RegistrationMode::Invite.as_str())?;
    Ok(true)
}

impl Repository {
    pub(crate) async fn register_user(
        &self,
        user: NewUser,
        session: NewSession,
        audit: Vec<AuditEvent>,
    ) -> Result<Role, RegisterError> {
        let mut prepared = Prepared::seal(&self.sealer, user, &session, audit)?;
        self.write(prepared.weight(), move |tx| prepared.write(tx))
            .await
    }
}
