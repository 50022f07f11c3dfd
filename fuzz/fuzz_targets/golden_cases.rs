//! Golden cases, and the section that they travel in. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::golden_cases::run(data));
