//! What the audit log records: the names of its actions.

use crate::names::names;

names! {
    /// What happened, as a record of the audit log names it.
    Action {
        /// Somebody gave themselves another name.
        AccountAliasChanged = "account.alias_changed",
        /// An account was erased.
        AccountErased = "account.erased",
        /// A passphrase was changed.
        AccountPassphraseChanged = "account.passphrase_changed",
        /// An account was recovered with its recovery key.
        AccountRecovered = "account.recovered",
        /// A recovery failed.
        AccountRecoveryFailed = "account.recovery_failed",
        /// An account was made.
        AccountRegistered = "account.registered",
        /// An administrator read the audit log.
        AdminAuditViewed = "admin.audit_viewed",
        /// Somebody who may not asked for what administrators do.
        AdminRefused = "admin.refused",
        /// An administrator listed the accounts.
        AdminUsersViewed = "admin.users_viewed",
        /// The log holds what this server did not write.
        AuditForeignRecord = "audit.foreign_record",
        /// Records left the log because they were old enough.
        AuditRetention = "audit.retention",
        /// An older copy of the database seems to have been put back.
        AuditRolledBack = "audit.rolled_back",
        /// The database came out of a backup.
        BackupRestored = "backup.restored",
        /// An invite was made.
        InviteCreated = "invite.created",
        /// An invite was used by somebody with an account.
        InviteUsed = "invite.used",
        /// An invite was withdrawn.
        InviteWithdrawn = "invite.withdrawn",
        /// Somebody replaced their identity.
        KeysIdentityReplaced = "keys.identity_replaced",
        /// A batch of prekeys was published.
        KeysPrekeysPublished = "keys.prekeys_published",
        /// The public keys of a new account were published.
        KeysPublished = "keys.published",
        /// Every value has a data key that was drawn since the renewal began.
        KeysRenewalFinished = "keys.renewal_finished",
        /// A renewal of the data keys began.
        KeysRenewalStarted = "keys.renewal_started",
        /// A rotation is over: the key before is retired.
        KeysRotationFinished = "keys.rotation_finished",
        /// A rotation began: another key-encryption key is the active one.
        KeysRotationStarted = "keys.rotation_started",
        /// The rows of a database of an earlier version were bound to their keys.
        KeysRowsBound = "keys.rows_bound",
        /// A limit refused something.
        LimitsFired = "limits.fired",
        /// The server started.
        ServerStarted = "server.started",
        /// The server stopped.
        ServerStopped = "server.stopped",
        /// A session began.
        SessionCreated = "session.created",
        /// A session expired.
        SessionExpired = "session.expired",
        /// A session was ended.
        SessionRevoked = "session.revoked",
        /// Somebody signed out.
        SessionSignedOut = "session.signed_out",
        /// A sign-in failed.
        SignInFailed = "sign_in.failed",
        /// A sign-in succeeded.
        SignInSucceeded = "sign_in.succeeded",
        /// A row of the database does not open.
        StoreRowDamaged = "store.row_damaged",
        /// The memory for messages was full.
        VaultFull = "vault.full",
        /// Choosing who may register: declared.
        RegistrationIntent = "admin.registration.intent",
        /// Choosing who may register: done.
        RegistrationDone = "admin.registration.done",
        /// Choosing who may register: failed.
        RegistrationFailed = "admin.registration.failed",
        /// Making, promoting or demoting somebody: declared.
        UserRoleIntent = "admin.user_role.intent",
        /// Making, promoting or demoting somebody: done.
        UserRoleDone = "admin.user_role.done",
        /// Making, promoting or demoting somebody: failed.
        UserRoleFailed = "admin.user_role.failed",
        /// Disabling or enabling an account: declared.
        UserActivityIntent = "admin.user_activity.intent",
        /// Disabling or enabling an account: done.
        UserActivityDone = "admin.user_activity.done",
        /// Disabling or enabling an account: failed.
        UserActivityFailed = "admin.user_activity.failed",
        /// Erasing an account: declared.
        UserErasureIntent = "admin.user_erasure.intent",
        /// Erasing an account: done.
        UserErasureDone = "admin.user_erasure.done",
        /// Erasing an account: failed.
        UserErasureFailed = "admin.user_erasure.failed",
        /// A new key-encryption key: declared.
        KeyRotationIntent = "admin.key_rotation.intent",
        /// A new key-encryption key: done.
        KeyRotationDone = "admin.key_rotation.done",
        /// A new key-encryption key: failed.
        KeyRotationFailed = "admin.key_rotation.failed",
        /// New data keys: declared.
        KeyRenewalIntent = "admin.key_renewal.intent",
        /// New data keys: done.
        KeyRenewalDone = "admin.key_renewal.done",
        /// New data keys: failed.
        KeyRenewalFailed = "admin.key_renewal.failed",
        /// A backup that somebody asks for: declared.
        BackupIntent = "admin.backup.intent",
        /// A backup that somebody asks for: done.
        BackupDone = "admin.backup.done",
        /// A backup that somebody asks for: failed.
        BackupFailed = "admin.backup.failed",
        /// A trial restore that somebody asks for: declared.
        BackupDrillIntent = "admin.backup_drill.intent",
        /// A trial restore that somebody asks for: done.
        BackupDrillDone = "admin.backup_drill.done",
        /// A trial restore that somebody asks for: failed.
        BackupDrillFailed = "admin.backup_drill.failed",
        /// Making a service's key, or renaming the service: declared.
        ServiceKeyIntent = "admin.service_key.intent",
        /// Making a service's key, or renaming the service: done.
        ServiceKeyDone = "admin.service_key.done",
        /// Making a service's key, or renaming the service: failed.
        ServiceKeyFailed = "admin.service_key.failed",
        /// A new version of a service's key: declared.
        ServiceKeyRotationIntent = "admin.service_key_rotation.intent",
        /// A new version of a service's key: done.
        ServiceKeyRotationDone = "admin.service_key_rotation.done",
        /// A new version of a service's key: failed.
        ServiceKeyRotationFailed = "admin.service_key_rotation.failed",
        /// Reading the private half of a service's key: declared.
        ServiceKeyReadingIntent = "admin.service_key_reading.intent",
        /// Reading the private half of a service's key: done.
        ServiceKeyReadingDone = "admin.service_key_reading.done",
        /// Reading the private half of a service's key: failed.
        ServiceKeyReadingFailed = "admin.service_key_reading.failed",
        /// Deleting a service's keys: declared.
        ServiceKeyDeletionIntent = "admin.service_key_deletion.intent",
        /// Deleting a service's keys: done.
        ServiceKeyDeletionDone = "admin.service_key_deletion.done",
        /// Deleting a service's keys: failed.
        ServiceKeyDeletionFailed = "admin.service_key_deletion.failed",
        /// Verifying the audit log from the admin page: declared.
        AuditVerificationIntent = "admin.audit_verification.intent",
        /// Verifying the audit log from the admin page: done.
        AuditVerificationDone = "admin.audit_verification.done",
        /// Verifying the audit log from the admin page: failed.
        AuditVerificationFailed = "admin.audit_verification.failed",
    }
}
