//! [`ALL`]: the checks, as a table.

use std::fmt;

use futures_util::future::BoxFuture;

use super::Capability::{Broken, Claims, Disconnect, Discrepancies, Pause, Plant, Watch};
use super::{
    Capability, StoreFactory, Violation, apart, audit, cancellation, claims, discrepancies, faults, leases, race,
    state, values, watch,
};

/// One check.
#[non_exhaustive]
pub struct Check {
    /// Its name, which is that of its function.
    pub name: &'static str,
    /// The law that it checks.
    pub law: &'static str,
    /// What it needs. Where that is not declared, it checks that it is absent.
    pub needs: Option<Capability>,
    run: for<'a> fn(&'a dyn StoreFactory) -> BoxFuture<'a, Result<(), Violation>>,
}

impl Check {
    /// Checks the stores of `factory`.
    ///
    /// # Errors
    /// [`Violation`] when the law does not hold.
    pub async fn run(&self, factory: &dyn StoreFactory) -> Result<(), Violation> {
        (self.run)(factory).await
    }
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, law, needs, run: _ } = self;
        f.debug_struct("Check").field("name", name).field("law", law).field("needs", needs).finish_non_exhaustive()
    }
}

macro_rules! check {
    ($module:ident::$name:ident, $needs:expr, $law:literal) => {
        Check { name: stringify!($name), law: $law, needs: $needs, run: |factory| Box::pin($module::$name(factory)) }
    };
}

/// All checks, in the order in which the laws build on each other.
pub const ALL: &[Check] = &[
    check!(state::absent_is_none, None, "what was never stored is `None` or empty, never a default"),
    check!(state::creating_is_exclusive, None, "of two creations the second is refused with the record of the first"),
    check!(
        state::a_refused_write_changes_nothing,
        None,
        "only the present epoch and etag are replaced, and a refusal changes neither record nor audit"
    ),
    check!(
        state::repeating_an_operation_is_safe,
        None,
        "an operation is stored once, and every repetition answers its first record"
    ),
    check!(
        race::repeating_at_once_is_safe,
        None,
        "an operation that several handles send at once is stored once, and all get its record"
    ),
    check!(
        race::racing_writers_lose_nothing,
        None,
        "of racing writers no committed change is lost, and the epochs are 1 to their number"
    ),
    check!(
        race::a_change_after_reading_is_noticed,
        None,
        "a write is refused when another was committed after its expectation was read"
    ),
    check!(
        race::a_pause_in_a_write_loses_nothing,
        Some(Pause),
        "comparing and storing is one step, whatever happens in between"
    ),
    check!(
        audit::the_audit_is_gapless_and_paged,
        None,
        "each epoch has one entry, pages give them in order, and none of them ever changes"
    ),
    check!(values::the_chain_survives, None, "every entry is read as it was written, so that its hash holds"),
    check!(
        values::what_is_too_large_is_refused_whole,
        None,
        "an entry above the limit is `TooLarge`, and then neither record nor entry was stored"
    ),
    check!(
        apart::migrations_are_apart,
        None,
        "migrations of one store do not see each other's records, audits and operations"
    ),
    check!(apart::fresh_stores_are_apart, None, "stores in different namespaces do not see each other"),
    check!(
        apart::handles_see_each_other,
        None,
        "a load that starts after a write was acknowledged sees it, on every handle"
    ),
    check!(apart::a_restart_loses_nothing, None, "what was acknowledged is there after the last handle was closed"),
    check!(
        watch::changes_wake_those_who_watch,
        Some(Watch),
        "after every change, whoever watches is woken and then sees it"
    ),
    check!(
        values::values_survive,
        None,
        "records and entries are read as they were written, whatever their texts and numbers"
    ),
    check!(values::large_numbers_survive, None, "epochs above 2^53 are told apart, and numbers of 64 bits survive"),
    check!(
        faults::what_cannot_be_read_is_an_error,
        Some(Plant),
        "what cannot be read is `Corrupt` or `UnknownFormat`, never a default, and is never overwritten"
    ),
    check!(
        faults::an_unreachable_store_is_unavailable,
        Some(Broken),
        "every call of a store that cannot be reached is `Unavailable`, in time"
    ),
    check!(
        faults::a_cut_connection_comes_back,
        Some(Disconnect),
        "a handle that lost its connections finds the store again, and what was written meanwhile"
    ),
    check!(cancellation::dropping_a_write_is_safe, None, "a dropped write took place completely or not at all"),
    check!(cancellation::dropping_a_read_is_safe, None, "a dropped read leaves the handle as it was"),
    check!(
        cancellation::dropping_a_claim_is_safe,
        Some(Claims),
        "a dropped call on a claim took place completely or not at all"
    ),
    check!(
        cancellation::dropping_a_batch_is_safe,
        Some(Discrepancies),
        "a dropped batch was counted once or not at all"
    ),
    check!(
        claims::the_record_decides_who_claims,
        Some(Claims),
        "a claim is granted only by the present record, which is compared first"
    ),
    check!(claims::one_claim_wins, Some(Claims), "of simultaneous claims exactly one is granted"),
    check!(
        claims::only_the_holder_acts,
        Some(Claims),
        "renewing, completing and releasing need the holder's token; anything else changes nothing"
    ),
    check!(claims::completed_is_final, Some(Claims), "a completed item is never claimed again"),
    check!(claims::items_are_apart, Some(Claims), "an item is its text, byte for byte, and belongs to one migration"),
    check!(
        claims::no_item_is_granted_twice,
        Some(Claims),
        "of items that several workers race for, each is granted once"
    ),
    check!(leases::tokens_only_grow, Some(Claims), "each token of an item is larger than all before it"),
    check!(
        leases::a_lease_that_ran_out_is_lost,
        Some(Claims),
        "after its lease ran out, a claim is neither renewed nor completed nor released"
    ),
    check!(
        leases::a_lease_lasts_as_renewed,
        Some(Claims),
        "a lease lasts for what was asked last, neither longer nor shorter"
    ),
    check!(
        leases::repeating_a_claim_is_safe,
        Some(Claims),
        "a repeated claim has the token of the first and is not prolonged; ending again succeeds until somebody claims"
    ),
    check!(
        leases::claims_that_ran_out_are_listed,
        Some(Claims),
        "claims that ran out and that nobody claimed since are listed, the oldest first"
    ),
    check!(leases::times_of_clients_move_no_lease, Some(Claims), "only the store's clock says when a lease runs out"),
    check!(
        leases::claims_survive_a_restart,
        Some(Claims),
        "what holds about claims holds after the last handle was closed"
    ),
    check!(
        discrepancies::discrepancies_are_merged,
        Some(Discrepancies),
        "the first sample stays, and occurrences and times are those of all"
    ),
    check!(
        discrepancies::racing_batches_lose_nothing,
        Some(Discrepancies),
        "of racing batches every occurrence counts"
    ),
    check!(discrepancies::discrepancies_are_paged, Some(Discrepancies), "pages are in the order of the fingerprints"),
    check!(
        discrepancies::discrepancies_are_apart,
        Some(Discrepancies),
        "migrations do not see each other's discrepancies"
    ),
    check!(
        discrepancies::discrepancies_survive,
        Some(Discrepancies),
        "discrepancies are read as they were written, also after a restart"
    ),
    check!(
        discrepancies::discrepancies_are_bounded,
        Some(Discrepancies),
        "at most `MAX_DISTINCT` are kept; further ones are counted as dropped"
    ),
];
