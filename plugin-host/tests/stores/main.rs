//! One suite for both policy stores: the same behaviours are asked of a folder and of a real etcd, which the tests start
//! themselves. Without etcd on PATH those tests say so and pass; with `REQUIRE_BACKENDS=1` they fail instead.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop right there, also in its helpers"
)]

mod archive;
mod backend;
mod behaviours;
mod directory;
mod documentation;
mod etcd;
mod etcd_process;
mod fixtures;
mod garbage;
mod parsers;
mod proposals;
mod signing;

/// Runs every behaviour on both stores.
macro_rules! on_every_store {
    ($($behaviours:ident: $($behaviour:ident),* $(,)?;)*) => {
        mod on_a_directory {
            $($(#[tokio::test]
            async fn $behaviour() {
                let backend = crate::backend::directory();
                crate::$behaviours::$behaviour(&backend).await;
            })*)*
        }

        mod on_etcd {
            $($(#[tokio::test]
            async fn $behaviour() {
                let Some(backend) = crate::backend::etcd().await else {
                    return;
                };
                crate::$behaviours::$behaviour(&backend).await;
            })*)*
        }
    };
}

on_every_store! {
    behaviours:
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
    a_watch_may_be_dropped_while_it_waits,;

    archive:
    a_history_is_listed_with_the_newest_first,
    a_trimmed_entry_is_gone_and_the_next_sequence_goes_on,
    artifacts_are_listed_with_their_last_chunks,
    an_artifact_is_deleted_only_as_it_was_looked_at;

    proposals:
    a_candidate_is_put_beside_the_release_and_promoted_or_dropped,
    a_candidate_shares_with_its_release_what_it_cannot_have_of_its_own,
    a_rollback_brings_back_what_ran_before_under_a_new_sequence,
    a_retirement_is_published_once_and_a_release_brings_the_policy_back,
    what_is_not_there_is_not_gone_on_from,
    what_a_node_has_seen_counts_also_after_the_store_was_put_back,
    a_document_whose_time_is_over_is_not_published,
    a_policy_that_nodes_may_not_be_without_is_not_retired;

    garbage:
    what_nobody_needs_is_collected_and_nothing_else,
    what_cannot_be_read_stops_the_collection,
    what_is_pushed_while_garbage_is_collected_is_never_lost,
    a_push_writes_again_what_was_collected_before_its_document_was_written;
}
