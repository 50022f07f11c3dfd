//! Lists of subjects, from the configuration. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::policy_lists::run(data));
