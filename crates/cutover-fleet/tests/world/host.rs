//! The host traits over [`World`].

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use cutover::{Percentage, Side};
use cutover_fleet::{
    Artifact, Backup, Backups, Conversion, Diagnostics, Escalation, FailureReport, HostError, Lifecycle, System,
    Traffic, ValidationCounts, Vitals, async_trait,
};

use super::{Machine, State, World};

fn machine<'a>(state: &'a mut State, name: &str) -> &'a mut Machine {
    state.systems.entry(name.to_owned()).or_default()
}

fn made(step: &str, from: &str) -> Artifact {
    Artifact::new(format!("{step} of {from}")).unwrap()
}

#[async_trait]
impl Conversion for World {
    async fn load(&self, system: &System) -> Result<Artifact, HostError> {
        self.call("load", system, |_, name| made("load", name)).await
    }

    async fn convert(&self, system: &System, loaded: &Artifact) -> Result<Artifact, HostError> {
        self.call("convert", system, |_, _| made("convert", loaded.as_str())).await
    }

    async fn generate(&self, system: &System, converted: &Artifact) -> Result<Artifact, HostError> {
        self.call("generate", system, |_, _| made("generate", converted.as_str())).await
    }

    async fn validate(&self, system: &System, _: &Artifact) -> Result<ValidationCounts, HostError> {
        self.call("validate", system, |state, name| machine(state, name).validation).await
    }
}

#[async_trait]
impl Lifecycle for World {
    async fn deploy(&self, system: &System, artifact: &Artifact) -> Result<(), HostError> {
        self.call("deploy", system, |state, name| {
            let machine = machine(state, name);
            machine.deployed = Some(artifact.clone());
            machine.new_runs = true;
        })
        .await
    }

    async fn start(&self, system: &System, side: Side) -> Result<(), HostError> {
        self.call(&format!("start {side}"), system, |state, name| runs(state, name, side, true)).await
    }

    async fn stop(&self, system: &System, side: Side) -> Result<(), HostError> {
        self.call(&format!("stop {side}"), system, |state, name| runs(state, name, side, false)).await
    }

    async fn decommission(&self, system: &System) -> Result<(), HostError> {
        self.call("decommission", system, |state, name| machine(state, name).legacy_exists = false).await
    }
}

fn runs(state: &mut State, name: &str, side: Side, runs: bool) {
    let machine = machine(state, name);
    match side {
        Side::Legacy => machine.legacy_runs = runs,
        Side::New => machine.new_runs = runs && machine.deployed.is_some(),
    }
}

#[async_trait]
impl Traffic for World {
    async fn switch(&self, system: &System, to_new: Percentage) -> Result<(), HostError> {
        self.call(&format!("switch {to_new}"), system, |state, name| machine(state, name).share = to_new).await
    }
}

#[async_trait]
impl Backups for World {
    async fn latest(&self, system: &System) -> Result<Option<Backup>, HostError> {
        self.call("latest", system, |state, name| machine(state, name).backups.last().cloned()).await
    }

    async fn create(&self, system: &System) -> Result<Backup, HostError> {
        self.call("create", system, |state, name| {
            let backup = backup();
            machine(state, name).backups.push(backup.clone());
            backup
        })
        .await
    }

    async fn restore(&self, system: &System, _: &Backup) -> Result<(), HostError> {
        self.call("restore", system, |state, name| machine(state, name).restored += 1).await
    }
}

pub(crate) fn backup() -> Backup {
    Backup { at: Artifact::new("/backups/1").unwrap(), made: UNIX_EPOCH }
}

#[async_trait]
impl Diagnostics for World {
    async fn vitals(&self, system: &System, side: Side) -> Result<Vitals, HostError> {
        let seen = self.call(&format!("vitals {side}"), system, |state, name| look(machine(state, name), side)).await?;
        seen.ok_or_else(|| HostError::new("monitoring is down"))
    }

    async fn verify(&self, system: &System, side: Side) -> Result<(), HostError> {
        let what = format!("verify {side}");
        let up = self.call(&what, system, |state, name| {
            let machine = machine(state, name);
            if side == Side::Legacy { machine.legacy_runs && machine.legacy_exists } else { machine.new_runs }
        });
        if up.await? { Ok(()) } else { Err(HostError::new(format!("{side} does not answer"))) }
    }

    async fn logs(&self, system: &System, side: Side) -> Result<Vec<String>, HostError> {
        self.call("logs", system, |_, name| vec![format!("{name}: {side} said something")]).await
    }

    async fn metrics(&self, system: &System, _: Side) -> Result<BTreeMap<String, f64>, HostError> {
        self.call("metrics", system, |_, _| BTreeMap::from([("cpu".to_owned(), 0.5), ("odd".to_owned(), f64::NAN)]))
            .await
    }
}

fn look(machine: &mut Machine, side: Side) -> Option<Vitals> {
    match side {
        Side::Legacy => Some(machine.legacy),
        Side::New if machine.new.len() > 1 => machine.new.remove(0),
        Side::New => machine.new.first().copied().flatten(),
    }
}

#[async_trait]
impl Escalation for World {
    async fn escalate(&self, report: &FailureReport) -> Result<(), HostError> {
        self.lock().escalated.push(report.system.to_string());
        Ok(())
    }
}
