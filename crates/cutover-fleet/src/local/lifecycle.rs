//! What runs: [`Lifecycle`] by child processes.

use std::io;

use async_trait::async_trait;

use super::LocalHost;
use super::files::{blocking, read, remove_folder, replace};
use super::process::Process;
use crate::system::System;
use crate::{Artifact, HostError, Lifecycle, Side};

#[async_trait]
impl Lifecycle for LocalHost {
    async fn deploy(&self, system: &System, artifact: &Artifact) -> Result<(), HostError> {
        let _turn = self.turn(system).await;
        let new = self.process(system, Side::New);
        new.stop()
            .await
            .map_err(|error| HostError::with_source("the new side that ran before could not be stopped", error))?;
        let deployed = async {
            replace(&new.home.artifact(), artifact.as_str())?;
            self.start_process(system, Side::New, &new).await
        };
        deployed.await.map_err(|error| HostError::with_source("the new side does not run", error))
    }

    async fn start(&self, system: &System, side: Side) -> Result<(), HostError> {
        let _turn = self.turn(system).await;
        let process = self.process(system, side);
        let up = async {
            if process.is_running() {
                process.until_up(self.starts_within).await
            } else {
                self.start_process(system, side, &process).await
            }
        };
        up.await.map_err(|error| HostError::with_source(format!("{side:?} does not run").to_lowercase(), error))
    }

    async fn stop(&self, system: &System, side: Side) -> Result<(), HostError> {
        let _turn = self.turn(system).await;
        let stopped = self.process(system, side).stop().await;
        stopped.map_err(|error| HostError::with_source(format!("{side:?} may still run").to_lowercase(), error))
    }

    async fn decommission(&self, system: &System) -> Result<(), HostError> {
        let turn = self.turn(system).await;
        let legacy = self.process(system, Side::Legacy);
        if legacy.is_running() {
            return Err(HostError::new("legacy still runs; stop it before it is removed"));
        }
        let folder = legacy.home.side(Side::Legacy);
        blocking(turn, move || remove_folder(&folder), "not all of legacy could be removed").await
    }
}

impl LocalHost {
    async fn start_process(&self, system: &System, side: Side, process: &Process) -> io::Result<()> {
        let program = (self.program)(system, side);
        let mut more = vec![("CUTOVER_SYSTEM", system.name.to_string())];
        if side == Side::New {
            more.push(("CUTOVER_ARTIFACT", deployed(process)?));
        }
        process.start(&program, &more, self.starts_within).await
    }
}

fn deployed(new: &Process) -> io::Result<String> {
    let artifact = read(&new.home.artifact())?;
    artifact.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it was never deployed"))
}
