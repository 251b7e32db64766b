//! What can be wrong with a store.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    // state
    HasADefaultForAbsent,
    CreatesOverAnything,
    IgnoresTheEtag,
    IgnoresTheEpoch,
    ComparesEpochsAsDoubles,
    ConflictsWithoutTheRecord,
    ForgetsOperations,
    RemembersOneOperation,
    ComparesBeforeTheOperation,
    LooksUpOperationsTooEarly,
    ComparesAndThenWrites,
    ComparesWithWhatItReadLast,
    RemembersWhatItRead,
    // the audit
    SkipsAnEntry,
    PagesNewestFirst,
    PagesFromTheEpochItself,
    IgnoresTheLimitOfPages,
    AuditsRefusedWrites,
    RewritesOldEntries,
    WritesTheEntryLater,
    WritesTheRecordFirst,
    HasNoLimit,
    HasALowLimit,
    KeepsNumbersAsDoubles,
    TrimsTexts,
    // what is apart, and what is kept
    DotsAreUnderscores,
    SharesOneNamespace,
    LosesTheLastWriteAtRestart,
    LosesClaimsAtRestart,
    LosesDiscrepanciesAtRestart,
    // watching, and capabilities
    WakesNobody,
    EndsWakeUps,
    WakesBeforeTheWrite,
    UndeclaredWatch,
    UndeclaredClaims,
    NoClaimsAsDeclared,
    // faults
    TakesTheUnreadableForAbsent,
    OverwritesTheUnreadable,
    TakesUnknownModesForLegacy,
    HangsWhenUnreachable,
    SaysCorruptWhenUnreachable,
    NeverReconnects,
    IsBusyForEverAfterADrop,
    // claims
    ClaimsByAnyRecord,
    ComparesTheRecordLast,
    LooksAndThenClaims,
    ClaimsInTwoSteps,
    ForgetsTheSide,
    FoldsTheCaseOfItems,
    ActsForAnyToken,
    ClaimsTheCompleted,
    ReleasesTheCompleted,
    EndsOnlyOnce,
    ForgetsWhoClaimed,
    ProlongsByRepeating,
    RepeatsOldGrants,
    DeletesTheReleased,
    BeginsTokensAnewAfterExpiry,
    RenewsWhatRanOut,
    EndsWhatRanOut,
    NeverRenews,
    HoldsForEver,
    EndsLeasesByRecordTimes,
    ListsTheHeld,
    ListsInTheOrderOfItems,
    // discrepancies
    KeepsTheLastSample,
    CountsBatchesNotOccurrences,
    MergesOutsideTheStore,
    PagesDiscrepanciesByPath,
    ClearsEverything,
    DropsNulFromTexts,
    HasNoBound,
    StopsCountingWhenFull,
}

impl Flaw {
    pub(crate) fn is_of_discrepancies(self) -> bool {
        self as u32 >= Self::KeepsTheLastSample as u32
    }
}
