//! Codes of refusals, with status and texts.

use crate::Words;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $title:literal,
        $text:literal $(, wait $wait:literal)?;)+) => {
        /// Why the server refused a request, over HTTP or over the WebSocket.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns the HTTP status.
            pub const fn status(self) -> u16 {
                match self {
                    $(Self::$name => $status,)+
                }
            }

            /// Returns a short sentence, the same every time.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$name => $title,)+
                }
            }

            /// Returns the text for people.
            pub const fn words(self) -> Words {
                match self {
                    $(Self::$name => Words {
                        code: $code,
                        text: $text,
                        wait: codes!(@wait $($wait)?),
                    },)+
                }
            }
        }
    };
    (@wait) => { None };
    (@wait $wait:literal) => { Some($wait) };
}

codes! {
    /// The request cannot be read.
    MalformedRequest = "malformed-request", 400, "The request cannot be read",
        "The server could not read what this page sent. Reload the page and try again.";
    /// Nobody is signed in.
    SignedOut = "signed-out", 401, "Nobody is signed in",
        "You were signed out. Sign in again.";
    /// The handle or the passphrase is wrong, or the sign-in took too long.
    SignInFailed = "sign-in-failed", 401, "Sign-in failed",
        "Handle or passphrase is wrong. Try again.";
    /// The handle or the recovery key is wrong.
    RecoveryFailed = "recovery-failed", 401, "Recovery failed",
        "Handle or recovery key is wrong. Check each group and try again.";
    /// The account's role does not allow it.
    Forbidden = "forbidden", 403, "Not allowed",
        "Only an administrator can do that.";
    /// The request comes from another site's page.
    ForeignOrigin = "foreign-origin", 403, "Asked from another site",
        "This page was opened under another address than the server's own. Open it under its public \
         address.";
    /// The passphrase was not proven again.
    ReauthFailed = "reauth-failed", 403, "The passphrase is needed again",
        "The passphrase is wrong, or was given too long ago. Give it again.";
    /// Nobody may register.
    RegistrationClosed = "registration-closed", 403, "Registration is closed",
        "This server takes no new accounts. Ask its administrator.";
    /// The invite is unknown, used up, expired or withdrawn.
    InviteUnusable = "invite-unusable", 403, "This invite cannot be used",
        "This invite link was used, has expired or was withdrawn. Ask for another one.";
    /// The set-up link is used, old, replaced or for another handle.
    SetupUnusable = "setup-unusable", 403, "This set-up link cannot be used",
        "This set-up link was used, has expired, was replaced, or is for another handle.";
    /// The write proof of a safe is wrong.
    WrongProof = "wrong-proof", 403, "The write proof is wrong",
        "Your keys were changed in another browser. Sign in again.";
    /// There is no such thing.
    NotFound = "not-found", 404, "Nothing is here",
        "That does not exist any more.";
    /// The message is not here.
    Gone = "gone", 404, "The message is not here",
        "This message is gone: it was read elsewhere or its time ran out.";
    /// There is no account with this handle or id.
    NoSuchUser = "no-such-user", 404, "Nobody has this handle",
        "Nobody here has that handle. Check how it is written.";
    /// There is no service with this id, or it has no such version.
    NoSuchService = "no-such-service", 404, "There is no such service key",
        "No service has that id, or its key has no such version. Look at the list of services.";
    /// The address has no such method.
    MethodNotAllowed = "method-not-allowed", 405, "The address has no such method",
        "This page does not fit the server. Reload the page.";
    /// There is an account with this handle.
    HandleTaken = "handle-taken", 409, "This handle is taken",
        "Somebody has this handle already. Choose another one.";
    /// The registration was finished before.
    AlreadyRegistered = "already-registered", 409, "Already registered",
        "This account exists already. Sign in.";
    /// Another tab wrote a safe first.
    SafeConflict = "safe-conflict", 409, "Another tab wrote first",
        "Another browser of yours changed something just now. Try again.";
    /// A step of a flow took too long, was done before, or was overtaken by a change of the account.
    TokenExpired = "token-expired", 409, "The step has expired",
        "That took too long, or something changed in between. Start again.";
    /// The batch of prekeys is not newer than the published one.
    StaleBatch = "stale-batch", 409, "An older batch of prekeys",
        "Another browser of yours published newer keys. Reload the page.";
    /// The account has too many open invites.
    TooManyInvites = "too-many-invites", 409, "Too many open invites",
        "Too many of your invites are open. Withdraw one, or wait until one is used.";
    /// Another session has claimed the message.
    Taken = "taken", 409, "The message is being read elsewhere",
        "Another browser of yours is showing this message.", wait 30;
    /// The lease is over, or the token is wrong.
    StaleClaim = "stale-claim", 409, "The claim is over",
        "This message was open for too long. Open it again.";
    /// The message was posted before.
    DuplicateMessage = "duplicate-message", 409, "The message was posted before",
        "This message was sent already.";
    /// The account is the only administrator.
    LastAdministrator = "last-administrator", 409, "This is the last administrator",
        "You are the only administrator. Make somebody else one first, with \
         secure-messaging admin promote HANDLE at the server's terminal.";
    /// A backup is under way.
    BackupRunning = "backup-running", 409, "A backup is under way",
        "A backup is under way.", wait 60;
    /// No target of backups is configured.
    NoBackupTarget = "no-backup-target", 409, "No backup target is configured",
        "The server's configuration does not say where backups go. Set backup_target.";
    /// A key job is running.
    KeyJobRunning = "key-job-running", 409, "A key job is running",
        "The keys are being worked on.", wait 60;
    /// The key of the service is not what the request expects.
    ServiceKeyConflict = "service-key-conflict", 409, "The service's key is another one",
        "This service has another key than you think. Look at its versions and decide again.";
    /// The server keeps no more services, or no more versions of one.
    TooManyServiceKeys = "too-many-service-keys", 409, "Too many service keys",
        "There are too many services, or too many versions of this one. Delete what nobody uses any more.";
    /// The account was erased.
    AccountGone = "account-gone", 410, "This account does not exist any more",
        "This account does not exist any more. Nobody can read what you write here.";
    /// The body is above its limit.
    TooLarge = "too-large", 413, "The request is too large",
        "That is too large. Send less at once.";
    /// The media type of the body is wrong.
    WrongContentType = "wrong-content-type", 415, "The body is of the wrong kind",
        "This page does not fit the server. Reload the page.";
    /// The handle cannot be used.
    HandleRefused = "handle-refused", 422, "This handle cannot be used",
        "This handle cannot be used. A handle has 1 to 32 letters, digits, dots, dashes or \
         underscores, all of one script.";
    /// The name cannot be used.
    AliasRefused = "alias-refused", 422, "This name cannot be used",
        "This name cannot be used. A name has 1 to 64 characters, and no control characters.";
    /// The id, the name or the size of a service's key cannot be used.
    ServiceRefused = "service-refused", 422, "This service key cannot be made",
        "A service's id has 1 to 64 lower-case letters, digits, dots, dashes or underscores, and begins and \
         ends with a letter or a digit. Its name has 1 to 64 characters. A size can be chosen for RS256 only.";
    /// The public keys or prekeys cannot be used.
    KeysUnusable = "keys-unusable", 422, "These keys cannot be used",
        "The server did not take the keys that this browser made. Reload the page and try again.";
    /// The message does not keep the rules.
    MessageRefused = "message-refused", 422, "The message cannot be taken",
        "The server did not take this message. Reload the page and try again.";
    /// A rate limit was reached.
    TooManyRequests = "too-many-requests", 429, "Too many requests",
        "That was tried too often.", wait 60;
    /// The sender has too much waiting unread.
    Quota = "quota", 429, "Too much of yours waits unread",
        "Too many messages of yours wait unread.", wait 60;
    /// The server failed; its log has the cause.
    Internal = "internal", 500, "The server failed",
        "The server had a problem, and nothing was changed.", wait 10;
    /// The database is busy or out of reach.
    Unavailable = "unavailable", 503, "The server cannot do this now",
        "The server cannot do this now, and nothing was changed.", wait 5;
    /// The server cannot serve.
    NotReady = "not-ready", 503, "The server cannot serve now",
        "The server cannot serve now.", wait 5;
    /// The key provider does not answer.
    KeyProviderUnreachable = "key-provider-unreachable", 503, "The key provider does not answer",
        "The key provider does not answer, and nothing was changed.", wait 10;
    /// More connections than the server has places for.
    TooManyConnections = "too-many-connections", 503, "Too many connections",
        "The server has too many connections.", wait 10;
    /// The vault has no room.
    VaultFull = "vault-full", 507, "The server's memory for messages is full",
        "The server's memory for messages is full.", wait 60;
    /// The disk is full.
    DiskFull = "disk-full", 507, "The server's disk is full",
        "The server's disk is full, and nothing was changed. Tell its operator.", wait 60;
}

// What time alone mends does not compile without a time.
const _: () = {
    let mut all = Code::ALL;
    while let [code, rest @ ..] = all {
        let passes = matches!(code.status(), 429 | 500 | 503 | 507);
        assert!(!passes || code.words().wait.is_some());
        all = rest;
    }
};

impl Code {
    /// Returns the stable name.
    pub const fn name(self) -> &'static str {
        self.words().code
    }

    /// Finds a code by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// Guesses the code of an answer that has none.
    pub const fn of_status(status: u16) -> Option<Self> {
        Some(match status {
            401 => Self::SignedOut,
            404 => Self::NotFound,
            429 => Self::TooManyRequests,
            507 => Self::VaultFull,
            _ => return None,
        })
    }
}

#[cfg(feature = "schema")]
impl utoipa::PartialSchema for Code {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::Type::String)
            .description(Some("Why the server did not do what was asked"))
            .enum_values(Some(Self::ALL.iter().map(|code| code.name())))
            .into()
    }
}

#[cfg(feature = "schema")]
impl utoipa::ToSchema for Code {}

impl From<Code> for Words {
    fn from(code: Code) -> Self {
        code.words()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_kebab_case_and_leads_back_to_its_code() {
        for code in Code::ALL.iter().copied() {
            let name = code.name();
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            assert!(name.bytes().all(fits), "{name}");
            assert_eq!(Code::named(name), Some(code));
            assert!((400..600).contains(&code.status()), "{name}");
        }
        assert_eq!(Code::named("another"), None);
    }

    #[test]
    fn words_are_sentences_for_people() {
        let own = crate::Own::ALL.iter().map(|own| own.words());
        for words in Code::ALL.iter().map(|code| code.words()).chain(own) {
            let (code, text) = (words.code, words.text);
            assert!(text.ends_with('.'), "{code}: {text}");
            assert!(text.starts_with(char::is_uppercase), "{code}: {text}");
            for word in ["Retry-After", "HTTP", "JSON", "429"] {
                assert!(!text.contains(word), "{code}: {text}");
            }
            // The wait is a sentence of its own, with the seconds that the server names.
            let waits = words.wait.is_some();
            assert!(!waits || !text.contains("ry again"), "{code}: {text}");
            for word in ["later", "soon", "shortly", "Wait until"] {
                assert!(!text.contains(word), "{code} names no time: {text}");
            }
        }
    }
}
