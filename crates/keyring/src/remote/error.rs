//! What a service says, and what to do about it.

use std::fmt;

use crate::stanza::ProviderTag;

/// Longest part of a service's answer that is shown, in characters.
const MOST_SHOWN: usize = 200;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// A setting cannot be right.
    Setting,
    /// No connection, or one that was cut off.
    Unreachable,
    /// No answer within the time limit.
    Slow,
    /// The service does not know the caller, or does not let it use the key.
    Denied,
    /// The key is disabled, expired or about to be deleted.
    Disabled,
    /// The service has no such key.
    Missing,
    /// The wrapped bytes do not open for this row: another key wrapped them, or for another row.
    WrongContext,
    /// The key cannot do what is needed of it.
    Unsuitable,
    /// Too many requests.
    Throttled,
    /// The service itself is not well, or sealed.
    Failing,
    /// An answer that the service does not give.
    Odd,
    /// The service opened the wrapped bytes to another key than before.
    OtherKey,
    /// The key's time in memory was over before the service was asked again.
    RanOut,
}

impl Trouble {
    /// Whether a key in memory must go at once: the service does not give it any more.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Denied
                | Self::Disabled
                | Self::Missing
                | Self::WrongContext
                | Self::Unsuitable
                | Self::OtherKey
        )
    }
}

/// Why a service did not wrap or unwrap a key. It is an outage: the service is asked again by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteError {
    provider: ProviderTag,
    trouble: Trouble,
    detail: String,
}

impl RemoteError {
    /// `detail` may be the service's own words: what cannot be shown in a line is left out.
    pub(super) fn new(provider: ProviderTag, trouble: Trouble, detail: impl fmt::Display) -> Self {
        let detail = detail.to_string();
        let shown = detail.chars().filter(|letter| !letter.is_control());
        Self {
            provider,
            trouble,
            detail: shown.take(MOST_SHOWN).collect(),
        }
    }

    /// What is wrong.
    pub fn trouble(&self) -> Trouble {
        self.trouble
    }
}

impl std::error::Error for RemoteError {}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            provider, detail, ..
        } = self;
        let names = Names::of(*provider);
        match self.trouble {
            Trouble::Setting => f.write_str(detail),
            Trouble::Unreachable => write!(
                f,
                "{provider} cannot be reached ({detail}): start it, or correct {} or the network \
                 and the certificates between",
                names.address
            ),
            Trouble::Slow => write!(
                f,
                "{provider} did not answer within {detail}: look at its load and the network, or \
                 raise kek_timeout_secs"
            ),
            Trouble::Denied => write!(
                f,
                "{provider} denies the request ({detail}): {}",
                names.grant
            ),
            Trouble::Disabled => write!(
                f,
                "{provider} does not use the key ({detail}): enable it again; without it the \
                 database does not open"
            ),
            Trouble::Missing => write!(
                f,
                "{provider} has no such key ({detail}): correct {}, or restore the key there; \
                 without it the database does not open",
                names.key
            ),
            Trouble::WrongContext => write!(
                f,
                "{provider} does not open the wrapped key ({detail}): another key wrapped it, or \
                 the row was changed or moved; correct {}, or restore the database's backup",
                names.key
            ),
            Trouble::Unsuitable => write!(
                f,
                "the key of {provider} cannot wrap ours ({detail}): {}",
                names.kind
            ),
            Trouble::Throttled => write!(
                f,
                "{provider} has too many requests ({detail}): raise its limit; it is asked again \
                 by itself"
            ),
            Trouble::Failing => write!(
                f,
                "{provider} cannot work at present ({detail}): {}; it is asked again by itself",
                names.repair
            ),
            Trouble::Odd => write!(
                f,
                "{provider} answered something else ({detail}): check that {} is its address",
                names.address
            ),
            Trouble::OtherKey => write!(
                f,
                "{provider} gave another key than before: restore the key there, and the \
                 database's backup if its row was changed"
            ),
            Trouble::RanOut => write!(
                f,
                "the key of {provider} was not opened again in time: it is asked again by itself"
            ),
        }
    }
}

/// Settings and deeds, as an error names them.
struct Names {
    address: &'static str,
    key: &'static str,
    kind: &'static str,
    grant: &'static str,
    repair: &'static str,
}

impl Names {
    fn of(provider: ProviderTag) -> Self {
        match provider {
            ProviderTag::AWS_KMS => Self {
                address: "aws_kms_endpoint or aws_kms_region",
                key: "aws_kms_key_id",
                kind: "use a symmetric key for encryption (SYMMETRIC_DEFAULT)",
                grant: "allow these credentials kms:Encrypt and kms:Decrypt on the key, or give \
                        others as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                repair: "look at the region's state",
            },
            ProviderTag::AZURE_KEY_VAULT => Self {
                address: "azure_key_vault_url",
                key: "azure_key_vault_key",
                kind: "use an RSA key with wrapKey and unwrapKey, or an AES key of a Managed HSM \
                       with encrypt and decrypt, as azure_key_vault_algorithm says",
                grant: "give this identity the vault's role \"Key Vault Crypto User\", or correct \
                        azure_tenant_id, azure_client_id or AZURE_CLIENT_SECRET",
                repair: "look at the vault's state",
            },
            _ => Self {
                address: "hashicorp_vault_address",
                key: "hashicorp_vault_mount or hashicorp_vault_key",
                kind: "use a key of the type aes256-gcm96",
                grant: "let the token's policy `update` the key's encrypt and decrypt paths, or \
                        give a new VAULT_TOKEN or VAULT_SECRET_ID",
                repair: "unseal it, or look at its own log",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Trouble; 13] = [
        Trouble::Setting,
        Trouble::Unreachable,
        Trouble::Slow,
        Trouble::Denied,
        Trouble::Disabled,
        Trouble::Missing,
        Trouble::WrongContext,
        Trouble::Unsuitable,
        Trouble::Throttled,
        Trouble::Failing,
        Trouble::Odd,
        Trouble::OtherKey,
        Trouble::RanOut,
    ];

    #[test]
    fn every_trouble_of_every_service_names_it_and_says_what_to_do() {
        for (provider, setting) in [
            (ProviderTag::HASHICORP_VAULT, "hashicorp_vault_address"),
            (ProviderTag::AWS_KMS, "aws_kms_endpoint"),
            (ProviderTag::AZURE_KEY_VAULT, "azure_key_vault_url"),
        ] {
            let said = |trouble| RemoteError::new(provider, trouble, "its words").to_string();
            assert_eq!(said(Trouble::Setting), "its words");
            for trouble in ALL.into_iter().filter(|it| *it != Trouble::Setting) {
                let text = said(trouble);
                assert!(text.contains(&provider.to_string()), "{text}");
                assert!(text.contains(": "), "nothing to do: {text}");
            }
            assert!(said(Trouble::Unreachable).contains(setting));
        }
    }

    #[test]
    fn what_a_service_says_is_cut_and_stays_in_its_line() {
        let long = format!("one\ntwo\u{7}{}", "x".repeat(5_000));
        let error = RemoteError::new(ProviderTag::AWS_KMS, Trouble::Denied, long);
        let text = error.to_string();
        assert!(text.contains("onetwoxxx") && text.len() < 600, "{text}");
        assert!(!text.contains('\n'));
    }
}
