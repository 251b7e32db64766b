//! [`Violation`], and what every check goes through.

use std::error::Error;
use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::pin;

use futures_util::future::{BoxFuture, Either, select};

use super::{ALL, Capability, FactoryError, Planted, StoreFactory, tools};
use crate::store::{AuditFault, ClaimError, StoreError, TextError};

/// A law that a store does not keep. `Debug` shows the same text as `Display`, because test runners show the former.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {law}\n  but {seen}")]
#[non_exhaustive]
pub struct Violation {
    /// The check that found it.
    pub check: &'static str,
    /// The law.
    pub law: &'static str,
    /// What was seen instead.
    pub seen: String,
}

impl Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What was seen instead of what the law says.
#[derive(Debug)]
pub(super) struct Seen(String);

impl Seen {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The same, with the circumstances.
    pub(super) fn when(self, circumstances: &str) -> Self {
        Self(format!("{circumstances}, {}", self.0))
    }

    fn error(what: &str, error: &dyn Error) -> Self {
        let mut text = format!("{what}: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        Self(text)
    }
}

impl From<StoreError> for Seen {
    fn from(error: StoreError) -> Self {
        Self::error("a call failed", &error)
    }
}

impl From<ClaimError> for Seen {
    fn from(error: ClaimError) -> Self {
        Self::error("a call failed", &error)
    }
}

impl From<AuditFault> for Seen {
    fn from(fault: AuditFault) -> Self {
        Self::error("the chain is broken", &fault)
    }
}

impl From<TextError> for Seen {
    fn from(error: TextError) -> Self {
        Self::error("the kit itself is wrong", &error)
    }
}

impl From<FactoryError> for Seen {
    fn from(error: FactoryError) -> Self {
        Self::error("the factory failed", &*error)
    }
}

pub(super) type Found<T = ()> = Result<T, Seen>;

/// Holds if `holds`, and else was seen what `seen` says.
pub(super) fn ensure(holds: bool, seen: impl FnOnce() -> String) -> Found {
    if holds { Ok(()) } else { Err(Seen(seen())) }
}

/// Holds if `seen` is `wanted`.
pub(super) fn same<T: PartialEq + Debug>(what: &str, seen: &T, wanted: &T) -> Found {
    ensure(seen == wanted, || format!("{what} is {}, not {}", short(seen), short(wanted)))
}

/// As `Debug` shows it, cut to what a person reads.
pub(super) fn short(value: &impl Debug) -> String {
    let mut text = format!("{value:?}");
    if let Some((end, _)) = text.char_indices().nth(2000) {
        text.truncate(end);
        text.push_str(" ..");
    }
    text
}

/// Runs a check's body if what it needs is declared; if it is not, checks that it is absent.
pub(super) fn judge<'a>(
    name: &'static str,
    factory: &'a dyn StoreFactory,
    body: impl Future<Output = Found> + Send + 'a,
) -> BoxFuture<'a, Result<(), Violation>> {
    let check = ALL.iter().find(|check| check.name == name);
    let undeclared = check.and_then(|check| check.needs).filter(|&needed| !factory.capabilities().has(needed));
    Box::pin(async move {
        let found = match undeclared {
            Some(undeclared) => in_time(factory, absent(factory, undeclared)).await,
            None => in_time(factory, body).await,
        };
        found.map_err(|Seen(seen)| Violation { check: name, law: check.map_or("", |check| check.law), seen })
    })
}

async fn in_time(factory: &dyn StoreFactory, body: impl Future<Output = Found> + Send) -> Found {
    let deadline = factory.limits().deadline;
    match select(pin!(body), factory.runtime().sleep(deadline)).await {
        Either::Left((found, _)) => found,
        Either::Right(_) => Err(Seen(format!("the check has not ended after {deadline:?}"))),
    }
}

async fn absent(factory: &dyn StoreFactory, undeclared: Capability) -> Found {
    let id = tools::id("undeclared")?;
    let stores = factory.fresh().await?;
    let there = match undeclared {
        Capability::Claims => stores.claims.is_some(),
        Capability::Discrepancies => stores.discrepancies.is_some(),
        Capability::Watch => stores.state.watch(&id).await?.is_some(),
        Capability::Broken => factory.broken().await?.is_some(),
        Capability::Plant => factory.plant(&stores, &id, &Planted::garbage()).await?,
        Capability::Pause => factory.pausing(&stores, tools::no_pause()).await?.is_some(),
        Capability::Disconnect => factory.disconnect(&stores).await?,
    };
    ensure(!there, || format!("the factory does not declare {undeclared:?}, and has it"))
}
