//! Requests to the HTTP interface. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::http_bodies::run(data));
