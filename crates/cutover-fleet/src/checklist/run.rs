//! Goes through a list.

use std::time::Duration;

use cutover::Runtime;

use super::{CheckResult, Checklists, Finding, Item, ItemResult, View, When};
use crate::call::within;
use crate::system::SystemName;
use crate::text::message;

impl Checklists {
    /// Checks the items of a list one after the other, each within `deadline`.
    pub(crate) async fn run(
        &self,
        when: When,
        view: &View<'_>,
        runtime: &dyn Runtime,
        deadline: Duration,
    ) -> Vec<ItemResult> {
        let mut results = Vec::new();
        for item in self.of(when) {
            let result = item.result(view, runtime, deadline).await;
            results.push(ItemResult { item: item.name.clone(), result });
        }
        results
    }
}

impl Item {
    async fn result(&self, view: &View<'_>, runtime: &dyn Runtime, deadline: Duration) -> CheckResult {
        if let Some(waived) = self.waived(&view.system().name) {
            return waived;
        }
        let Some(check) = &self.check else {
            return CheckResult::Error { reason: "it has no check: give it one, or waive it".to_owned() };
        };
        match within(runtime, deadline, async { check.check(view).await }).await {
            Ok(Finding::Pass) => CheckResult::Pass,
            Ok(Finding::Fail(reason)) => CheckResult::Fail { reason: message(&reason) },
            Err(error) => CheckResult::Error { reason: error.to_string() },
        }
    }

    fn waived(&self, system: &SystemName) -> Option<CheckResult> {
        let waiver = self.waivers.iter().find(|waiver| waiver.systems.is_match(system.as_str()))?;
        Some(CheckResult::Waived { actor: waiver.actor.clone(), reason: waiver.reason.clone() })
    }
}
