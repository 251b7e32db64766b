#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover_fuzz::record::check(input));
