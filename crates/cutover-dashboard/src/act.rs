//! Commands, carried out.

use std::time::Duration;

use cutover::control::{Changed, Group, Note, Persisted, Proposal};
use cutover::plan::OperateError;
use cutover::store::{MigrationId, Reason, Settings};
use cutover::{ChangeError, MigrationController, MigrationRegistry, MigrationStatus, SystemMode};
use serde_json::json;

use crate::command::{Command, CommandError, Order, PlanCommand, Seen};
use crate::state::{State, Watched};
use crate::view::{Answer, AnswerOf, Answers, Problem};
use crate::{Principal, Role};

/// Carries out what was asked, or says why not: then nothing has changed, except where the problem says otherwise.
pub(crate) async fn act(
    state: &State,
    principal: &Principal,
    watched: &Watched,
    order: Order,
) -> Result<Answer, Problem> {
    check(principal, watched.migration.id(), &order)?;
    let Order { command, seen, reason, .. } = order;
    if command == Command::Emergency {
        return Ok(emergency(state, principal, watched, &reason).await);
    }
    if command == Command::Plan(PlanCommand::Abort) {
        return abort(state, principal, watched, &reason).await;
    }
    let seen = seen.ok_or(CommandError::Missing { field: "epoch" })?;
    let (actor, reason, patience) = (principal.actor().as_str(), reason.as_str(), state.patience());
    let asked = Asked { watched, actor, seen, reason, patience };
    match tokio::time::timeout(patience, asked.carry_out(command)).await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::timeout()),
    }
}

/// Role and confirmation.
fn check(principal: &Principal, id: &MigrationId, order: &Order) -> Result<(), Problem> {
    let demand = order.command.demand();
    check_role(principal, demand.role)?;
    if demand.confirm && order.confirm.as_deref() != Some(id.as_str()) {
        let detail = format!("Type the name of the migration, {id}, to confirm. Nothing was changed.");
        return Err(Problem::new("confirmation", 422, detail));
    }
    Ok(())
}

fn check_role(principal: &Principal, needed: Role) -> Result<(), Problem> {
    if principal.role() >= needed {
        return Ok(());
    }
    let detail = format!("That takes the role {needed}; yours is {}. Nothing was changed.", principal.role());
    Err(Problem::new("role", 403, detail))
}

/// Everything of one migration to legacy. It holds when this is polled first.
async fn emergency(state: &State, principal: &Principal, watched: &Watched, reason: &Reason) -> Answer {
    Pulled::pull(principal, &watched.migration.controller, reason).confirmed(short(state)).await
}

/// Everything of all migrations to legacy. It holds for all of them before any store is waited for.
pub(crate) async fn emergency_of_all(
    state: &State,
    principal: &Principal,
    reason: &Reason,
) -> Result<Answers, Problem> {
    check_role(principal, Command::Emergency.demand().role)?;
    let controllers = state.migrations.iter().map(|watched| &watched.migration.controller);
    let pulled = controllers.map(|controller| Pulled::pull(principal, controller, reason)).collect();
    Ok(all_confirmed(state, pulled).await)
}

/// Everything of a group of the host's registry to legacy, whether it is shown here or not. It holds for all members before
/// any store is waited for.
pub(crate) async fn emergency_of_group(
    state: &State,
    principal: &Principal,
    name: &str,
    reason: &Reason,
) -> Result<Answers, Problem> {
    check_role(principal, Command::Emergency.demand().role)?;
    let groups: Vec<_> =
        state.registries.iter().filter_map(|registry| Some((registry, registry.group(name).ok()?))).collect();
    if groups.is_empty() {
        return Err(Problem::new("not_found", 404, "There is no group of that name. Nothing was changed."));
    }
    let pulled = groups.iter().flat_map(|(registry, group)| Pulled::pull_group(principal, registry, group, reason));
    let pulled = pulled.collect();
    Ok(all_confirmed(state, pulled).await)
}

async fn all_confirmed(state: &State, pulled: Vec<Pulled>) -> Answers {
    let confirmed = pulled.into_iter().map(|pulled| async move {
        let id = pulled.controller.id().clone();
        AnswerOf { id, answer: pulled.confirmed(short(state)).await }
    });
    let mut answers = futures_util::future::join_all(confirmed).await;
    answers.sort_by(|one, other| one.id.cmp(&other.id));
    Answers { answers }
}

/// How long an emergency that holds already waits to hear that it is stored.
fn short(state: &State) -> Duration {
    state.patience().min(Duration::from_secs(2))
}

/// An emergency that holds, and whether it did before.
struct Pulled {
    controller: MigrationController,
    persisted: Persisted,
    held: bool,
}

impl Pulled {
    fn pull(principal: &Principal, controller: &MigrationController, reason: &Reason) -> Self {
        let held = controller.mode() == SystemMode::EmergencyRollback;
        let persisted = controller.emergency_rollback(principal.actor().as_str(), reason.as_str());
        Self { controller: controller.clone(), persisted, held }
    }

    fn pull_group(principal: &Principal, registry: &MigrationRegistry, group: &Group, reason: &Reason) -> Vec<Self> {
        let held = |status: MigrationStatus| (status.mode == SystemMode::EmergencyRollback).then_some(status.id);
        let held: Vec<_> = group.statuses().into_iter().filter_map(held).collect();
        let pulled = group.emergency_rollback(principal.actor().as_str(), reason.as_str()).into_iter();
        let of = |(id, persisted): (MigrationId, Persisted)| {
            let held = held.contains(&id);
            registry.get(id.as_str()).map(|controller| Self { controller, persisted, held })
        };
        pulled.filter_map(of).collect()
    }

    async fn confirmed(self, patience: Duration) -> Answer {
        let in_time = tokio::time::timeout(patience, self.persisted).await.is_ok();
        let text = match (in_time, self.held) {
            (false, _) => UNSTORED,
            (true, false) => "Everything goes to legacy now, and it is stored.",
            (true, true) => "Everything went to legacy already, and it is stored.",
        };
        let epoch = self.controller.status().epoch;
        Answer { epoch, stored: in_time && !self.held, text: text.to_owned() }
    }
}

/// A command of somebody who may.
struct Asked<'a> {
    watched: &'a Watched,
    actor: &'a str,
    seen: Seen,
    reason: &'a str,
    patience: Duration,
}

impl Asked<'_> {
    async fn carry_out(&self, command: Command) -> Result<Answer, Problem> {
        match command {
            Command::Mode(mode) => self.propose(Proposal::to(mode)).await,
            Command::Rollout(rollout) => self.propose(Proposal::new().rollout(rollout)).await,
            Command::ShadowShare(share) => self.propose(Proposal::new().shadow_share(share)).await,
            Command::Reconcile => self.reconcile().await,
            Command::ClearDiscrepancies => self.clear_discrepancies().await,
            Command::BeginAnew => self.begin_anew().await,
            Command::Plan(said) => self.operate(&said).await,
            Command::Emergency => Err(Problem::not_found()),
        }
    }

    async fn propose(&self, proposal: Proposal) -> Result<Answer, Problem> {
        let Seen { epoch, etag } = self.seen;
        let proposal = proposal.expecting(epoch, etag);
        let changed = self.watched.migration.controller.propose(&proposal, self.actor, self.reason).await?;
        Ok(answer(&changed, &now_holds(&changed)))
    }

    async fn operate(&self, said: &PlanCommand) -> Result<Answer, Problem> {
        let Some(driver) = &self.watched.migration.plan else { return Err(not_there("plan")) };
        let driver = driver.expecting(self.seen.epoch, self.seen.etag);
        let (actor, reason) = (self.actor, self.reason);
        let (said, text) = match said {
            PlanCommand::Approve(step) => (driver.approve(step, actor, reason).await, "The next step is approved."),
            PlanCommand::Acknowledge(step) => {
                (driver.acknowledge(step, actor, reason).await, "The next step is acknowledged.")
            }
            PlanCommand::Pause => (driver.pause(actor, reason).await, "The plan is paused."),
            PlanCommand::Resume => (driver.resume(actor, reason).await, "The plan goes on."),
            PlanCommand::Restart => (driver.restart(actor, reason).await, "The plan begins anew."),
            PlanCommand::Abort => (driver.abort(actor, reason).await, "The plan has ended."),
        };
        Ok(answer(&said?, text))
    }

    async fn reconcile(&self) -> Result<Answer, Problem> {
        let (controller, Seen { epoch, etag }) = (&self.watched.migration.controller, self.seen);
        let changed = controller.reconcile_expecting(epoch, etag, self.actor, self.reason).await?;
        let text = if changed.stored { "It is settled what holds." } else { "There was nothing to settle." };
        Ok(answer(&changed, text))
    }

    /// What cannot be brought back is in the audit before it is gone.
    async fn clear_discrepancies(&self) -> Result<Answer, Problem> {
        let Some(kept) = &self.watched.migration.discrepancies else { return Err(not_there("discrepancies")) };
        let number = kept.len().or(self.watched.kept().counted.discrepancies);
        let evidence = json!({ "event": "discrepancies_cleared", "kept": number });
        let noted = Proposal::noting(Note::Clearing).evidence(evidence).expecting(self.seen.epoch, self.seen.etag);
        let changed = self.watched.migration.controller.propose(&noted, self.actor, self.reason).await?;
        let cleared = tokio::time::timeout(self.patience / 2, kept.clear(self.watched.migration.id())).await;
        if !matches!(cleared, Ok(Ok(()))) {
            return Err(uncleared(&changed));
        }
        self.watched.kept().counted.discrepancies = Some(0);
        Ok(answer(&changed, "All discrepancies are forgotten."))
    }

    /// The audit says who let the guard begin anew: it is noted first.
    async fn begin_anew(&self) -> Result<Answer, Problem> {
        let Some(guard) = &self.watched.migration.guard else { return Err(not_there("guard beside it")) };
        let noted = Proposal::noting(Note::Resume).evidence(json!({ "event": "guard_begins_anew" }));
        let Seen { epoch, etag } = self.seen;
        let noted = noted.expecting(epoch, etag);
        let changed = self.watched.migration.controller.propose(&noted, self.actor, self.reason).await?;
        guard.begin_anew();
        Ok(answer(&changed, "The guard of this process begins anew."))
    }
}

fn uncleared(noted: &Changed) -> Problem {
    let detail = format!(
        "The audit says in epoch {} that discrepancies were to be forgotten, but the store did not forget them all: look \
         again, and say it again.",
        noted.epoch
    );
    Problem::new("store", 503, detail)
}

fn not_there(what: &str) -> Problem {
    Problem::new("not_shown", 409, format!("The dashboard knows of no {what} of this migration. Nothing was changed."))
}

fn answer(changed: &Changed, text: &str) -> Answer {
    let text = if changed.stored { text.to_owned() } else { format!("{text} That held already; nothing was stored.") };
    Answer { epoch: changed.epoch, stored: changed.stored, text }
}

fn now_holds(changed: &Changed) -> String {
    let Settings { mode, rollout, .. } = changed.after;
    let share = changed.after.effective_shadow_share();
    format!("Now {mode} holds, with a rollout of {rollout} and a shadow share of {share}.")
}

/// Ends the plan with an emergency, which holds when this is polled first.
async fn abort(state: &State, principal: &Principal, watched: &Watched, reason: &Reason) -> Result<Answer, Problem> {
    let Some(driver) = &watched.migration.plan else { return Err(not_there("plan")) };
    let held = watched.migration.controller.mode() == SystemMode::EmergencyRollback;
    if held && !state.limits.allows(principal.actor()) {
        return Err(Problem::new("rate", 429, UNNOTED));
    }
    let aborted = driver.abort(principal.actor().as_str(), reason.as_str());
    match tokio::time::timeout(short(state), aborted).await {
        Ok(Ok(changed)) => Ok(answer(&changed, "The plan has ended. Everything goes to legacy now, and it is stored.")),
        Err(_) | Ok(Err(OperateError::Change(ChangeError::Unpersisted))) => {
            if held {
                return Err(Problem::new("timeout", 503, UNENDED));
            }
            let epoch = watched.migration.controller.status().epoch;
            Ok(Answer { epoch, stored: false, text: UNSTORED.to_owned() })
        }
        Ok(Err(error)) => Err(error.into()),
    }
}

const UNSTORED: &str = "Everything of this process goes to legacy now. It is not stored yet, so that other processes have not \
                        heard of it; it is tried again until the store takes it.";

/// An emergency held before, so that all that is asked for is a note.
const UNNOTED: &str = "Legacy serves everybody already. That the plan has ended was not noted, because you asked for too many \
                       changes in a short time: wait a minute.";

/// An emergency held before, and nobody tries again to store that the plan has ended.
const UNENDED: &str = "Legacy serves; that the plan has ended is not stored: say it again.";
