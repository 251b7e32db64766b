//! Every committed seed of the fuzz target of commands keeps what the target checks.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a check fails by panicking")]
#![expect(clippy::print_stdout, reason = "the harness shows the seed of a check that fails")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[path = "../../../fuzz/src/command.rs"]
#[expect(unreachable_pub, reason = "a crate of its own elsewhere")]
#[expect(clippy::wildcard_enum_match_arm, reason = "the other commands have no field")]
mod command;

fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/command");
    let mut seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= 15, "{} seeds in {}", seeds.len(), folder.display());
    seeds.into_iter().map(|seed| fs::read(seed).unwrap()).collect()
}

proptest! {
    #[test]
    fn seeds_that_were_bent_keep_it_too(
        seed in prop::sample::select(seeds()),
        bends in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 0..8),
    ) {
        let mut bent = seed;
        for (place, byte, instead) in bends {
            let place = place.index(bent.len());
            if instead { bent[place] = byte } else { bent.insert(place, byte) }
        }
        command::check(&bent);
    }

    #[test]
    fn any_bytes_keep_it(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        command::check(&bytes);
    }
}

#[test]
fn commands_keep_what_their_target_checks() {
    for seed in seeds() {
        println!("{}", String::from_utf8_lossy(&seed));
        command::check(&seed);
        let padded = |size: usize| seed.iter().copied().chain(std::iter::repeat(b' ')).take(size).collect::<Vec<_>>();
        command::check(&padded(16 * 1024));
        command::check(&padded(16 * 1024 + 1));
    }
}
