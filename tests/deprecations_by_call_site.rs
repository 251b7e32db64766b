//! Promise: uses of what is old are counted by who calls it, and it costs nothing to leave in.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

use std::hint::black_box;
use std::panic::Location;
use std::sync::Barrier;
use std::thread;

use cutover::Deprecations;
use cutover::compat::{Caller, DeclareError, Deprecated, Deprecation, Fact, Release};

const PRICE: Deprecation<'_> =
    Deprecation::new("price").instead("quote").since(Release::new([2, 1])).remove_after(Release::new([2]));
const FAX: Deprecation<'_> = Deprecation::new("fax");
const FILE: &str = "tests/deprecations_by_call_site.rs";

#[track_caller]
fn price(old: &Deprecations) {
    old.used(&PRICE);
}

#[track_caller]
fn generic_price<T>(old: &Deprecations, _: T) {
    old.used(&PRICE);
}

fn entry(old: &Deprecations, name: &str) -> Deprecated {
    old.report().deprecated[name].clone()
}

fn lines(callers: &[Caller]) -> Vec<(u32, u64)> {
    callers.iter().map(|caller| (caller.line.unwrap(), caller.uses)).collect()
}

#[test]
fn the_call_site_is_the_caller_of_the_old_function() {
    let old = Deprecations::new();
    let first = line!() + 1;
    price(&old);
    price(&old);
    let entry = entry(&old, "price");
    assert_eq!(lines(&entry.callers), [(first, 1), (first + 1, 1)]);
    assert!(entry.callers.iter().all(|caller| caller.file == FILE && caller.column == Some(5)), "{entry:?}");
    assert_eq!(entry.facts("price"), PRICE);
}

#[test]
fn calls_in_one_line_are_call_sites_of_their_own() {
    let old = &Deprecations::new().capacity(8); // so small a table that they meet in it
    let _all = [price(old), price(old), price(old), price(old), price(old), price(old), price(old), price(old)];
    assert_eq!((old.report().call_sites(), old.report().uncounted), (8, 0));
}

#[test]
fn a_loop_a_recursion_and_generic_code_are_one_call_site_each() {
    fn recursive(old: &Deprecations, depth: u32) {
        price(old);
        if depth > 0 {
            recursive(old, depth - 1);
        }
    }
    fn in_generic_code<T: Copy>(old: &Deprecations, value: T) {
        generic_price(old, value);
    }
    let old = Deprecations::new();
    (0..10).for_each(|_| price(&old));
    recursive(&old, 9);
    in_generic_code(&old, 1_u8);
    in_generic_code(&old, "text");
    in_generic_code(&old, [0.5; 2]);
    let uses: Vec<_> = entry(&old, "price").callers.iter().map(|caller| caller.uses).collect();
    assert_eq!(uses, [10, 3, 10]); // the order of their lines: recursive, generic, loop
}

#[test]
fn an_async_caller_is_where_the_future_is_made() {
    #[track_caller]
    fn fetch(old: &Deprecations) -> impl Future<Output = u32> + use<> {
        old.used(&PRICE);
        async { 7 }
    }
    #[track_caller]
    fn handed_over(old: &Deprecations) -> impl Future<Output = ()> + '_ {
        let caller = Location::caller();
        async move { old.used_at(&PRICE, caller) }
    }
    let old = Deprecations::new();
    let first = line!() + 1;
    let future = fetch(&old);
    let later = handed_over(&old);
    assert_eq!(futures::executor::block_on(future), 7);
    futures::executor::block_on(later);
    assert_eq!(lines(&entry(&old, "price").callers), [(first, 1), (first + 1, 1)]);
}

#[test]
fn a_call_through_a_pointer_has_the_place_of_the_old_function() {
    let old = Deprecations::new();
    let pointer: fn(&Deprecations) = price;
    let here = line!();
    black_box(pointer)(&old);
    assert!(entry(&old, "price").callers[0].line.unwrap() < here);
}

#[test]
fn threads_lose_no_count() {
    const EACH: u64 = 50_000;
    let (old, all_here) = (Deprecations::new(), Barrier::new(4));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                all_here.wait();
                (0..EACH).for_each(|_| price(&old));
            });
        }
    });
    let report = old.report();
    assert_eq!((report.call_sites(), report.uses(), report.uncounted), (1, 4 * EACH, 0));
}

#[test]
fn threads_that_meet_at_a_new_site_make_it_once() {
    for _ in 0..500 {
        let (old, all_here) = (Deprecations::new().capacity(2), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    all_here.wait();
                    price(&old);
                });
            }
        });
        old.used_in(&PRICE, "there is room for one more");
        let report = old.report();
        assert_eq!((report.call_sites(), report.uses(), report.uncounted), (2, 5, 0));
    }
}

#[test]
fn sites_of_one_place_and_of_many_are_told_apart() {
    let old = Deprecations::new().capacity(2_000);
    let names: Vec<String> = (0..1_000).map(|number| format!("key-{number}")).collect();
    for round in 1..=2 {
        for name in &names {
            old.used_in(&Deprecation::new(name), "shop.toml");
            old.used_in(&PRICE, name);
        }
        let report = old.report();
        assert_eq!((report.call_sites(), report.uses()), (2_000, 2_000 * round));
    }
    let report = old.report();
    assert!(names.iter().all(|name| report.deprecated[name].uses() == 2));
    assert_eq!(report.deprecated["price"].callers.len(), 1_000);
}

#[test]
fn what_is_declared_is_in_the_report_without_a_use() {
    static OLD: Deprecations = Deprecations::of(&[PRICE, FAX]);
    OLD.declare(&Deprecation::new("db.host").instead("database.address")).unwrap();
    let report = OLD.report();
    assert_eq!(report.unused().collect::<Vec<_>>(), ["db.host", "fax", "price"]);
    assert_eq!((report.call_sites(), report.uses()), (0, 0));
    assert_eq!(report.deprecated["price"].facts("price"), PRICE);
}

#[test]
fn facts_may_come_in_parts_and_in_any_order() {
    let parts = [
        Deprecation::new("price"),
        Deprecation::new("price").instead("quote"),
        Deprecation::new("price").since(Release::new([2, 1])),
        Deprecation::new("price").remove_after(Release::new([2])),
    ];
    for rotated in 0..parts.len() {
        let old = Deprecations::new();
        parts.iter().cycle().skip(rotated).take(parts.len()).for_each(|part| old.declare(part).unwrap());
        assert_eq!(entry(&old, "price").facts("price"), PRICE);
    }
}

#[test]
fn facts_that_differ_are_an_error_and_change_nothing() {
    let old = Deprecations::new();
    old.declare(&PRICE).unwrap();
    let before = old.report();
    let differs = |fact, first: &str, second: &str| {
        Err(DeclareError::Differs { old: "price".into(), fact, first: first.into(), second: second.into() })
    };
    let late = Deprecation::new("price").since(Release::new([2, 2]));
    assert_eq!(old.declare(&late), differs(Fact::Since, "2.1", "2.2"));
    assert_eq!(old.declare(&PRICE.instead("offer")), differs(Fact::Instead, "quote", "offer"));
    assert_eq!(old.declare(&PRICE.remove_after(Release::new([2, 9]))), differs(Fact::RemoveAfter, "2", "2.9"));
    assert_eq!(old.declare(&Deprecation::new("")), Err(DeclareError::NoName));
    let backwards = Deprecation::new("fax").since(Release::new([3])).remove_after(Release::new([2]));
    let refused = old.declare(&backwards).unwrap_err();
    assert_eq!(refused.to_string(), "`fax` is deprecated since 3, which comes after 2, the last release that has it");
    assert_eq!(old.report(), before);
    let refused = old.declare(&PRICE.instead("offer")).unwrap_err().to_string();
    assert_eq!(refused, "`price` is declared twice: instead `quote`, and instead `offer`; decide on one");
}

#[test]
fn a_use_never_fails_and_facts_that_differ_stand_in_the_report() {
    static OLD: Deprecations = Deprecations::of(&[PRICE, PRICE.instead("offer")]);
    for _ in 0..3 {
        OLD.used(&PRICE.since(Release::new([1])));
    }
    let report = OLD.report();
    assert_eq!((report.uses(), report.problems.len()), (3, 2), "{:?}", report.problems);
    assert_eq!(report.deprecated["price"].facts("price"), PRICE); // the first one holds
}

#[test]
fn call_sites_are_bounded_and_what_is_beyond_is_counted() {
    let old = Deprecations::new().capacity(3);
    for number in 0..10 {
        for _ in 0..5 {
            old.used_in(&PRICE, &format!("place {number}"));
        }
    }
    let report = old.report();
    assert_eq!((report.call_sites(), report.uncounted, report.uses()), (3, 35, 50));
}

#[test]
fn without_room_for_any_call_site_uses_are_counted_still() {
    let old = Deprecations::new().capacity(0);
    price(&old);
    let report = old.report();
    assert_eq!((report.call_sites(), report.uncounted), (0, 1));
}

#[test]
fn a_use_at_a_known_call_site_allocates_nothing() {
    let old = Deprecations::new();
    let name = String::from("db.host");
    let uses = || {
        for _ in 0..100 {
            price(black_box(&old));
            old.used_in(&Deprecation::new(&name).instead("database.address"), "shop.toml");
        }
    };
    uses();
    assert_eq!(allocation_counter::measure(uses).count_total, 0);
    let full = Deprecations::new().capacity(0);
    price(&full);
    assert_eq!(allocation_counter::measure(|| price(&full)).count_total, 0);
}
