//! What fuzzing found and keeps, replayed by the compiler that the gateway is built with. `fuzz/README.md` says how to add to
//! it.

#[path = "../../../fuzz/src/corpus.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
mod corpus;
#[path = "../../../fuzz/src/http_bodies.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
mod http_bodies;

#[test]
fn requests_of_strangers_are_served_or_refused_politely() {
    corpus::replay("http_bodies", http_bodies::run);
}
