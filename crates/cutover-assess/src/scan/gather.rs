//! Brings together what was found in all files.

use std::collections::HashMap;

use siphasher::sip128::SipHasher24;

use super::plan::Plan;
use super::search::{Place, Searched};
use super::walk::Outcome;
use crate::assessment::{Assessment, Elsewhere, Scanned};
use crate::context::Context;
use crate::effort::EffortWeights;
use crate::finding::Finding;
use crate::fingerprint::Fingerprint;
use crate::skipped::Skipped;

/// The assessment of all files. It does not depend on their order.
pub(super) fn gather(plan: &Plan<'_>, mut outcomes: Vec<Outcome>, effort: EffortWeights) -> Assessment {
    outcomes.sort_by(|one, other| one.path.cmp(&other.path));
    let (mut skipped, mut searched) = (Vec::new(), Vec::new());
    for Outcome { path, result } in outcomes {
        match result {
            Ok(file) => searched.push(file),
            Err(reason) => skipped.push(Skipped { path, reason }),
        }
    }
    skipped.sort();
    let rules = plan.rules.iter().map(|&rule| rule.clone()).collect();
    let (scanned, elsewhere) = (amount(&searched), elsewhere(plan, &searched));
    let mut warnings = plan.unmet();
    warnings.extend(searched.iter_mut().flat_map(|file| std::mem::take(&mut file.warnings)));
    warnings.sort();
    let (allowed, findings) = tell_apart(searched.into_iter().flat_map(|file| file.places));
    Assessment { rules, scanned, findings, allowed, elsewhere, skipped, warnings, effort }
}

fn amount(searched: &[Searched]) -> Scanned {
    Scanned { files: searched.len() as u64, bytes: searched.iter().map(|file| file.bytes).sum() }
}

fn elsewhere(plan: &Plan<'_>, searched: &[Searched]) -> Vec<Elsewhere> {
    let all = searched.iter().flat_map(|file| file.elsewhere.iter().copied());
    let counts = plan.counts::<Context>(all).into_iter();
    counts.map(|((rule, context), places)| Elsewhere { rule: rule.into(), context, places }).collect()
}

/// What is allowed and what is not, with fingerprints that tell equal places apart.
fn tell_apart(places: impl Iterator<Item = Place>) -> (Vec<Finding>, Vec<Finding>) {
    let mut counts: HashMap<Fingerprint, u64> = HashMap::new();
    let numbered = places.map(|mut place| {
        let count = counts.entry(place.finding.fingerprint).or_default();
        place.finding.fingerprint = nth(place.finding.fingerprint, *count);
        *count += 1;
        place
    });
    let (allowed, findings): (Vec<_>, Vec<_>) = numbered.partition(|place| place.allowed);
    (
        allowed.into_iter().map(|place| place.finding).collect(),
        findings.into_iter().map(|place| place.finding).collect(),
    )
}

fn nth(fingerprint: Fingerprint, count: u64) -> Fingerprint {
    let bytes = [&fingerprint.0.to_le_bytes()[..], &count.to_le_bytes()[..]].concat();
    Fingerprint(SipHasher24::new().hash(&bytes).as_u128())
}
