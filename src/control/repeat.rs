//! Repeating: an operation while its outcome is unknown, a decision while others are faster.

use std::time::Duration;

use super::inner::Inner;
use crate::store::StoreError;

/// How often an operation is sent while its outcome is unknown.
const SENDS: u32 = 4;
const BASE: Duration = Duration::from_millis(5);
const CAP: Duration = Duration::from_millis(250);

impl Inner {
    /// Sends the same operation until its outcome is known, at most a few times. `failure` tells an error that leaves the
    /// outcome open from one that is an outcome.
    pub(super) async fn until_known<T, E, F>(
        &self,
        failure: fn(E) -> Result<StoreError, E>,
        mut send: impl FnMut() -> F,
    ) -> Result<T, E>
    where
        E: From<StoreError>,
        F: Future<Output = Result<T, E>>,
    {
        let mut unknown = None;
        for attempt in 0..SENDS {
            match send().await.map_err(failure) {
                Ok(answer) => return Ok(answer),
                Err(Err(outcome)) => return Err(outcome),
                Err(Ok(error @ StoreError::OutcomeUnknown(_))) => unknown = Some(error),
                Err(Ok(error)) if unknown.is_none() => return Err(error.into()),
                // An earlier one may have been taken all the same.
                Err(Ok(_)) => {}
            }
            self.pause(attempt).await;
        }
        Err(unknown.unwrap_or_else(|| StoreError::outcome_unknown("no answer")).into())
    }

    /// A few tries without a pause do no harm, so a runtime that cannot sleep does none either.
    pub(super) async fn pause(&self, attempt: u32) {
        let _ = self.port.try_sleep(self.backoff(attempt, BASE, CAP)).await;
    }
}
