//! One session in the memory of the server.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use store::{CLOCK_TOLERANCE_SECS, Role, SessionId, SessionRow, UserId};

/// Seconds between two writes of one session's activity.
const WRITE_EVERY: u64 = 60;

/// A session, shared by its requests and sockets.
pub struct LiveSession {
    id: SessionId,
    user_id: UserId,
    handle: String,
    role: AtomicU8,
    created_at: u64,
    absolute_expires_at: u64,
    idle_secs: u64,
    last_activity: AtomicU64,
    written: AtomicU64,
    ended: AtomicBool,
}

impl std::fmt::Debug for LiveSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LiveSession(…)")
    }
}

impl LiveSession {
    pub(super) fn new(row: &SessionRow, handle: String, role: Role, idle_secs: u64) -> Self {
        Self {
            id: row.session_id,
            user_id: row.user_id,
            handle,
            role: AtomicU8::new(number(role)),
            created_at: row.created_at,
            absolute_expires_at: row.absolute_expires_at,
            idle_secs,
            last_activity: AtomicU64::new(row.last_activity),
            written: AtomicU64::new(row.last_activity),
            ended: AtomicBool::new(false),
        }
    }

    /// Hash of the cookie's secret.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Whose session it is.
    pub fn user_id(&self) -> UserId {
        self.user_id
    }

    /// The account's handle.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// Returns the account's role.
    pub fn role(&self) -> Role {
        let number = usize::from(self.role.load(Ordering::SeqCst));
        Role::ALL.get(number).copied().unwrap_or(Role::User)
    }

    /// Follows a change of the account's role.
    pub(in crate::app) fn set_role(&self, role: Role) {
        self.role.store(number(role), Ordering::SeqCst);
    }

    /// Unix seconds of the sign-in.
    pub fn created_at(&self) -> u64 {
        self.created_at
    }

    /// Unix seconds of the last activity.
    pub fn last_activity(&self) -> u64 {
        self.last_activity.load(Ordering::Relaxed)
    }

    /// Unix seconds of the idle end.
    pub fn idle_expires_at(&self) -> u64 {
        self.last_activity()
            .saturating_add(self.idle_secs)
            .min(self.absolute_expires_at)
    }

    /// Unix seconds of the absolute end.
    pub fn absolute_expires_at(&self) -> u64 {
        self.absolute_expires_at
    }

    /// Returns whether the session has expired or was ended.
    ///
    /// A session with a start in the future counts as ended: it began while the clock was ahead, and would
    /// end too late.
    pub fn is_over(&self, now: u64) -> bool {
        let early = self.created_at > now.saturating_add(CLOCK_TOLERANCE_SECS);
        self.ended.load(Ordering::SeqCst) || early || now >= self.idle_expires_at()
    }

    /// Returns whether the session is over for no other reason than that nobody used it here.
    pub(super) fn is_only_idle(&self, now: u64) -> bool {
        let ended = self.ended.load(Ordering::SeqCst);
        !ended && now < self.absolute_expires_at && now >= self.idle_expires_at()
    }

    /// Follows activity that another instance has written.
    pub(super) fn follow(&self, activity: u64) {
        self.last_activity.fetch_max(activity, Ordering::Relaxed);
        self.written.fetch_max(activity, Ordering::Relaxed);
    }

    /// Records activity of the person.
    pub(super) fn act(&self, now: u64) {
        self.last_activity.fetch_max(now, Ordering::Relaxed);
    }

    /// Returns the activity to write, at most once a minute; the caller must write it.
    pub(super) fn take_unwritten(&self, now: u64, even_if_young: bool) -> Option<u64> {
        let activity = self.last_activity();
        let written = self.written.load(Ordering::Relaxed);
        let due = even_if_young || now >= written.saturating_add(WRITE_EVERY);
        if activity <= written || !due {
            return None;
        }
        self.written
            .compare_exchange(written, activity, Ordering::Relaxed, Ordering::Relaxed)
            .ok()
            .map(|_| activity)
    }

    /// Ends the session for its requests and sockets.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
    }
}

/// Returns a role's place in the list of roles.
fn number(role: Role) -> u8 {
    let place = Role::ALL.iter().position(|other| *other == role);
    u8::try_from(place.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
impl LiveSession {
    /// A session that began at second 1,000.
    pub(crate) fn for_test() -> std::sync::Arc<Self> {
        let row = SessionRow {
            session_id: SessionId::from_bytes([1; 32]),
            user_id: UserId::from_bytes([2; 16]),
            created_at: 1_000,
            expires_at: 2_800,
            absolute_expires_at: 1_000 + 43_200,
            last_activity: 1_000,
            details: store::SessionDetails::default(),
        };
        std::sync::Arc::new(Self::new(&row, "alice".into(), Role::User, 1_800))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_slides_the_idle_expiry_and_never_past_the_absolute_one() {
        let session = LiveSession::for_test();
        assert!(!session.is_over(2_799));
        assert!(session.is_over(2_800));
        session.act(2_000);
        assert!(!session.is_over(3_799));
        assert!(session.is_over(3_800));
        session.act(44_000);
        assert_eq!(session.idle_expires_at(), 44_200);
        assert!(session.is_over(44_200));
    }

    #[test]
    fn a_session_that_began_in_the_future_is_over() {
        let session = LiveSession::for_test();
        assert!(!session.is_over(1_000 - CLOCK_TOLERANCE_SECS));
        assert!(session.is_over(1_000 - CLOCK_TOLERANCE_SECS - 1));
    }

    #[test]
    fn activity_is_written_at_most_once_a_minute_and_not_lost() {
        let session = LiveSession::for_test();
        session.act(1_010);
        assert_eq!(session.take_unwritten(1_010, false), None);
        assert_eq!(session.take_unwritten(1_060, false), Some(1_010));
        assert_eq!(session.take_unwritten(1_200, false), None);
        session.act(1_061);
        assert_eq!(session.take_unwritten(1_061, false), None);
        assert_eq!(session.take_unwritten(1_061, true), Some(1_061));
    }

    #[test]
    fn activity_of_another_instance_slides_the_end_and_is_not_written_again() {
        let session = LiveSession::for_test();
        assert!(session.is_only_idle(2_800) && !session.is_only_idle(2_799));
        session.follow(2_000);
        assert!(!session.is_over(3_799));
        assert_eq!(session.take_unwritten(3_000, true), None);
        session.follow(1_500);
        assert!(!session.is_over(3_799));
        assert!(!session.is_only_idle(44_200), "it is over for good");
        session.end();
        assert!(!session.is_only_idle(3_800));
    }

    #[test]
    fn an_ended_session_is_over() {
        let session = LiveSession::for_test();
        session.end();
        assert!(session.is_over(1_001));
    }
}
