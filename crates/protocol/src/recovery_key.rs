//! The recovery key: 160 random bits that a person writes down and keeps.
//!
//! Specification: `docs/protocol/accounts.md#recovery-key`.

use zeroize::Zeroizing;

use crate::labels;
use crate::prekeys::PairSecrets;
use crate::primitives::agreement::AgreementSecret;
use crate::primitives::kdf;
use crate::primitives::kem::KemSecret;
use crate::safe::RecoveryPublic;
use crate::secret::secret;

/// Crockford's base32 alphabet: no I, L, O, U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 160 bits and a 20-bit checksum, five bits a character.
const CHARACTERS: usize = 36;
const GROUP: usize = 4;
const GROUP_BITS: u32 = 20;

secret! {
    /// 160 random bits.
    pub struct RecoveryKey(20)
}

secret! {
    /// HKDF(recovery key, "sign-in"), 32 bytes; proves the recovery key to the server.
    pub struct RecoveryProof(32)
}

/// Why a typed recovery key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryKeyError {
    /// Too few or too many characters.
    #[error("a recovery key has 36 characters, this has {0}; check for a missing group")]
    WrongLength(usize),
    /// A character that no recovery key has.
    #[error("character {0} is not one of a recovery key; check it against the paper")]
    WrongCharacter(usize),
    /// The checksum does not fit: something is mistyped.
    #[error("the recovery key has a typing mistake; check every group against the paper")]
    WrongChecksum,
}

impl RecoveryKey {
    /// Nine groups of four characters, to be shown once.
    pub fn display(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(CHARACTERS + CHARACTERS / GROUP));
        let (fives, _) = self.expose().as_chunks::<5>();
        for [a, b, c, d, e] in fives {
            let number = u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]);
            push_group(&mut text, number >> GROUP_BITS);
            push_group(&mut text, number);
        }
        push_group(&mut text, u64::from(self.checksum()));
        text
    }

    /// Reads what a person typed: any case, spaces and hyphens anywhere, O for 0, I and L
    /// for 1.
    pub fn parse(text: &str) -> Result<Self, RecoveryKeyError> {
        let mut values = Zeroizing::new([0_u8; CHARACTERS]);
        let mut count = 0;
        for (position, character) in text.chars().enumerate() {
            if character == '-' || character.is_whitespace() {
                continue;
            }
            let value = value(character).ok_or(RecoveryKeyError::WrongCharacter(position + 1))?;
            if let Some(slot) = values.get_mut(count) {
                *slot = value;
            }
            count += 1;
        }
        if count != CHARACTERS {
            return Err(RecoveryKeyError::WrongLength(count));
        }
        let mut key = Self::zeroed();
        let (symbols, check) = values.split_at(32);
        for (bytes, eight) in key.expose_mut().chunks_mut(5).zip(symbols.chunks(8)) {
            let group = eight
                .iter()
                .fold(0_u64, |sum, value| sum * 32 + u64::from(*value));
            let [_, _, _, five @ ..] = group.to_be_bytes();
            bytes.copy_from_slice(&five);
        }
        let given = check
            .iter()
            .fold(0_u32, |sum, value| sum * 32 + u32::from(*value));
        if given != key.checksum() {
            return Err(RecoveryKeyError::WrongChecksum);
        }
        Ok(key)
    }

    /// What proves this key to the server, which stores only its hash.
    pub fn sign_in_proof(&self) -> RecoveryProof {
        let mut proof = RecoveryProof::zeroed();
        kdf::derive(
            &[self.expose()],
            &[labels::RECOVERY_SIGN_IN],
            proof.expose_mut(),
        );
        proof
    }

    /// The public half that the safe key is wrapped to.
    pub fn public(&self) -> RecoveryPublic {
        RecoveryPublic(self.pair().public())
    }

    pub(crate) fn pair(&self) -> PairSecrets {
        let mut agreement = AgreementSecret::zeroed();
        kdf::derive(
            &[self.expose()],
            &[labels::RECOVERY_AGREEMENT],
            agreement.expose_mut(),
        );
        let mut kem = KemSecret::zeroed();
        kdf::derive(&[self.expose()], &[labels::RECOVERY_KEM], kem.expose_mut());
        PairSecrets { agreement, kem }
    }

    /// Computes the checksum of 20 bits, which misses one mistyped key in a million.
    fn checksum(&self) -> u32 {
        let [a, b, c, ..] = kdf::sha3_256(&[labels::RECOVERY_CHECKSUM, self.expose()]);
        u32::from_be_bytes([0, a, b, c]) >> 4
    }
}

/// Writes the lowest twenty bits.
fn push_group(text: &mut String, number: u64) {
    if !text.is_empty() {
        text.push('-');
    }
    for shift in [15, 10, 5, 0] {
        text.push(symbol(number >> shift & 31));
    }
}

fn symbol(value: u64) -> char {
    usize::try_from(value)
        .ok()
        .and_then(|value| ALPHABET.get(value))
        .map_or('0', |byte| char::from(*byte))
}

fn value(character: char) -> Option<u8> {
    let wanted = match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|byte| char::from(*byte) == wanted)
        .and_then(|position| u8::try_from(position).ok())
}
