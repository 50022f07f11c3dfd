//! One suite for both policy stores: the same behaviours are asked of a folder and of a real etcd, which the tests start
//! themselves. Without etcd on PATH those tests say so and pass; with `REQUIRE_BACKENDS=1` they fail instead.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop right there, also in its helpers"
)]

mod backend;
mod behaviours;
mod directory;
mod documentation;
mod etcd;
mod etcd_process;
mod fixtures;
mod parsers;
mod signing;

/// Runs every behaviour on both stores.
macro_rules! on_every_store {
    ($($behaviour:ident),* $(,)?) => {
        mod on_a_directory {
            $(#[tokio::test]
            async fn $behaviour() {
                let backend = crate::backend::directory();
                crate::behaviours::$behaviour(&backend).await;
            })*
        }

        mod on_etcd {
            $(#[tokio::test]
            async fn $behaviour() {
                let Some(backend) = crate::backend::etcd().await else {
                    return;
                };
                crate::behaviours::$behaviour(&backend).await;
            })*
        }
    };
}

on_every_store! {
    a_new_store_is_empty,
    a_listing_holds_what_was_put_by_name,
    a_transaction_is_one_change,
    a_change_between_listing_and_watching_is_not_missed,
    a_document_that_changed_meanwhile_is_a_conflict_and_nothing_is_written,
    a_sequence_is_used_once,
    a_document_that_is_signed_by_others_takes_the_place_of_its_own_history,
    a_listing_never_shows_half_a_transaction,
    an_artifact_comes_back_as_it_was_put,
    a_damaged_artifact_is_refused_and_mended_by_publishing_again,
    a_document_written_by_hand_is_seen,
    a_tampered_value_is_delivered_as_it_is_and_refused_by_the_parser,
    an_oversized_transaction_is_refused,
    a_node_that_reports_is_listed,
    publishing_the_same_again_writes_nothing,
    publishing_after_a_deletion_goes_on_counting,
    publications_that_cross_all_get_through,
    a_watch_may_be_dropped_while_it_waits,
}
