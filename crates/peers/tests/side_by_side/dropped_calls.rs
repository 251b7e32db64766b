//! What is known of a call whose caller went away.

use cutover_peers::dual::Books;

use super::dual;

fn books(library: &str) -> Books {
    Books::of(dual(library).as_ref())
}

#[test]
fn cutover_counts_a_call_that_is_dropped_half_way() {
    assert_eq!([books("cutover `run`"), books("cutover `run_detached`")], [Books::Balanced; 2]);
}

#[test]
fn others_lose_a_call_that_is_dropped_half_way() {
    assert_eq!([books("scientisto"), books("request-shadow")], [Books::NoTrace; 2]);
    assert_eq!(books("thesis"), Books::StartOnly);
}
