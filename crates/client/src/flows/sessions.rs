//! The account as a whole: alias, sessions, invite links that were made.

use api::Own;
use api::ids::{InviteCode, InviteHash, SessionId};
use protocol::name;

use crate::core::Core;
use crate::event::Event;
use crate::failure::Failure;
use crate::flows::parse;
use crate::id::UserId;
use crate::purpose::Purpose;
use crate::qr;
use crate::wire::{AccountChange, Invite as OwnInvite, InviteMade, NewInvite, Session};

/// Life of an invite link when nothing is said: seven days.
const INVITE_SECS: u32 = 7 * 86_400;
/// Longest life of an invite link: 30 days.
const LONGEST_INVITE_SECS: u32 = 30 * 86_400;

impl Core {
    pub(crate) fn set_alias(&mut self, alias: &str) {
        if self.me.is_none() {
            self.io.failed("set_alias", Failure::new(Own::NotSignedIn));
            return;
        }
        match name::alias(alias) {
            Ok(alias) => self.io.put(
                "/account",
                &AccountChange {
                    alias: Some(alias.clone()),
                },
                Purpose::Alias(alias.clone()),
            ),
            Err(error) => self.io.failed("set_alias", error.into()),
        }
    }

    /// The server has the new name: it is told to everybody who knows the old one.
    pub(crate) fn alias_stored(&mut self, alias: String) {
        let Some(me) = self.me.as_mut() else {
            return;
        };
        me.alias = alias;
        if let Some(open) = self.unlocked.as_mut() {
            open.me = me.clone();
            open.outbox.profile(&mut self.io, &me.alias, &open.safe);
        }
        self.emit_state();
    }

    pub(crate) fn list_sessions(&mut self) {
        self.ask_sessions("list_sessions");
    }

    pub(super) fn ask_sessions(&mut self, during: &'static str) {
        self.io
            .get("/sessions", Purpose::Sessions { during, list: true });
    }

    pub(crate) fn revoke_session(&mut self, id: &str) {
        let Ok(id) = id.parse::<SessionId>() else {
            self.io.failed("revoke_session", Failure::new(Own::Missing));
            return;
        };
        self.io.delete(
            &format!("/sessions/{id}"),
            Purpose::Sessions {
                during: "revoke_session",
                list: false,
            },
        );
    }

    pub(crate) fn sessions_came(&mut self, during: &'static str, list: bool, body: &[u8]) {
        if !list {
            self.ask_sessions(during);
            return;
        }
        match parse::<Vec<Session>>(body) {
            Ok(mut sessions) => {
                sessions.sort_by_key(|s| (!s.current, std::cmp::Reverse(s.last_activity)));
                self.io.event(Event::Sessions { sessions });
            }
            Err(failure) => self.io.failed(during, failure),
        }
    }

    pub(crate) fn create_invite(&mut self, life_secs: Option<u32>) {
        if self.unlocked.is_none() {
            self.io
                .failed("create_invite", Failure::new(Own::NotUnlocked));
            return;
        }
        let life = life_secs
            .unwrap_or(INVITE_SECS)
            .clamp(60, LONGEST_INVITE_SECS);
        self.io.post(
            "/invites",
            &NewInvite {
                max_uses: Some(1),
                life: Some(life.into()),
            },
            Purpose::InviteMade,
        );
    }

    pub(crate) fn invite_made(&mut self, body: &[u8]) {
        let Some(open) = self.unlocked.as_ref() else {
            return;
        };
        match parse::<InviteMade>(body) {
            Ok(made) => {
                let fingerprint = open.safe.fingerprint().as_bytes();
                let pin = hex::encode(fingerprint.get(..PIN_LEN).unwrap_or_default());
                let link = format!("/i#{}.{}.{pin}", made.code, open.me.user_id);
                let qr_svg = qr::svg(&format!("{}{link}", self.config.origin));
                self.io.event(Event::InviteCreated {
                    link,
                    qr_svg,
                    expires_at: made.expires_at,
                });
            }
            Err(failure) => self.io.failed("create_invite", failure),
        }
    }

    pub(crate) fn list_invites(&mut self) {
        self.ask_invites("list_invites");
    }

    fn ask_invites(&mut self, during: &'static str) {
        self.io
            .get("/invites", Purpose::Invites { during, list: true });
    }

    pub(crate) fn revoke_invite(&mut self, id: &str) {
        let Ok(id) = id.parse::<InviteHash>() else {
            self.io.failed("revoke_invite", Failure::new(Own::Missing));
            return;
        };
        self.io.delete(
            &format!("/invites/{id}"),
            Purpose::Invites {
                during: "revoke_invite",
                list: false,
            },
        );
    }

    pub(crate) fn invites_came(&mut self, during: &'static str, list: bool, body: &[u8]) {
        if !list {
            self.ask_invites(during);
            return;
        }
        match parse::<Vec<OwnInvite>>(body) {
            Ok(mut invites) => {
                invites.sort_by_key(|invite| std::cmp::Reverse(invite.created_at));
                self.io.event(Event::Invites { invites });
            }
            Err(failure) => self.io.failed(during, failure),
        }
    }

    /// A link that somebody else made.
    pub(crate) fn open_invite(&mut self, fragment: &str) {
        let invite: Invite = match fragment.parse() {
            Ok(invite) => invite,
            Err(failure) => {
                self.io.failed("open_invite", failure);
                return;
            }
        };
        match self.unlocked.as_mut() {
            Some(open) => open.open_invite(&mut self.io, invite),
            None => self.io.event(Event::InviteOpened {
                user_id: invite.user,
                added: false,
                needs_account: true,
            }),
        }
    }
}

/// Half of a fingerprint, so that nobody finds other keys with the same.
const PIN_LEN: usize = 32;

/// The parts of `/i#<code>.<user id>.<first half of the fingerprint>`.
pub(crate) struct Invite {
    pub(crate) code: InviteCode,
    pub(crate) user: UserId,
    pub(crate) pin: [u8; PIN_LEN],
}

impl std::fmt::Debug for Invite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invite(..)")
    }
}

impl std::str::FromStr for Invite {
    type Err = Failure;

    fn from_str(fragment: &str) -> Result<Self, Failure> {
        let malformed = || Failure::new(Own::InviteMalformed);
        let fragment = fragment.trim();
        let fragment = fragment
            .rsplit_once('#')
            .map_or(fragment, |(_, after)| after);
        let mut parts = fragment.split('.');
        let (Some(code), Some(user), Some(pin), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        let mut half = [0; PIN_LEN];
        hex::decode_to_slice(pin, &mut half).map_err(|_| malformed())?;
        Ok(Self {
            code: code.parse().map_err(|_| malformed())?,
            user: user.parse().map_err(|_| malformed())?,
            pin: half,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Invite;

    #[test]
    fn an_invite_that_is_printed_gives_nothing_away() {
        let (code, user, pin) = ("0a".repeat(16), "1b".repeat(16), "2c".repeat(32));
        let invite: Invite = format!("{code}.{user}.{pin}").parse().unwrap();
        assert_eq!(format!("{invite:?}"), "Invite(..)");
    }
}
