//! What every adapter of a port owes, one function an obligation.
//!
//! A crate runs a suite over its adapter by naming a function that opens it:
//!
//! ```text
//! async fn open() -> (Arc<dyn PaymentRepository>, TempDir) { … }
//!
//! testkit::payment_repository_contract!(open);
//! ```
//!
//! What comes back beside the port, such as a folder, is kept until the test has ended.

pub mod feature_store;
pub mod payment_repository;
pub mod webhook_stores;

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
                let (port, _kept) = ($open)().await;
                $crate::contracts::$suite::$obligation(port).await;
            }
        )+
    };
}
