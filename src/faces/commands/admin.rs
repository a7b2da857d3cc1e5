//! `admin`: accounts, from the server's terminal, whether a server runs or not.
//!
//! A running server notices what is changed here within a second.

use api::Action;
use std::future::Future;
use std::sync::Arc;

use serde_json::{Value, json};
use store::{AccountChangeError, Act, Fault, Role, Store, UserId, UserRow};

use super::Outcome;
use super::output::{hint, say};
use crate::app::accounts::admin_link::NewAdminLink;
use crate::app::accounts::audit;
use crate::app::accounts::handle::Handle;
use crate::app::administration::intent::{Actor, Intent, USER_ACTIVITY, USER_ERASURE, USER_ROLE};
use crate::config::{Config, Overrides};
use crate::faces::control::Question;
use crate::faces::control::client::Server;
use crate::faces::http::pages::time;
use crate::startup::open_store;
use ambient::Ambient;

/// Arguments of `admin`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What can be done to accounts.
#[derive(Debug, clap::Subcommand)]
pub enum What {
    /// Print a one-time link by which somebody new becomes an administrator
    ///
    /// Nobody can make an account for somebody else: its keys come from the passphrase, which never
    /// leaves the browser. So this prints a link, good for a day and for this handle only, that the
    /// new administrator opens to register. It works whether or not the server has been set up, and
    /// replaces a link that was not used.
    Create(One),
    /// Make an account an administrator
    Promote(One),
    /// Make an administrator an ordinary account
    Demote(One),
    /// Stop an account from signing in, and end its sessions
    Disable(One),
    /// Let a disabled account sign in again
    Enable(One),
    /// Erase an account for good, with everything that is stored of it
    ///
    /// Its sessions end and its handle is free again. The key of its details in the audit log is
    /// destroyed: the log still verifies, and nobody can read those details any more. A running server
    /// overwrites what waits for it in memory. An account whose row is damaged is named by its id,
    /// which `admin list --all` prints. Backups made before still hold the account until they are pruned,
    /// and a restore of one brings it back.
    Erase(Erase),
    /// List administrators, or every account
    List(List),
}

/// One account.
#[derive(Debug, clap::Args)]
pub struct One {
    /// The handle of the account
    pub handle: String,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// The account to erase.
#[derive(Debug, clap::Args)]
pub struct Erase {
    /// The handle of the account
    pub handle: String,
    /// Erase it; without this, only print what would be erased
    #[arg(long)]
    pub yes: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Which accounts to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// List every account, not only administrators
    #[arg(long)]
    pub all: bool,
    /// Print a JSON array
    #[arg(long)]
    pub json: bool,
    /// The configuration
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Runs the action.
pub fn run(args: Args) -> Outcome {
    match args.what {
        What::Create(one) => on_terminal(&one.overrides, "admin create", |terminal| {
            create(terminal, one.handle)
        }),
        What::Promote(one) => on_terminal(&one.overrides, "admin promote", |terminal| {
            set_role(terminal, one.handle, Role::Admin)
        }),
        What::Demote(one) => on_terminal(&one.overrides, "admin demote", |terminal| {
            set_role(terminal, one.handle, Role::User)
        }),
        What::Disable(one) => on_terminal(&one.overrides, "admin disable", |terminal| {
            set_active(terminal, one.handle, false)
        }),
        What::Enable(one) => on_terminal(&one.overrides, "admin enable", |terminal| {
            set_active(terminal, one.handle, true)
        }),
        What::Erase(wanted) => on_terminal(&wanted.overrides, "admin erase", |terminal| {
            erase(terminal, wanted.handle, wanted.yes)
        }),
        What::List(wanted) => on_terminal(&wanted.overrides, "admin list", |terminal| {
            list(terminal, wanted.all, wanted.json)
        }),
    }
}

/// The database, opened for one subcommand.
struct Terminal {
    config: Config,
    store: Store,
    ambient: Ambient,
    subcommand: &'static str,
}

impl Terminal {
    async fn declare(&self, act: &'static Act, what: Value) -> Result<Intent, Fault> {
        let actor = Actor::terminal(self.subcommand);
        Intent::declare(&self.store, &self.ambient, actor, act, what).await
    }

    async fn find(&self, text: &str) -> Result<UserRow, Box<dyn std::error::Error>> {
        let handle = Handle::parse(text)?;
        let found = self.store.user_by_handle(handle.as_str()).await?;
        found.ok_or_else(|| {
            format!(
                "nobody here has the handle {}; `secure-messaging admin list --all` names everybody",
                handle.as_str()
            )
            .into()
        })
    }
}

fn on_terminal<F>(
    overrides: &Overrides,
    subcommand: &'static str,
    act: impl FnOnce(Arc<Terminal>) -> F,
) -> Outcome
where
    F: Future<Output = Outcome>,
{
    let config = Config::load(overrides)?;
    let path = config.database_path()?;
    if !path.exists() {
        return Err(format!(
            "{} does not exist; start the server once, which prints the set-up link",
            path.display()
        )
        .into());
    }
    let terminal = Arc::new(Terminal {
        store: open_store(&config, Config::encryption_key()?, &Ambient::system())?,
        ambient: Ambient::system(),
        config,
        subcommand,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let outcome = runtime.block_on(act(Arc::clone(&terminal)));
    terminal.store.close()?;
    outcome
}

async fn create(terminal: Arc<Terminal>, text: String) -> Outcome {
    let handle = Handle::parse(&text)?;
    let name = handle.as_str().to_owned();
    if terminal.store.handle_taken(handle.as_str()).await? {
        let reason = format!("{name} has an account; use `secure-messaging admin promote {name}`");
        return Err(reason.into());
    }
    let public_url = terminal.config.public_url_on(terminal.config.bind_addr)?;
    let link = NewAdminLink::new(&terminal.ambient, handle);
    let kept = link.kept();
    let what = json!({ "change": "link", "handle": name, "expires_at": kept.expires_at });
    let intent = terminal.declare(&USER_ROLE, what).await?;
    let (store, now) = (terminal.store.clone(), terminal.ambient.now());
    intent
        .carry_out(async move |declared| store.keep_admin_link(kept, &declared, now).await)
        .await?;
    say!("{}", link.address(public_url.origin()).as_str())?;
    hint!(
        "Whoever opens this link registers as {name} and is an administrator. It works once, until \
         {} UTC, and replaces an earlier link that was not used. Send it over a way that you trust.",
        time::format(link.expires_at())
    );
    Ok(())
}

async fn set_role(terminal: Arc<Terminal>, text: String, role: Role) -> Outcome {
    let user = terminal.find(&text).await?;
    let name = user.handle;
    let kind = match role {
        Role::Admin => "an administrator",
        Role::Auditor => "an auditor",
        Role::User => "an ordinary account",
    };
    if user.role == role {
        say!("{name} is {kind} already")?;
        return Ok(());
    }
    let what = json!({ "change": "role", "account": user.user_id, "role": role });
    let intent = terminal.declare(&USER_ROLE, what).await?;
    let (store, now) = (terminal.store.clone(), terminal.ambient.now());
    intent
        .carry_out(async move |declared| -> Result<(), AccountChangeError> {
            store.set_role(user.user_id, role, &declared, now).await
        })
        .await?;
    say!("{name} is {kind} now")?;
    Ok(())
}

async fn set_active(terminal: Arc<Terminal>, text: String, active: bool) -> Outcome {
    let user = terminal.find(&text).await?;
    let name = user.handle;
    if user.active == active {
        let state = if active { "enabled" } else { "disabled" };
        say!("{name} is {state} already")?;
        return Ok(());
    }
    let what = json!({ "change": "active", "account": user.user_id, "active": active });
    let intent = terminal.declare(&USER_ACTIVITY, what).await?;
    let (store, now) = (terminal.store.clone(), terminal.ambient.now());
    let ended = intent
        .carry_out(async move |declared| -> Result<_, AccountChangeError> {
            store.set_active(user.user_id, active, &declared, now).await
        })
        .await?;
    if active {
        say!("{name} may sign in again")?;
    } else {
        say!(
            "{name} may not sign in any more; sessions ended: {}",
            ended.len()
        )?;
    }
    Ok(())
}

async fn erase(terminal: Arc<Terminal>, text: String, sure: bool) -> Outcome {
    let (account, name, made) = match text.parse::<UserId>() {
        Ok(id) if is_damaged(&terminal, id).await? => (id, text, String::new()),
        _ => {
            let user = terminal.find(&text).await?;
            let made = format!(", made {} UTC,", time::format(user.created_at));
            (user.user_id, user.handle, made)
        }
    };
    if !sure {
        return Err(format!(
            "this would erase the account of {name}{made} for good: its keys, its sessions, and what \
             the audit log says about it. Nothing was changed; to do it, add --yes"
        )
        .into());
    }
    // Not the handle: this record is the server's and stays readable.
    let what = json!({ "change": "erasure", "account": account });
    let intent = terminal.declare(&USER_ERASURE, what).await?;
    let (store, now) = (terminal.store.clone(), terminal.ambient.now());
    intent
        .carry_out(async move |declared| -> Result<(), AccountChangeError> {
            store.erase_user(account, &declared, now).await
        })
        .await?;
    if let Some(server) = Server::find(&terminal.config)
        && let Err(error) = server.ask(&Question::ForgetAccount { account }, |_| ())
    {
        hint!(
            "The running server keeps in memory what waits for it, until it expires or the server is \
             restarted: {error}"
        );
    }
    say!("the account of {name} is erased; backups made before still hold it")?;
    Ok(())
}

/// Whether there is an account of this id whose row is damaged.
async fn is_damaged(terminal: &Terminal, id: UserId) -> Result<bool, Fault> {
    match terminal.store.user_by_id(id).await {
        Ok(_) => Ok(false),
        Err(Fault::Damaged { .. }) => Ok(true),
        Err(other) => Err(other),
    }
}

async fn list(terminal: Arc<Terminal>, all: bool, as_json: bool) -> Outcome {
    let details = Actor::terminal(terminal.subcommand).details;
    let now = terminal.ambient.now();
    let record = audit::event(None, Action::AdminUsersViewed, now, details);
    terminal.store.append_audit(vec![record]).await?;
    let mut users = Vec::new();
    let mut after = None;
    loop {
        let page = terminal.store.list_users(after, 500).await?;
        let Some((last, _)) = page.last() else {
            break;
        };
        after = Some(*last);
        for (_, row) in page {
            match row {
                Ok(user) if all || user.role == Role::Admin => users.push(user),
                Ok(_) => {}
                Err(damage) => hint!("damaged, and nobody can sign in to it: {damage}"),
            }
        }
    }
    if as_json {
        let rows: Vec<Value> = users.iter().map(as_object).collect();
        say!("{}", serde_json::to_string_pretty(&rows)?)?;
        return Ok(());
    }
    say!(
        "{:32} {:6} {:9} {:20} last sign-in",
        "handle",
        "role",
        "may enter",
        "made"
    )?;
    for user in users {
        say!(
            "{:32} {:6} {:9} {:20} {}",
            user.handle,
            user.role.as_str(),
            if user.active { "yes" } else { "no" },
            time::format(user.created_at),
            user.last_login.map_or_else(|| "–".to_owned(), time::format),
        )?;
    }
    Ok(())
}

fn as_object(user: &UserRow) -> Value {
    json!({
        "user_id": user.user_id,
        "handle": user.handle,
        "role": user.role,
        "active": user.active,
        "created_at": user.created_at,
        "last_login": user.last_login,
    })
}
