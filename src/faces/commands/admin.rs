//! `admin`: accounts, from the server's terminal, whether a server runs or not.

use api::Role;
use api::bodies::Account;
use serde_json::{Value, json};

use super::output::{hint, say};
use super::{Outcome, Printed, existing_database, in_database};
use crate::app::administration::accounts::{Answer, Desk, Question};
use crate::app::authority::{Authorized, Principal};
use crate::app::time;
use crate::config::{Config, Overrides};
use crate::faces::control::client::Server;

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
    /// Make an account an administrator, or an auditor
    Promote(Promote),
    /// Make an administrator or an auditor an ordinary account
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
    /// List administrators and auditors, or every account
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

/// The account to promote.
#[derive(Debug, clap::Args)]
pub struct Promote {
    /// The account
    #[command(flatten)]
    pub one: One,
    /// Make it an auditor, who reads the audit log and figures and changes nothing
    #[arg(long)]
    pub auditor: bool,
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
    /// List every account, not only administrators and auditors
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
    let mut as_json = false;
    let (question, overrides) = match args.what {
        What::Create(one) => (Question::Create { handle: one.handle }, one.overrides),
        What::Promote(Promote { one, auditor }) => {
            let role = if auditor { Role::Auditor } else { Role::Admin };
            let handle = one.handle;
            (Question::Role { handle, role }, one.overrides)
        }
        What::Demote(one) => {
            let (handle, role) = (one.handle, Role::User);
            (Question::Role { handle, role }, one.overrides)
        }
        What::Disable(one) => (active(one.handle, false), one.overrides),
        What::Enable(one) => (active(one.handle, true), one.overrides),
        What::Erase(wanted) => {
            let (account, sure) = (wanted.handle, wanted.yes);
            (Question::Erase { account, sure }, wanted.overrides)
        }
        What::List(wanted) => {
            as_json = wanted.json;
            (Question::List { all: wanted.all }, wanted.overrides)
        }
    };
    let config = Config::load(&overrides)?;
    existing_database(&config)?;
    let answer = match Server::find(&config) {
        Some(server) => server.ask_about_accounts(question)?,
        None => in_database(&config, async |store, ambient| {
            let public_url = config.public_url_on(config.bind_addr)?;
            let terminal = Principal::Terminal(question.subcommand());
            let desk = Desk {
                store,
                ambient,
                public_origin: public_url.origin(),
                running: None,
            };
            Ok(desk.answer(&Authorized::check(terminal)?, question).await?)
        })?,
    };
    Ok(print(answer, as_json)?)
}

fn active(handle: String, active: bool) -> Question {
    Question::Active { handle, active }
}

fn print(answer: Answer, as_json: bool) -> Printed {
    match answer {
        Answer::Link {
            handle,
            address,
            expires_at,
        } => {
            say!("{}", address.as_str())?;
            hint!(
                "Whoever opens this link registers as {handle} and is an administrator. It works once, until \
                 {} UTC, and replaces an earlier link that was not used. Send it over a way that you trust.",
                time::format(expires_at)
            );
            Ok(())
        }
        Answer::Role {
            handle,
            role,
            changed,
        } => {
            let kind = match role {
                Role::Admin => "an administrator",
                Role::Auditor => "an auditor",
                Role::User => "an ordinary account",
            };
            say!("{handle} is {kind} {}", since(changed))
        }
        Answer::Active {
            handle,
            active,
            changed: false,
            ..
        } => {
            let state = if active { "enabled" } else { "disabled" };
            say!("{handle} is {state} already")
        }
        Answer::Active {
            handle,
            active: true,
            ..
        } => say!("{handle} may sign in again"),
        Answer::Active { handle, ended, .. } => {
            say!("{handle} may not sign in any more; sessions ended: {ended}")
        }
        Answer::Erased { account } => {
            say!("the account of {account} is erased; backups made before still hold it")
        }
        Answer::Listed { accounts, damaged } => {
            for damage in damaged {
                hint!("damaged, and nobody can sign in to it: {damage}");
            }
            list(&accounts, as_json)
        }
    }
}

fn since(changed: bool) -> &'static str {
    if changed { "now" } else { "already" }
}

fn list(accounts: &[Account], as_json: bool) -> Printed {
    if as_json {
        let rows: Vec<Value> = accounts.iter().map(as_object).collect();
        return say!("{:#}", Value::from(rows));
    }
    say!(
        "{:32} {:8} {:9} {:20} last sign-in",
        "handle",
        "role",
        "may enter",
        "made"
    )?;
    for account in accounts {
        say!(
            "{:32} {:8} {:9} {:20} {}",
            account.handle,
            account.role.as_str(),
            if account.active { "yes" } else { "no" },
            time::format(account.created_at),
            account
                .last_login
                .map_or_else(|| "–".to_owned(), time::format),
        )?;
    }
    Ok(())
}

fn as_object(account: &Account) -> Value {
    json!({
        "user_id": account.user_id,
        "handle": account.handle,
        "role": account.role,
        "active": account.active,
        "created_at": account.created_at,
        "last_login": account.last_login,
    })
}
