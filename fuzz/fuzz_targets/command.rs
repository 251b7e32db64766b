#![no_main]

#[path = "../src/command.rs"]
mod command;

libfuzzer_sys::fuzz_target!(|input: &[u8]| command::check(input));
