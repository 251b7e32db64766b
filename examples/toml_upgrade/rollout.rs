//! Step 3: new answers a growing share of the documents, then all of them; and step 4 takes everything back.

use std::collections::HashSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use cutover::{Clock, MemoryRecorder, MigrationController, Percentage, Side, SystemClock, SystemMode};

use crate::documents::Document;
use crate::parse::{Parser, parse_contained, parser};

/// How many documents stand for a day's calls in each step.
pub(crate) const SAMPLE: usize = 2_000;

/// What came of one step.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) mode: SystemMode,
    pub(crate) rollout: Percentage,
    /// Documents routed to new.
    pub(crate) new: usize,
    /// Documents routed to legacy.
    pub(crate) legacy: usize,
    /// Documents that went to new before, and do not any more.
    pub(crate) moved_back: usize,
    /// Documents that new could not read while it served, so that legacy was asked.
    pub(crate) fallbacks: u64,
    /// Documents on which both sides ran.
    pub(crate) compared: u64,
    /// Documents for which the caller got an error.
    pub(crate) errors: usize,
}

/// The steps of the rollout, with the shadow on for a tenth of the keys, up to the mode in which new serves alone.
pub(crate) async fn ramp(migration: &MigrationController, documents: &[Document]) -> Result<Vec<Step>, Box<dyn Error>> {
    let parser = parser("rollout", migration, &Arc::new(MemoryRecorder::new()), |_: &str, _: &_| {});
    migration.transition(SystemMode::GradualRollout, "ana", "the disagreements are known").await?;
    migration.set_shadow_share(Some(Percentage::new(10.0)?), "ana", "go on comparing a tenth").await?;
    let mut steps = Vec::new();
    let mut in_before = HashSet::new();
    for (percent, reason) in STEPS {
        migration.set_rollout(Percentage::new(percent)?, "ana", reason).await?;
        steps.push(serve(&parser, migration, documents, &mut in_before));
    }
    migration.transition(SystemMode::NewOnly, "ana", "legacy is not needed any more").await?;
    steps.push(serve(&parser, migration, documents, &mut in_before));
    Ok(steps)
}

const STEPS: [(f64, &str); 5] = [
    (10.0, "first tenth"),
    (25.0, "a quiet day"),
    (50.0, "a quiet week"),
    (75.0, "nobody complained"),
    (100.0, "everybody"),
];

/// Serves every document once, as the mode and the rollout say.
fn serve<'d>(
    parser: &Parser,
    migration: &MigrationController,
    documents: &'d [Document],
    in_before: &mut HashSet<&'d str>,
) -> Step {
    let before = parser.counts();
    let errors = documents.iter().filter(|document| parse_contained(parser, document).is_err()).count();
    let after = parser.counts();

    let names = documents.iter().map(|document| document.name.as_str());
    let in_now: HashSet<_> = names.filter(|name| migration.route(*name).serve == Side::New).collect();
    let moved_back = in_before.difference(&in_now).count();
    let new = in_now.len();
    *in_before = in_now;
    Step {
        mode: migration.mode(),
        rollout: migration.rollout(),
        new,
        legacy: documents.len() - new,
        moved_back,
        fallbacks: after.fallbacks - before.fallbacks,
        compared: after.selected - before.selected,
        errors,
    }
}

/// What an emergency looks like from inside the process.
#[derive(Debug)]
pub(crate) struct Rollback {
    /// From the call to the first route that says legacy.
    pub(crate) took: Duration,
    /// Documents routed to new before and after.
    pub(crate) new: [usize; 2],
    /// The modes that may follow.
    pub(crate) allowed: Vec<SystemMode>,
}

pub(crate) async fn roll_back(migration: &MigrationController, documents: &[Document]) -> Rollback {
    let routed_to_new = || documents.iter().filter(|one| migration.route(&*one.name).serve == Side::New).count();
    let clock = SystemClock::new();
    let before = routed_to_new();
    let pulled = clock.now();
    let stored = migration.emergency_rollback("ben", "an order was read wrong");
    let took = clock.now().since(pulled);
    let after = routed_to_new();
    stored.await;
    Rollback { took, new: [before, after], allowed: migration.status().allowed }
}
