//! [`ALL`]: the checks, as a table.

use std::fmt;

use futures_util::future::BoxFuture;

use super::{Capability, StoreFactory, Violation, audit, state};

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
    check!(state::creating_is_exclusive, None, "of two creations the second is refused with the first's record"),
    check!(
        state::a_refused_write_changes_nothing,
        None,
        "only the present epoch and etag are replaced; a refusal changes neither record nor audit"
    ),
    check!(
        state::repeating_an_operation_is_safe,
        None,
        "an operation is stored once, and every repetition answers its first record"
    ),
    check!(
        audit::the_audit_is_gapless_and_paged,
        None,
        "each epoch has one entry, pages give them in order, and none of them ever changes"
    ),
];
