//! Answers of an acquirer. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::acquirer_answers::run(data));
