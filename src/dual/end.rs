//! How a side ended, with what it left behind.

use std::any::Any;
use std::panic::resume_unwind;

use crate::contain::Payload;
use crate::outcome::Outcome;
use crate::record::Captured;

/// How a side ended, with its value.
pub(super) enum End<T, E> {
    Ok(T),
    Err(E),
    Panicked(Payload),
    TimedOut,
    Abandoned,
}

impl<T, E> End<T, E> {
    #[inline]
    pub(super) fn of(ended: Result<Result<T, E>, Payload>) -> Self {
        match ended {
            Ok(Ok(value)) => Self::Ok(value),
            Ok(Err(error)) => Self::Err(error),
            Err(payload) => Self::Panicked(payload),
        }
    }

    /// Puts an answer where it stays, and says how it is.
    #[inline]
    pub(super) fn put(answer: Result<T, E>, end: &mut Option<Self>) -> Outcome {
        match answer {
            Ok(value) => {
                *end = Some(Self::Ok(value));
                Outcome::Ok
            }
            Err(error) => {
                *end = Some(Self::Err(error));
                Outcome::Err
            }
        }
    }

    #[inline]
    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Ok(_) => Outcome::Ok,
            Self::Err(_) => Outcome::Err,
            Self::Panicked(_) => Outcome::Panicked,
            Self::TimedOut => Outcome::TimedOut,
            Self::Abandoned => Outcome::Abandoned,
        }
    }

    #[inline]
    pub(super) const fn value(&self) -> Option<&T> {
        match self {
            Self::Ok(value) => Some(value),
            Self::Err(_) | Self::Panicked(_) | Self::TimedOut | Self::Abandoned => None,
        }
    }

    /// What the caller gets from the side that answers: its value, its error or its panic.
    #[inline]
    pub(super) fn into_answer(self) -> Result<T, E> {
        match self {
            Self::Ok(value) => Ok(value),
            Self::Err(error) => Err(error),
            Self::Panicked(payload) => resume_unwind(payload),
            Self::TimedOut | Self::Abandoned => unreachable!("the side that answers is never stopped"),
        }
    }

    #[inline]
    pub(super) const fn view(&self) -> View<'_, T, E> {
        match self {
            Self::Ok(value) => View::Ok(value),
            Self::Err(error) => View::Err(error),
            Self::Panicked(payload) => View::Panicked(payload),
            Self::TimedOut => View::TimedOut,
            Self::Abandoned => View::Abandoned,
        }
    }
}

/// How a side ended, as the judge sees it.
pub(super) enum View<'a, T, E> {
    Ok(&'a T),
    Err(&'a E),
    /// An error whose owner has already left with it.
    ErrLeft(&'a ErrorTraces),
    Panicked(&'a Payload),
    TimedOut,
    Abandoned,
}

impl<T, E> View<'_, T, E> {
    /// Whether the error left without what its comparison needs, which was counted then.
    pub(super) const fn lost_projection(&self) -> bool {
        matches!(self, View::ErrLeft(ErrorTraces { projection: None, .. }))
    }

    pub(super) const fn outcome(&self) -> Outcome {
        match self {
            Self::Ok(_) => Outcome::Ok,
            Self::Err(_) | Self::ErrLeft(_) => Outcome::Err,
            Self::Panicked(_) => Outcome::Panicked,
            Self::TimedOut => Outcome::TimedOut,
            Self::Abandoned => Outcome::Abandoned,
        }
    }
}

/// What stays of an error when the caller takes it before the shadow has ended.
#[derive(Default)]
pub(super) struct ErrorTraces {
    /// What the error comparator looks at.
    pub(super) projection: Option<Box<dyn Any + Send>>,
    /// What a discrepancy would show.
    pub(super) captured: Option<Captured>,
}
