//! The steps of a handshake, up to a link that is open.
//!
//! Specification: `docs/protocol/link.md#handshake`.

use std::sync::Arc;
use std::time::Duration;

use api::ids::LiveId;
use protocol::identity::AccountKeys;
use protocol::link::server::{self, Activated, Claimed, Open, Place, Read, Ready, ServerLink};
use protocol::link::{LinkError, PskId};

use crate::app::limits::Limit;
use crate::app::sessions::SignedIn;
use crate::app::{App, Problem};

use super::pairs::HeldPair;
use super::{Begun, HALF_OPEN_SECS};

/// Why a link does not open.
#[derive(Debug)]
pub(crate) enum Refused {
    /// The client's message is refused.
    Link(LinkError),
    /// The server could not look something up.
    Server(Problem),
}

impl From<LinkError> for Refused {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

/// A socket that was greeted, and whose client has not answered.
pub(crate) struct HalfOpen {
    app: Arc<App>,
    who: SignedIn,
    live: LiveId,
    origin: String,
    pair: Arc<HeldPair>,
    begun: Begun,
}

/// A link that is open.
pub(crate) struct Opened {
    /// Seals and opens frames.
    pub(crate) link: ServerLink,
    /// The message that tells the client.
    pub(crate) active: Vec<u8>,
    /// What the next link of the live session may begin with.
    pub(crate) key: Option<PskId>,
}

/// A socket whose client has to prove whose it is.
pub(crate) struct Answered {
    app: Arc<App>,
    who: SignedIn,
    step: server::Answered,
    _begun: Begun,
}

impl HalfOpen {
    /// Greets; `origin` is the scheme, host and port by which the client reached the server.
    pub(crate) async fn begin(
        app: &Arc<App>,
        who: &SignedIn,
        live: LiveId,
        origin: String,
    ) -> Result<Self, Problem> {
        let (most, now) = (app.config().sockets_per_session, app.ambient().now());
        let begun = app.links().begin(who.session().id(), most, now);
        let begun = begun.ok_or_else(|| Problem::over(Limit::Sockets, HALF_OPEN_SECS))?;
        app.limits().link(who.key()).await?;
        Ok(Self {
            app: Arc::clone(app),
            who: who.clone(),
            live,
            origin,
            pair: app.links().pairs.current().await,
            begun,
        })
    }

    /// Waits until the link has been half open for too long, or its session ended.
    pub(crate) fn over(&self) -> impl Future<Output = ()> + use<> {
        let half = Arc::clone(&self.begun.half);
        async move { half.over(Duration::from_secs(HALF_OPEN_SECS)).await }
    }

    /// The first message.
    pub(crate) fn hello(&self) -> &[u8] {
        self.pair.hello()
    }

    /// Answers the client's open.
    pub(crate) fn answer(self, open: &[u8]) -> Result<(Answered, Vec<u8>), Refused> {
        let (app, pair) = (self.app, self.pair.join());
        let session = self.who.session().id();
        let place = Place {
            pair: &pair,
            origin: &self.origin,
            session: Some(&session),
            now: app.ambient().now(),
        };
        let open = Open::decode(open)?;
        open.check(&place)?;
        if open.live_id() != Some(&self.live) {
            return Err(LinkError::OtherSession.into());
        }
        let known = open
            .psk()
            .and_then(|(session, live, id)| app.links().psks().take(session, live, id));
        let (step, opened) = server::answer(&mut app.ambient().rng(), &place, &open, known)?;
        let answered = Answered {
            app,
            who: self.who,
            step,
            _begun: self.begun,
        };
        Ok((answered, opened))
    }
}

impl Answered {
    /// Takes the client's proof; gives the link and the message that tells the client.
    pub(crate) async fn prove(self, proof: &[u8]) -> Result<Opened, Refused> {
        let ready = match self.step.read(proof)? {
            Read::Ready(ready) => *ready,
            Read::Account(claimed) => verified(&self.app, &self.who, *claimed).await?,
        };
        let now = self.app.ambient().now();
        let Activated {
            link,
            active,
            known,
            ..
        } = ready.activate(now);
        let key = known.map(|known| self.app.links().keep(known));
        // Whoever ended the session may have looked before there was something to forget.
        if self.who.session().is_over(now) {
            self.app.links().end_session(self.who.session().id());
            return Err(LinkError::OtherSession.into());
        }
        Ok(Opened { link, active, key })
    }
}

/// Checks the account's signature, on a thread that may take its time.
async fn verified(app: &App, who: &SignedIn, claimed: Claimed) -> Result<Ready, Refused> {
    let owner = who.user_id();
    let keys = app.store().public_keys(owner).await;
    let keys = keys.map_err(|fault| Refused::Server(Problem::from(&fault)))?;
    let keys = keys.ok_or_else(|| Refused::Server(Problem::signed_out()))?;
    let _turn = app.links().checks.acquire().await;
    let checked = tokio::task::spawn_blocking(move || {
        let keys = AccountKeys::decode(&keys.keys.account_keys)
            .map_err(|error| Refused::Server(Problem::internal(&error)))?;
        Ok(claimed.verify(&owner, &keys)?)
    });
    checked
        .await
        .map_err(|cause| Refused::Server(Problem::internal(&cause)))?
}
