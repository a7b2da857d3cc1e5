//! The server's half of OPAQUE.

use opaque_ke::{
    CredentialFinalization, CredentialRequest, Identifiers, RegistrationRequest,
    RegistrationUpload, ServerLogin, ServerLoginParameters, ServerRegistration,
};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::rng::Lent;
use super::{OpaqueError, Suite};
use crate::labels::OPAQUE_CONTEXT;

/// The server's long-term OPRF seed and key pair; losing it loses every passphrase.
pub struct ServerSetup {
    setup: opaque_ke::ServerSetup<Suite>,
    /// A record of no account; reading it takes as long as reading a real one.
    decoy: Vec<u8>,
}

/// Length of a record in bytes: a public key, a masking key and an envelope.
pub const RECORD_LEN: usize = 192;

impl core::fmt::Debug for ServerSetup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("ServerSetup(..)")
    }
}

impl ServerSetup {
    fn new(setup: opaque_ke::ServerSetup<Suite>) -> Self {
        let mut decoy = setup.keypair().public().serialize().to_vec();
        decoy.resize(RECORD_LEN, 0);
        Self { setup, decoy }
    }

    /// Makes a fresh set-up, once per installation.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        Self::new(opaque_ke::ServerSetup::new(&mut Lent(rng)))
    }

    /// The bytes to seal and keep.
    pub fn serialize(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = self.setup.serialize();
        let copy = Zeroizing::new(bytes.to_vec());
        bytes.as_mut_slice().zeroize();
        copy
    }

    /// Reads what [`ServerSetup::serialize`] gave.
    pub fn deserialize(bytes: &[u8]) -> Result<Self, OpaqueError> {
        Ok(Self::new(opaque_ke::ServerSetup::deserialize(bytes)?))
    }
}

/// What the server keeps between its two sign-in messages, sealed in a token.
pub type ServerLoginState = Zeroizing<Vec<u8>>;

/// Answers a registration request; `credential_id` must be the same at every sign-in.
pub fn register_respond(
    setup: &ServerSetup,
    request: &[u8],
    credential_id: &[u8],
) -> Result<Vec<u8>, OpaqueError> {
    let request = RegistrationRequest::deserialize(request)?;
    let start = ServerRegistration::<Suite>::start(&setup.setup, request, credential_id)?;
    Ok(start.message.serialize().to_vec())
}

/// Turns a registration upload into the record to store.
pub fn register_record(upload: &[u8]) -> Result<Vec<u8>, OpaqueError> {
    let upload = RegistrationUpload::<Suite>::deserialize(upload)?;
    Ok(ServerRegistration::finish(upload).serialize().to_vec())
}

/// Answers a sign-in request; without a record it answers with a fake one of the same shape.
pub fn login_respond(
    setup: &ServerSetup,
    record: Option<&[u8]>,
    request: &[u8],
    credential_id: &[u8],
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(ServerLoginState, Vec<u8>), OpaqueError> {
    // Read for known and unknown handles alike, because decoding its point takes time.
    let read = ServerRegistration::<Suite>::deserialize(record.unwrap_or(&setup.decoy))?;
    let record = record.map(|_| read);
    let request = CredentialRequest::deserialize(request)?;
    let start = ServerLogin::start(
        &mut Lent(rng),
        &setup.setup,
        record,
        request,
        credential_id,
        parameters(),
    )?;
    let mut state = start.state.serialize();
    let kept = Zeroizing::new(state.to_vec());
    state.as_mut_slice().zeroize();
    Ok((kept, start.message.serialize().to_vec()))
}

/// Checks the client's finalization; `Ok` means that the passphrase was right.
pub fn login_finish(state: &[u8], finalization: &[u8]) -> Result<(), OpaqueError> {
    let state = ServerLogin::<Suite>::deserialize(state)?;
    let finalization = CredentialFinalization::deserialize(finalization)?;
    let mut done = state.finish(finalization, parameters())?;
    done.session_key.as_mut_slice().zeroize();
    Ok(())
}

fn parameters() -> ServerLoginParameters<'static, 'static> {
    ServerLoginParameters {
        context: Some(OPAQUE_CONTEXT),
        identifiers: Identifiers::default(),
    }
}
