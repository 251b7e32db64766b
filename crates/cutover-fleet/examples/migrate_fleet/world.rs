//! The world that is migrated: 52 small systems as processes, a front before each, and clients who never stop asking.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use cutover_fleet::local::{Front, LocalHost, Program};
use cutover_fleet::{Backups, Inventory, Lifecycle, Settings, Side, System, SystemName};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;

use crate::Failure;
use crate::rules::rules_of;
use crate::service::{FAULT, RULES, RULES_FILE};

/// What `fleet.toml` says: which systems there are, and how they are to be migrated.
#[derive(Deserialize)]
pub(crate) struct Plan {
    pub(crate) inventory: Inventory,
    pub(crate) settings: Settings,
}

impl Plan {
    pub(crate) fn read() -> Result<Self, Failure> {
        Ok(toml::from_str(include_str!("fleet.toml"))?)
    }
}

/// Runs this very program as the service of a side.
pub(crate) fn host(folder: &Path) -> Result<LocalHost, Failure> {
    let this = env::current_exe()?;
    Ok(LocalHost::new(folder.join("systems"), move |system, side| {
        let service = Program::new(&this).arg("serve");
        match (side, system.attribute("rules_file"), system.attribute("fault")) {
            (Side::Legacy, Some(file), _) => service.env(RULES_FILE, file),
            (Side::New, _, Some(fault)) => service.env(FAULT, fault),
            _ => service,
        }
    }))
}

/// The systems, running, each behind its front.
pub(crate) struct World {
    pub(crate) addresses: BTreeMap<SystemName, SocketAddr>,
    pub(crate) inventory: Inventory,
    host: LocalHost,
    _front: Front,
}

impl World {
    /// Makes the systems below `folder` and starts what is to run.
    pub(crate) async fn start(folder: &Path, inventory: Inventory, started: impl Fn()) -> Result<Self, Failure> {
        let host = host(folder)?;
        let front = Front::new(folder.join("systems"));
        let addresses = stream::iter(inventory.systems())
            .map(|system| async {
                prepare(&host, system).await?;
                started();
                Ok::<_, Failure>((system.name.clone(), front.open(&system.name, "127.0.0.1:0").await?))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(Self { addresses, inventory, host, _front: front })
    }

    /// Ends all processes.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let sides = self.inventory.systems().flat_map(|system| [(system, Side::Legacy), (system, Side::New)]);
        let stopping = stream::iter(sides).map(|(system, side)| self.host.stop(system, side)).buffer_unordered(AT_ONCE);
        Ok(stopping.try_collect().await?)
    }
}

const AT_ONCE: usize = 8;

/// What a system has before it is migrated: rules, a process, and mostly a backup. What it has already is left as it is.
async fn prepare(host: &LocalHost, system: &System) -> Result<(), Failure> {
    let rules = rules_file(host, system);
    if !rules.exists() {
        fs::create_dir_all(rules.parent().unwrap_or(&rules))?;
        fs::write(&rules, rules_of(system))?;
    }
    if system.attribute("backup") != Some("none") && host.latest(system).await?.is_none() {
        host.create(system).await?;
    }
    Ok(host.start(system, Side::Legacy).await?)
}

fn rules_file(host: &LocalHost, system: &System) -> PathBuf {
    host.data_folder(&system.name, Side::Legacy).join(system.attribute("rules_file").unwrap_or(RULES))
}
