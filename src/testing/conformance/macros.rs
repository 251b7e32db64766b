//! [`conformance_tests`](crate::conformance_tests).

/// Makes one test of every check of the [conformance kit](crate::testing::conformance), with the name of the check.
///
/// The factory's expression is evaluated anew for each test. The tests are either asynchronous ones with the attribute
/// that is given, or plain ones with a function that blocks on a future:
///
/// ```ignore
/// mod on_tokio {
///     cutover::conformance_tests!(#[tokio::test(flavor = "multi_thread")] super::Factory::new());
/// }
///
/// mod on_smol {
///     cutover::conformance_tests!(block_on = smol::block_on, super::Factory::new());
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
            the_audit_is_gapless_and_paged
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
