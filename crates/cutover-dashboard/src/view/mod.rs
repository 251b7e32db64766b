//! What pages and the JSON API show: plain values, made from one look at a migration, with the same content for both.
//!
//! As JSON, times are milliseconds since 1970 (UTC), durations are nanoseconds and rates are from 0 to 1; shares and rollouts
//! are in percent, as the core writes them.

use cutover::control::Doubt;
use cutover::guard::{GuardReport, Trigger};
use cutover::plan::{PlanReport, Step};
use cutover::record::{Discrepancy, Fingerprint};
use cutover::store::{AuditEntry, ClaimRecord, GroupName, MigrationId};
use cutover::{MigrationStatus, SystemMode};
use serde::Serialize;

use crate::Role;

/// All migrations at a glance: `GET /api/v1/migrations`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Overview {
    /// Who asked, as the audit would name them.
    pub actor: String,
    /// What they may do.
    pub role: Role,
    /// When this was seen.
    pub as_of: u64,
    /// Another text whenever something of this has changed: what the event stream says.
    pub stamp: String,
    /// Those that need somebody most come first, among them the ones that were rolled back, then by id.
    pub migrations: Vec<Summary>,
    /// The groups of the host's registry, by name.
    pub groups: Vec<GroupView>,
}

/// Migrations that are rolled back together: `POST /api/v1/groups/{group}/emergency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupView {
    /// Its name.
    pub name: GroupName,
    /// The ids of its migrations, sorted; those that the dashboard does not show too.
    pub migrations: Vec<MigrationId>,
}

/// One migration among all.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Summary {
    /// What holds.
    pub status: MigrationStatus,
    /// What is wrong, or waits for a person; the worst first.
    pub attention: Vec<Attention>,
    /// Where its plan stands, in a line.
    pub plan: Option<String>,
}

/// One migration: `GET /api/v1/migrations/{id}`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct MigrationView {
    /// Who asked, as the audit would name them.
    pub actor: String,
    /// What they may do.
    pub role: Role,
    /// Another text whenever something of this has changed: what the event stream says.
    pub stamp: String,
    /// What holds. Its epoch and etag are what a command has to expect.
    pub status: MigrationStatus,
    /// What is wrong, or waits for a person; the worst first.
    pub attention: Vec<Attention>,
    /// Every mode but the present one, with what stands in its way.
    pub choices: Vec<Choice>,
    /// The plan, if there is one.
    pub plan: Option<PlanView>,
    /// What the guard found last, the plan's or the one beside.
    pub guard: Option<GuardReport>,
    /// How many different discrepancies are kept; `None` if they are not shown, or could not be counted. Where a store keeps
    /// them they are counted every half minute, and 1,000 stands for as many and more.
    pub discrepancies: Option<usize>,
    /// How many claims are stuck; `None` if they are not shown, or could not be counted. They are counted every half minute,
    /// and 200 stands for as many and more.
    pub stuck: Option<usize>,
    /// Both sides over time, if there is a monitor.
    pub series: Option<Series>,
}

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Attention {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in a sentence that says what to do where something is to be done.
    pub text: String,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Severity {
    /// Good to know.
    Notice,
    /// Look soon.
    Warning,
    /// Look now.
    Alarm,
}

/// A mode that could be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Choice {
    /// The mode.
    pub mode: SystemMode,
    /// Why it is refused, in a sentence: by the table of transitions, by doubt about the store, or because the role of who
    /// asks is too low. `None` if it may be chosen.
    pub refused: Option<String>,
    /// Whether the migration's name has to be typed.
    pub confirm: bool,
}

/// A plan, and where it stands.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PlanView {
    /// Its name.
    pub name: String,
    /// Its steps, in order.
    pub steps: Vec<StepView>,
    /// What the last look of its driver saw; `None` before the first one.
    pub report: Option<PlanReport>,
}

/// A step of a plan.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StepView {
    /// The step.
    pub step: Step,
    /// Where it is.
    pub state: StepState,
    /// What is still missing before the plan goes on to this step, in sentences; empty for steps that are not next.
    pub needs: Vec<String>,
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepState {
    /// The plan has left it.
    Past,
    /// The plan stands here.
    Present,
    /// It comes next.
    Next,
    /// It comes later.
    Ahead,
}

/// Both sides over time: `GET /api/v1/migrations/{id}/series`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Series {
    /// The time between two points.
    pub every: u64,
    /// Oldest first.
    pub points: Vec<Point>,
}

/// What happened between the point before and this one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Point {
    /// When.
    pub at: u64,
    /// The epoch of the record by which calls were routed.
    pub epoch: u64,
    /// Its mode.
    pub mode: SystemMode,
    /// The rollout then.
    pub rollout: f64,
    /// The legacy side.
    pub legacy: SidePoint,
    /// The new side.
    pub new: SidePoint,
    /// How many pairs were compared.
    pub compared: u64,
    /// The share of them that disagreed; `None` if none were.
    pub mismatch_rate: Option<f64>,
    /// For each trigger of the guard, how far its evidence is on the way to its threshold: 1 has reached it.
    pub evidence: Vec<Evidence>,
}

/// One side in a [`Point`].
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct SidePoint {
    /// How many of its runs ended or became overdue.
    pub calls: u64,
    /// How many of them were not given up: those that `success_rate` is a share of.
    pub trials: u64,
    /// The share of the trials that succeeded; `None` without any.
    pub success_rate: Option<f64>,
    /// The median of how long they took.
    pub p50: Option<u64>,
    /// 95 % took at most this.
    pub p95: Option<u64>,
    /// 99 % took at most this.
    pub p99: Option<u64>,
}

/// How far a trigger is on the way to its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The trigger.
    pub trigger: Trigger,
    /// The logarithm of the e-value divided by that of the threshold, or the same of the detector of changes if that is
    /// farther: from 0, and 1 and more is proven.
    pub share: f64,
}

/// A page of discrepancies: `GET /api/v1/migrations/{id}/discrepancies`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DiscrepancyPage {
    /// The migration.
    pub id: MigrationId,
    /// One for each fingerprint, those with the most occurrences first among the ones looked at.
    pub discrepancies: Vec<Discrepancy>,
    /// Where the next page begins.
    pub next: Option<Fingerprint>,
    /// How many were looked at for this page.
    pub searched: usize,
    /// How many found no room where they are kept, in this process.
    pub dropped: Option<u64>,
    /// Why something is missing here, in a sentence, such as that the store did not answer.
    pub trouble: Option<String>,
}

/// A page of the audit, newest first: `GET /api/v1/migrations/{id}/audit`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AuditPage {
    /// The migration.
    pub id: MigrationId,
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// The next page has the entries before this epoch.
    pub next: Option<u64>,
    /// What verification found, if it was asked for and the store answered.
    pub verification: Option<Verification>,
    /// Why something is missing here, in a sentence, such as that the store did not answer.
    pub trouble: Option<String>,
}

/// Whether the audit is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// Whether it is.
    pub intact: bool,
    /// Up to which epoch it was checked, or what the first bad entry is, in a sentence.
    pub finding: String,
    /// The newest hash, as hexadecimal digits: keep it elsewhere, to notice a cut tail.
    pub head: Option<String>,
}

/// Claimed items: `GET /api/v1/migrations/{id}/claims`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ClaimsPage {
    /// The migration.
    pub id: MigrationId,
    /// Items whose holder is gone.
    pub stuck: Vec<ClaimRecord>,
    /// The item that was looked up, if it was ever claimed.
    pub found: Option<ClaimRecord>,
    /// Why something is missing here, in a sentence, such as that the store did not answer.
    pub trouble: Option<String>,
}

/// What came of a command.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Answer {
    /// The epoch of the record that holds now.
    pub epoch: u64,
    /// Whether a record was stored; otherwise everything held already, or an emergency is still being stored.
    pub stored: bool,
    /// What happened, in a sentence.
    pub text: String,
}

/// What came of an emergency of several migrations.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Answers {
    /// What came of each, by id.
    pub answers: Vec<AnswerOf>,
}

/// What came of a command for one of several migrations.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AnswerOf {
    /// The migration.
    pub id: MigrationId,
    /// What came of it.
    #[serde(flatten)]
    pub answer: Answer,
}

/// Why nothing was done, as [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) has it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The kind, such as `outdated`, `transition`, `role`, `confirmation`, `store`.
    pub r#type: &'static str,
    /// The status of the response.
    pub status: u16,
    /// What is wrong and what would be taken, in a sentence.
    pub detail: String,
    /// Why the store is not believed, if that is it.
    pub doubt: Option<Doubt>,
}
