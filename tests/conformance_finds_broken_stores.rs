//! A store that breaks one law is found by the checks that are meant for it, and by no other.
#![cfg(feature = "testing")]
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::wildcard_enum_match_arm, reason = "each place knows only its own flaws")]

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cutover::Runtime;
use cutover::store::async_trait;
use cutover::testing::VirtualRuntime;
use cutover::testing::conformance::{
    ALL, Capabilities, Capability, Check, FactoryError, Limits, Pause, Planted, StoreFactory, Stores,
};

#[path = "conformance_finds_broken_stores/claims.rs"]
mod claims;
#[path = "conformance_finds_broken_stores/discrepancies.rs"]
mod discrepancies;
#[path = "conformance_finds_broken_stores/flaw.rs"]
mod flaw;
#[path = "conformance_finds_broken_stores/found_by.rs"]
mod found_by;
#[path = "conformance_finds_broken_stores/state.rs"]
mod state;
#[path = "conformance_finds_broken_stores/store.rs"]
mod store;

use flaw::Flaw;
use found_by::FLAWS;
use store::Flawed;

/// Makes stores with one flaw.
struct Factory {
    flaw: Flaw,
    runtime: VirtualRuntime,
    shared: OnceLock<Flawed>,
}

impl Factory {
    fn new(flaw: Flaw) -> Self {
        Self { flaw, runtime: VirtualRuntime::new(), shared: OnceLock::new() }
    }
}

impl Factory {
    fn stores(&self, store: Flawed) -> Stores {
        let stores = Stores::new(store.clone(), store.clone());
        let stores = if self.flaw == Flaw::NoClaimsAsDeclared { stores } else { stores.with_claims(store.clone()) };
        stores.with_discrepancies(store)
    }
}

#[async_trait]
impl StoreFactory for Factory {
    fn capabilities(&self) -> Capabilities {
        let all = [
            Capability::Claims,
            Capability::Discrepancies,
            Capability::Watch,
            Capability::Broken,
            Capability::Plant,
            Capability::Pause,
            Capability::Disconnect,
        ];
        let undeclared = match self.flaw {
            Flaw::UndeclaredWatch => Some(Capability::Watch),
            Flaw::UndeclaredClaims => Some(Capability::Claims),
            _ => None,
        };
        all.into_iter().filter(|&one| Some(one) != undeclared).fold(Capabilities::default(), Capabilities::with)
    }

    async fn fresh(&self) -> Result<Stores, FactoryError> {
        let shared = self.shared.get_or_init(|| Flawed::new(self.flaw, self.runtime.clone()));
        let own = Flawed::new(self.flaw, self.runtime.clone());
        Ok(self.stores(if self.flaw == Flaw::SharesOneNamespace { shared.second_handle() } else { own }))
    }

    async fn reopen(&self, opened: &Stores) -> Result<Stores, FactoryError> {
        Ok(self.stores(opened.context::<Flawed>()?.second_handle()))
    }

    async fn restart(&self, stores: Stores) -> Result<Stores, FactoryError> {
        let store = stores.context::<Flawed>()?.restarted();
        Ok(self.stores(store))
    }

    async fn broken(&self) -> Result<Option<Stores>, FactoryError> {
        Ok(Some(self.stores(Flawed::new(self.flaw, self.runtime.clone()).unreachable())))
    }

    async fn plant(
        &self,
        opened: &Stores,
        id: &cutover::store::MigrationId,
        planted: &Planted,
    ) -> Result<bool, FactoryError> {
        opened.context::<Flawed>()?.plant(id, planted);
        Ok(true)
    }

    async fn pausing(&self, opened: &Stores, pause: Pause) -> Result<Option<Stores>, FactoryError> {
        Ok(Some(self.stores(opened.context::<Flawed>()?.pausing(pause))))
    }

    async fn disconnect(&self, opened: &Stores) -> Result<bool, FactoryError> {
        opened.context::<Flawed>()?.cut();
        Ok(true)
    }

    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.runtime.clone())
    }

    fn limits(&self) -> Limits {
        Limits {
            writers: 4,
            changes: 6,
            items: 50,
            lease: Duration::from_millis(200),
            patience: Duration::from_secs(1),
            deadline: Duration::from_secs(5),
            ..Limits::default()
        }
    }
}

/// The names of the checks that find something.
fn finders(flaw: Flaw) -> Vec<&'static str> {
    // This check is a slow one, and looks at nothing else.
    let bounded = "discrepancies_are_bounded";
    let needless = |check: &&Check| check.name == bounded && !flaw.is_of_discrepancies();
    let found = |check: &&Check| {
        let factory = Factory::new(flaw);
        factory.runtime.clone().run(check.run(&factory)).is_err()
    };
    ALL.iter().filter(|check| !needless(check)).filter(found).map(|check| check.name).collect()
}

#[test]
fn a_store_without_flaw_passes() {
    for check in ALL {
        let factory = Factory::new(Flaw::None);
        let passed = factory.runtime.clone().run(check.run(&factory));
        passed.unwrap_or_else(|violation| panic!("{violation}"));
    }
}

#[test]
fn each_flaw_is_found_by_the_checks_that_are_meant_for_it() {
    let wrong = |&(flaw, wanted): &(Flaw, &[&str])| {
        let found = finders(flaw);
        (found != wanted).then(|| format!("{flaw:?}: found by {found:?}, not by {wanted:?}"))
    };
    let halves = FLAWS.split_at(FLAWS.len() / 2);
    let (mut wrong, rest): (Vec<String>, Vec<String>) = std::thread::scope(|scope| {
        let other = scope.spawn(|| halves.1.iter().filter_map(wrong).collect());
        let one = halves.0.iter().filter_map(wrong).collect();
        (one, other.join().expect("the other half"))
    });
    wrong.extend(rest);
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_check_can_fail() {
    let unseen = |name: &&str| !FLAWS.iter().any(|(_, found_by)| found_by.contains(name));
    let unseen: Vec<&str> = ALL.iter().map(|check| check.name).filter(unseen).collect();
    assert!(unseen.is_empty(), "no flaw is found by {unseen:?}");
}
