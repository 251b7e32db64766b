//! Whether a call can be awaited in `tokio::spawn`, or in the handler of a server.

use super::dual;

#[test]
fn calls_of_cutover_move_between_threads() {
    assert!(["cutover `run`", "cutover `run_detached`", "cutover `run_sync`"].iter().all(|way| dual(way).is_send()));
}

#[test]
fn calls_of_a_migrator_of_launchdarkly_stay_on_their_thread_and_those_of_others_move() {
    assert!(!dual("launchdarkly-server-sdk").is_send());
    assert!(["scientisto", "scientisto, closures", "thesis", "request-shadow"].iter().all(|name| dual(name).is_send()));
}
