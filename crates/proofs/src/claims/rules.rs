//! [`Rules`]: how the store judges claims, as it is and broken on purpose.

/// The rules of the claim store, a stronger one, or one that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rules {
    /// A claim expects an epoch.
    Epoch,
    /// Stronger: a claim expects an epoch and an etag.
    EpochAndEtag,
    /// Broken: the expected epoch is not checked.
    NoEpoch,
    /// Broken: renew, complete and release are not asked for the current token.
    NoToken,
    /// Broken: a lease that has expired and was not claimed anew is still good.
    NoExpiry,
    /// Broken: a released item forgets its token.
    ForgetToken,
    /// Broken: a completed item can be claimed.
    ClaimCompleted,
    /// Broken: a completion is accepted again.
    CompleteTwice,
}
