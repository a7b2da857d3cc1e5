//! Schemas of everything that is sent, by name: what the OpenAPI document and the types of the
//! browser's code are made from.

use std::collections::BTreeMap;

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::Action;
use crate::bodies::{
    AccountChange, AccountDeletion, Accounts, AuditKey, AuditPage, AuditProof, BackupWanted,
    Backups, Bundles, ClaimToken, CurrentSession, Entered, Figures, IdentityChange, Invite,
    InviteMade, Keys, Lease, Live, NewInvite, PassphraseFinish, PassphraseStart, PassphraseStarted,
    Person, PrekeyBatch, PrekeySafeChange, PrekeyStock, PrekeysInUse, Problem, Ready, ReauthFinish,
    ReauthStart, Reauthenticated, RecoveryFinish, RecoveryStart, RecoveryStarted,
    RegistrationChoice, RegistrationFinish, RegistrationStart, RegistrationStarted,
    RegistrationWish, ResumeHalf, RevokeOthers, SafeChange, SafeConflict, Safes, Sent, Server,
    Session, SignInFinish, SignInStart, SignInStarted, StatusAnswer, StatusQuestion, UseInvite,
    WaitingList, WantBundles,
};
use crate::frames::{ClientFrame, ServerFrame};

macro_rules! schemas {
    ($($kind:ty),+ $(,)?) => {{
        let mut referred = Vec::new();
        $(
            referred.push((<$kind>::name().into_owned(), <$kind as utoipa::PartialSchema>::schema()));
            <$kind>::schemas(&mut referred);
        )+
        referred.into_iter().collect()
    }};
}

/// Returns the schema of every body and frame, and of what they refer to.
pub fn all() -> BTreeMap<String, RefOr<Schema>> {
    schemas![
        AccountChange,
        AccountDeletion,
        Accounts,
        Action,
        AuditKey,
        AuditPage,
        AuditProof,
        BackupWanted,
        Backups,
        Bundles,
        ClaimToken,
        ClientFrame,
        CurrentSession,
        Entered,
        Figures,
        IdentityChange,
        Invite,
        InviteMade,
        Keys,
        Lease,
        Live,
        NewInvite,
        PassphraseFinish,
        PassphraseStart,
        PassphraseStarted,
        Person,
        PrekeyBatch,
        PrekeySafeChange,
        PrekeyStock,
        PrekeysInUse,
        Problem,
        Ready,
        ReauthFinish,
        ReauthStart,
        Reauthenticated,
        RecoveryFinish,
        RecoveryStart,
        RecoveryStarted,
        RegistrationChoice,
        RegistrationFinish,
        RegistrationStart,
        RegistrationStarted,
        RegistrationWish,
        ResumeHalf,
        RevokeOthers,
        SafeChange,
        SafeConflict,
        Safes,
        Sent,
        Server,
        ServerFrame,
        Session,
        SignInFinish,
        SignInStart,
        SignInStarted,
        StatusAnswer,
        StatusQuestion,
        UseInvite,
        WaitingList,
        WantBundles,
    ]
}
