#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cutover_fuzz::flag_set::check(input));
