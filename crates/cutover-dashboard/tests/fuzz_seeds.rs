//! Every committed seed of the fuzz target of commands keeps what the target checks.
#![expect(clippy::indexing_slicing, reason = "a check fails by panicking")]
#![expect(clippy::print_stdout, reason = "the harness shows the seed of a check that fails")]

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/command.rs"]
#[expect(unreachable_pub, reason = "a crate of its own elsewhere")]
#[expect(clippy::wildcard_enum_match_arm, reason = "the other commands have no field")]
mod command;

#[test]
fn commands_keep_what_their_target_checks() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/command");
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= 15, "{} seeds in {}", seeds.len(), folder.display());
    for seed in seeds {
        println!("{}", seed.display());
        let seed = fs::read(&seed).unwrap();
        command::check(&seed);
        let padded = |size: usize| seed.iter().copied().chain(std::iter::repeat(b' ')).take(size).collect::<Vec<_>>();
        command::check(&padded(16 * 1024));
        command::check(&padded(16 * 1024 + 1));
    }
}
