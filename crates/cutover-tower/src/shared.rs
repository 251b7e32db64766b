//! What all clones of a service share: the runner, the rules and the counts.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use cutover::dual::PlannedCall;
use cutover::{BucketKey, DualRunner, Shadow};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body::Body;
use serde_json::Value;

use crate::copy::is_too_large;
use crate::counts::{Counters, Reason};
use crate::head::{SHADOW_HEADER, leave_the_connection, wants_upgrade};
use crate::{HttpAnswer, HttpFailure, RequestKey};

pub(crate) type Rule = Box<dyn Fn(&Parts) -> bool + Send + Sync>;
pub(crate) type Edit = Box<dyn Fn(&mut Parts) + Send + Sync>;
pub(crate) type Describe = Box<dyn Fn(&Parts) -> Value + Send + Sync>;
pub(crate) type FailsBy = Box<dyn Fn(StatusCode, &HeaderMap) -> bool + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) runner: DualRunner<HttpAnswer, HttpFailure>,
    pub(crate) mark: HeaderValue,
    pub(crate) key: Box<dyn RequestKey>,
    pub(crate) allows: Rule,
    pub(crate) edit: Option<Edit>,
    pub(crate) describe: Option<Describe>,
    pub(crate) fails_by: FailsBy,
    pub(crate) limit: usize,
    pub(crate) counters: Counters,
}

impl Shared {
    /// Decides how the request runs.
    pub(crate) fn plan<B: Body<Data = Bytes>>(&self, head: &Parts, body: &B) -> PlannedCall<HttpAnswer, HttpFailure> {
        let key = self.contain(|| self.key.key(head)).unwrap_or(BucketKey::Missing);
        let call = self.runner.call(key);
        let Some(reason) = self.reason_against(head, body) else { return call.plan() };
        let planned = call.plan_alone();
        if planned.route().shadow == Shadow::Run {
            self.counters.count(reason);
        }
        planned
    }

    fn reason_against<B: Body<Data = Bytes>>(&self, head: &Parts, body: &B) -> Option<Reason> {
        if head.headers.contains_key(SHADOW_HEADER) {
            Some(Reason::AlreadyShadow)
        } else if wants_upgrade(head) {
            Some(Reason::Upgrade)
        } else if self.contain(|| (self.allows)(head)) != Some(true) {
            Some(Reason::NotAllowed)
        } else {
            is_too_large(&body.size_hint(), self.limit).then_some(Reason::TooLarge)
        }
    }

    /// Whether a response counts as a failure of its side.
    pub(crate) fn is_failure(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        self.contain(|| (self.fails_by)(status, headers)).unwrap_or_else(|| status.is_server_error())
    }

    /// Makes a request's head into that of its shadow. Runs where the shadow does.
    pub(crate) fn make_shadow(&self, head: &mut Parts) {
        leave_the_connection(&mut head.headers);
        if let Some(edit) = &self.edit {
            edit(head);
        }
        head.headers.insert(SHADOW_HEADER, self.mark.clone());
    }

    /// Runs a function of the host; a panic ends here, counted.
    pub(crate) fn contain<R>(&self, foreign: impl FnOnce() -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(foreign)) {
            Ok(value) => Some(value),
            Err(payload) => {
                self.counters.count(Reason::Fault);
                discard(payload);
                None
            }
        }
    }
}

/// The host's value on its way to where it is used. If it never gets there, its destructor's panic ends here.
pub(crate) struct Sheltered<T>(Option<T>);

impl<T> Sheltered<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Some(value))
    }

    pub(crate) fn take(mut self) -> Option<T> {
        self.0.take()
    }
}

impl<T> Drop for Sheltered<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
            discard(payload);
        }
    }
}

/// Drops what a panic carried. Its destructor may panic, and so on: then it is leaked.
fn discard(payload: Box<dyn std::any::Any + Send>) {
    if let Err(hostile) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(hostile);
    }
}
