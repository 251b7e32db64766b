#!/usr/bin/env bash
# Changes the code in many small ways, one at a time, and counts how many changes the tests notice.
# Usage: scripts/mutants.sh [PART...]; without a part, all of them. What came of each is kept in target/mutants-PART.
# SHARD=0/8 changes every eighth place only, from the first on: a sample that takes an eighth of the time. What came of it is kept
# in target/mutants-PART-0-of-8. ONLY=REGEX changes only what cargo mutants --list shows by a name that matches,
# and deletes fields, whose names cargo-mutants does not match.
# NO_UNITS=1 leaves out the tests inside src/, which takes a third off; what survives then is to be tried again without it.
# A change by which the tests take longer than PATIENCE seconds (60) counts as noticed: on a busy machine, look at those again.
# Needs cargo-mutants: cargo install cargo-mutants --locked
set -euo pipefail
# The globs are for cargo-mutants.
set -f
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The parts: what is changed, and the tests that promise something about it.
declare -A files=(
    [mode]="src/mode.rs"
    [bucket]="src/bucket.rs"
    [lease]="src/store/memory/claims.rs"
    [chain]="src/store/chain.rs"
    [known]="src/control/known.rs src/control/decide.rs src/control/flight.rs src/control/change.rs"
    [control]="src/control/**/*.rs"
)
declare -A tests=(
    [mode]="mode_table"
    [bucket]="bucketing_vectors flag_config"
    [lease]="lease_moments store_conformance"
    [chain]="audit_chain fuzz_seeds"
    [known]="controller_concurrency controller_state_machine emergency following_the_store store_that_lost_records unknown_outcomes"
    [control]="audit_chain auto_fallback auto_rollback broken_wake_ups claims claims_by_assumption claims_interleavings
        confirmed_emergency controller_allocations controller_concurrency controller_state_machine emergency
        event_router failing_claims following_the_store group_switch health_checks last_known_file migration_registry
        migration_status mode_table observers plan_operators proposals route_decisions routing_is_one_snapshot start_policies
        store_that_lost_records unknown_outcomes"
)
parts=(mode bucket lease chain control)

# One build folder for all parts, and no debugging information: most of the time is building. Whoever runs two at the same time
# gives one of them another folder.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/mutants} CARGO_PROFILE_DEV_DEBUG=none CARGO_INCREMENTAL=1
export RUST_BACKTRACE=0

# The first test that fails tells enough. The harness knows that only as an unstable option, so it alone is told that it may.
export "CARGO_TARGET_$(rustc --print host-tuple | tr a-z- A-Z_)_RUNNER=env RUSTC_BOOTSTRAP=1"
quick=(-- -- -Z unstable-options --fail-fast)

main() {
    cargo mutants --version >/dev/null 2>&1 || fail "there is no cargo-mutants; run cargo install cargo-mutants --locked"
    [ "$#" = 0 ] || parts=("$@")
    local part
    for part in "${parts[@]}"; do
        [ -n "${files[$part]:-}" ] || fail "there is no part $part; the parts are: ${!files[*]}"
        run "$part"
    done
    printf '\n%-40s | %6s | %6s\n' file killed total
    for part in "${parts[@]}"; do table "$part"; done
}

# A change that is noticed, that does not compile or that never ends is no failure of this script, nor is one that survives.
run() {
    local file arguments=()
    for file in ${files[$1]}; do arguments+=(--file "$file"); done
    # Said to cargo itself: what is not run is not built either.
    arguments+=(--package cutover --output "$(output "$1")" --jobs 1 --minimum-test-timeout "${PATIENCE:-60}")
    arguments+=("--cargo-arg=--test=all_of_$1")
    [ -n "${NO_UNITS:-}" ] || arguments+=(--cargo-arg=--lib)
    [ -z "${SHARD:-}" ] || arguments+=(--shard "$SHARD" --sharding round-robin)
    [ -z "${ONLY:-}" ] || arguments+=(--re "$ONLY")
    mkdir -p "$(output "$1")"
    together "$1"
    cargo mutants "${arguments[@]}" "${quick[@]}" || [ $? = 2 ] || [ $? = 3 ]
    rm -f "tests/all_of_$1.rs"
}

# All tests of a part as one program: built and linked once for each change, and not once for each file.
together() {
    local name all=tests/all_of_$1.rs
    trap "rm -f '$all'" EXIT
    echo "//! The tests of $1, made by scripts/mutants.sh while it runs." >"$all"
    for name in ${tests[$1]}; do printf '#[path = "%s.rs"]\nmod %s;\n' "$name" "$name" >>"$all"; done
}

output() {
    local shard=${SHARD:-}
    echo "target/mutants-$1${shard:+-${shard/\//-of-}}${ONLY:+-only}"
}

# Killed and total by file, without those that do not compile, and the survivors.
table() {
    local file killed survived out
    out=$(output "$1")/mutants.out
    for file in $(cut -d : -f 1 "$out"/{caught,timeout,missed}.txt | sort -u); do
        killed=$(grep -c "^$file:" <(cat "$out"/{caught,timeout}.txt) || true)
        survived=$(grep -c "^$file:" "$out/missed.txt" || true)
        printf '%-40s | %6s | %6s\n' "$file" "$killed" $((killed + survived))
    done
    sed 's/^/    survived: /' "$out/missed.txt"
}

fail() {
    echo "mutants: $1" >&2
    exit 1
}

main "$@"
