//! Makes results short enough for the audit.

use super::{CheckResult, ItemResult, all_passed};
use crate::text::cut;

/// How many bytes of results, as JSON, fit into the evidence of an entry, with some to spare for what stands beside them.
const MOST_OF_RESULTS: usize = 24 * 1024;
/// What is kept of the last item, which says how many were left out.
const LAST: usize = 256;
/// How many characters of each reason are kept: as many as there is room for.
const REASONS: [usize; 4] = [200, 100, 50, 25];

/// The results as the audit keeps them: with shorter reasons where all do not fit, and without the last items where that is
/// not enough. Then one more says how many were left out, and passes only if all of them do. What does not pass is left out
/// last.
pub(crate) fn fitted(mut results: Vec<ItemResult>) -> Vec<ItemResult> {
    for most in REASONS {
        if size(&results) <= MOST_OF_RESULTS {
            return results;
        }
        for item in &mut results {
            shorten(&mut item.result, most);
        }
    }
    if size(&results) > MOST_OF_RESULTS { without_the_last(results) } else { results }
}

fn size(results: &[ItemResult]) -> usize {
    results.iter().map(bytes).sum()
}

/// As JSON, with the comma after it.
fn bytes(item: &ItemResult) -> usize {
    serde_json::to_string(item).map_or(0, |json| json.len()) + 1
}

fn shorten(result: &mut CheckResult, most: usize) {
    match result {
        CheckResult::Pass => {}
        CheckResult::Fail { reason } | CheckResult::Error { reason } => *reason = cut(reason, most),
        CheckResult::Waived { actor, reason } => (*actor, *reason) = (cut(actor, most), cut(reason, most)),
    }
}

fn without_the_last(results: Vec<ItemResult>) -> Vec<ItemResult> {
    let (passed, mut items): (Vec<_>, Vec<_>) = results.into_iter().partition(|item| item.result.lets_pass());
    items.extend(passed);
    let mut room = MOST_OF_RESULTS - LAST;
    let fits = |item: &&ItemResult| {
        let left = room.checked_sub(bytes(item));
        room = left.unwrap_or(room);
        left.is_some()
    };
    let left_out = items.split_off(items.iter().take_while(fits).count());
    items.push(in_one(&left_out));
    items
}

fn in_one(left_out: &[ItemResult]) -> ItemResult {
    let item = format!("{} more items", left_out.len());
    let open = left_out.iter().filter(|item| !item.result.lets_pass()).count();
    let result = if all_passed(left_out) {
        CheckResult::Pass
    } else {
        CheckResult::Error { reason: format!("left out of the audit; {open} of them did not pass") }
    };
    ItemResult { item, result }
}
