//! What somebody at the server's terminal does to accounts, beside a running server or without one.

use std::sync::Arc;

use ambient::Ambient;
use api::bodies::Account;
use api::{Action, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{AccountChangeError, Act, Fault, SessionId, Store, UserId, UserRow};
use zeroize::Zeroizing;

use super::intent::{Actor, Intent, USER_ACTIVITY, USER_ERASURE, USER_ROLE};
use crate::app::accounts::admin_link::NewAdminLink;
use crate::app::accounts::handle::Handle;
use crate::app::accounts::{audit, erasure};
use crate::app::authority::{Authorized, permit};
use crate::app::{App, time};
use protocol::name::HandleError;

/// What is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
pub enum Question {
    /// Make a link by which somebody new becomes an administrator.
    Create {
        /// The handle that the link is for.
        handle: String,
    },
    /// Give an account a role.
    Role {
        /// The account.
        handle: String,
        /// The role.
        role: Role,
    },
    /// Let an account sign in, or keep it from it.
    Active {
        /// The account.
        handle: String,
        /// Whether it may sign in.
        active: bool,
    },
    /// Erase an account.
    Erase {
        /// Its handle, or its id where its row is damaged.
        account: String,
        /// Whether to do it; otherwise the answer says what would be erased.
        sure: bool,
    },
    /// List administrators and auditors, or every account.
    List {
        /// Whether to list every account.
        all: bool,
    },
}

impl Question {
    /// Returns the subcommand that asks this.
    pub fn subcommand(&self) -> &'static str {
        match self {
            Self::Create { .. } => "admin create",
            Self::Role {
                role: Role::User, ..
            } => "admin demote",
            Self::Role { .. } => "admin promote",
            Self::Active { active: true, .. } => "admin enable",
            Self::Active { active: false, .. } => "admin disable",
            Self::Erase { .. } => "admin erase",
            Self::List { .. } => "admin list",
        }
    }
}

/// What is answered.
#[derive(Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Answer {
    /// A link was made.
    Link {
        /// The handle that it is for.
        handle: String,
        /// The address to open, with the link's secret.
        address: Zeroizing<String>,
        /// Unix seconds.
        expires_at: u64,
    },
    /// The account has this role.
    Role {
        /// Its handle.
        handle: String,
        /// The role.
        role: Role,
        /// Whether it had another one before.
        changed: bool,
    },
    /// The account may sign in, or may not.
    Active {
        /// Its handle.
        handle: String,
        /// Whether it may.
        active: bool,
        /// Whether this was otherwise before.
        changed: bool,
        /// How many of its sessions ended.
        ended: usize,
    },
    /// The account is erased.
    Erased {
        /// How it was named.
        account: String,
    },
    /// Accounts.
    Listed {
        /// Those that can be read.
        accounts: Vec<Account>,
        /// What is wrong with each of the others.
        damaged: Vec<String>,
    },
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The handle is none.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// Nobody has the handle.
    #[error("nobody here has the handle {0}; `secure-messaging admin list --all` names everybody")]
    Nobody(String),
    /// Whoever has the handle needs no link.
    #[error("{0} has an account; use `secure-messaging admin promote {0}`")]
    HasAccount(String),
    /// An erasure that was not confirmed.
    #[error(
        "this would erase the account of {0} for good: its keys, its sessions, and what the audit log says \
         about it. Nothing was changed; to do it, add --yes"
    )]
    Unsure(String),
    /// The store refused the change.
    #[error(transparent)]
    Change(#[from] AccountChangeError),
    /// The store failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Where accounts are administered: the database, and the memory of a server that runs.
pub struct Desk<'a> {
    /// The database.
    pub store: &'a Store,
    /// Clock and randomness.
    pub ambient: &'a Ambient,
    /// Scheme, host and port of the server.
    pub public_origin: &'a str,
    /// The running server; nothing without one.
    pub running: Option<&'a App>,
}

impl Desk<'_> {
    /// Does what is asked.
    pub async fn answer(
        &self,
        admin: &Authorized<permit::ChangeAccounts>,
        question: Question,
    ) -> Result<Answer, Refusal> {
        let actor = Actor::of(admin, None);
        match question {
            Question::Create { handle } => self.create(actor, &handle).await,
            Question::Role { handle, role } => self.set_role(actor, &handle, role).await,
            Question::Active { handle, active } => self.set_active(actor, &handle, active).await,
            Question::Erase { account, sure } => self.erase(actor, account, sure).await,
            Question::List { all } => self.list(actor, all).await,
        }
    }

    async fn declare(&self, actor: Actor, act: &'static Act, what: Value) -> Result<Intent, Fault> {
        Intent::declare(self.store, self.ambient, actor, act, what).await
    }

    async fn find(&self, text: &str) -> Result<UserRow, Refusal> {
        let handle = Handle::parse(text)?;
        let found = self.store.user_by_handle(handle.as_str()).await?;
        found.ok_or_else(|| Refusal::Nobody(handle.as_str().to_owned()))
    }

    /// Lets a running server see what was changed.
    async fn follow(&self) -> Result<(), Fault> {
        match self.running {
            Some(app) => app.sessions().accounts_changed().await,
            None => Ok(()),
        }
    }

    async fn create(&self, actor: Actor, text: &str) -> Result<Answer, Refusal> {
        let handle = Handle::parse(text)?;
        let name = handle.as_str().to_owned();
        if self.store.handle_taken(handle.as_str()).await? {
            return Err(Refusal::HasAccount(name));
        }
        let link = NewAdminLink::new(self.ambient, handle);
        let kept = link.kept();
        let what = json!({ "change": "link", "handle": name, "expires_at": kept.expires_at });
        let intent = self.declare(actor, &USER_ROLE, what).await?;
        let (store, now) = (self.store.clone(), self.ambient.now());
        intent
            .carry_out(async move |declared| store.keep_admin_link(kept, &declared, now).await)
            .await?;
        Ok(Answer::Link {
            handle: name,
            address: link.address(self.public_origin),
            expires_at: link.expires_at(),
        })
    }

    async fn set_role(&self, actor: Actor, text: &str, role: Role) -> Result<Answer, Refusal> {
        let user = self.find(text).await?;
        let changed = user.role != role;
        if changed {
            let what = json!({ "change": "role", "account": user.user_id, "role": role });
            let intent = self.declare(actor, &USER_ROLE, what).await?;
            let (store, now) = (self.store.clone(), self.ambient.now());
            intent
                .carry_out(async move |declared| -> Result<(), AccountChangeError> {
                    store.set_role(user.user_id, role, &declared, now).await
                })
                .await?;
            self.follow().await?;
        }
        Ok(Answer::Role {
            handle: user.handle,
            role,
            changed,
        })
    }

    async fn set_active(&self, actor: Actor, text: &str, active: bool) -> Result<Answer, Refusal> {
        let user = self.find(text).await?;
        let changed = user.active != active;
        let mut ended: Vec<SessionId> = Vec::new();
        if changed {
            let what = json!({ "change": "active", "account": user.user_id, "active": active });
            let intent = self.declare(actor, &USER_ACTIVITY, what).await?;
            let (store, now) = (self.store.clone(), self.ambient.now());
            ended = intent
                .carry_out(async move |declared| -> Result<_, AccountChangeError> {
                    store.set_active(user.user_id, active, &declared, now).await
                })
                .await?;
            self.follow().await?;
        }
        Ok(Answer::Active {
            handle: user.handle,
            active,
            changed,
            ended: ended.len(),
        })
    }

    async fn erase(&self, actor: Actor, text: String, sure: bool) -> Result<Answer, Refusal> {
        let (account, name, made) = match text.parse::<UserId>() {
            Ok(id) if self.is_damaged(id).await? => (id, text, String::new()),
            _ => {
                let user = self.find(&text).await?;
                let made = format!(", made {} UTC,", time::format(user.created_at));
                (user.user_id, user.handle, made)
            }
        };
        if !sure {
            return Err(Refusal::Unsure(name + &made));
        }
        // Not the handle: this record is the server's and stays readable.
        let what = json!({ "change": "erasure", "account": account });
        let intent = self.declare(actor, &USER_ERASURE, what).await?;
        let (store, now) = (self.store.clone(), self.ambient.now());
        intent
            .carry_out(async move |declared| -> Result<(), AccountChangeError> {
                store.erase_user(account, &declared, now).await
            })
            .await?;
        self.follow().await?;
        if let Some(app) = self.running {
            erasure::forget(app, account, &[]).await?;
        }
        Ok(Answer::Erased { account: name })
    }

    /// Whether there is an account of this id whose row is damaged.
    async fn is_damaged(&self, id: UserId) -> Result<bool, Fault> {
        match self.store.user_by_id(id).await {
            Ok(_) => Ok(false),
            Err(Fault::Damaged { .. }) => Ok(true),
            Err(other) => Err(other),
        }
    }

    async fn list(&self, actor: Actor, all: bool) -> Result<Answer, Refusal> {
        let now = self.ambient.now();
        let record = audit::event(None, Action::AdminUsersViewed, now, actor.details);
        self.store.append_audit(vec![record]).await?;
        let (mut accounts, mut damaged) = (Vec::new(), Vec::new());
        let mut after = None;
        loop {
            let page = self.store.list_users(after, 500).await?;
            let Some((last, _)) = page.last() else {
                return Ok(Answer::Listed { accounts, damaged });
            };
            after = Some(*last);
            for (_, row) in page {
                match row {
                    Ok(user) if all || user.role != Role::User => accounts.push(shown(user)),
                    Ok(_) => {}
                    Err(damage) => damaged.push(damage.to_string()),
                }
            }
        }
    }
}

/// Describes an account for those who administer it.
pub(super) fn shown(row: UserRow) -> Account {
    Account {
        user_id: row.user_id,
        handle: row.handle,
        alias: row.alias,
        role: row.role,
        active: row.active,
        created_at: row.created_at,
        last_login: row.last_login,
    }
}

/// Answers in a running server.
pub async fn answer_here(
    app: &Arc<App>,
    admin: &Authorized<permit::ChangeAccounts>,
    question: Question,
) -> Result<Answer, Refusal> {
    let desk = Desk {
        store: app.store(),
        ambient: app.ambient(),
        public_origin: app.public_url().origin(),
        running: Some(app),
    };
    desk.answer(admin, question).await
}
