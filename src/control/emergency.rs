//! The emergency: it holds in this process at once, and is stored as soon as the store takes it.

use std::fmt;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, WeakShared, select};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::change::Changed;
use super::decide::emergency;
use super::error::ChangeError;
use super::inner::Inner;
use crate::mode::SystemMode;
use crate::runtime::{Runtime, process_wide};
use crate::store::{Actor, Author, Change, ChangeKind, Expect, Reason, Record, Settings, Stamp, StoreError};

use crate::wire;

/// Resolves when an emergency is stored.
///
/// The emergency holds in this process already, and storing it goes on in the background: this may be dropped, and the
/// runtime may end. Awaiting it drives the storing too. Await it before the process ends, and on a runtime that nobody
/// drives: other processes hear of the emergency from the store alone.
#[derive(Clone)]
pub struct Persisted(Shared<BoxFuture<'static, ()>>);

impl Future for Persisted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_unpin(context)
    }
}

impl fmt::Debug for Persisted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persisted").field("done", &self.0.peek().is_some()).finish()
    }
}

/// Stores an emergency in the background, and moves to a thread of the process if its runtime ends before it has.
struct Tenacious {
    storing: Shared<BoxFuture<'static, ()>>,
    inner: Arc<Inner>,
}

impl Future for Tenacious {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.storing.poll_unpin(context)
    }
}

impl Drop for Tenacious {
    fn drop(&mut self) {
        if self.storing.peek().is_none() && self.inner.known().brake.is_some() {
            process_wide().spawn(self.storing.clone().boxed());
        }
    }
}

/// An emergency: who pulled it, why and when. It is one operation, however often it is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Emergency {
    pub(super) actor: Actor,
    pub(super) reason: Reason,
    /// What led to it, if a guard pulled it.
    evidence: Option<Value>,
    #[serde(with = "wire::unix_millis")]
    pub(super) at: SystemTime,
    /// Another one with every call: a call that comes while an earlier one is being stored is never taken for it.
    #[serde(with = "wire::hex")]
    op_id: u128,
}

/// An emergency that is not stored yet.
#[derive(Debug, Clone)]
pub(super) struct Brake {
    pub(super) emergency: Emergency,
    storing: Option<WeakShared<BoxFuture<'static, ()>>>,
}

const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(5);

impl Inner {
    /// Pulls the brake: in this process first, then in the store, then the observer hears of it.
    pub(super) fn emergency(self: &Arc<Self>, author: Author, evidence: Option<Value>) -> Persisted {
        self.pull(author, evidence)()
    }

    /// Pulls the brake in this process, where it holds when this returns. What is given back does the rest.
    pub(super) fn pull(
        self: &Arc<Self>,
        author: Author,
        evidence: Option<Value>,
    ) -> impl FnOnce() -> Persisted + use<> {
        let (op_id, at) = (self.random.next_u128(), self.now());
        let Author { actor, reason } = author;
        self.pull_again(Emergency { actor, reason, evidence, at, op_id })
    }

    /// As [`pull`](Self::pull), for an emergency that has been pulled before, such as by the last process.
    pub(super) fn pull_again(self: &Arc<Self>, emergency: Emergency) -> impl FnOnce() -> Persisted + use<> {
        let fresh = Arc::clone(self).store_emergency().boxed().shared();
        let brake = Brake { emergency, storing: fresh.downgrade() };
        let (running, news) = self.learn_quietly(|known| match &mut known.brake {
            Some(pulled) => {
                pulled.emergency.op_id = brake.emergency.op_id;
                let running = pulled.storing.as_ref().and_then(WeakShared::upgrade);
                pulled.storing = if running.is_some() { pulled.storing.take() } else { brake.storing };
                running
            }
            none => {
                *none = Some(brake);
                None
            }
        });
        let inner = Arc::clone(self);
        move || {
            let storing = running.unwrap_or_else(|| {
                inner.port.spawn(Tenacious { storing: fresh.clone(), inner: Arc::clone(&inner) }.boxed());
                fresh
            });
            inner.tell(&news);
            Persisted(storing)
        }
    }

    /// The change that an emergency was, when it is stored within the time of one call of the store.
    pub(super) async fn confirmed(&self, before: Settings, persisted: Persisted) -> Result<Changed, ChangeError> {
        match select(persisted, pin!(self.port.sleep(self.port.deadline))).await {
            Either::Left(_) => {
                let known = self.known();
                let after = known.effective();
                Ok(Changed { epoch: known.epoch(), before, after, stored: before != after })
            }
            Either::Right(_) => Err(ChangeError::Unpersisted),
        }
    }

    async fn store_emergency(self: Arc<Self>) {
        let mut attempt = 0;
        while self.known().brake.is_some() {
            if self.persist_brake().await.is_err() {
                self.port.sleep(self.backoff(attempt, BASE, CAP)).await;
                attempt = attempt.saturating_add(1);
            }
        }
    }

    /// Stores the emergency that is not stored yet, if there is one.
    pub(super) async fn persist_brake(&self) -> Result<(), StoreError> {
        let Some(brake) = self.known().brake.clone() else { return Ok(()) };
        self.load().await?;
        if !self.reads_emergency() {
            let epoch = self.commit_emergency(&brake).await?;
            self.confirm_emergency(&brake, epoch).await?;
        }
        self.learn(|known| {
            known.brake.take_if(|pulled| pulled.emergency.op_id == brake.emergency.op_id);
        });
        Ok(())
    }

    /// Whether the store's record says emergency.
    fn reads_emergency(&self) -> bool {
        self.known().base().is_some_and(|record| record.mode == SystemMode::EmergencyRollback)
    }

    async fn commit_emergency(&self, brake: &Brake) -> Result<u64, StoreError> {
        let (generation, found) = {
            let known = self.known();
            (known.generation, known.base().cloned())
        };
        let Emergency { actor, reason, evidence, at, op_id } = brake.emergency.clone();
        let after = emergency(found.as_ref().map(Record::settings).unwrap_or_default());
        let stamp = Stamp { at, ..self.stamp(op_id) };
        let change = Change::new(found.as_ref(), after, ChangeKind::Transition, Author { actor, reason }, stamp);
        let change = evidence.into_iter().fold(change, Change::with_evidence);
        let record = self.commit(generation, Expect::of(found.as_ref()), &self.signed(change)).await?;
        Ok(record.epoch)
    }

    /// An acknowledgement may be older than a failover that lost what it acknowledged. The brake is released only when the
    /// store is seen to hold the emergency, or to have held it until somebody left it.
    async fn confirm_emergency(&self, brake: &Brake, epoch: u64) -> Result<(), StoreError> {
        self.load().await?;
        let kept = self.reads_emergency() || self.was_left(brake, epoch).await?;
        if kept { Ok(()) } else { Err(StoreError::unavailable("the store lost the emergency that it acknowledged")) }
    }

    /// Whether the record that was read came after the emergency stored at `epoch`. An earlier record says nothing about an
    /// entry that is found later: a late request may have written it again.
    async fn was_left(&self, brake: &Brake, epoch: u64) -> Result<bool, StoreError> {
        let past = self.known().base().is_some_and(|record| record.epoch > epoch);
        Ok(past && self.port.entry(epoch).await?.is_some_and(|entry| entry.op_id == brake.emergency.op_id))
    }
}
