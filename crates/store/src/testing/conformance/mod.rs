//! What every backend must do, written against the traits.
//!
//! A backend runs the suite by [`conformance_suite!`](crate::conformance_suite) in one of its
//! tests, with an expression that makes a [`Fixture`]. Each case gets a database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

pub mod administration;
pub mod audit;
pub mod credentials;
pub mod invites;
pub mod leases;
pub mod prekeys;
pub mod proof;
pub mod rotation;
pub mod safes;
pub mod server;
pub mod service_keys;
pub mod sessions;
pub mod snapshots;
pub mod users;

use std::path::PathBuf;

use crate::Store;

/// A database of one test, which can be closed and opened again.
pub trait Fixture {
    /// Opens the database, made at the first call.
    fn open(&self) -> Store;

    /// The path of a copy, at which nothing is.
    fn copy(&self) -> PathBuf;

    /// Opens the copy as a database of its own, under the same key.
    fn open_copy(&self) -> Store;
}

/// Makes a test of every case; the argument is an expression that gives a fresh fixture.
#[macro_export]
macro_rules! conformance_suite {
    ($fixture:expr) => {
        $crate::conformance_cases! { $fixture;
            users: a_registered_user_is_found_by_handle_and_by_id,
            users: a_handle_is_given_once_and_a_refusal_leaves_nothing,
            users: a_registration_that_is_finished_twice_is_refused,
            users: the_setup_makes_one_administrator_and_opens_invites,
            users: an_alias_changes_with_its_record,
            administration: role_and_activity_change_with_their_records,
            administration: the_last_active_administrator_stays_one,
            administration: a_disabled_user_has_no_session_and_makes_none,
            administration: an_erased_user_is_gone_and_the_log_still_verifies,
            administration: an_owner_erases_their_account_and_the_record_of_it_names_nobody,
            administration: a_link_makes_one_administrator_in_its_time,
            users: users_are_listed_in_order_page_by_page,
            users: what_was_acknowledged_is_there_after_reopening,
            credentials: a_change_of_credentials_replaces_everything_together,
            credentials: a_safe_and_its_wraps_are_read_as_of_one_moment,
            credentials: a_change_keeps_wraps_of_kinds_that_it_does_not_have,
            credentials: a_change_that_lost_the_race_changes_nothing,
            credentials: recovery_ends_every_session_and_makes_one,
            credentials: a_new_identity_replaces_keys_prekeys_and_safes,
            credentials: a_new_identity_with_a_stale_batch_changes_nothing,
            safes: both_safes_are_read_as_written,
            safes: one_of_two_writers_wins_and_the_other_gets_what_stands,
            safes: a_wrong_proof_writes_nothing,
            safes: a_version_that_does_not_grow_is_refused,
            prekeys: leaves_are_claimed_in_order_and_then_the_last_resort,
            prekeys: fifty_claims_at_once_never_share_a_leaf,
            prekeys: a_last_resort_claim_uses_nothing_up,
            prekeys: a_new_batch_withdraws_the_one_before,
            prekeys: a_leaf_that_was_handed_out_is_skipped_in_a_later_batch,
            prekeys: a_batch_number_never_goes_back,
            prekeys: nothing_is_handed_out_of_an_expired_batch_and_pruning_takes_it,
            sessions: a_session_is_found_until_it_expires,
            sessions: touching_moves_the_expiry_up_to_the_absolute_one,
            sessions: touching_never_brings_a_session_back,
            sessions: only_the_owner_ends_a_session,
            sessions: ending_the_others_keeps_one,
            sessions: sessions_are_listed_newest_first,
            sessions: expired_sessions_go_in_chunks_each_with_a_record,
            sessions: sessions_that_began_in_the_future_are_ended,
            sessions: a_session_id_is_taken_once,
            audit: records_come_newest_first_and_page_by_page,
            audit: records_are_filtered_by_user_action_and_time,
            audit: a_record_shares_the_fate_of_its_change,
            audit: the_chain_verifies_after_many_writers,
            audit: an_event_of_an_unknown_user_is_kept_as_the_systems,
            proof: a_head_is_appended_once_and_only_for_a_record_of_the_log,
            proof: the_log_is_read_in_parts_with_heads_behind_their_records,
            proof: details_are_opened_for_those_who_ask,
            proof: old_records_go_through_the_door_once_a_head_vouches_for_it,
            proof: the_newest_record_never_goes,
            proof: the_log_stays_this_programs_own_through_its_retention,
            proof: records_are_appended_while_old_ones_go,
            rotation: a_rotation_moves_every_value_and_retires_the_key,
            rotation: a_second_key_job_waits_for_the_first,
            rotation: a_rotation_goes_on_after_reopening,
            rotation: a_renewal_keeps_the_key_and_every_value,
            rotation: requests_go_on_while_keys_rotate,
            snapshots: a_copy_has_everything_but_what_a_restore_withdraws,
            snapshots: a_copy_is_of_one_moment,
            snapshots: a_copy_never_replaces_a_file,
            snapshots: a_restore_is_marked_and_noted_once,
            snapshots: samples_of_every_sealed_column_open,
            invites: an_invite_is_used_up_and_given_back_by_a_refusal,
            invites: an_invite_expires_and_is_pruned,
            invites: only_its_maker_withdraws_an_invite,
            invites: an_account_uses_an_invite_once_with_its_record,
            invites: whoever_registered_with_an_invite_has_used_it,
            service_keys: a_service_has_one_first_key_and_it_is_read_back,
            service_keys: a_rotation_retires_a_version_and_keeps_it,
            service_keys: one_of_many_who_rotate_at_once_wins,
            service_keys: versions_of_a_service_are_bounded,
            service_keys: a_name_changes_with_its_record,
            service_keys: only_what_is_retired_is_deleted_alone,
            service_keys: services_are_listed_in_order_page_by_page,
            service_keys: private_halves_move_to_another_key,
            service_keys: a_copy_has_the_keys_of_services,
            leases: one_instance_at_a_time_has_a_lease,
            leases: of_many_that_take_a_lease_at_once_one_has_it,
            server: registration_is_closed_until_somebody_chooses,
            server: a_secret_is_made_once_and_kept,
            server: two_who_ask_for_a_secret_at_once_get_the_same,
            server: statistics_count_what_is_there,
            server: a_closed_store_refuses_politely,
        }
    };
}

/// Expands the list of [`conformance_suite!`](crate::conformance_suite).
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($fixture:expr; $($module:ident: $case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let fixture = $fixture;
                $crate::testing::conformance::$module::$case(&fixture).await;
            }
        )*
    };
}
