//! "New identity": other public keys, other prekeys and both safes under another key, at once.
//!
//! Specification: `docs/protocol/accounts.md#new-identity`.

use protocol::identity::{AccountKeys, AccountSecrets};
use protocol::opaque::ExportKey;
use protocol::prekeys::{ONE_TIME_PER_BATCH, generate_batch};
use protocol::safe::{PrekeySafe, SafeError, SafeKey};

use crate::config::CoreRng;
use crate::core::Core;
use crate::effects::Effect;
use crate::event::Event;
use crate::failure::Failure;
use crate::flows::unheard::proof_of;
use crate::flows::{Flow, Step};
use crate::id::UserId;
use crate::io::Io;
use crate::purpose::Purpose;
use crate::refuse::of_safe;
use crate::state::safes::{Marks, Safe, reseal};
use crate::unlocked::Unlocked;
use crate::wire::{Blob, IdentityChange, SafeData, SafeWrite};

/// Everything that takes the place of the old identity once the server has it.
pub(crate) struct NewIdentity {
    pub(crate) secrets: AccountSecrets,
    pub(crate) keys: AccountKeys,
    pub(crate) at: u64,
    pub(crate) batch_number: u32,
    pub(crate) prekeys: PrekeySafe,
    pub(crate) key: SafeKey,
    pub(crate) marks: Marks,
}

/// What the server is given of it.
struct Upload {
    prekeys: Vec<u8>,
    safe: SafeWrite,
    prekey_safe: SafeData,
}

impl Core {
    /// The passphrase was proven: makes the new identity and uploads it.
    pub(super) fn put_identity(&mut self, export: &ExportKey, token: Blob) -> Result<(), Failure> {
        let now = self.io.stamp();
        let (Some(Flow::Change(flow)), Some(open)) = (self.flow.as_mut(), self.unlocked.as_mut())
        else {
            return Ok(());
        };
        let (identity, upload) = prepare(&mut self.io.rng, open.user, &mut open.safe, export, now)
            .map_err(|error| Failure::from(of_safe(&error)))?;
        let body = IdentityChange {
            reauth_token: token,
            public_keys: identity.keys.encode().into(),
            prekeys: Blob::from(upload.prekeys),
            safe: upload.safe,
            prekey_safe: upload.prekey_safe,
        };
        let user = open.user;
        let proof = proof_of(&identity.key);
        flow.identity = Some(Box::new(identity));
        self.note_unheard(user, proof);
        self.io
            .put("/public-keys", &body, Purpose::Flow(Step::IdentityPut));
        Ok(())
    }

    pub(crate) fn identity_stored(&mut self) -> Result<(), Failure> {
        let Some(Flow::Change(flow)) = self.flow.take() else {
            return Ok(());
        };
        if let (Some(identity), Some(open)) = (flow.identity, self.unlocked.as_mut()) {
            open.identity_replaced(&mut self.io, *identity);
        }
        self.leave_resume();
        self.io.event(Event::IdentityReplaced);
        Ok(())
    }
}

impl Unlocked {
    /// The server has the new identity: what belonged to the old one is destroyed.
    fn identity_replaced(&mut self, io: &mut Io, identity: NewIdentity) {
        self.safe.replace_identity(identity);
        self.safe.remember(io);
        self.safe.writes_resume(io);
        self.presence.identity_replaced();
        self.outbox.identity_replaced();
        self.batches.replaced();
        io.ask(Effect::TellChats);
        self.publish(io);
    }
}

/// Makes the identity and seals both safes as they will be; the safe itself stays as it is.
fn prepare(
    rng: &mut CoreRng,
    user: UserId,
    safe: &mut Safe,
    export: &ExportKey,
    now: u64,
) -> Result<(NewIdentity, Upload), SafeError> {
    let secrets = AccountSecrets::generate(rng);
    let keys = secrets.account_keys(rng);
    let at = now.max(safe.contents().identity_at.saturating_add(1));
    let batch_number = safe.contents().batch_number.saturating_add(1);
    // Other ids than the old ones, so that nothing sent to the old identity finds a private half.
    let batch = generate_batch(
        rng,
        &secrets,
        user,
        batch_number,
        ONE_TIME_PER_BATCH,
        now,
        &safe.prekeys().taken_ids(),
    );
    let mut prekeys = PrekeySafe::default();
    let batch = prekeys.add_batch(batch).encode();
    let key = SafeKey::random(rng);
    let marks = safe.marks();
    let sealed = safe.as_another(&secrets, at, batch_number, |contents| {
        let versions = (marks.safe.version, marks.prekeys.version);
        reseal(rng, user, &key, export, (contents, &mut prekeys), versions)
    });
    let (write, prekey_safe, marks) = sealed?;
    let identity = NewIdentity {
        secrets,
        keys,
        at,
        batch_number,
        prekeys,
        key,
        marks,
    };
    let upload = Upload {
        prekeys: batch,
        safe: write,
        prekey_safe,
    };
    Ok((identity, upload))
}
