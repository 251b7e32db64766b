//! [`Flights`]: many callers share one reading of the store.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::inner::Inner;
use crate::lock::lock;
use crate::store::StoreError;

type Reading = BoxFuture<'static, Result<(), Arc<StoreError>>>;

/// At most one reading is under way, and at most one more waits behind it.
///
/// Whoever asks while one is under way gets the next one: the present one may have read before what the caller wants to see
/// was written.
#[derive(Default)]
pub(super) struct Flights {
    last: Mutex<Option<Flight>>,
}

#[derive(Clone)]
struct Flight {
    reading: WeakShared<Reading>,
    started: Arc<AtomicBool>,
}

impl Inner {
    /// As [`catch_up`](Self::catch_up), together with everybody who asks at the same time.
    pub(super) fn refresh(self: &Arc<Self>) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let reading = self.flights.join(|after, started| {
            let inner = Arc::clone(self);
            let reading = async move {
                if let Some(before) = after {
                    drop(before.await);
                }
                started.store(true, Ordering::Relaxed);
                inner.catch_up().await.map_err(Arc::new)
            };
            reading.boxed()
        });
        async move { reading.await.map_err(|error| error.shared()) }
    }
}

impl Flights {
    fn join(&self, take_off: impl FnOnce(Option<Shared<Reading>>, Arc<AtomicBool>) -> Reading) -> Shared<Reading> {
        let mut last = lock(&self.last);
        let present = last.as_ref().and_then(|flight| Some((flight.reading.upgrade()?, &flight.started)));
        let before = match present {
            Some((reading, started)) if !started.load(Ordering::Relaxed) => return reading,
            Some((reading, _)) if reading.peek().is_none() => Some(reading),
            _ => None,
        };
        let started = Arc::new(AtomicBool::new(false));
        let reading = take_off(before, Arc::clone(&started)).shared();
        *last = reading.downgrade().map(|reading| Flight { reading, started });
        reading
    }
}
