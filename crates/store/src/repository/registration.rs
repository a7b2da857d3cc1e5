//! Registration: everything of a new account in one transaction.

use crate::audit::AuditEvent;
use crate::audit::chain::SealedEvent;
use crate::audit::log::{SubjectKeys, weight};
use crate::engine::sqlite::db::{Db, at};
use crate::engine::sqlite::writer::WriteTx;
use crate::fault::Fault;
use crate::public_keys::PublicKeys;
use crate::repository::Repository;
use crate::repository::administration::use_link;
use crate::repository::invite_rows::take;
use crate::repository::prekey_rows::PackedBatch;
use crate::repository::public_key_rows::BoundKeys;
use crate::repository::safe_rows::{SealedSafe, seal_wraps};
use crate::repository::session_rows::RawSession;
use crate::repository::user_rows::{OpenedCredential, seal_data};
use crate::safes::SafeKind;
use crate::sealing::bound_setting::{BoundSetting, REGISTRATION, SETUP, SETUP_DONE, SETUP_OPEN};
use crate::sealing::bound_user::BoundUser;
use crate::sealing::classes::{Public, Sealed, Sensitive};
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
    public_keys: PublicKeys,
    safe: SealedSafe,
    wraps: Sealed,
    prekey_safe: SealedSafe,
    batch: PackedBatch,
    audit_key: Sealed,
    session: RawSession,
    events: Vec<SealedEvent>,
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
            public_keys: user.public_keys,
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
            + self.public_keys.account_keys.len() * 2
            + weight(&self.events)
    }

    fn write(self, tx: &mut WriteTx<'_>) -> Result<Role, RegisterError> {
        let (db, tags) = (tx.db, tx.tags);
        let role = admit(db, tags, self.admission, self.created_at)?;
        self.insert_user(db, tags, role)?;
        insert_public_keys(db, tags, &self)?;
        let id = self.user_id.as_bytes();
        db.execute(
            at("key_safes", id),
            "INSERT INTO key_safes (user_id, version, encrypted_wraps, encrypted_private_keys)
             VALUES (?1, ?2, ?3, ?4)",
            (id, self.safe.version, &self.wraps, &self.safe.data),
        )?;
        db.execute(
            at("prekey_safes", id),
            "INSERT INTO prekey_safes (user_id, version, encrypted_data) VALUES (?1, ?2, ?3)",
            (id, self.prekey_safe.version, &self.prekey_safe.data),
        )?;
        if self.batch.publish(db, &self.user_id)?.is_err() {
            return Err(RegisterError::AlreadyRegistered);
        }
        db.execute(
            at("audit_keys", id),
            "INSERT INTO audit_keys (subject, encrypted_key, created_at) VALUES (?1, ?2, ?3)",
            (id, &self.audit_key, self.created_at),
        )?;
        if !self.session.insert(db, tags)? {
            return Err(RegisterError::AlreadyRegistered);
        }
        tx.append(self.events)?;
        Ok(role)
    }

    fn insert_user(&self, db: Db<'_>, tags: &Tags, role: Role) -> Result<(), RegisterError> {
        let id = self.user_id.as_bytes();
        let bound = BoundUser {
            user_id: *id,
            handle_index: self.handle_index,
            fingerprint: self.fingerprint.clone(),
            role: role.as_str().to_owned(),
            active: true,
            created_at: self.created_at,
            tag: None,
        };
        let place = at("users", id);
        let inserted = db.execute(
            place,
            "INSERT INTO users (user_id, handle_index, fingerprint, role, active, created_at, tag,
                 encrypted_data, encrypted_credential)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            (
                id,
                &bound.handle_index,
                Public(&bound.fingerprint),
                Public(&bound.role),
                bound.active,
                bound.created_at,
                tags.of(&bound),
                &self.data,
                &self.credential,
            ),
        )?;
        if inserted == 1 {
            return Ok(());
        }
        let same = db.number(place, "SELECT count(*) FROM users WHERE user_id = ?1", [id])?;
        Err(if same > 0 {
            RegisterError::AlreadyRegistered
        } else {
            RegisterError::HandleTaken
        })
    }
}

fn insert_public_keys(db: Db<'_>, tags: &Tags, new: &Prepared) -> Result<(), Fault> {
    let id = new.user_id.as_bytes();
    let keys = &new.public_keys;
    let user = new.user_id;
    db.execute(
        at("public_keys", id),
        "INSERT INTO public_keys (user_id, created_at, identity_key, signed_prekey, verify_key,
             quantum_public_key, account_keys, tag) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            id,
            keys.created_at,
            Public(&keys.identity_key),
            Public(&new.batch.batch.signed_prekey),
            Public(&keys.verify_key),
            Public(&new.batch.batch.quantum_public_key),
            Public(&keys.account_keys),
            tags.of(&BoundKeys { user, keys }),
        ),
    )?;
    Ok(())
}

/// Uses up the right to register; the transaction gives it back if anything else fails.
fn admit(db: Db<'_>, tags: &Tags, admission: Admission, now: u64) -> Result<Role, RegisterError> {
    match admission {
        Admission::Open => Ok(Role::User),
        Admission::Invite(invite) => {
            take(db, tags, &invite, now)?;
            Ok(Role::User)
        }
        Admission::Setup => {
            if !set_up(db, tags)? {
                return Err(RegisterError::AlreadySetUp);
            }
            Ok(Role::Admin)
        }
        Admission::AdminLink(hash) => {
            if !use_link(db, tags, &hash, now)? {
                return Err(RegisterError::AdminLinkUnusable);
            }
            set_up(db, tags)?;
            Ok(Role::Admin)
        }
    }
}

/// Notes the set-up, once; `false` when it was done before.
fn set_up(db: Db<'_>, tags: &Tags) -> Result<bool, Fault> {
    if BoundSetting::value(db, tags, SETUP)? != SETUP_OPEN {
        return Ok(false);
    }
    BoundSetting::put(db, tags, SETUP, SETUP_DONE)?;
    BoundSetting::put(db, tags, REGISTRATION, RegistrationMode::Invite.as_str())?;
    Ok(true)
}

impl Repository {
    pub(crate) async fn register_user(
        &self,
        user: NewUser,
        session: NewSession,
        audit: Vec<AuditEvent>,
    ) -> Result<Role, RegisterError> {
        let prepared = Prepared::seal(&self.sealer, user, &session, audit)?;
        self.write(prepared.weight(), move |tx| prepared.write(tx))
            .await
    }
}
