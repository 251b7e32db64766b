//! What a host writes: its parts, its checks, a store, and one call.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cutover::Side;
use cutover_fleet::{
    BackupExists, Check, Checklists, Finding, Fleet, Host, HostError, ValidationPassed, View, When, async_trait,
};
use cutover_sqlite::SqliteStore;

use crate::Failure;
use crate::conversion::RuleConversion;
use crate::show::Watcher;
use crate::world::{Plan, host};

/// Where the reports are.
pub(crate) const MARKDOWN: &str = "report.md";
pub(crate) const JSON: &str = "report.json";

/// Migrates the systems of the world in `folder`, or goes on with it.
pub(crate) async fn migrate(folder: &Path) -> Result<(), Failure> {
    let Plan { inventory, settings } = Plan::read()?;
    let local = Arc::new(host(folder)?);
    let conversion = RuleConversion { host: (*local).clone(), folder: folder.join("converted") };
    let host = Host::new(Arc::new(conversion), local.clone(), local.clone(), local.clone(), local);
    let store = SqliteStore::open(folder.join("fleet.sqlite"))?;
    let watcher = Watcher::new();
    let fleet = Fleet::builder(inventory, host, store)
        .settings(settings)
        .checklists(checklists()?)
        .observe(watcher.observer())
        .actor("ana")
        .build()?;
    let report = fleet.run().await;
    watcher.finish();
    fs::write(folder.join(MARKDOWN), report.to_markdown())?;
    fs::write(folder.join(JSON), serde_json::to_vec_pretty(&report)?)?;
    Ok(())
}

fn checklists() -> Result<Checklists, Failure> {
    let mut lists = Checklists::preset()
        .check(When::Before, "backup_exists", BackupExists)?
        .waive(When::Before, "backup_exists", "pricing-dk", "ben", "there is nothing in it that anybody needs")?
        .check(When::Before, "tests_passing", IsHealthy(Side::Legacy))?
        .check(When::During, "integration_tests", IsHealthy(Side::New))?
        .check(When::During, "parallel_validation", ValidationPassed { at_least: 0.8 })?;
    let not_here = [
        (When::Before, "dependencies_mapped"),
        (When::Before, "rollback_plan"),
        (When::Before, "monitoring_setup"),
        (When::Before, "team_notified"),
        (When::During, "unit_tests"),
        (When::During, "no_performance_regression"),
    ];
    for (when, item) in not_here {
        lists = lists.waive(when, item, "*", "ana", "an example has neither a team nor a past")?;
    }
    Ok(lists)
}

/// A check of the host's own: whether a side answers.
struct IsHealthy(Side);

#[async_trait]
impl Check for IsHealthy {
    async fn check(&self, view: &View<'_>) -> Result<Finding, HostError> {
        let vitals = view.vitals(self.0).await?;
        Ok(Finding::when(vitals.healthy, || "its health check does not pass".to_owned()))
    }
}
