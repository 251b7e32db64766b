#!/usr/bin/env bash
# Changes the code in many small ways, one at a time, and counts how many changes the tests notice.
# Usage: scripts/mutants.sh [PART...]; without a part, all of them. What came of each is kept in target/mutants-PART.
# SHARD=0/8 changes every eighth place only, from the first on: a sample that takes an eighth of the time.
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
    [control]="audit_chain auto_fallback claims claims_by_assumption claims_interleavings confirmed_emergency
        controller_concurrency controller_state_machine emergency failing_claims following_the_store group_switch health_checks
        migration_registry migration_status mode_table observers routing_is_one_snapshot start_policies store_that_lost_records
        unknown_outcomes"
)
parts=(mode bucket lease chain control)

# One build folder for all parts, and no debugging information: most of the time is linking.
export CARGO_TARGET_DIR=$PWD/target/mutants CARGO_PROFILE_DEV_DEBUG=none CARGO_INCREMENTAL=1

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
    local file name arguments=()
    for file in ${files[$1]}; do arguments+=(--file "$file"); done
    # Said to cargo itself: what is not run is not built either.
    arguments+=(--package cutover --output "target/mutants-$1" --jobs 1 --minimum-test-timeout 60 --cargo-arg=--lib)
    [ -z "${SHARD:-}" ] || arguments+=(--shard "$SHARD" --sharding round-robin)
    for name in ${tests[$1]}; do arguments+=("--cargo-arg=--test=$name"); done
    mkdir -p "target/mutants-$1"
    cargo mutants "${arguments[@]}" || [ $? = 2 ] || [ $? = 3 ]
}

# Killed and total by file, without those that do not compile, and the survivors.
table() {
    local out=target/mutants-$1/mutants.out file killed survived
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
