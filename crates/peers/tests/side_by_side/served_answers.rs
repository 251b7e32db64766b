//! What the caller of a dual run gets when something beside the served side fails.

use std::time::Duration;

use cutover_peers::dual::Fault::{HungShadow, PanickingComparator, PanickingRecorder, PanickingShadow, SlowShadow};
use cutover_peers::dual::Seen::{CannotHappen, Nothing, Panic};
use cutover_peers::dual::{Fault, Seen, observe};

use super::dual;

const AT_ONCE: Seen = after(0);

const fn after(millis: u64) -> Seen {
    Seen::Answer(Duration::from_millis(millis))
}

#[track_caller]
fn sees(library: &str, expected: [(Fault, Seen); 5]) {
    for (fault, seen) in expected {
        assert_eq!(observe(dual(library).as_ref(), fault), seen, "{library}: {}", fault.words());
    }
}

#[test]
fn a_caller_of_cutover_waits_for_its_patience_and_gets_the_answer() {
    let faults = [
        (HungShadow, after(100)),
        (SlowShadow, after(100)),
        (PanickingShadow, AT_ONCE),
        (PanickingComparator, AT_ONCE),
        (PanickingRecorder, AT_ONCE),
    ];
    sees("cutover `run`", faults);
}

#[test]
fn a_caller_of_a_detached_call_of_cutover_waits_for_nothing() {
    sees("cutover `run_detached`", Fault::ALL.map(|fault| (fault, AT_ONCE)));
}

#[test]
fn a_caller_of_closures_gets_the_answer_of_cutover() {
    let faults = [
        (HungShadow, CannotHappen),
        (SlowShadow, CannotHappen),
        (PanickingShadow, AT_ONCE),
        (PanickingComparator, AT_ONCE),
        (PanickingRecorder, AT_ONCE),
    ];
    sees("cutover `run_sync`", faults);
}

#[test]
fn a_caller_of_launchdarkly_waits_for_the_shadow_and_gets_its_panics() {
    let faults = [
        (HungShadow, Nothing),
        (SlowShadow, after(500)),
        (PanickingShadow, Panic),
        (PanickingComparator, Panic),
        (PanickingRecorder, CannotHappen),
    ];
    sees("launchdarkly-server-sdk", faults);
}

#[test]
fn a_caller_of_scientisto_waits_for_the_shadow_and_gets_all_panics() {
    let faults = [
        (HungShadow, Nothing),
        (SlowShadow, after(500)),
        (PanickingShadow, Panic),
        (PanickingComparator, Panic),
        (PanickingRecorder, Panic),
    ];
    sees("scientisto", faults);
}

#[test]
fn a_caller_of_closures_of_scientisto_gets_the_panics_of_its_publisher() {
    let faults = [
        (HungShadow, CannotHappen),
        (SlowShadow, CannotHappen),
        (PanickingShadow, AT_ONCE),
        (PanickingComparator, Panic),
        (PanickingRecorder, Panic),
    ];
    sees("scientisto, closures", faults);
}

#[test]
fn a_caller_of_thesis_waits_for_the_shadow_and_gets_all_panics() {
    let faults = [
        (HungShadow, Nothing),
        (SlowShadow, after(500)),
        (PanickingShadow, Panic),
        (PanickingComparator, Panic),
        (PanickingRecorder, Panic),
    ];
    sees("thesis", faults);
}

#[test]
fn a_caller_of_request_shadow_waits_for_the_shadow_or_its_timeout_and_gets_its_panics() {
    let faults = [
        (HungShadow, after(2_000)),
        (SlowShadow, after(500)),
        (PanickingShadow, Panic),
        (PanickingComparator, CannotHappen),
        (PanickingRecorder, CannotHappen),
    ];
    sees("request-shadow", faults);
}
