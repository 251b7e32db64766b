//! [`Variant`]: the protocol as it is, and what it would be with one rule left out.

/// The protocol of the crate, or one that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Variant {
    /// As the crate does it.
    AsBuilt,
    /// Broken: a compare-and-swap compares epochs only.
    CompareEpochOnly,
    /// Broken: the store does not know repeated operations.
    ForgetOperations,
    /// Broken: the record is stored and its audit entry is not.
    AuditApart,
    /// Broken: an emergency takes effect when it is stored.
    StoreEmergencyFirst,
    /// Broken: an emergency that meets a conflict is not stored again.
    PersistOnce,
    /// Broken: an emergency that is acknowledged counts as stored.
    ReleaseOnAnswer,
    /// Broken: an emergency counts as stored when the audit has it, however old the record is that was read before.
    ConfirmByAuditOnly,
    /// Broken: after a conflict the same answer is sent on the fresh record, without deciding anew.
    ResendAnswer,
    /// Broken: a watch delivers records, and they are believed.
    BelieveHints,
    /// Broken: whatever a read finds is believed.
    BelieveFindings,
    /// Broken: a read that was overtaken counts as evidence.
    TakeInOvertakenReads,
    /// Broken: an acknowledgement that was overtaken is believed if its epoch is above the known one.
    BelieveOvertakenAnswers,
    /// Broken: a later record is believed without asking whether it came from the known one.
    BelieveForks,
    /// Broken: doubt ends when the store is past the known epoch.
    OutgrowDoubt,
    /// Broken: doubt does not keep an operator from promoting.
    PromoteInDoubt,
    /// Broken: in doubt the found mode routes, also when it is the less safe one.
    RouteByFound,
    /// Broken: a change made in doubt settles nothing for others.
    SettleForNobody,
    /// Broken: a change made in doubt settles what holds also for those who know later records.
    SettleForAll,
}
