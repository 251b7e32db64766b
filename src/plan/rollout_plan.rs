//! [`RolloutPlan`]: the steps of a migration, as data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::{check_name, check_steps};
use super::{PlanError, Step, span};

/// The steps by which a migration moves from legacy to new, in their order. It is checked when it is made and when it is
/// read, so that every plan can be followed.
///
/// ```
/// use cutover::RolloutPlan;
/// use cutover::plan::{PlanError, Step};
/// use cutover::Percentage;
///
/// let plan: RolloutPlan = serde_json::from_str(
///     r#"{
///         "name": "search-ramp",
///         "steps": [
///             {"name": "compare", "mode": "parallel", "hold": "24h", "min_samples": 5000,
///              "gate": ["validation", "throughput", "latency"]},
///             {"name": "tenth", "mode": "gradual_rollout", "rollout": 10, "hold": "1w",
///              "gate": ["throughput", "latency"]},
///             {"name": "all", "mode": "new_only", "hold": "3d", "gate": "none", "approval": "person",
///              "reversibility": "forward_only", "on_breach": "ask"}
///         ]
///     }"#,
/// )?;
/// assert_eq!(plan.steps().len(), 3);
/// println!("{plan}");
///
/// let jump = RolloutPlan::builder("jump").step(Step::new_only("all")).build();
/// assert_eq!(
///     jump.unwrap_err().to_string(),
///     "step all goes from legacy_only to new_only, which is no valid transition",
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub struct RolloutPlan {
    name: String,
    steps: Vec<Step>,
}

impl RolloutPlan {
    /// A plan of the steps that are added in their order.
    pub fn builder(name: impl Into<String>) -> RolloutPlanBuilder {
        RolloutPlanBuilder { draft: Draft { name: name.into(), steps: Vec::new() } }
    }

    pub(super) fn checked(name: String, steps: Vec<Step>) -> Result<Self, PlanError> {
        check_name(&name)?;
        check_steps(&steps)?;
        Ok(Self { name, steps })
    }

    /// A plan that needs no check: its test does.
    pub(super) fn ready_made(name: &str, steps: Vec<Step>) -> Self {
        Self { name: name.to_owned(), steps }
    }

    /// Its name. The audit says by it which plan changed something, and the driver that is active holds the item
    /// `plan.<name>`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its steps, of which there is at least one.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The place of the step `name`, from 0.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.steps.iter().position(|step| step.name == name)
    }

    /// The step at `place`, from 0.
    #[must_use]
    pub fn step(&self, place: usize) -> Option<&Step> {
        self.steps.get(place)
    }
}

/// Builds a [`RolloutPlan`].
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct RolloutPlanBuilder {
    draft: Draft,
}

impl RolloutPlanBuilder {
    /// Adds a step after those that there are.
    pub fn step(mut self, step: Step) -> Self {
        self.draft.steps.push(step);
        self
    }

    /// The plan.
    ///
    /// # Errors
    /// [`PlanError`] for the first that is wrong.
    pub fn build(self) -> Result<RolloutPlan, PlanError> {
        self.draft.try_into()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    name: String,
    steps: Vec<Step>,
}

impl TryFrom<Draft> for RolloutPlan {
    type Error = PlanError;

    fn try_from(draft: Draft) -> Result<Self, PlanError> {
        Self::checked(draft.name, draft.steps)
    }
}

impl From<RolloutPlan> for Draft {
    fn from(plan: RolloutPlan) -> Self {
        Self { name: plan.name, steps: plan.steps }
    }
}

const TITLES: [&str; 10] = [
    "step",
    "mode",
    "rollout",
    "shadow",
    "holds for",
    "calls",
    "proven at its end",
    "approval",
    "taken back",
    "on a breach",
];

/// A table, one line per step.
impl fmt::Display for RolloutPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<[String; 10]> =
            std::iter::once(TITLES.map(str::to_owned)).chain(self.steps.iter().map(row)).collect();
        let width =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
        let widths: Vec<usize> = (0..TITLES.len()).map(|column| width(column).unwrap_or(0)).collect();
        write!(f, "plan {}", self.name)?;
        for row in &rows {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            write!(f, "\n{}", cells.join("  ").trim_end())?;
        }
        Ok(())
    }
}

fn row(step: &Step) -> [String; 10] {
    let settings = step.settings();
    [
        step.name.clone(),
        step.mode.to_string(),
        settings.rollout.to_string(),
        settings.effective_shadow_share().to_string(),
        span::text(step.hold),
        step.min_samples.to_string(),
        step.gate.to_string(),
        step.approval.to_string(),
        step.reversibility.to_string(),
        step.on_breach.to_string(),
    ]
}
