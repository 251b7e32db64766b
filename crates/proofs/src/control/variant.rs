//! [`Variant`]: the protocol as it is, and what it would be with one rule left out.

/// The protocol of the crate, one that is stronger, or one that is broken on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Variant {
    /// As the crate does it.
    AsBuilt,
    /// Stronger: a newer record is believed only if the audit has the known one.
    CheckLineage,
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
    /// Broken: after a conflict the same answer is sent on the fresh record, without deciding anew.
    ResendAnswer,
    /// Broken: a watch delivers records, and they are believed.
    BelieveHints,
    /// Broken: whatever a read finds is believed.
    BelieveFindings,
    /// Broken: a read that was overtaken by a later one counts as evidence.
    DoubtOvertakenReads,
    /// Broken: doubt does not keep an operator from promoting.
    PromoteInDoubt,
    /// Broken: in doubt the found mode routes, also when it is the less safe one.
    RouteByFound,
}
