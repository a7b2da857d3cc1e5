//! Invites: links that make people contacts of their maker, and permit registration if it needs an invite.
//!
//! Specification: `docs/protocol/accounts.md#invites`.

use api::bodies::{self, InviteMade, NewInvite, UseInvite};
use api::{Action, Code};
use store::{Invite, InviteCode, InviteHash, InviteUse, UseInviteError, hash_invite_code};

use crate::app::origin::Origin;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::audit;

/// The most open invites of one account.
const MAX_OPEN: usize = 50;

/// The most uses of one invite.
const MAX_USES: u32 = 100;

/// Default life of an invite in seconds: a week.
const LIFE: u64 = 7 * 86_400;

/// The longest life of an invite in seconds: thirty days.
const MAX_LIFE: u64 = 30 * 86_400;

/// Makes an invite.
pub async fn create(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    body: NewInvite,
) -> Result<InviteMade, Problem> {
    let now = app.ambient().now();
    let open = app.store().list_invites(who.user_id()).await?;
    if open.iter().filter(|invite| invite.is_usable(now)).count() >= MAX_OPEN {
        return Err(Problem::new(
            Code::TooManyInvites,
            "Withdraw one of yours, or wait until one is used.",
        ));
    }
    let max_uses = body.max_uses.unwrap_or(1);
    let life = body.life.unwrap_or(LIFE);
    if !(1..=MAX_USES).contains(&max_uses) || !(60..=MAX_LIFE).contains(&life) {
        return Err(Problem::malformed(
            "An invite has 1 to 100 uses and lives from a minute to thirty days.",
        ));
    }
    let code = InviteCode::from(app.ambient().random());
    let expires_at = now + life;
    let invite = Invite {
        code_hash: hash_invite_code(&code),
        created_by: who.user_id(),
        created_at: now,
        expires_at,
        max_uses,
        uses: 0,
    };
    let record = audit::change(app, who, origin, Action::InviteCreated).await?;
    if !app.store().create_invite(invite, vec![record]).await? {
        return Err(Problem::internal(&"an invite's code was drawn twice"));
    }
    Ok(InviteMade { code, expires_at })
}

/// Uses an invite. An account that already used it, or registered with it, may repeat the request without a
/// further use, because the first answer may have been lost.
pub async fn take(
    app: &App,
    who: &SignedIn,
    origin: &Origin,
    body: UseInvite,
) -> Result<(), Problem> {
    let record = audit::change(app, who, origin, Action::InviteUsed).await?;
    let now = record.timestamp;
    let invite = InviteUse::of(&body.code, who.user_id());
    app.store().use_invite(invite, now, vec![record]).await?;
    Ok(())
}

impl From<UseInviteError> for Problem {
    fn from(error: UseInviteError) -> Self {
        let detail = error.to_string();
        match &error {
            UseInviteError::Unusable | UseInviteError::Own => {
                Problem::new(Code::InviteUnusable, detail)
            }
            UseInviteError::Fault(fault) => Problem::from(fault),
        }
    }
}

/// Lists one's own invites, newest first.
pub async fn list(app: &App, who: &SignedIn) -> Result<Vec<bodies::Invite>, Problem> {
    let invites = app.store().list_invites(who.user_id()).await?;
    Ok(invites
        .into_iter()
        .map(|invite| bodies::Invite {
            id: invite.code_hash,
            created_at: invite.created_at,
            expires_at: invite.expires_at,
            max_uses: invite.max_uses,
            uses: invite.uses,
        })
        .collect())
}

/// Withdraws an invite.
pub async fn withdraw(app: &App, who: &SignedIn, origin: &Origin, id: &str) -> Result<(), Problem> {
    let id: InviteHash = id.parse().map_err(|_| Problem::not_found())?;
    let record = audit::change(app, who, origin, Action::InviteWithdrawn).await?;
    if app
        .store()
        .delete_invite(who.user_id(), id, vec![record])
        .await?
    {
        Ok(())
    } else {
        Err(Problem::not_found())
    }
}
