//! What every adapter of a port owes, one function an obligation.
//!
//! A crate runs a suite over its adapter by naming a function that opens it:
//!
//! ```text
//! async fn open() -> (Arc<SqlitePaymentRepository>, TempDir) { … }
//!
//! testkit::payment_repository_contract!(open);
//! ```
//!
//! What comes back beside the port, such as a folder, is kept until the test has ended. Where what the adapter speaks to is not
//! there, the function returns `None` and has said so; the test then ends.

pub mod acquirer;
pub mod api_key_store;
pub mod decision_log;
pub mod event_log;
pub mod feature_store;
pub mod idempotency_keys;
pub mod list_store;
pub mod payment_catalog;
pub mod payment_repository;
pub mod store;
pub mod webhook_stores;

/// What a function that opens an adapter returns: the port and what is kept beside it, or nothing.
pub trait Opened<Port, Kept> {
    /// Both, where there is something to open.
    fn opened(self) -> Option<(Port, Kept)>;
}

impl<Port, Kept> Opened<Port, Kept> for (Port, Kept) {
    fn opened(self) -> Option<Self> {
        Some(self)
    }
}

impl<Port, Kept> Opened<Port, Kept> for Option<(Port, Kept)> {
    fn opened(self) -> Self {
        self
    }
}

/// Runs every obligation of a payment repository as a test of its own.
#[macro_export]
macro_rules! payment_repository_contract {
    ($open:expr) => {
        $crate::contract_tests! { payment_repository, $open,
            a_payment_that_was_never_stored_is_not_found
            a_stored_payment_is_found_as_it_was
            a_save_raises_the_version_by_one
            an_operation_is_found_as_it_was_left_last
            whatever_a_payment_holds_comes_back
            every_step_of_a_payment_comes_back
            an_inquiry_in_vain_is_counted_at_any_time
            a_name_that_is_taken_is_refused_and_the_first_payment_stays
            an_update_over_another_version_conflicts_and_changes_nothing
            an_update_of_a_payment_that_is_not_there_conflicts
            a_refused_save_leaves_the_version_as_it_was
            of_many_saves_of_one_name_one_wins
            of_many_updates_over_one_version_one_wins
            a_refusal_does_not_undo_its_neighbours
            a_store_that_works_says_so
        }
    };
}

/// Runs every obligation about idempotency keys, which a payment repository keeps too, as a test of its own.
#[macro_export]
macro_rules! idempotency_keys_contract {
    ($open:expr) => {
        $crate::contract_tests! { idempotency_keys, $open,
            a_key_that_was_never_claimed_is_not_found
            a_claimed_key_is_found_with_all_that_was_written
            an_update_gives_the_key_its_answer
            an_answer_of_any_bytes_comes_back
            two_merchants_may_use_one_key
            a_key_that_is_taken_refuses_and_nothing_is_written
            an_update_of_a_key_that_is_not_there_refuses_and_nothing_is_written
            an_update_of_an_answered_key_refuses_and_nothing_is_written
            a_refused_payment_leaves_its_key_unclaimed
            a_refused_update_leaves_its_key_unanswered
            of_many_claims_of_one_key_one_wins
            a_claim_that_lost_does_not_undo_its_neighbours
            keys_that_are_asked_for_at_once_are_each_found_as_they_are
        }
    };
}

/// Runs every obligation of a payment catalog as a test of its own.
#[macro_export]
macro_rules! payment_catalog_contract {
    ($open:expr) => {
        $crate::contract_tests! { payment_catalog, $open,
            an_empty_store_lists_nothing
            the_newest_payment_comes_first
            a_query_tells_what_it_asks_for_alone
            a_page_says_whether_there_is_more
            paging_neither_skips_nor_repeats
            paging_goes_on_while_payments_come
            listed_payments_are_whole
            due_are_those_whose_time_has_come
            what_has_ended_is_not_due
            overdue_are_those_that_nobody_acted_on
            left_to_humans_is_paged_by_name
            old_keys_are_forgotten_the_oldest_first
        }
    };
}

/// Runs every obligation of an event log as a test of its own.
#[macro_export]
macro_rules! event_log_contract {
    ($open:expr) => {
        $crate::contract_tests! { event_log, $open,
            a_log_without_events_is_empty
            an_event_is_told_as_it_happened
            a_save_without_events_adds_none
            an_event_is_told_once
            a_refused_save_adds_no_event
            events_of_a_payment_come_in_their_order
            events_of_one_merchant_alone
            pages_go_on_behind_a_position
            nothing_is_skipped_while_others_write
        }
    };
}

/// Runs every obligation of a store of API keys as a test of its own. The store holds none.
#[macro_export]
macro_rules! api_key_store_contract {
    ($open:expr) => {
        $crate::contract_tests! { api_key_store, $open,
            a_key_that_was_never_stored_is_not_found
            a_stored_key_is_found_as_it_was
            a_changed_key_is_found_as_it_was_left
            a_name_that_is_taken_is_refused
            a_change_over_another_version_conflicts_and_changes_nothing
            every_change_raises_the_revision
            keys_are_listed_by_name_page_by_page
            of_many_changes_over_one_version_one_wins
        }
    };
}

/// Runs every obligation of a feature store as a test of its own. The store keeps no list, and has counted nothing.
#[macro_export]
macro_rules! feature_store_contract {
    ($open:expr) => {
        $crate::contract_tests! { feature_store, $open,
            the_payment_being_decided_counts_as_attempted
            values_come_in_the_order_of_the_specs
            a_payment_counts_once_however_often_it_is_observed
            a_subject_that_the_payment_does_not_have_is_unavailable
            subjects_are_counted_apart
            a_window_ends_to_the_second
            a_payment_that_comes_late_counts_from_its_own_time
            amounts_add_up_in_the_currency_of_the_payment
            approved_and_declined_hold_settled_payments_alone
            a_payment_settles_once
            a_payment_that_was_never_observed_does_not_settle
            distinct_counts_every_other_subject_once
            distinct_asks_for_the_same_filter_and_window
            a_subject_is_seen_with_one_of_itself
            email_addresses_are_one_in_any_case
            payments_at_the_same_time_see_each_other
            a_list_that_nobody_keeps_is_unavailable
        }
    };
}

/// Runs every obligation of an acquirer as a test of its own. It knows the cards of `docs/test-cards.md`, and was asked nothing.
#[macro_export]
macro_rules! acquirer_contract {
    ($open:expr) => {
        $crate::contract_tests! { acquirer, $open,
            an_approval_has_a_reference
            a_decline_has_a_code
            an_operation_is_done_once_however_often_it_is_asked_for
            captures_are_bounded_by_what_is_authorized
            a_void_lets_go_of_what_is_not_captured
            refunds_are_bounded_by_what_is_captured
            nothing_follows_what_was_not_authorized
            a_kept_card_authorizes
            a_card_that_is_not_kept_is_declined
            a_payer_who_proved_who_he_is_is_authorized
            an_inquiry_closes_a_name_that_nothing_came_under
            an_inquiry_and_its_operation_at_the_same_time_agree
            merchants_are_kept_apart
            another_request_under_a_name_is_not_answered
        }
    };
}

/// Runs every obligation of a list store as a test of its own. The store is empty.
#[macro_export]
macro_rules! list_store_contract {
    ($open:expr) => {
        $crate::contract_tests! { list_store, $open,
            an_item_is_found_as_it_was_put
            an_item_of_the_same_value_takes_the_place_of_the_first
            items_are_apart_by_list_and_subject
            an_item_that_was_removed_is_there_no_more
            an_item_that_has_expired_is_not_there
            a_list_that_nobody_ever_put_anything_on_is_unknown
            a_list_stays_when_its_last_item_is_gone
            pages_hold_every_item_once_and_in_order
            a_cursor_outlives_its_item
            changes_are_told_from_a_revision_on
            changes_come_in_pages
            items_that_are_put_at_the_same_time_are_all_told
            there_are_only_so_many_lists
            a_list_holds_only_so_many_items
        }
    };
}

/// Runs every obligation of a decision log as a test of its own. The log is empty, and readers wait long for what was taken in.
#[macro_export]
macro_rules! decision_log_contract {
    ($open:expr) => {
        $crate::contract_tests! { decision_log, $open,
            a_decision_that_was_never_recorded_is_not_found
            a_recorded_decision_is_found_as_it_was_made
            whatever_policies_say_comes_back
            a_second_decision_of_a_name_changes_nothing
            decisions_are_listed_newest_first_and_of_one_time_by_name
            a_listing_is_narrowed_by_all_that_is_asked_for
            pages_of_decisions_hold_each_once
            what_was_taken_in_before_is_read
            decisions_that_come_while_somebody_pages_move_nothing
        }
    };
}

/// Runs every obligation of a store of webhooks as a test of its own. The store is empty.
#[macro_export]
macro_rules! webhook_stores_contract {
    ($open:expr) => {
        $crate::contract_tests! { webhook_stores, $open,
            an_endpoint_is_found_as_it_was_made
            a_merchant_has_no_more_endpoints_than_he_may
            an_endpoint_starts_behind_the_last_event
            a_change_changes_what_it_says
            a_deleted_endpoint_is_gone
            of_many_who_move_the_position_one_does
            an_event_goes_to_an_endpoint_once
            of_many_who_claim_each_gets_others
            a_delivery_keeps_its_body_and_its_attempts
            only_a_success_counts_under_a_lapsed_claim
            an_endpoint_that_nothing_reaches_for_long_is_disabled
            an_attempt_that_ends_behind_the_disabling_disables_nothing
            a_replay_makes_a_delivery_due
            deliveries_are_listed_and_forgotten
        }
    };
}

/// One test per name.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($suite:ident, $open:expr, $($obligation:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $obligation() {
                if let Some((port, _kept)) = $crate::contracts::Opened::opened(($open)().await) {
                    $crate::contracts::$suite::$obligation(port).await;
                }
            }
        )+
    };
}
