//! Envelopes, policy documents, manifests and node statuses. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::policy_document::run(data));
