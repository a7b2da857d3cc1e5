//! Vectors of the primitives, in the shape of RFC, FIPS and Wycheproof tests.

use libcrux_ml_dsa::ml_dsa_87;

use super::fields::{Checked, Fields, Outcome};
use crate::primitives::agreement::{AgreementPublic, AgreementSecret};
use crate::primitives::kem::{KemPublic, KemSecret};
use crate::primitives::signature::{ML_DSA_PUBLIC_LEN, ML_DSA_SIGNATURE_LEN};
use crate::primitives::{aead, kdf};

pub(super) fn run(kind: &str, fields: &Fields<'_>) -> Option<Checked> {
    Some(match kind {
        "x25519" => x25519(fields),
        "ed25519_verify" => ed25519_verify(fields),
        "ml_dsa_87_verify" => ml_dsa_verify(fields),
        "ml_dsa_87_sign" => ml_dsa_sign(fields),
        "ml_kem_1024_keygen" => ml_kem_keygen(fields),
        "ml_kem_1024_encaps" => ml_kem_encaps(fields),
        "ml_kem_1024_decaps" => ml_kem_decaps(fields),
        "chacha20_poly1305" => chacha(fields),
        "xchacha20_poly1305" => xchacha(fields),
        "hkdf_sha512" => hkdf_sha512(fields),
        "sha3_256" => fields
            .bytes("message")
            .and_then(|message| fields.expect("digest", &kdf::sha3_256(&[&message])))
            .map(|()| Outcome::Accepted),
        "sha3_512" => fields
            .bytes("message")
            .and_then(|message| fields.expect("digest", &kdf::sha3_512(&[&message])))
            .map(|()| Outcome::Accepted),
        _ => return None,
    })
}

fn x25519(fields: &Fields<'_>) -> Checked {
    let secret = AgreementSecret::from_bytes(&fields.array("private")?);
    let public = match AgreementPublic::from_bytes(&fields.array("public")?) {
        Ok(public) => public,
        Err(error) => return Ok(Outcome::rejected(&error)),
    };
    match secret.agree(&public) {
        Ok(shared) => {
            fields.expect("shared", shared.expose())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn ed25519_verify(fields: &Fields<'_>) -> Checked {
    let bad = || Ok(Outcome::Rejected("BadSignature".to_owned()));
    let Ok(public) = fields.array("public") else {
        return bad();
    };
    let Ok(signature) = fields.array("signature") else {
        return bad();
    };
    let holds = ed25519_dalek::VerifyingKey::from_bytes(&public).and_then(|key| {
        key.verify_strict(
            &fields.bytes("message").unwrap_or_default(),
            &ed25519_dalek::Signature::from_bytes(&signature),
        )
    });
    match holds {
        Ok(()) => Ok(Outcome::Accepted),
        Err(_) => bad(),
    }
}

fn ml_dsa_verify(fields: &Fields<'_>) -> Checked {
    let bad = || Ok(Outcome::Rejected("BadSignature".to_owned()));
    let Ok(public) = fields.array::<ML_DSA_PUBLIC_LEN>("public") else {
        return bad();
    };
    let Ok(signature) = fields.array::<ML_DSA_SIGNATURE_LEN>("signature") else {
        return bad();
    };
    let holds = ml_dsa_87::verify(
        &libcrux_ml_dsa::MLDSAVerificationKey::new(public),
        &fields.bytes("message")?,
        &fields.bytes("context")?,
        &libcrux_ml_dsa::MLDSASignature::new(signature),
    );
    match holds {
        Ok(()) => Ok(Outcome::Accepted),
        Err(_) => bad(),
    }
}

fn ml_dsa_sign(fields: &Fields<'_>) -> Checked {
    let pair = ml_dsa_87::generate_key_pair(fields.array("seed")?);
    let signature = ml_dsa_87::sign(
        &pair.signing_key,
        &fields.bytes("message")?,
        &fields.bytes("context")?,
        fields.array("coins")?,
    );
    match signature {
        Ok(signature) => {
            fields.expect("signature", signature.as_slice())?;
            Ok(Outcome::Accepted)
        }
        Err(_) => Ok(Outcome::Rejected("Refused".to_owned())),
    }
}

fn ml_kem_keygen(fields: &Fields<'_>) -> Checked {
    let secret = KemSecret::from_bytes(&fields.array("seed")?);
    fields.expect("public", secret.public().as_bytes())?;
    Ok(Outcome::Accepted)
}

fn ml_kem_encaps(fields: &Fields<'_>) -> Checked {
    let Ok(public) = fields.array("public") else {
        return Ok(Outcome::Rejected("Truncated".to_owned()));
    };
    match KemPublic::from_bytes(&public) {
        Ok(public) => {
            let (ciphertext, shared) = public.encapsulate_with(fields.array("coins")?);
            fields.expect("ciphertext", ciphertext.as_slice())?;
            fields.expect("shared", shared.expose())?;
            Ok(Outcome::Accepted)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn ml_kem_decaps(fields: &Fields<'_>) -> Checked {
    let Ok(ciphertext) = fields.array("ciphertext") else {
        return Ok(Outcome::Rejected("Truncated".to_owned()));
    };
    let Ok(seed) = fields.array("seed") else {
        return Ok(Outcome::Rejected("Truncated".to_owned()));
    };
    let secret = KemSecret::from_bytes(&seed);
    fields.expect("shared", secret.decapsulate(&ciphertext).expose())?;
    Ok(Outcome::Accepted)
}

fn chacha(fields: &Fields<'_>) -> Checked {
    let (key, ad) = (fields.array("key")?, fields.bytes("ad")?);
    let Ok(nonce) = fields.array("nonce") else {
        return Ok(Outcome::Rejected("BadTag".to_owned()));
    };
    let mut sealed = fields.bytes("sealed")?;
    let copy = sealed.clone();
    match aead::open(&key, &nonce, &ad, &mut sealed) {
        Ok(plain) => {
            fields.expect("message", plain)?;
            let mut again = plain.to_vec();
            aead::seal(&key, &nonce, &ad, &mut again, 0);
            same(&again, &copy)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn xchacha(fields: &Fields<'_>) -> Checked {
    let (key, ad) = (fields.array("key")?, fields.bytes("ad")?);
    let Ok(nonce) = fields.array("nonce") else {
        return Ok(Outcome::Rejected("BadTag".to_owned()));
    };
    let mut sealed = fields.bytes("sealed")?;
    let copy = sealed.clone();
    match aead::open_x(&key, &nonce, &ad, &mut sealed) {
        Ok(plain) => {
            fields.expect("message", plain)?;
            let mut again = plain.to_vec();
            aead::seal_x(&key, &nonce, &ad, &mut again, 0);
            same(&again, &copy)
        }
        Err(error) => Ok(Outcome::rejected(&error)),
    }
}

fn same(again: &[u8], sealed: &[u8]) -> Checked {
    if again == sealed {
        Ok(Outcome::Accepted)
    } else {
        Err("sealing again gives other bytes".to_owned())
    }
}

fn hkdf_sha512(fields: &Fields<'_>) -> Checked {
    let salt = fields.bytes("salt")?;
    let hkdf = hkdf::Hkdf::<sha2::Sha512>::new(Some(&salt), &fields.bytes("ikm")?);
    let len = usize::try_from(fields.number("len")?).map_err(|error| error.to_string())?;
    let mut okm = vec![0; len];
    match hkdf.expand(&fields.bytes("info")?, &mut okm) {
        Ok(()) => {
            fields.expect("okm", &okm)?;
            // The protocol's own function salts with zeros, which HKDF takes for no salt.
            if salt.is_empty() {
                let mut derived = vec![0; len];
                kdf::derive(
                    &[&fields.bytes("ikm")?],
                    &[&fields.bytes("info")?],
                    &mut derived,
                );
                fields.expect("okm", &derived)?;
            }
            Ok(Outcome::Accepted)
        }
        Err(_) => Ok(Outcome::Rejected("TooLong".to_owned())),
    }
}
