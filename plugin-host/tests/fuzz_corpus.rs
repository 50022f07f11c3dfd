//! What fuzzing found and keeps, replayed by the compiler that the gateway is built with. `fuzz/README.md` says how to add to
//! it.

#[cfg(test)]
#[path = "../../fuzz/src/chunk_assembly.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
mod chunk_assembly;
#[cfg(test)]
#[path = "../../fuzz/src/corpus.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
mod corpus;
#[cfg(test)]
#[path = "../../fuzz/src/golden_cases.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
mod golden_cases;
#[cfg(test)]
#[path = "../../fuzz/src/policy_document.rs"]
#[expect(unreachable_pub, reason = "public where it is compiled for the fuzzer")]
mod policy_document;

#[test]
fn documents_of_strangers_are_read_and_written_as_the_same() {
    corpus::replay("policy_document", policy_document::run);
}

#[test]
fn golden_cases_of_strangers_come_out_as_they_went_in() {
    corpus::replay("golden_cases", golden_cases::run);
}

#[test]
fn a_store_that_lies_gives_no_bytes_that_a_document_does_not_name() {
    corpus::replay("chunk_assembly", chunk_assembly::run);
}
