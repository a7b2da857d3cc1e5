//! Who may do what: one principal, one decision, whichever road a call took.

use std::marker::PhantomData;

use api::{Action, Code};
use serde_json::Value;
use store::{Role, UserId};

use super::accounts::audit;
use super::origin::Origin;
use super::sessions::SignedIn;
use super::{App, Problem, audit::record};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $effect:ident, [$($role:ident),*];)+) => {
        /// What a call asks to be allowed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Permission {
            $($(#[$doc])* $name,)+
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Returns its name in documents.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Returns whether a call that has it changes something.
            const fn changes(self) -> bool {
                match self { $(Self::$name => matches!(Effect::$effect, Effect::Changes),)+ }
            }

            /// Returns the roles of people who have it.
            pub const fn roles(self) -> &'static [Role] {
                match self { $(Self::$name => &[$(Role::$role),*],)+ }
            }
        }

        /// Permissions as types, for [`Authorized`].
        pub mod permit {
            $($(#[$doc])* #[derive(Debug, Clone, Copy)] pub struct $name;

            impl super::Permit for $name {
                const PERMISSION: super::Permission = super::Permission::$name;
            })+
        }
    };
}

enum Effect {
    Reads,
    Changes,
}

permissions! {
    /// Use one's own account: sessions, keys, people and messages.
    UseAccount = "use-account", Changes, [User, Auditor, Admin];
    /// Read the audit log and what proves it.
    ReadAudit = "read-audit", Reads, [Auditor, Admin];
    /// Have the whole audit log verified.
    VerifyAudit = "verify-audit", Changes, [Auditor, Admin];
    /// Read figures of the server.
    ReadFigures = "read-figures", Reads, [Auditor, Admin];
    /// List accounts.
    ListAccounts = "list-accounts", Reads, [Admin];
    /// Make, promote, demote, disable, enable and erase accounts.
    ChangeAccounts = "change-accounts", Changes, [];
    /// Choose who may register.
    ChooseRegistration = "choose-registration", Changes, [Admin];
    /// See which keys there are and what is being done to them.
    ReadKeys = "read-keys", Reads, [Admin];
    /// Move everything to a new key or to fresh data keys.
    ChangeKeys = "change-keys", Changes, [Admin];
    /// See which backups there are.
    ReadBackups = "read-backups", Reads, [Admin];
    /// Make, try, prune and restore backups.
    MakeBackups = "make-backups", Changes, [Admin];
    /// See which services have keys, and their versions.
    ReadServiceKeys = "read-service-keys", Reads, [Admin];
    /// Make, rotate and delete keys of services.
    ChangeServiceKeys = "change-service-keys", Changes, [Admin];
    /// Read private halves of keys of services; counted like a change.
    ReadPrivateServiceKeys = "read-private-service-keys", Changes, [Admin];
}

/// A permission as a type.
pub trait Permit {
    /// The permission.
    const PERMISSION: Permission;
}

/// Who calls.
#[derive(Debug, Clone)]
pub enum Principal {
    /// A person, by a session that has not ended.
    Person(SignedIn),
    /// Whoever sits at the server's terminal, by this subcommand.
    Terminal(&'static str),
    /// The server itself, for this reason.
    Server(&'static str),
}

impl Principal {
    /// Returns the account, if it is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Person(who) => Some(who.user_id()),
            Self::Terminal(_) | Self::Server(_) => None,
        }
    }
}

/// Decides whether a principal has a permission.
///
/// The terminal belongs to whoever can read the database's key, and may do everything but what only the
/// owner of an account can. The server does on its own what its schedules say.
fn may(principal: &Principal, permission: Permission) -> bool {
    match principal {
        Principal::Person(who) => permission.roles().contains(&who.session().role()),
        Principal::Terminal(_) => permission != Permission::UseAccount,
        Principal::Server(_) => matches!(
            permission,
            Permission::ChangeKeys | Permission::MakeBackups | Permission::VerifyAudit
        ),
    }
}

/// The principal does not have the permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the permission {}", .0.name())]
pub struct Denied(pub Permission);

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        Self::new(Code::Forbidden, denied_words(denied.0))
    }
}

fn denied_words(permission: Permission) -> &'static str {
    match permission.roles() {
        [] => "This is done at the server's terminal.",
        [Role::Admin] => "Only an administrator may do this.",
        [Role::Auditor, Role::Admin] => "Only an administrator or an auditor may do this.",
        _ => "This account may not do this.",
    }
}

/// Proof that a principal has a permission; only [`Authorized::check`] makes one.
#[derive(Debug, Clone)]
pub struct Authorized<P> {
    principal: Principal,
    permit: PhantomData<P>,
}

impl<P: Permit> Authorized<P> {
    /// Decides.
    pub fn check(principal: Principal) -> Result<Self, Denied> {
        match may(&principal, P::PERMISSION) {
            true => Ok(Self {
                principal,
                permit: PhantomData,
            }),
            false => Err(Denied(P::PERMISSION)),
        }
    }
}

impl<P> Authorized<P> {
    /// Returns who has it.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Returns the account that has it, if it is one.
    pub fn user_id(&self) -> Option<UserId> {
        self.principal.user_id()
    }
}

/// Lets a person through who has the permission, counts what an administrator or auditor asks, and writes
/// down whom it refuses; `what` describes the call for the audit log.
pub async fn admit(
    app: &App,
    caller: Option<SignedIn>,
    permission: Permission,
    origin: &Origin,
    what: Value,
) -> Result<SignedIn, Problem> {
    let administrative = permission != Permission::UseAccount;
    let Some(who) = caller else {
        if administrative {
            note_refusal(app, None, origin, what, 401).await?;
        }
        return Err(Problem::signed_out());
    };
    if !may(&Principal::Person(who.clone()), permission) {
        note_refusal(app, Some(who.user_id()), origin, what, 403).await?;
        return Err(Denied(permission).into());
    }
    if administrative {
        app.limits().administration(who.key()).await?;
        if permission.changes() {
            app.limits().change(who.key()).await?;
        }
    }
    Ok(who)
}

async fn note_refusal(
    app: &App,
    user: Option<UserId>,
    origin: &Origin,
    what: Value,
    status: u16,
) -> Result<(), Problem> {
    let mut details = origin.answered(status);
    if let (Some(details), Value::Object(what)) = (details.as_object_mut(), what) {
        details.extend(what);
    }
    let event = audit::event(user, Action::AdminRefused, app.ambient().now(), details);
    record::write(app, event, origin.ip).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::sessions::LiveSession;

    fn person(role: Role) -> Principal {
        let session = LiveSession::for_test();
        session.set_role(role);
        Principal::Person(SignedIn::for_test(session))
    }

    #[test]
    fn a_member_administers_nothing_and_an_auditor_changes_nothing() {
        for permission in Permission::ALL {
            let own = *permission == Permission::UseAccount;
            assert_eq!(may(&person(Role::User), *permission), own, "{permission:?}");
            let harmless = own || !permission.changes() || *permission == Permission::VerifyAudit;
            assert!(
                !may(&person(Role::Auditor), *permission) || harmless,
                "{permission:?}"
            );
        }
        let reads = [Permission::ReadAudit, Permission::ReadFigures];
        assert!(reads.iter().all(|read| may(&person(Role::Auditor), *read)));
    }

    #[test]
    fn nobody_but_its_owner_uses_an_account() {
        for principal in [Principal::Terminal("test"), Principal::Server("test")] {
            assert!(!may(&principal, Permission::UseAccount));
        }
    }

    #[test]
    fn the_server_on_its_own_touches_neither_accounts_nor_the_choice_who_may_register() {
        let server = Principal::Server("schedule");
        assert!(Authorized::<permit::ChangeAccounts>::check(server.clone()).is_err());
        assert!(Authorized::<permit::ChooseRegistration>::check(server.clone()).is_err());
        assert!(Authorized::<permit::MakeBackups>::check(server).is_ok());
    }
}
