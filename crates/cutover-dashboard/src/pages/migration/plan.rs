//! The plan, and what can be said to it.

use cutover::plan::{Approval, Decision, Need, Reversibility, Step};

use super::refused_to;
use crate::Role;
use crate::pages::words;
use crate::view::{PlanView, StepState, StepView};

pub(super) struct PlanWords {
    pub(super) name: String,
    pub(super) line: String,
    pub(super) steps: Vec<StepWords>,
    pub(super) acts: Vec<Act>,
    /// Why nothing can be said to it.
    pub(super) refused: Option<String>,
}

pub(super) struct StepWords {
    pub(super) name: String,
    /// `past`, `present`, `next` or `ahead`.
    pub(super) class: &'static str,
    pub(super) word: &'static str,
    pub(super) settings: String,
    pub(super) terms: String,
    pub(super) needs: Vec<String>,
}

/// Something that an operator can say.
pub(super) struct Act {
    pub(super) command: &'static str,
    pub(super) name: String,
    pub(super) button: String,
    pub(super) says: &'static str,
    pub(super) step: Option<String>,
    pub(super) confirm: bool,
    pub(super) is_danger: bool,
}

impl PlanWords {
    pub(super) fn of(plan: &PlanView, role: Role) -> Self {
        let decision = plan.report.as_ref().map(|report| &report.decision);
        let line = plan.report.as_ref().map_or_else(|| "Nobody has looked yet.".to_owned(), line);
        let acts = acts(decision).into_iter().filter(|act| role >= act.role()).collect();
        let steps = plan.steps.iter().map(StepWords::of).collect();
        Self { name: words::shown(&plan.name), line, steps, acts, refused: refused_to(role) }
    }
}

fn line(report: &cutover::plan::PlanReport) -> String {
    let whose = if report.active { "This process drives it." } else { "Another process drives it, or none." };
    let refused = report.refused.as_ref().map(|why| format!(" Not stored: {why}.")).unwrap_or_default();
    words::shown(&format!("{}. {whose}{refused}", sentence(&report.decision.to_string())))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl StepWords {
    fn of(view: &StepView) -> Self {
        let (class, word) = match view.state {
            StepState::Past => ("past", "past"),
            StepState::Present => ("present", "here"),
            StepState::Next => ("next", "next"),
            StepState::Ahead => ("ahead", "ahead"),
        };
        Self {
            name: words::shown(&view.step.name),
            class,
            word,
            settings: words::settings(view.step.settings()),
            terms: terms(&view.step),
            needs: view.needs.iter().map(|need| words::shown(need)).collect(),
        }
    }
}

fn terms(step: &Step) -> String {
    let calls = words::counted(step.min_samples, "call", "calls");
    let mut parts = vec![format!("holds {}", words::span(step.hold)), calls];
    match step.gate.criteria() {
        [] => parts.push("nothing to prove".to_owned()),
        criteria => {
            let names: Vec<String> = criteria.iter().map(ToString::to_string).collect();
            parts.push(format!("proves {}", names.join(", ")));
        }
    }
    if step.approval == Approval::Person {
        parts.push("a person approves it".to_owned());
    }
    let taken_back = match step.reversibility {
        Reversibility::Easy => "easy to take back",
        Reversibility::Feasible => "feasible to take back",
        Reversibility::Difficult => "difficult to take back",
        Reversibility::ForwardOnly | _ => "cannot be taken back",
    };
    parts.push(taken_back.to_owned());
    parts.push(format!("on a breach: {}", step.on_breach));
    parts.join(" · ")
}

impl Act {
    fn new(command: &'static str, name: &str, says: &'static str) -> Self {
        let (name, button) = (name.to_owned(), format!("{name} the plan"));
        Self { command, name, button, says, step: None, confirm: false, is_danger: false }
    }

    fn approve(step: &str) -> Self {
        let name = format!("Approve {}", words::shown(step));
        let says = "A person allows the next step. It begins when everything else is met too.";
        Self { button: name.clone(), step: Some(step.to_owned()), name, ..Self::new("approve", "", says) }
    }

    fn acknowledge(step: &str) -> Self {
        let name = format!("Acknowledge {}", words::shown(step));
        let says = "You know that this step cannot be taken back: what new writes in it, legacy does not know.";
        let act =
            Self { button: name.clone(), step: Some(step.to_owned()), name, ..Self::new("acknowledge", "", says) };
        Self { confirm: true, ..act }
    }

    fn abort() -> Self {
        let says = "The plan ends with an emergency rollback: all calls go back to legacy at once.";
        Self { is_danger: true, ..Self::new("abort", "Abort", says) }
    }

    const fn role(&self) -> Role {
        if self.confirm { Role::Override } else { Role::Operate }
    }
}

const PAUSE: (&str, &str, &str) = ("pause", "Pause", "The plan waits where it is. A rollback does not wait.");
const RESUME: (&str, &str, &str) =
    ("resume", "Resume", "The plan goes on. What the guard had found is answered by that, and it begins anew.");
const RESTART: (&str, &str, &str) =
    ("restart", "Restart", "The plan begins anew with its first step. The settings stay as they are.");

/// What makes sense to say after a decision.
fn acts(decision: Option<&Decision>) -> Vec<Act> {
    let said = |(command, name, says): (&'static str, &str, &'static str)| Act::new(command, name, says);
    match decision {
        None => vec![said(PAUSE), said(RESUME), Act::abort()],
        Some(Decision::AwaitApproval { step }) => vec![Act::approve(step), said(PAUSE), Act::abort()],
        Some(Decision::AwaitAcknowledgement { step }) => vec![Act::acknowledge(step), said(PAUSE), Act::abort()],
        Some(Decision::Hold { needs }) => needs.iter().filter_map(asked).chain([said(PAUSE), Act::abort()]).collect(),
        Some(Decision::Freeze { .. } | Decision::Ask) => vec![said(RESUME), said(RESTART), Act::abort()],
        Some(Decision::Done | Decision::RolledBack) => vec![said(RESTART)],
        Some(_) => vec![said(PAUSE), Act::abort()],
    }
}

/// What a person is asked for.
fn asked(need: &Need) -> Option<Act> {
    if let Need::Approval { step } = need {
        return Some(Act::approve(step));
    }
    if let Need::Acknowledgement { step } = need { Some(Act::acknowledge(step)) } else { None }
}

#[cfg(test)]
mod tests {
    use cutover::Percentage;

    use super::*;

    fn commands(decision: &Decision) -> Vec<&'static str> {
        acts(Some(decision)).iter().map(|act| act.command).collect()
    }

    #[test]
    fn what_is_asked_for_is_offered_first() {
        let step = "all".to_owned();
        let approval = Decision::Hold { needs: vec![Need::Health, Need::Approval { step: step.clone() }] };
        assert_eq!(commands(&approval), ["approve", "pause", "abort"]);
        assert_eq!(commands(&Decision::AwaitAcknowledgement { step }), ["acknowledge", "pause", "abort"]);
        assert_eq!(commands(&Decision::Ask), ["resume", "restart", "abort"]);
        assert_eq!(commands(&Decision::RolledBack), ["restart"]);
    }

    #[test]
    fn terms_name_all_that_ends_and_begins_a_step() {
        let step = Step::gradual("half", Percentage::HUNDRED).approved_by_a_person();
        let expected = "holds 1 d · 1,000 calls · proves throughput, latency · a person approves it · easy to take back · \
                        on a breach: rollback";
        assert_eq!(terms(&step), expected);
    }
}
