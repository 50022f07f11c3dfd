//! Loading a component, and running it. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::component_loading::run(data));
