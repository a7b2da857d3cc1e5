//! RSA keys for RS256 ([RFC 7518, section 3.3]), made by AWS-LC.
//!
//! [RFC 7518, section 3.3]: https://www.rfc-editor.org/rfc/rfc7518#section-3.3

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeyPair as RsaPair, KeySize};
use aws_lc_rs::signature::KeyPair;
use pkcs8::der::asn1::UintRef;
use pkcs8::der::{self, Decode, Reader, SliceReader};
use pkcs8::{PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use crate::{GenerateError, NotAKey};

/// Sizes of a modulus in bits that keys are made with.
pub const RSA_BITS: [u32; 3] = [2_048, 3_072, 4_096];

/// The members of a private RSA key in a JWK, in the order of PKCS#1 behind the modulus and the exponent.
const PRIVATE_MEMBERS: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// Modulus and exponent, big-endian.
#[derive(Default)]
pub(crate) struct PublicNumbers {
    pub n: Vec<u8>,
    pub e: Vec<u8>,
}

/// Makes a pair: the DER of its SPKI and of its PKCS#8.
pub(crate) fn generate(bits: Option<u32>) -> Result<(Vec<u8>, Zeroizing<Vec<u8>>), GenerateError> {
    let size = match bits {
        Some(2_048) => KeySize::Rsa2048,
        None | Some(3_072) => KeySize::Rsa3072,
        Some(4_096) => KeySize::Rsa4096,
        Some(_) => return Err(GenerateError::Size),
    };
    let pair = RsaPair::generate(size).map_err(|_| GenerateError::Failed)?;
    let public = public_der(&pair).map_err(|_| GenerateError::Failed)?;
    let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| GenerateError::Failed)?;
    Ok((public, Zeroizing::new(private.as_ref().to_vec())))
}

/// Returns the DER of the SPKI that belongs to the DER of a PKCS#8 key.
pub(crate) fn public_of(pkcs8: &[u8]) -> Result<Vec<u8>, NotAKey> {
    public_der(&RsaPair::from_pkcs8(pkcs8).map_err(|_| NotAKey)?)
}

fn public_der(pair: &RsaPair) -> Result<Vec<u8>, NotAKey> {
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| NotAKey)?;
    Ok(der.as_ref().to_vec())
}

/// Reads modulus and exponent out of the DER of an SPKI.
pub(crate) fn public_numbers(spki: &[u8]) -> Result<PublicNumbers, NotAKey> {
    read_public(spki).map_err(|_| NotAKey)
}

fn read_public(spki: &[u8]) -> der::Result<PublicNumbers> {
    let spki = SubjectPublicKeyInfoRef::from_der(spki)?;
    let mut reader = SliceReader::new(spki.subject_public_key.raw_bytes())?;
    let numbers = reader.sequence(|reader| {
        Ok::<_, der::Error>(PublicNumbers {
            n: UintRef::decode(reader)?.as_bytes().to_vec(),
            e: UintRef::decode(reader)?.as_bytes().to_vec(),
        })
    })?;
    reader.finish()?;
    Ok(numbers)
}

/// Hands on the private members of a JWK out of the DER of a PKCS#8 key.
pub(crate) fn private_members(
    pkcs8: &[u8],
    give: impl FnMut(&'static str, &[u8]),
) -> Result<(), NotAKey> {
    read_private(pkcs8, give).map_err(|_| NotAKey)
}

fn read_private(pkcs8: &[u8], mut give: impl FnMut(&'static str, &[u8])) -> der::Result<()> {
    let key = PrivateKeyInfoRef::from_der(pkcs8)?;
    let mut reader = SliceReader::new(key.private_key.as_bytes())?;
    reader.sequence(|reader| {
        // The version, the modulus and the public exponent.
        for _ in 0..3 {
            UintRef::decode(reader)?;
        }
        for name in PRIVATE_MEMBERS {
            give(name, UintRef::decode(reader)?.as_bytes());
        }
        Ok::<_, der::Error>(())
    })?;
    reader.finish()
}
