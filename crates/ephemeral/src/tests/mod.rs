//! What every backend must do, asked through the trait objects.
//!
//! A backend runs all of it by [`suite!`] in a module of its own tests. What a case opens is its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub(crate) mod asked;
pub(crate) mod limits;
pub(crate) mod presence;
pub(crate) mod small;
mod types;
pub(crate) mod vault;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ambient::{Ambient, Entropy, EntropyError, ManualClock};

use crate::{
    Ciphertext, Config, Ephemeral, LiveId, MessageId, NewMessage, NewSlot, PutError, PutOutcome,
    Stats, Target, UserId,
};
use asked::Asked;

/// Opens an empty plane.
pub(crate) type Open = fn(Config, Ambient) -> Ephemeral;

pub(crate) const START_MS: u64 = 1_800_000_000_000;

/// Never gives the same bytes twice.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let count = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        for (byte, count) in bytes.iter_mut().zip(count.iter().cycle()) {
            *byte = *count;
        }
        Ok(())
    }
}

/// A plane, and the clock that it reads.
pub(crate) struct Bench {
    pub(crate) vault: Asked,
    pub(crate) clock: Arc<ManualClock>,
}

pub(crate) fn bench(open: Open) -> Bench {
    bench_with(open, Config::default())
}

pub(crate) fn bench_with(open: Open, config: Config) -> Bench {
    let clock = ManualClock::at_ms(START_MS);
    let entropy = Arc::new(Counting::default());
    let vault = Asked::of(open(config, Ambient::new(clock.clone(), entropy)));
    Bench { vault, clock }
}

pub(crate) const ALICE: UserId = UserId::from_bytes([0xA; 16]);
pub(crate) const BOB: UserId = UserId::from_bytes([0xB; 16]);
pub(crate) const CAROL: UserId = UserId::from_bytes([0xC; 16]);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const LEASE: Duration = Duration::from_secs(30);

pub(crate) fn message_id(n: u64) -> MessageId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    MessageId::from_bytes(bytes)
}

pub(crate) fn live(n: u8) -> LiveId {
    LiveId::from_bytes([n; 16])
}

pub(crate) fn to_live(account: UserId, n: u8) -> Target {
    Target::Live {
        account,
        live: live(n),
    }
}

pub(crate) fn slot(target: Target) -> NewSlot {
    NewSlot {
        target,
        prekey: None,
        bytes: Ciphertext::copy_of(b"sealed slot"),
    }
}

pub(crate) fn message(n: u64, burn_on_read: bool, targets: &[Target]) -> NewMessage {
    NewMessage {
        id: message_id(n),
        life: MINUTE,
        burn_on_read,
        slots: targets.iter().copied().map(slot).collect(),
        body: Ciphertext::copy_of(b"sealed body"),
    }
}

impl Bench {
    /// Posts as Alice.
    pub(crate) fn post(&self, message: NewMessage) -> Result<PutOutcome, PutError> {
        let reservation = self.vault.reserve(ALICE, 4096, 64).unwrap();
        self.vault.put(reservation, message)
    }

    /// Says whether nothing at all is left of anything.
    pub(crate) fn is_pristine(&self) -> bool {
        holds_nothing(&self.vault.stats()) && self.vault.left() == 0
    }
}

pub(crate) fn holds_nothing(stats: &Stats) -> bool {
    stats.messages == 0 && stats.bytes == 0 && stats.next_expiry.is_none()
}

/// Makes a test of every case; the arguments are an [`Open`] and how many runs are compared with the model.
macro_rules! suite {
    ($open:expr, $runs:expr) => {
        #[test]
        fn the_vault_does_what_the_model_does() {
            $crate::tests::vault::model::the_vault_does_what_the_model_does($open, $runs);
        }

        $crate::tests::cases! { $open;
        vault::claiming: a_message_waits_for_its_account_until_it_is_read_and_then_nothing_is_left,
        vault::claiming: a_second_claim_is_told_that_it_is_taken_until_the_lease_is_over,
        vault::claiming: a_token_works_only_for_the_account_that_claimed,
        vault::claiming: a_live_session_gets_its_own_slot_and_others_get_that_of_the_account,
        vault::claiming: a_session_for_which_there_is_no_slot_cannot_claim,
        vault::claiming: what_one_session_has_read_waits_for_no_session_that_comes_later,
        vault::claiming: of_a_burning_message_one_session_of_an_account_reads_and_every_slot_is_wiped,
        vault::claiming: the_posters_own_copy_of_a_burning_message_does_not_burn_it,
        vault::claiming: a_burning_message_to_oneself_burns,
        vault::claiming: a_message_that_does_not_burn_stays_for_every_slot_that_was_not_read,
        vault::claiming: an_extended_claim_runs_on_but_never_beyond_a_lease_after_the_life,
        vault::claiming: a_claimed_message_can_be_fetched_again_with_its_token_only,
        vault::claiming: a_slot_that_could_not_be_opened_waits_for_a_replacement,
        vault::claiming: a_session_that_could_not_open_its_slot_may_open_that_of_the_account,
        vault::claiming: prekeys_are_in_use_while_their_slot_waits_or_is_leased,
        vault::posting: an_account_that_has_used_up_its_share_is_refused_and_others_are_not,
        vault::posting: a_full_vault_refuses_and_keeps_what_waits,
        vault::posting: an_account_finds_room_when_a_hundred_before_it_have_taken_all_they_may,
        vault::posting: the_more_is_held_the_less_may_an_account_add,
        vault::posting: empty_slots_and_messages_cost_what_they_take,
        vault::posting: only_what_is_held_stays_charged,
        vault::posting: a_message_larger_than_any_may_be_is_refused_before_it_is_read,
        vault::posting: a_refused_message_gives_its_room_back,
        vault::posting: the_same_id_is_taken_once_even_after_it_was_read,
        vault::posting: slots_are_added_by_the_poster_only,
        vault::posting: a_slot_that_is_being_read_is_not_replaced_under_its_reader,
        vault::posting: added_slots_are_bounded_in_number_and_bytes,
        vault::posting: the_poster_and_nobody_else_learns_what_became_of_a_message,
        vault::posting: remembered_fates_are_bounded,
        vault::erasing: what_waits_for_an_erased_account_is_wiped_and_its_sender_told_that_it_expired,
        vault::erasing: a_claim_of_an_erased_account_is_over_and_its_token_good_for_nothing,
        vault::erasing: copies_for_the_senders_own_sessions_stay_when_the_recipient_is_erased,
        vault::erasing: nothing_is_taken_to_or_from_an_erased_account_for_an_hour,
        vault::events: every_slot_is_announced_and_every_transition_told,
        vault::events: the_end_of_a_claim_announces_nothing_that_it_did_not_shut_out,
        vault::events: expiry_is_told_for_each_slot_that_was_not_read,
        vault::fates: a_fate_is_forgotten_at_its_moment_even_before_the_purge_and_the_id_may_be_used_again,
        vault::fates: the_purge_forgets_the_fates_whose_time_is_over_and_no_others,
        vault::fates: a_vault_that_is_to_remember_no_fates_remembers_none,
        vault::limits: a_vault_tells_the_bounds_that_it_keeps,
        vault::limits: the_shortest_and_the_longest_life_are_taken_and_a_millisecond_beyond_is_not,
        vault::limits: a_message_may_have_as_many_slots_as_the_limit_says_and_no_more,
        vault::limits: slots_may_be_added_until_a_message_has_as_many_as_the_limit_says,
        vault::limits: added_slots_may_fill_a_message_to_its_last_byte,
        vault::limits: a_slot_that_takes_another_ones_place_is_counted_instead_of_it,
        vault::limits: a_slot_that_is_being_read_is_counted_once_whatever_is_sent_in_its_place,
        vault::limits: one_account_alone_may_hold_half_of_a_vault,
        vault::presence: what_a_session_held_unread_waits_again_as_soon_as_it_leaves,
        vault::presence: only_its_own_claims_end_with_a_session,
        vault::presence: a_burning_message_on_the_screen_stays_with_its_reader_when_the_connection_breaks,
        vault::presence: a_session_that_comes_back_finds_what_it_had_not_shown_and_its_old_claim_is_over,
        vault::presence: the_poster_is_told_once_that_the_only_session_that_could_open_it_left,
        vault::presence: what_only_sessions_that_left_could_open_is_told_to_the_next_one_until_somebody_has_it,
        vault::presence: nothing_is_stranded_from_the_moment_its_life_is_over_even_before_the_purge,
        vault::presence: the_poster_is_told_that_what_it_just_posted_never_reached_its_session,
        vault::presence: what_nobody_has_read_waits_its_whole_life_for_a_session_that_left,
        vault::presence: what_was_read_is_wiped_although_a_session_that_is_gone_never_opened_its_slot,
        vault::presence: a_session_that_is_there_keeps_its_slot_of_what_another_one_has_read,
        vault::turns: posters_take_turns_and_each_ones_messages_stay_in_order,
        vault::turns: what_somebody_has_not_read_of_a_poster_is_counted,
        vault::upkeep: an_unread_message_is_gone_the_moment_its_life_is_over_even_before_the_purge,
        vault::upkeep: the_purge_wipes_what_is_due_and_nothing_else,
        vault::upkeep: the_purge_stops_at_its_limit_and_says_so,
        vault::upkeep: the_purge_counts_what_changed_and_stops_there_too,
        vault::upkeep: a_message_being_read_when_its_life_ends_lives_until_its_lease_does,
        vault::upkeep: a_lease_that_ends_after_the_life_ends_the_message,
        vault::upkeep: requests_for_ids_that_never_existed_leave_nothing_behind,
        vault::upkeep: wiping_everything_leaves_nothing,
        vault::waiting: what_waits_is_shown_with_the_bytes_of_its_body_and_of_the_one_slot,
        vault::waiting: the_end_of_a_life_is_told_in_the_same_whole_unix_seconds_everywhere,
        vault::waiting: a_reader_without_a_session_is_shown_what_any_session_of_the_account_may_claim,
        vault::waiting: what_was_claimed_is_shown_again_from_the_moment_its_lease_is_over_even_before_the_purge,
            presence: a_session_holds_as_many_connections_as_it_may_and_a_live_id_only_one,
            presence: a_session_whose_connection_was_replaced_has_not_left,
            presence: a_bundle_is_found_in_its_bucket_and_while_it_is_connected,
            presence: a_bundle_is_withdrawn_by_its_connection_only,
            presence: a_session_that_ends_cannot_be_written_to_and_its_connections_are_told,
            presence: what_is_posted_to_a_session_that_is_gone_counts_as_left,
            small: secrets_are_drawn_once_and_differ,
            small: a_token_is_used_once_and_its_use_is_forgotten_when_it_would_not_open,
            small: a_repeated_claim_gets_the_same_prekey_until_its_bucket_is_over,
            small: an_account_takes_25_one_time_prekeys_of_another_in_a_day,
            small: claims_on_a_new_identity_and_of_an_erased_account_are_forgotten,
            small: a_half_is_kept_until_it_is_erased_or_its_session_is_over,
            limits: a_bucket_closes_after_its_burst_and_opens_again_with_time,
            limits: attempts_are_counted_up_to_the_first_that_is_refused,
            limits: attempts_cost_more_and_more_until_an_hour_has_passed_without_one,
            limits: keys_are_forgotten_when_their_bucket_is_full_and_no_price_is_up,
            limits: an_account_begins_to_write_to_a_few_people_and_pairs_stay_known_for_a_day,
            limits: it_is_known_for_eight_days_who_wrote_to_whom,
        }
    };
}

macro_rules! cases {
    ($open:expr; $($($module:ident)::+: $case:ident,)*) => {
        $(#[test]
        fn $case() {
            $crate::tests::$($module)::+::$case($open);
        })*
    };
}

pub(crate) use {cases, suite};
