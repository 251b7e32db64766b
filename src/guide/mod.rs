//! How to replace something old while it runs: a guide in chapters.
//!
#![doc = include_str!("links.md")]
#![cfg_attr(feature = "testing", doc = include_str!("links_testing.md"))]
#![cfg_attr(not(feature = "testing"), doc = include_str!("links_without_testing.md"))]
//!
#![doc = include_str!("../../docs/README.md")]

/// One module for each chapter. A chapter names the targets of its links at its end, for readers of the repository. Here those
/// in `links.md` stand first, and count. Doctests go without them, for the sake of their line numbers.
macro_rules! chapters {
    ($($name:ident: $file:literal, $summary:literal;)*) => {$(
        #[doc = $summary]
        #[doc = ""]
        #[cfg_attr(not(doctest), doc = include_str!("links.md"))]
        #[cfg_attr(all(not(doctest), feature = "testing"), doc = include_str!("links_testing.md"))]
        #[cfg_attr(all(not(doctest), not(feature = "testing")), doc = include_str!("links_without_testing.md"))]
        #[doc = ""]
        #[doc = include_str!(concat!("../../docs/", $file))]
        pub mod $name {}
    )*};
}

chapters! {
    why: "why.md", "What goes wrong when something old is replaced, what this does about it, and what it does not.";
    first_migration: "first-migration.md", "From the first wrapped call to deleting the old code.";
    comparators: "comparators-and-noise.md", "Saying what counts as the same answer, and what is noise.";
    modes: "modes-and-rollback.md", "Who serves, who is in the rollout, and all the ways back.";
    many_machines: "running-on-many-machines.md", "One migration, many processes, one store.";
    choosing_limits: "choosing-limits.md", "What the limits of a guard mean, and how much traffic a proof takes.";
    why_it_rolled_back: "why-it-rolled-back.md", "For the operator who finds a migration rolled back, or one that does not move.";
    dashboard: "dashboard.md", "What the dashboard shows, what its buttons do, and how it is mounted safely.";
    testing_and_pins: "testing-and-pins.md", "Testing a migration without sleeping, and noticing when anybody moves.";
    security: "security.md", "Who may do what, what is kept, and what a flag must never decide.";
    post_migration_tuning: "post-migration-tuning.md", "What to take off when new serves alone, and legacy last.";
    runbooks: "runbooks.md", "The first minute of every incident, and which page comes next.";
    data_corruption: "runbook-data-corruption.md", "Runbook: data looks wrong.";
    performance_degradation: "runbook-performance-degradation.md", "Runbook: new is slower, or fails more often.";
    mass_failure: "runbook-mass-failure.md", "Runbook: nearly everything fails.";
    store_outage: "runbook-store-outage.md", "Runbook: the store is down, slow, or has lost records.";
    communication_plan: "communication-plan.md", "Template: who hears what, and when.";
    risk_matrix: "risk-matrix.md", "Template: what may go wrong, how likely, how bad, and who watches it.";
    from_scientist: "from-scientist.md", "For users of Scientist: their word, ours.";
    from_launchdarkly: "from-launchdarkly.md", "For users of LaunchDarkly migrations: their stage, our mode.";
    from_a_flag: "from-a-home-made-flag.md", "For users of an `if hash(user) % 100 < n`: its traps, and how to leave it.";
}
