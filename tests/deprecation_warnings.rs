//! Promise: each caller of what is old is warned of once, and whoever hears the warning does no harm.
#![expect(clippy::type_complexity, clippy::unwrap_used, reason = "a test")]

mod tracing_common;

use std::sync::Once;

use cutover::Deprecations;
use cutover::compat::{Deprecation, Release};
use tracing::Subscriber;
use tracing_common::{Heard, heard};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;

const PRICE: Deprecation<'_> =
    Deprecation::new("price").instead("quote").since(Release::new([2, 1])).remove_after(Release::new([2]));
const FAX: Deprecation<'_> = Deprecation::new("fax");
const FILE: &str = "tests/deprecation_warnings.rs";

#[track_caller]
fn price(old: &Deprecations) {
    old.used(&PRICE);
}

/// Somebody listens in this process before the first warning. `tracing` keeps whether anybody does for each place that
/// warns, and takes it for nobody if the first listener comes while another thread warns there for the first time.
fn listen() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| tracing::subscriber::set_global_default(Registry::default()).unwrap());
}

fn heard_by_all<R>(run: impl FnOnce() -> R) -> (R, Vec<Heard>) {
    listen();
    heard(run)
}

#[test]
fn each_call_site_is_warned_of_once() {
    let old = Deprecations::new();
    let here = line!() + 4;
    let ((), events) = heard_by_all(|| {
        for _ in 0..3 {
            for _ in 0..2 {
                price(&old);
            }
            old.used_in(&FAX, "the nightly job");
        }
    });
    let told: Vec<_> = events.iter().map(|event| (event.name.as_str(), event.fields["site"].as_str())).collect();
    let site = format!("{FILE}:{here}:17");
    assert_eq!(
        told,
        [
            ("`price` is deprecated, use `quote`", &*site),
            ("`fax` is deprecated, and nothing replaces it", "the nightly job"),
        ]
    );
    assert!(events.iter().all(|event| event.level == tracing::Level::WARN));
    assert_eq!(events[0].fields["remove_after"], "2");
}

/// Calls the old function for every event, or panics.
struct Meddling<'a>(&'a Deprecations, bool);

impl<S: Subscriber> Layer<S> for Meddling<'static> {
    fn on_event(&self, _: &tracing::Event<'_>, _: Context<'_, S>) {
        assert!(!self.1, "a broken listener");
        price(self.0);
    }
}

#[test]
fn whoever_hears_the_warning_can_neither_break_nor_block_the_old_function() {
    listen();
    for panics in [false, true] {
        let old: &'static Deprecations = Box::leak(Box::default());
        let listener = Registry::default().with(Meddling(old, panics));
        tracing::subscriber::with_default(listener, || (0..2).for_each(|_| price(old)));
        assert_eq!(old.report().uses(), if panics { 2 } else { 3 });
    }
}

#[test]
fn that_further_call_sites_are_not_told_apart_is_said_once() {
    let old = Deprecations::new().capacity(3);
    let ((), events) = heard_by_all(|| (0..50).for_each(|use_| old.used_in(&PRICE, &format!("place {}", use_ / 5))));
    assert_eq!(events.len(), 4, "three sites, and one word on the capacity");
    let last = "uses of deprecated things at further call sites are not told apart";
    assert_eq!((events[3].name.as_str(), events[3].fields["capacity"].as_str()), (last, "3"));
}
