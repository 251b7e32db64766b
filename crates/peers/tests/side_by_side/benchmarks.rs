//! Everything that is measured runs, and allocates what is promised. Times are not looked at.

use std::fs;
use std::process::Command;

use cutover_peers::harness::Results;
use cutover_peers::{Guarantee, comparisons};

#[test]
fn every_subject_runs_and_only_those_that_promise_it_do_not_allocate() {
    let folder = tempfile::tempdir().unwrap();
    let (page, figures) = (folder.path().join("BENCHMARKS.md"), folder.path().join("results.json"));
    let mut peers = Command::new(env!("CARGO_BIN_EXE_peers"));
    peers.arg("--quick").arg("--output").arg(&page).arg("--results").arg(&figures);
    let ended = peers.output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));

    let results: Results = serde_json::from_slice(&fs::read(figures).unwrap()).unwrap();
    let page = fs::read_to_string(page).unwrap();
    for comparison in comparisons() {
        assert!(page.contains(comparison.title), "{}", comparison.title);
        for entry in &comparison.entries {
            let timed = |threads| {
                let of_it = results
                    .times
                    .iter()
                    .filter(|times| (&*times.comparison, times.threads) == (comparison.id, threads));
                of_it.flat_map(|times| &times.subjects).any(|timed| timed.name == entry.name && !timed.nanos.is_empty())
            };
            assert!(timed(1) && timed(2), "{} of {}", entry.name, comparison.id);
            let counted = results
                .allocations
                .iter()
                .find(|counted| (&*counted.comparison, &*counted.subject) == (comparison.id, entry.name));
            let free = counted.unwrap().per_call == 0.0;
            assert_eq!(
                free,
                entry.offers(Guarantee::AllocationFree),
                "{} of {}: {counted:?}",
                entry.name,
                comparison.id
            );
        }
    }
}
