//! What an artifact is held against before any of its code runs. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::contract_check::run(data));
