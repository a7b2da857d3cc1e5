//! Prekeys that were given lately: everything of a recipient's lies at the recipient's node.

use super::Valkey;
use super::core::Core;
use super::wire::Args;
use crate::{Answer, Claimer, Claims, Entitlement, SessionId, Unreachable, UserId};

fn named(claimer: &Claimer) -> Args {
    Args::default()
        .raw(claimer.session.as_bytes())
        .raw(claimer.account.as_bytes())
        .raw(claimer.recipient.as_bytes())
}

impl Core {
    async fn entitlement(&self, claimer: Claimer) -> Result<Entitlement, Unreachable> {
        let recipient = claimer.recipient;
        let asked = self.at(recipient.as_bytes(), "entitlement", named(&claimer));
        let reply = asked.await?;
        Ok(match reply.word() {
            "given" => Entitlement::Given(reply.part(1)?.to_vec()),
            "onetime" => Entitlement::OneTime,
            "last" => Entitlement::LastResort,
            _ => return Err(Unreachable),
        })
    }

    async fn given(
        &self,
        claimer: Claimer,
        prekey: Vec<u8>,
        one_time: bool,
    ) -> Result<Vec<u8>, Unreachable> {
        let args = named(&claimer).raw(prekey).flag(one_time);
        let reply = self.at(claimer.recipient.as_bytes(), "given", args).await?;
        reply.part(0).map(<[u8]>::to_vec)
    }
}

impl Claims for Valkey {
    fn entitlement(&self, claimer: &Claimer) -> Answer<'_, Entitlement> {
        let claimer = *claimer;
        self.ask(|core| async move { core.entitlement(claimer).await })
    }

    fn given(&self, claimer: &Claimer, prekey: Vec<u8>, one_time: bool) -> Answer<'_, Vec<u8>> {
        let claimer = *claimer;
        self.ask(|core| async move { core.given(claimer, prekey, one_time).await })
    }

    fn forget_recipient(&self, recipient: UserId) -> Answer<'_, ()> {
        self.ask(|core| async move {
            let args = Args::default().raw(recipient.as_bytes());
            let forgotten = core.at(recipient.as_bytes(), "forget_recipient", args);
            forgotten.await.map(drop)
        })
    }

    fn forget_claimer(&self, account: UserId, sessions: &[SessionId]) -> Answer<'_, ()> {
        let args = Args::default()
            .raw(account.as_bytes())
            .all(sessions.iter().map(SessionId::as_bytes));
        self.ask(|core| async move { core.everywhere("forget_claimer", args).await.map(drop) })
    }
}
