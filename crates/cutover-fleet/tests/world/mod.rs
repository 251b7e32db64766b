//! A host in memory: what runs, where the traffic is, what was called, and what goes wrong.
#![allow(
    dead_code,
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test uses a part of it, and fails by panicking"
)]

pub(crate) mod faults;
pub(crate) mod host;
pub(crate) mod runs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cutover::testing::VirtualRuntime;
use cutover::{MemoryStore, Percentage};
use cutover_fleet::{
    Artifact, Backup, Checklists, Fleet, FleetBuilder, Host, Inventory, ValidationCounts, Vitals, When,
};
pub(crate) use faults::Fault;

/// What is true outside.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) runtime: VirtualRuntime,
    pub(crate) store: MemoryStore,
    shared: Arc<Mutex<State>>,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) systems: BTreeMap<String, Machine>,
    /// Each call in its order: what, and for which system.
    pub(crate) calls: Vec<(String, String)>,
    /// What happens at the call of this number, from 0.
    pub(crate) faults: BTreeMap<usize, Fault>,
    /// Calls that always fail: what, and for which system.
    pub(crate) broken: BTreeSet<(String, String)>,
    pub(crate) escalated: Vec<String>,
    /// How many processes there were: no two of them draw the same.
    pub(crate) processes: u64,
    /// How long a call takes.
    pub(crate) takes: Duration,
}

/// One system.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    pub(crate) legacy_runs: bool,
    pub(crate) legacy_exists: bool,
    pub(crate) deployed: Option<Artifact>,
    pub(crate) new_runs: bool,
    pub(crate) share: Percentage,
    pub(crate) backups: Vec<Backup>,
    pub(crate) restored: u32,
    pub(crate) validation: ValidationCounts,
    pub(crate) legacy: Vitals,
    /// What is seen of new, look by look; the last one stays.
    pub(crate) new: Vec<Option<Vitals>>,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            legacy_runs: true,
            legacy_exists: true,
            deployed: None,
            new_runs: false,
            share: Percentage::ZERO,
            backups: Vec::new(),
            restored: 0,
            validation: ValidationCounts::new(9, 10),
            legacy: Vitals::healthy().p95(Duration::from_millis(100)).throughput(100.0),
            new: vec![Some(Vitals::healthy().p95(Duration::from_millis(90)).throughput(130.0))],
        }
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let runtime = VirtualRuntime::new();
        let store = MemoryStore::with_clock(runtime.clock());
        Self { runtime, store, shared: Arc::default() }
    }

    pub(crate) fn with(machines: impl IntoIterator<Item = (&'static str, Machine)>) -> Self {
        let world = Self::new();
        world.lock().systems.extend(machines.into_iter().map(|(name, machine)| (name.to_owned(), machine)));
        world
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap()
    }

    pub(crate) fn machine(&self, system: &str) -> Machine {
        self.lock().systems.get(system).cloned().unwrap_or_default()
    }

    pub(crate) fn change(&self, system: &str, change: impl FnOnce(&mut Machine)) {
        change(self.lock().systems.entry(system.to_owned()).or_default());
    }

    /// The calls for a system that changed something.
    pub(crate) fn effects(&self, system: &str) -> Vec<String> {
        let effects = ["deploy", "start", "stop", "switch", "restore", "decommission"];
        let calls = self.lock().calls.clone();
        let of = calls
            .into_iter()
            .filter(|(what, of)| of == system && effects.iter().any(|effect| what.starts_with(effect)));
        of.map(|(what, _)| what).collect()
    }

    pub(crate) fn break_call(&self, what: &str, system: &str) {
        self.lock().broken.insert((what.to_owned(), system.to_owned()));
    }

    pub(crate) fn heal(&self) {
        self.lock().broken.clear();
        self.lock().faults.clear();
    }

    pub(crate) fn builder(&self, inventory: &str) -> FleetBuilder {
        let inventory: Inventory = serde_json::from_str(inventory).unwrap();
        let process = {
            let mut state = self.lock();
            state.processes += 1;
            state.processes
        };
        Fleet::builder(inventory, Host::of(self.clone()), self.store.clone())
            .checklists(Checklists::empty())
            .clock(self.runtime.clock())
            .runtime(self.runtime.clone())
            .random(cutover::testing::SeededRandom::new(process))
            .escalate_to(self.clone())
    }

    pub(crate) fn fleet(&self, inventory: &str) -> Fleet {
        self.builder(inventory).build().unwrap()
    }
}

/// An inventory of systems that are all migrated by `strategy`.
pub(crate) fn inventory(systems: &[&str], strategy: &str) -> String {
    let systems: Vec<String> = systems.iter().map(|name| format!(r#"{{ "name": "{name}" }}"#)).collect();
    let systems = systems.join(", ");
    format!(r#"{{ "systems": [{systems}], "strategies": [{{ "match": "*", "strategy": {strategy} }}] }}"#)
}

pub(crate) const BLUE_GREEN: &str = r#"{ "name": "blue_green", "watch": "15s" }"#;
pub(crate) const CANARY: &str = r#"{ "name": "canary", "shares": [10, 50, 100], "watch": "15s" }"#;
pub(crate) const DIRECT: &str = r#"{ "name": "direct", "watch": "15s", "acknowledged_by": "ana" }"#;

/// Checks of all lists that pass.
pub(crate) fn passing() -> Checklists {
    let mut lists = Checklists::preset();
    for when in When::ALL {
        let items: Vec<String> = lists.items(when).map(ToOwned::to_owned).collect();
        for item in items {
            let pass = |_: &str| async { Ok(cutover_fleet::Finding::Pass) };
            lists = lists.check(when, &item, pass).unwrap();
        }
    }
    lists
}
