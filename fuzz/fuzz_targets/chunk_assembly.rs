//! An artifact, put together from a store that lies. See the module of that name in `src/`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis_fuzz::chunk_assembly::run(data));
