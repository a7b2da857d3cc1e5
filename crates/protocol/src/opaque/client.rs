//! The client's half of OPAQUE.

use opaque_ke::{
    ClientLogin, ClientLoginFinishParameters, ClientRegistration,
    ClientRegistrationFinishParameters, CredentialResponse, Identifiers, RegistrationResponse,
};
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::rng::Lent;
use super::{OpaqueError, Suite};
use crate::labels::OPAQUE_CONTEXT;
use crate::secret::secret;

secret! {
    /// OPAQUE's export key, 64 bytes that only passphrase and record together give.
    pub struct ExportKey(64)
}

/// Between the two registration messages; holds the passphrase and wipes it on drop.
pub struct RegisterState {
    state: ClientRegistration<Suite>,
    passphrase: Zeroizing<Vec<u8>>,
}

/// Between the sign-in messages; holds the passphrase and wipes it on drop.
pub struct LoginState {
    state: ClientLogin<Suite>,
    passphrase: Zeroizing<Vec<u8>>,
}

impl core::fmt::Debug for RegisterState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("RegisterState(..)")
    }
}

impl core::fmt::Debug for LoginState {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LoginState(..)")
    }
}

/// Starts a registration (or a passphrase change); gives the request for the server.
pub fn register_start(
    rng: &mut (impl CryptoRng + ?Sized),
    passphrase: &[u8],
) -> Result<(RegisterState, Vec<u8>), OpaqueError> {
    let start = ClientRegistration::<Suite>::start(&mut Lent(rng), passphrase)?;
    let request = start.message.serialize().to_vec();
    Ok((
        RegisterState {
            state: start.state,
            passphrase: Zeroizing::new(passphrase.to_vec()),
        },
        request,
    ))
}

impl RegisterState {
    /// Finishes with the server's response; takes Argon2id's time.
    ///
    /// Gives the upload for the server and the export key that wraps the safe key.
    pub fn finish(
        self,
        rng: &mut (impl CryptoRng + ?Sized),
        response: &[u8],
    ) -> Result<(Vec<u8>, ExportKey), OpaqueError> {
        let response = RegistrationResponse::deserialize(response)?;
        let ksf = super::Argon2id::default();
        let params = ClientRegistrationFinishParameters::new(Identifiers::default(), Some(&ksf));
        let mut done = self
            .state
            .finish(&mut Lent(rng), &self.passphrase, response, params)?;
        let upload = done.message.serialize().to_vec();
        let key = export_key(done.export_key.as_mut_slice())?;
        Ok((upload, key))
    }
}

/// Starts a sign-in; gives the request for the server.
pub fn login_start(
    rng: &mut (impl CryptoRng + ?Sized),
    passphrase: &[u8],
) -> Result<(LoginState, Vec<u8>), OpaqueError> {
    let start = ClientLogin::<Suite>::start(&mut Lent(rng), passphrase)?;
    let request = start.message.serialize().to_vec();
    Ok((
        LoginState {
            state: start.state,
            passphrase: Zeroizing::new(passphrase.to_vec()),
        },
        request,
    ))
}

impl LoginState {
    /// Finishes with the server's response; takes Argon2id's time.
    ///
    /// Gives the finalization for the server and the export key. A wrong passphrase and a
    /// server without the record are the same [`OpaqueError::Refused`].
    pub fn finish(
        self,
        rng: &mut (impl CryptoRng + ?Sized),
        response: &[u8],
    ) -> Result<(Vec<u8>, ExportKey), OpaqueError> {
        let response = CredentialResponse::deserialize(response)?;
        let ksf = super::Argon2id::default();
        let params = ClientLoginFinishParameters::new(
            Some(OPAQUE_CONTEXT),
            Identifiers::default(),
            Some(&ksf),
        );
        let mut done = self
            .state
            .finish(&mut Lent(rng), &self.passphrase, response, params)?;
        let finalization = done.message.serialize().to_vec();
        // The session key is not used: cookies are random.
        done.session_key.as_mut_slice().zeroize();
        let key = export_key(done.export_key.as_mut_slice())?;
        Ok((finalization, key))
    }
}

fn export_key(bytes: &mut [u8]) -> Result<ExportKey, OpaqueError> {
    let key = (&*bytes)
        .try_into()
        .map(ExportKey::from_bytes)
        .map_err(|_| OpaqueError::Malformed);
    bytes.zeroize();
    key
}
