//! [`conformance_tests`](crate::conformance_tests).

/// Makes one test of every check of the [conformance kit](crate::testing::conformance), with the name of the check.
///
/// The factory's expression is evaluated anew for each test. The tests are either asynchronous ones with the attribute
/// that is given, or plain ones with a function that blocks on a future:
///
/// ```
/// # use cutover::MemoryStore;
/// # use cutover::store::async_trait;
/// # use cutover::testing::conformance::{Capabilities, FactoryError, StoreFactory, Stores};
/// # struct Factory;
/// # #[async_trait]
/// # impl StoreFactory for Factory {
/// #     fn capabilities(&self) -> Capabilities {
/// #         Capabilities::default()
/// #     }
/// #     async fn fresh(&self) -> Result<Stores, FactoryError> {
/// #         Ok(Stores::new(MemoryStore::new(), ()))
/// #     }
/// #     async fn reopen(&self, _opened: &Stores) -> Result<Stores, FactoryError> {
/// #         Err("not shown".into())
/// #     }
/// # }
/// mod on_tokio {
///     cutover::conformance_tests!(#[tokio::test(flavor = "multi_thread")] super::Factory);
/// }
///
/// mod on_smol {
///     cutover::conformance_tests!(block_on = smol::block_on, super::Factory);
/// }
/// ```
#[macro_export]
macro_rules! conformance_tests {
    (@names $head:tt) => {
        $crate::conformance_tests! { @each $head
            absent_is_none
            creating_is_exclusive
            a_refused_write_changes_nothing
            repeating_an_operation_is_safe
            repeating_at_once_is_safe
            racing_writers_lose_nothing
            a_change_after_reading_is_noticed
            a_pause_in_a_write_loses_nothing
            the_audit_is_gapless_and_paged
            the_chain_survives
            what_is_too_large_is_refused_whole
            migrations_are_apart
            fresh_stores_are_apart
            handles_see_each_other
            a_restart_loses_nothing
            changes_wake_those_who_watch
            values_survive
            large_numbers_survive
            what_cannot_be_read_is_an_error
            an_unreachable_store_is_unavailable
            a_cut_connection_comes_back
            dropping_a_write_is_safe
            dropping_a_read_is_safe
            dropping_a_claim_is_safe
            dropping_a_batch_is_safe
            the_record_decides_who_claims
            one_claim_wins
            only_the_holder_acts
            completed_is_final
            items_are_apart
            no_item_is_granted_twice
            tokens_only_grow
            a_lease_that_ran_out_is_lost
            a_lease_lasts_as_renewed
            repeating_a_claim_is_safe
            claims_that_ran_out_are_listed
            times_of_clients_move_no_lease
            claims_survive_a_restart
            discrepancies_are_merged
            racing_batches_lose_nothing
            discrepancies_are_paged
            discrepancies_are_apart
            discrepancies_survive
            discrepancies_are_bounded
        }
    };
    (@each [listed] $($name:ident)*) => { &[$(stringify!($name)),*] };
    (@each $head:tt $($name:ident)*) => { $($crate::conformance_tests! { @one $head $name })* };
    (@one [blocking { $block_on:path } { $factory:expr }] $name:ident) => {
        #[test]
        fn $name() -> ::core::result::Result<(), $crate::testing::conformance::Violation> {
            $block_on(async { $crate::testing::conformance::$name(&$factory).await })
        }
    };
    (@one [asynchronous { $($attribute:tt)* } { $factory:expr }] $name:ident) => {
        $($attribute)*
        async fn $name() -> ::core::result::Result<(), $crate::testing::conformance::Violation> {
            $crate::testing::conformance::$name(&$factory).await
        }
    };
    (block_on = $block_on:path, $factory:expr $(,)?) => {
        $crate::conformance_tests! { @names [blocking { $block_on } { $factory }] }
    };
    ($(#[$attribute:meta])+ $factory:expr $(,)?) => {
        $crate::conformance_tests! { @names [asynchronous { $(#[$attribute])+ } { $factory }] }
    };
}
