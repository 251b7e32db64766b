//! The crate `request-shadow`, whose sides take and return bytes.

use std::hint::black_box;
use std::sync::Arc;

use async_trait::async_trait;
use request_shadow::{Backend, ResponseRecord, ShadowConfig, ShadowError, Shadower};

use super::faults::{Books, Fault, Faulty, is_send, poll_once};
use super::sides::KEY;
use crate::traffic::awaited;
use crate::{Subject, Worker};

/// Answers at once.
struct Ready(ResponseRecord);

#[async_trait]
impl Backend for Ready {
    async fn call(&self, _: &[u8]) -> Result<ResponseRecord, ShadowError> {
        Ok(black_box(self.0.clone()))
    }
}

fn ready(answer: u64) -> Arc<Ready> {
    Arc::new(Ready(ResponseRecord::ok(answer.to_le_bytes().to_vec())))
}

pub(super) struct Shadowed(Shadower);

impl Shadowed {
    /// A shadower that samples so many percent.
    pub(super) fn new(percent: u32) -> Self {
        Self(Shadower::new(ready(7), ready(7), ShadowConfig::full_sample().sample_rate(percent)))
    }
}

impl Subject for Shadowed {
    fn worker(&self) -> Worker<'_> {
        awaited(async || self.0.call(black_box(KEY)).await.map(|outcome| outcome.primary.status))
    }
}

struct Shadow(Fault);

#[async_trait]
impl Backend for Shadow {
    async fn call(&self, _: &[u8]) -> Result<ResponseRecord, ShadowError> {
        let answer = self.0.shadow().await.map_err(ShadowError::Backend)?;
        Ok(ResponseRecord::ok(answer.to_le_bytes().to_vec()))
    }
}

fn shadower(fault: Fault) -> Shadower {
    Shadower::new(ready(1), Arc::new(Shadow(fault)), ShadowConfig::full_sample())
}

pub(super) struct Shadowers;

#[async_trait(?Send)]
impl Faulty for Shadowers {
    fn name(&self) -> &'static str {
        "request-shadow"
    }

    async fn call(&self, fault: Fault) -> Option<Result<u64, String>> {
        if matches!(fault, Fault::PanickingComparator | Fault::PanickingRecorder) {
            return None;
        }
        let outcome = shadower(fault).call(b"anna").await;
        let number = |answer: ResponseRecord| answer.body.first().copied().map_or(0, u64::from);
        Some(outcome.map(|outcome| number(outcome.primary)).map_err(|error| error.to_string()))
    }

    async fn drop_a_call(&self) -> Books {
        let hung = || Arc::new(Shadow(Fault::HungShadow));
        let shadower = Shadower::new(hung(), hung(), ShadowConfig::full_sample());
        poll_once(shadower.call(b"anna")).await;
        if shadower.divergences().is_empty() { Books::NoTrace } else { Books::Balanced }
    }

    fn is_send(&self) -> bool {
        is_send!(&shadower(Fault::HungShadow).call(b"anna"))
    }
}
