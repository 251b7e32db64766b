//! [`FleetBuilder`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cutover::random::{RandomSource, SystemRandom};
use cutover::store::{Actor, ClaimStore, TextError};
use cutover::{Claims, Clock, HostRuntime, Runtime, SystemClock};

use super::event::TraceOnly;
use super::{Board, Escalation, Fleet, FleetObserver, phase};
use crate::checklist::Checklists;
use crate::context::Context;
use crate::host::Host;
use crate::inventory::{Inventory, InventoryError};
use crate::settings::Settings;
use crate::system::SystemName;

/// Builds a [`Fleet`]; every part has a default.
#[must_use = "a builder does nothing until it builds"]
pub struct FleetBuilder {
    inventory: Inventory,
    host: Host,
    store: Arc<dyn ClaimStore>,
    checklists: Checklists,
    settings: Settings,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    runtime: Arc<dyn Runtime>,
    observers: Vec<Arc<dyn FleetObserver>>,
    escalation: Arc<dyn Escalation>,
    actor: String,
}

impl FleetBuilder {
    pub(super) fn new(inventory: Inventory, host: Host, store: Arc<dyn ClaimStore>) -> Self {
        Self {
            inventory,
            host,
            store,
            checklists: Checklists::preset(),
            settings: Settings::default(),
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            runtime: Arc::new(HostRuntime),
            observers: Vec::new(),
            escalation: Arc::new(TraceOnly),
            actor: "fleet".to_owned(),
        }
    }

    /// What has to be true before, during and after. The default is [`Checklists::preset`], which lets nothing pass before its
    /// items have checks or are waived.
    pub fn checklists(self, checklists: Checklists) -> Self {
        Self { checklists, ..self }
    }

    /// Gates, phases, deadlines and targets.
    pub fn settings(self, settings: Settings) -> Self {
        Self { settings, ..self }
    }

    /// Hears what happens; may be called several times.
    pub fn observe(mut self, observer: impl FleetObserver + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Who is told when a recovery has failed. The default writes an error to the trace.
    pub fn escalate_to(self, escalation: impl Escalation + 'static) -> Self {
        Self { escalation: Arc::new(escalation), ..self }
    }

    /// Who migrates, as the audit and the claims have it. The default is `fleet`.
    pub fn actor(self, actor: &str) -> Self {
        Self { actor: actor.to_owned(), ..self }
    }

    /// Where time comes from. The default is [`SystemClock`].
    pub fn clock(self, clock: impl Clock + 'static) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// Where chance comes from. The default is [`SystemRandom`].
    pub fn random(self, random: impl RandomSource + 'static) -> Self {
        Self { random: Arc::new(random), ..self }
    }

    /// Who measures out time. The default is [`HostRuntime`].
    pub fn runtime(self, runtime: impl Runtime + 'static) -> Self {
        Self { runtime: Arc::new(runtime), ..self }
    }

    /// Checks what was given, and touches neither store nor host.
    ///
    /// # Errors
    /// [`FleetError`].
    pub fn build(self) -> Result<Fleet, FleetError> {
        let gate = self.settings.validation_gate;
        if !(gate > 0.0 && gate <= 1.0) {
            return Err(FleetError::Gate { gate });
        }
        let lease = self.settings.lease;
        if !(Claims::MIN_TTL..=Claims::MAX_TTL).contains(&lease) {
            return Err(FleetError::Lease { lease });
        }
        phase::check(&self.settings.phases).map_err(|problem| FleetError::Phases { problem })?;
        self.settings.targets.check().map_err(|(name, value)| FleetError::Target { name, value })?;
        self.actor.parse::<Actor>()?;
        let names: Vec<SystemName> = self.inventory.systems().map(|system| system.name.clone()).collect();
        self.checklists.fit(&names)?;
        let context = Context {
            host: self.host,
            store: self.store,
            checklists: self.checklists,
            settings: self.settings,
            clock: self.clock,
            random: self.random,
            runtime: self.runtime,
            observers: self.observers,
            escalation: self.escalation,
            actor: self.actor,
            board: Board::new(&self.inventory),
        };
        let (context, inventory) = (Arc::new(context), Arc::new(self.inventory));
        Ok(Fleet { context, inventory, cancelled: Arc::new(AtomicBool::new(false)) })
    }
}

impl fmt::Debug for FleetBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { checklists, settings, actor, .. } = self;
        let mut text = f.debug_struct("FleetBuilder");
        text.field("checklists", checklists).field("settings", settings).field("actor", actor).finish_non_exhaustive()
    }
}

/// A fleet that cannot be built as it was described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The gate of the validation.
    #[error("the validation gate is {gate}; allowed: more than 0, at most 1")]
    Gate {
        /// What was given.
        gate: f64,
    },
    /// For how long a claim holds.
    #[error("the lease is {lease:?}; allowed: {:?} to {:?}", Claims::MIN_TTL, Claims::MAX_TTL)]
    Lease {
        /// What was given.
        lease: Duration,
    },
    /// The phases.
    #[error("these are no phases: {problem}")]
    Phases {
        /// What is allowed, and what was found.
        problem: String,
    },
    /// A target of a figure.
    #[error("the target `{name}` is {value}; allowed: a finite number of the right sign, see its documentation")]
    Target {
        /// Which one.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// A waiver is for systems that there are not.
    #[error("a waiver does not fit: {0}")]
    Waiver(InventoryError),
    /// Who migrates.
    #[error(transparent)]
    Actor(#[from] TextError),
}

impl From<InventoryError> for FleetError {
    fn from(problem: InventoryError) -> Self {
        Self::Waiver(problem)
    }
}
