//! Shares of libraries for dual runs: which calls get a shadow.

use request_shadow::ShadowConfig;
use thesis::rollout::Percent;
use thesis::{RolloutDecision, RolloutStrategy};

use super::shares::{Flag, Shares, Taken};

/// The sampling of `request-shadow`: whole numbers, and nothing that tells two samplers apart.
pub(super) struct RequestShadow;

impl Shares for RequestShadow {
    fn name(&self) -> &'static str {
        "request-shadow"
    }

    fn flag(&self, _: &str, percent: f64) -> Taken<Flag> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looked at before")]
        let sampled = match percent {
            whole if whole >= 0.0 && whole.fract() == 0.0 => ShadowConfig::full_sample().sample_rate(whole as u32),
            _ => return Taken::CannotBeWritten,
        };
        Taken::As(Box::new(move |key| sampled.should_shadow(key.as_bytes())))
    }
}

/// The rollout of `thesis`, which draws for each call.
pub(super) struct Thesis;

impl Shares for Thesis {
    fn name(&self) -> &'static str {
        "thesis"
    }

    fn flag(&self, _: &str, percent: f64) -> Taken<Flag> {
        let strategy = Percent::new(percent);
        Taken::As(Box::new(move |_| !matches!(strategy.rollout_decision(), RolloutDecision::UseControl)))
    }

    fn is_random(&self) -> bool {
        true
    }
}
