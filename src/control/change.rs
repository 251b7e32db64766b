//! Changes: decide on the fresh record, compare and swap, and decide anew when others were faster.

use serde::Serialize;

use super::decide::{Basis, Wish};
use super::error::ChangeError;
use super::inner::Inner;
use super::known::Known;
use crate::store::{Author, Change, Expect, Record, Settings, StoreError};

/// A change that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Changed {
    /// The epoch of the record that says so.
    pub epoch: u64,
    /// What held before.
    pub before: Settings,
    /// What holds now.
    pub after: Settings,
    /// Whether it was stored. What holds already is not, unless something is [noted](super::Note).
    pub stored: bool,
}

impl Changed {
    /// Whether it held already, so that nothing was stored.
    #[must_use]
    pub fn is_noop(&self) -> bool {
        !self.stored
    }
}

/// How often a decision is taken anew because others were faster.
const ATTEMPTS: u32 = 10;

impl Inner {
    pub(super) async fn change(&self, wish: Wish, author: Author) -> Result<Changed, ChangeError> {
        let op_id = self.random.next_u128();
        for attempt in 0..ATTEMPTS {
            match self.try_change(&wish, &author, op_id).await {
                Err(ChangeError::Store(StoreError::Conflict { .. })) => self.pause(attempt).await,
                ended => return ended,
            }
        }
        Err(ChangeError::Contended { attempts: ATTEMPTS })
    }

    async fn try_change(&self, wish: &Wish, author: &Author, op_id: u128) -> Result<Changed, ChangeError> {
        self.persist_brake().await?;
        self.load().await?;
        let (generation, base, basis) = self.basis();
        let before = basis.effective;
        let Some((after, kind)) = wish.decide(&basis)? else {
            return Ok(Changed { epoch: basis.epoch, before, after: before, stored: false });
        };
        let change = Change::new(base.as_ref(), after, kind, author.clone(), self.stamp(op_id));
        let change = wish.evidence.clone().into_iter().fold(change, Change::with_evidence);
        let change = if basis.doubt.is_some() { change.settling(basis.epoch) } else { change };
        let record = self.commit(generation, Expect::of(base.as_ref()), &self.signed(change)).await?;
        Ok(Changed { epoch: record.epoch, before, after: record.settings(), stored: true })
    }

    fn basis(&self) -> (u64, Option<Record>, Basis) {
        let known = self.known();
        let base = known.base().cloned();
        let stored = base.as_ref().map(Record::settings).unwrap_or_default();
        let (epoch, etag) = (known.epoch(), known.etag());
        let basis = Basis { stored, effective: known.effective(), doubt: known.doubt(), epoch, etag };
        (known.generation, base, basis)
    }

    /// Stores a change that was decided on what was known at `generation`. While it is not known whether it was stored, the
    /// same operation is sent again.
    pub(super) async fn commit(&self, generation: u64, base: Expect, change: &Change) -> Result<Record, StoreError> {
        let mut tries = 0_u32;
        let send = || {
            tries += 1;
            self.port.compare_and_swap(base, change)
        };
        match self.until_known(store_failure, send).await {
            Ok(record) => Ok(self.committed(generation, change, record, tries).await),
            Err(error @ StoreError::Conflict { .. }) => Err(error),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// Takes in an acknowledged change. If something else has been learnt since it was decided, or if an earlier try may
    /// have been stored, the acknowledged record may be overtaken: then the store says what holds.
    async fn committed(&self, generation: u64, change: &Change, record: Record, tries: u32) -> Record {
        let heard = self.heard();
        let present = tries == 1
            && *change.record() == record
            && self.learn(|known| {
                let present = known.committed(generation, &record, heard);
                if present {
                    known.recent.own(change.entry().clone());
                }
                present
            });
        if !present {
            // A failure makes what is known stale; the change is acknowledged all the same.
            drop(self.load().await);
        }
        record
    }

    fn failed(&self, error: StoreError) -> StoreError {
        self.learn(Known::unheard);
        error
    }

    /// The change, hashed with the host's key if there is one.
    pub(super) fn signed(&self, change: Change) -> Change {
        match &self.audit_key {
            Some(key) => change.with_key(key.clone()),
            None => change,
        }
    }
}

/// A conflict is an outcome: the store knows no record of this operation.
fn store_failure(error: StoreError) -> Result<StoreError, StoreError> {
    if matches!(error, StoreError::Conflict { .. }) { Err(error) } else { Ok(error) }
}
