//! What fuzzing found and keeps, replayed by the compiler that the gateway is built with. `fuzz/README.md` says how to add to
//! it.

#[path = "../../../../fuzz/src/corpus.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
#[expect(
    clippy::expect_used,
    reason = "it says what it missed: a corpus that cannot be read proves nothing"
)]
mod corpus;
#[path = "../../../../fuzz/src/policy_lists.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
mod policy_lists;

#[test]
fn lists_of_strangers_are_kept_or_refused_without_their_card_numbers() {
    corpus::replay("policy_lists", policy_lists::run);
}
