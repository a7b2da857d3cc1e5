//! Schemas of everything that is sent, by name: what the OpenAPI document and the types of the
//! browser's code are made from.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::Action;
use crate::bodies::{
    AccountChange, AccountDeletion, Accounts, AuditKey, AuditPage, AuditProof, BackupWanted,
    Backups, Bundles, CurrentSession, Entered, Figures, IdentityChange, Invite, InviteMade, Keys,
    Live, NewInvite, NewServiceKey, PassphraseFinish, PassphraseStart, PassphraseStarted, Person,
    PrekeyBatch, PrekeySafeChange, PrekeyStock, PrekeysInUse, PrivateKeyWanted, Problem, Ready,
    ReauthFinish, ReauthStart, Reauthenticated, RecoveryFinish, RecoveryStart, RecoveryStarted,
    RegistrationChoice, RegistrationFinish, RegistrationStart, RegistrationStarted,
    RegistrationWish, ResumeHalf, RevokeOthers, SafeChange, SafeConflict, Safes, Server,
    ServiceKey, ServiceKeyDeletion, ServiceKeyRotation, ServiceKeyWanted, Services, Session,
    SignInFinish, SignInStart, SignInStarted, UseInvite, WantBundles,
};
use crate::frames::{ClientFrame, ServerFrame};

macro_rules! schemas {
    ($($kind:ident,)+) => {{
        let mut found = Vec::new();
        $(
            found.push(($kind::name().into_owned(), $kind::schema()));
            $kind::schemas(&mut found);
        )+
        found.into_iter().map(|(name, schema)| (name, json!(schema)))
    }};
}

/// Returns the schema of every body and frame, and of what they refer to, by name.
pub fn all() -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> = asked().collect();
    for (name, mut schema) in answered() {
        require_nulls(&mut schema);
        all.insert(name, schema);
    }
    all
}

/// What clients send.
fn asked() -> impl Iterator<Item = (String, Value)> {
    schemas![
        AccountChange,
        AccountDeletion,
        BackupWanted,
        ClientFrame,
        IdentityChange,
        NewInvite,
        NewServiceKey,
        PassphraseFinish,
        PassphraseStart,
        PrekeyBatch,
        PrekeySafeChange,
        PrivateKeyWanted,
        ReauthFinish,
        ReauthStart,
        RecoveryFinish,
        RecoveryStart,
        RegistrationChoice,
        RegistrationFinish,
        RegistrationStart,
        RegistrationWish,
        ResumeHalf,
        RevokeOthers,
        SafeChange,
        ServiceKeyDeletion,
        ServiceKeyRotation,
        ServiceKeyWanted,
        SignInFinish,
        SignInStart,
        UseInvite,
        WantBundles,
    ]
}

/// What the server sends.
fn answered() -> impl Iterator<Item = (String, Value)> {
    schemas![
        Accounts,
        Action,
        AuditKey,
        AuditPage,
        AuditProof,
        Backups,
        Bundles,
        CurrentSession,
        Entered,
        Figures,
        Invite,
        InviteMade,
        Keys,
        Live,
        PassphraseStarted,
        Person,
        PrekeyStock,
        PrekeysInUse,
        Problem,
        Ready,
        Reauthenticated,
        RecoveryStarted,
        RegistrationStarted,
        SafeConflict,
        Safes,
        Server,
        ServerFrame,
        ServiceKey,
        Services,
        Session,
        SignInStarted,
    ]
}

/// Says that what may be null is there: the server leaves out only what has another type.
fn require_nulls(schema: &mut Value) {
    for key in ["oneOf", "allOf"] {
        let parts = schema.get_mut(key).and_then(Value::as_array_mut);
        parts.into_iter().flatten().for_each(require_nulls);
    }
    let Some(properties) = schema["properties"].as_object() else {
        return;
    };
    let nulls = properties
        .iter()
        .filter(|(_, property)| may_be_null(property));
    let nulls: Vec<Value> = nulls.map(|(name, _)| json!(name)).collect();
    if let (false, Some(schema)) = (nulls.is_empty(), schema.as_object_mut()) {
        let required = schema.entry("required").or_insert_with(|| json!([]));
        required.as_array_mut().into_iter().for_each(|required| {
            required.extend(nulls.iter().cloned());
        });
    }
}

fn may_be_null(property: &Value) -> bool {
    let is_null = |kind: &Value| *kind == "null";
    let parts = property["oneOf"].as_array().into_iter().flatten();
    let kinds = property["type"].as_array().into_iter().flatten();
    kinds.chain(parts.map(|part| &part["type"])).any(is_null)
}
