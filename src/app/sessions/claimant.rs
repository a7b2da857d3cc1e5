//! Looks up whoever wants to come in, without telling whether there is such an account.

use protocol::opaque;
use sha3::{Digest, Sha3_256};
use store::{Credential, UserId};

use crate::app::accounts::handle::Handle;
use crate::app::limits::Limit;
use crate::app::origin::Origin;
use crate::app::{App, Problem};

use super::device::{CredentialHash, credential_hash};
use super::{DeviceCookie, Epoch};

/// Stands for the OPAQUE record of a handle that nobody has; of the same length.
const NO_RECORD: [u8; opaque::RECORD_LEN] = [0; opaque::RECORD_LEN];

/// Who somebody says to be, before anything is proven.
pub(crate) struct Claimant {
    /// Stands for the handle where attempts are counted, and for what cannot be one.
    digest: [u8; 32],
    handle: Option<Handle>,
    /// What the account signs in with, if there is one that may.
    pub(crate) credential: Option<Credential>,
    /// Hash of the credentials that are to be proven.
    pub(crate) credentials: CredentialHash,
    /// When the attempt began.
    pub(crate) epoch: Epoch,
}

impl Claimant {
    /// Looks a handle up and counts the attempt; what cannot be a handle is treated as one that nobody has.
    pub(crate) async fn look_up(
        app: &App,
        origin: &Origin,
        device: &DeviceCookie,
        text: &str,
        limit: Limit,
    ) -> Result<Self, Problem> {
        let handle = Handle::parse(text).ok();
        let digest = match &handle {
            Some(handle) => handle.digest(),
            None => Sha3_256::digest(text.as_bytes()).into(),
        };
        let epoch = app.sessions().epoch();
        let credential = match &handle {
            Some(handle) => app.store().credential(handle.as_str()).await?,
            None => None,
        };
        let credential = credential.filter(|credential| credential.active);
        let record = credential.as_ref().map(|it| it.opaque_record.as_slice());
        let claimant = Self {
            credentials: credential_hash(record.unwrap_or(&NO_RECORD)),
            digest,
            handle,
            credential,
            epoch,
        };
        let (user, network) = (claimant.user(), origin.ip.network());
        let guesser = app
            .devices()
            .guesser(device, network, user, &claimant.credentials, digest);
        let counted = app.limits().guess(limit, &guesser).await;
        counted.map_err(|problem| problem.about(user))?;
        Ok(claimant)
    }

    /// Returns the account, if there is one that may sign in.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.credential.as_ref().map(|it| it.user_id)
    }

    /// Returns the bytes that name the credential in OPAQUE.
    pub(crate) fn name(&self) -> &[u8] {
        match &self.handle {
            Some(handle) => handle.credential_id(),
            None => &self.digest,
        }
    }
}
