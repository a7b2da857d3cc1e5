//! Registration: everything of a new account in one transaction.

use crate::audit::AuditEvent;
use crate::audit::log::{SubjectKeys, weight};
use crate::classes::{Sealed, Sensitive};
use crate::engine::Changes;
use crate::engine::log::Events;
use crate::engine::prekeys::PackedBatch;
use crate::engine::safes::SealedSafe;
use crate::engine::sessions::RawSession;
use crate::engine::users::BoundUser;
use crate::fault::Fault;
use crate::public_keys::StoredPublicKeys;
use crate::repository::administration::use_link;
use crate::repository::invite_rows::take;
use crate::repository::public_key_rows::BoundKeys;
use crate::repository::safe_rows::seal_wraps;
use crate::repository::user_rows::{OpenedCredential, seal_data};
use crate::repository::{Repository, Tx};
use crate::safes::SafeKind;
use crate::sealing::bound_setting::{BoundSetting, REGISTRATION, SETUP, SETUP_DONE, SETUP_OPEN};
use crate::sealing::sealer::Sealer;
use crate::sealing::tags::Tags;
use crate::sessions::NewSession;
use crate::users::{Admission, NewUser, RegisterError};
use api::RegistrationMode;
use api::Role;

/// A registration, sealed and packed in the caller's task, so that the writer only writes.
struct Prepared {
    user_id: api::ids::UserId,
    handle_index: [u8; 32],
    fingerprint: Vec<u8>,
    created_at: u64,
    admission: Admission,
    data: Sealed,
    credential: Sealed,
    public_keys: StoredPublicKeys,
    safe: SealedSafe,
    wraps: Sealed,
    prekey_safe: SealedSafe,
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
        let credential = OpenedCredential {
            opaque_record: Sensitive::new(user.opaque_record.into_inner().into()),
            write_proof_hash: user.safe.write_proof_hash,
            recovery_proof_hash: user.safe.recovery_proof_hash,
        };
        let seal_safe =
            |kind, version, data: &[u8]| SealedSafe::seal(sealer, id, kind, version, data);
        Ok(Self {
            user_id: id,
            handle_index: sealer.handle_index(user.handle.expose()),
            created_at: user.created_at,
            admission: user.admission,
            data: seal_data(sealer, &id, &user.handle, &user.alias)?,
            credential: credential.seal(sealer, &id)?,
            wraps: seal_wraps(sealer, &id, &user.safe)?,
            safe: seal_safe(SafeKind::Keys, user.safe.version, &user.safe.data)?,
            prekey_safe: seal_safe(
                SafeKind::Prekeys,
                user.prekey_safe.version,
                &user.prekey_safe.data,
            )?,
            fingerprint: user.fingerprint,
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
            + self.safe.data.len()
            + self.prekey_safe.data.len()
            + self.public_keys.keys.account_keys.len() * 2
            + weight(&self.events)
    }

    fn write(&mut self, tx: &mut Tx<'_>) -> Result<Role, RegisterError> {
        let (rows, tags) = (tx.rows, tx.tags);
        let role = admit(rows, tags, self.admission, self.created_at)?;
        self.insert_user(rows, tags, role)?;
        let user = self.user_id;
        let keys = &self.public_keys.keys;
        rows.insert_public_keys(
            &user,
            &self.public_keys,
            &tags.of(&BoundKeys { user, keys }),
        )?;
        rows.insert_key_safe(&self.safe, &self.wraps)?;
        rows.insert_prekey_safe(&self.prekey_safe)?;
        if self.batch.publish(rows, &user)?.is_err() {
            return Err(RegisterError::AlreadyRegistered);
        }
        rows.insert_audit_key(user.as_bytes(), &self.audit_key, self.created_at)?;
        if !self.session.insert(rows, tags)? {
            return Err(RegisterError::AlreadyRegistered);
        }
        tx.append(&self.events);
        Ok(role)
    }

    fn insert_user(
        &self,
        rows: &dyn Changes,
        tags: &Tags,
        role: Role,
    ) -> Result<(), RegisterError> {
        let mut bound = BoundUser {
            user_id: *self.user_id.as_bytes(),
            handle_index: self.handle_index,
            fingerprint: self.fingerprint.clone(),
            role: role.as_str().to_owned(),
            active: true,
            created_at: self.created_at,
            tag: None,
        };
        bound.tag = Some(tags.of(&bound).to_vec());
        if rows.insert_user(&bound, &self.data, &self.credential)? {
            return Ok(());
        }
        Err(if rows.user_exists(&self.user_id)? {
            RegisterError::AlreadyRegistered
        } else {
            RegisterError::HandleTaken
        })
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
