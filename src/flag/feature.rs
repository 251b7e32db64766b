//! [`FeatureFlag`]: one flag as an immutable value.

use std::fmt;
use std::sync::Arc;

use super::decision::{Decision, Rule};
use super::keys::KeySet;
use crate::bucket::{BucketHasher, BucketKey, Domain, MissingKey};
use crate::mode::SystemMode;
use crate::random::{RandomSource, SystemRandom};
use crate::route::{Route, Router, Shadow};
use crate::{Percentage, outcome::Side};

/// A switch that is on for a stable share of keys.
///
/// The rules are asked in this order: kill switch, deny list, allow list, percentage. When they say yes, the flags that
/// this one [`requires`](Self::requires) must be on for the same key as well. Who is on depends only on the salt, the
/// rollout and the key (algorithm [`sip13-v1`](crate::bucket)), so every process and every release agrees, a growing
/// rollout never removes anyone, and two flags pick different users.
///
/// A flag is an immutable value: setters give a changed one, and a clone is two pointers. As a [`Router`] it runs
/// `GradualRollout`, without shadows until [`shadow_share`](Self::shadow_share) is set; with the kill switch on it runs
/// `EmergencyRollback`, legacy alone and without a shadow.
///
/// ```
/// use cutover::{FeatureFlag, Percentage};
///
/// let flag = FeatureFlag::new("new-search").rollout("25%".parse()?).allow(["tester-1"]).deny([4711_u64]);
/// assert!(flag.is_enabled("tester-1"));
/// assert!(!flag.is_enabled(4711_u64));
/// let wider = flag.clone().rollout(Percentage::new(50.0)?);
/// assert!((0..1_000_u64).all(|user| !flag.is_enabled(user) || wider.is_enabled(user)));
/// # Ok::<(), cutover::PercentageError>(())
/// ```
#[derive(Clone)]
pub struct FeatureFlag {
    rules: Arc<Rules>,
    requires: Option<Arc<[Arc<Rules>]>>,
}

impl FeatureFlag {
    /// A flag that is off for everybody: rollout 0 %, salted with its name. Any text is a name here;
    /// [`FlagSet`](super::FlagSet) is stricter.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let rules = Rules {
            in_rollout: BucketHasher::new(&name, Domain::Rollout),
            in_shadow: BucketHasher::new(&name, Domain::Shadow),
            rollout: Percentage::ZERO,
            shadow_share: Percentage::ZERO,
            killed: false,
            missing_key: MissingKey::default(),
            lists: None,
            random: Arc::new(SystemRandom),
            name,
        };
        Self { rules: Arc::new(rules), requires: None }
    }

    /// The share of keys that are on (default 0 %).
    #[must_use]
    pub fn rollout(self, share: Percentage) -> Self {
        self.with(|rules| rules.rollout = share)
    }

    /// What the hash is salted with (default: the name). A flag that is renamed keeps its users by keeping its salt.
    #[must_use]
    pub fn salt(self, salt: &str) -> Self {
        self.with(|rules| {
            rules.in_rollout = BucketHasher::new(salt, Domain::Rollout);
            rules.in_shadow = BucketHasher::new(salt, Domain::Shadow);
        })
    }

    /// Turns the kill switch on (default off): off for everybody, before any other rule.
    #[must_use]
    pub fn kill(self) -> Self {
        self.with(|rules| rules.killed = true)
    }

    /// Adds keys for which the flag is on whatever the rollout is (default none). A key that is also denied is off.
    #[must_use]
    pub fn allow<'a, K: Into<BucketKey<'a>>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        self.with_lists(|lists| keys.into_iter().for_each(|key| lists.allow.insert(key.into())))
    }

    /// Adds keys for which the flag is off whatever the rollout is (default none).
    #[must_use]
    pub fn deny<'a, K: Into<BucketKey<'a>>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        self.with_lists(|lists| keys.into_iter().for_each(|key| lists.deny.insert(key.into())))
    }

    /// What a call without a key gets (default [`MissingKey::Legacy`]: off, even at 100 %).
    #[must_use]
    pub fn missing_key(self, policy: MissingKey) -> Self {
        self.with(|rules| rules.missing_key = policy)
    }

    /// The share of routed calls that also run the other side (default 0 %). A call without a key is not sampled under
    /// [`MissingKey::Legacy`] unless the share is 100 %.
    #[must_use]
    pub fn shadow_share(self, share: Percentage) -> Self {
        self.with(|rules| rules.shadow_share = share)
    }

    /// Where [`MissingKey::Random`] draws from (default [`SystemRandom`]).
    #[must_use]
    pub fn random_source(self, random: Arc<dyn RandomSource>) -> Self {
        self.with(|rules| rules.random = random)
    }

    /// Adds flags, as they are now and with all that they require, that must be on for the same key (default none).
    ///
    /// ```
    /// use cutover::{FeatureFlag, Percentage};
    ///
    /// let api = FeatureFlag::new("new-api").rollout(Percentage::HUNDRED);
    /// let page = FeatureFlag::new("new-page").rollout(Percentage::HUNDRED);
    /// assert!(page.clone().requires([&api]).is_enabled("user-17"));
    /// assert!(!page.requires([&api.kill()]).is_enabled("user-17"));
    /// ```
    #[must_use]
    pub fn requires<'f>(mut self, flags: impl IntoIterator<Item = &'f Self>) -> Self {
        let mut all = self.required().to_vec();
        for rules in flags.into_iter().flat_map(|flag| flag.required().iter().chain([&flag.rules])) {
            if !all.iter().any(|known| Arc::ptr_eq(known, rules)) {
                all.push(Arc::clone(rules));
            }
        }
        self.requires = (!all.is_empty()).then(|| all.into());
        self
    }

    /// The flag's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.rules.name
    }

    /// The share of keys that are on, as set by [`rollout`](Self::rollout).
    #[must_use]
    pub fn share(&self) -> Percentage {
        self.rules.rollout
    }

    /// Whether the kill switch is on.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.rules.killed
    }

    /// Whether no key at all is on: the kill switch is on, or the rollout is 0 % and nobody is allowed, here or in a flag
    /// that this one [`requires`](Self::requires). No context changes what such a flag says.
    ///
    /// ```
    /// use cutover::FeatureFlag;
    ///
    /// let flag = FeatureFlag::new("new-search");
    /// assert!(flag.is_off_for_all());
    /// assert!(!flag.allow(["tester-1"]).is_off_for_all());
    /// ```
    #[must_use]
    pub fn is_off_for_all(&self) -> bool {
        self.required().iter().chain([&self.rules]).any(|rules| rules.is_off_for_all())
    }

    /// Whether the flag is on for `key`. Costs one hash of the key, no lock and no allocation.
    #[must_use]
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub fn is_enabled<'a>(&self, key: impl Into<BucketKey<'a>>) -> bool {
        self.decide(key).enabled
    }

    /// As [`is_enabled`](Self::is_enabled), with the rule that decided and its numbers.
    #[must_use]
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub fn decide<'a>(&self, key: impl Into<BucketKey<'a>>) -> Decision {
        let key = key.into();
        let own = self.rules.decide(key);
        match &self.requires {
            Some(required) if own.enabled => {
                let enabled = required.iter().all(|rules| rules.decide(key).enabled);
                if enabled { own } else { Decision { enabled, rule: Rule::Requires, ..own } }
            }
            _ => own,
        }
    }

    /// What decides, as far as it fits beside a name in a table.
    pub(super) fn gist(&self) -> Gist {
        let Rules { in_rollout, rollout, killed, ref lists, .. } = *self.rules;
        if killed || lists.is_some() || self.requires.is_some() {
            return Gist::Rules;
        }
        Gist::Percentage { in_rollout, rollout }
    }

    /// What this flag requires, with all that they require.
    pub(super) fn required(&self) -> &[Arc<Rules>] {
        self.requires.as_deref().unwrap_or_default()
    }

    fn with(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(Arc::make_mut(&mut self.rules));
        self
    }

    fn with_lists(self, change: impl FnOnce(&mut Lists)) -> Self {
        self.with(|rules| {
            let mut lists = rules.lists.take().unwrap_or_default();
            change(&mut lists);
            rules.lists = (!lists.is_empty()).then_some(lists);
        })
    }
}

impl Router for FeatureFlag {
    #[inline]
    fn route(&self, key: BucketKey<'_>) -> Route {
        let decision = self.decide(key);
        if decision.rule == Rule::KillSwitch {
            return Route::new(SystemMode::EmergencyRollback, Side::Legacy);
        }
        let mode = SystemMode::GradualRollout;
        let mut route = Route::new(mode, mode.routing(decision.enabled).serves);
        route.shadow = self.rules.shadow(key);
        route
    }
}

/// Neither salt nor keys: the salt tells who is in, the keys are people.
impl fmt::Debug for FeatureFlag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = &*self.rules;
        let listed = |count: fn(&Lists) -> usize| rules.lists.as_deref().map_or(0, count);
        f.debug_struct("FeatureFlag")
            .field("name", &rules.name)
            .field("rollout", &rules.rollout)
            .field("killed", &rules.killed)
            .field("allowed", &listed(|lists| lists.allow.len()))
            .field("denied", &listed(|lists| lists.deny.len()))
            .field("requires", &self.required().iter().map(|rules| &*rules.name).collect::<Vec<_>>())
            .field("missing_key", &rules.missing_key)
            .field("shadow_share", &rules.shadow_share)
            .finish_non_exhaustive()
    }
}

/// What decides a flag.
#[derive(Clone, Copy)]
pub(super) enum Gist {
    /// For a key that is not missing, nothing but this.
    Percentage { in_rollout: BucketHasher, rollout: Percentage },
    /// More than that, and the flag has it.
    Rules,
}

impl Gist {
    /// What the flag says to `key`, when the gist is enough to tell.
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    pub(super) fn decide(&self, key: BucketKey<'_>) -> Option<Decision> {
        let Self::Percentage { in_rollout, rollout } = *self else { return None };
        let bucket = in_rollout.bucket(key)?;
        Some(Decision {
            enabled: rollout.contains(bucket),
            rule: Rule::Percentage,
            bucket: Some(bucket),
            threshold: rollout,
        })
    }
}

/// What one flag says by itself.
#[derive(Clone)]
pub(super) struct Rules {
    in_rollout: BucketHasher,
    in_shadow: BucketHasher,
    rollout: Percentage,
    shadow_share: Percentage,
    killed: bool,
    missing_key: MissingKey,
    lists: Option<Box<Lists>>,
    random: Arc<dyn RandomSource>,
    name: String,
}

#[derive(Clone, Default)]
struct Lists {
    allow: KeySet,
    deny: KeySet,
}

impl Lists {
    fn is_empty(&self) -> bool {
        self.allow.len() + self.deny.len() == 0
    }
}

impl Rules {
    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    fn decide(&self, key: BucketKey<'_>) -> Decision {
        if self.killed {
            return self.decision(false, Rule::KillSwitch, None);
        }
        if let Some(decision) = self.lists.as_deref().and_then(|lists| self.decide_by_lists(lists, key)) {
            return decision;
        }
        match self.in_rollout.bucket(key) {
            Some(bucket) => self.decision(self.rollout.contains(bucket), Rule::Percentage, Some(bucket)),
            None => self.decide_without_key(),
        }
    }

    fn is_off_for_all(&self) -> bool {
        let nobody_allowed = || self.lists.as_deref().is_none_or(|lists| lists.allow.len() == 0);
        self.killed || (self.rollout == Percentage::ZERO && nobody_allowed())
    }

    #[cold]
    fn decide_by_lists(&self, lists: &Lists, key: BucketKey<'_>) -> Option<Decision> {
        if lists.deny.contains(key) {
            return Some(self.decision(false, Rule::DenyList, None));
        }
        lists.allow.contains(key).then(|| self.decision(true, Rule::AllowList, None))
    }

    #[cold]
    fn decide_without_key(&self) -> Decision {
        let bucket = self.draw();
        let enabled = bucket.is_some_and(|bucket| self.rollout.contains(bucket));
        self.decision(enabled, Rule::MissingKey, bucket)
    }

    #[expect(clippy::inline_always, reason = "the kind of key is known where it is called, and nowhere else")]
    #[inline(always)]
    fn shadow(&self, key: BucketKey<'_>) -> Shadow {
        match self.shadow_share {
            Percentage::ZERO => Shadow::Never,
            Percentage::HUNDRED => Shadow::Run,
            share => {
                let bucket = self.in_shadow.bucket(key).or_else(|| self.draw());
                if bucket.is_some_and(|bucket| share.contains(bucket)) { Shadow::Run } else { Shadow::NotSampled }
            }
        }
    }

    /// A bucket for a call without a key, when the policy is to draw one.
    fn draw(&self) -> Option<u64> {
        (self.missing_key == MissingKey::Random).then(|| self.random.next_u64())
    }

    #[inline]
    const fn decision(&self, enabled: bool, rule: Rule, bucket: Option<u64>) -> Decision {
        Decision { enabled, rule, bucket, threshold: self.rollout }
    }
}
