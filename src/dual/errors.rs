//! Compares errors by what a projection keeps of them, so that an error need not be `Clone`.

use std::any::Any;
use std::marker::PhantomData;

use crate::compare::{Comparator, ComparatorError, Comparison};

/// The error comparator of a runner, with the projected type erased.
pub(super) trait ErrorComparator<E>: Send + Sync {
    /// What the comparison needs of an error.
    fn project(&self, error: &E) -> Box<dyn Any + Send>;

    /// Compares two projections.
    fn compare(&self, legacy: &dyn Any, new: &dyn Any) -> Result<Comparison, ComparatorError>;
}

pub(super) struct Projected<P, C, K> {
    pub(super) project: P,
    pub(super) comparator: C,
    kept: PhantomData<fn() -> K>,
}

impl<P, C, K> Projected<P, C, K> {
    pub(super) const fn new(project: P, comparator: C) -> Self {
        Self { project, comparator, kept: PhantomData }
    }
}

impl<E, P, C, K> ErrorComparator<E> for Projected<P, C, K>
where
    P: Fn(&E) -> K + Send + Sync,
    C: Comparator<K>,
    K: Send + 'static,
{
    fn project(&self, error: &E) -> Box<dyn Any + Send> {
        Box::new((self.project)(error))
    }

    fn compare(&self, legacy: &dyn Any, new: &dyn Any) -> Result<Comparison, ComparatorError> {
        match (legacy.downcast_ref(), new.downcast_ref()) {
            (Some(legacy), Some(new)) => self.comparator.compare(legacy, new),
            _ => Err(ComparatorError::new("a projected error has another type than the comparator's")),
        }
    }
}
