#!/usr/bin/env bash
# Runs every fuzz target, or those that are named, for SECONDS each, and prints what came of it.
# Usage: scripts/fuzz.sh [SECONDS] [TARGET...], 600 seconds by default.
# Needs the nightly toolchain and cargo-fuzz: cargo install cargo-fuzz --locked
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${1:-600}
named=("${@:2}")
# Nothing that a decoder reads may be longer than 64 KiB: a little more is tried.
longest=66000
found=fuzz/target/found
programs=fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release

main() {
    cargo fuzz --version >/dev/null 2>&1 || fail "there is no cargo-fuzz; run cargo install cargo-fuzz --locked"
    cargo +nightly --version >/dev/null 2>&1 || fail "there is no nightly toolchain; run rustup toolchain install nightly"
    mkdir -p "$found"
    cargo +nightly fuzz build
    [ "${#named[@]}" -gt 0 ] || mapfile -t named < <(cargo +nightly fuzz list)
    local target rows=() crashes=0
    for target in "${named[@]}"; do
        run "$target"
        rows+=("$row")
        crashes=$((crashes + crashed))
    done
    printf '\n%-12s | %11s | %7s | %5s | %8s | %7s\n' target runs seconds edges features crashes
    printf '%s\n' "${rows[@]}"
    [ "$crashes" = 0 ] || fail "see fuzz/artifacts for the inputs"
}

# Runs one target and leaves its line of the table in `row`, and the number of its crashes in `crashed`. What it finds
# is kept outside of the committed seeds.
run() {
    local target=$1 log=$found/$1.log began=$SECONDS
    rm -rf "fuzz/artifacts/$target"
    mkdir -p "$found/$target" "fuzz/artifacts/$target"
    echo "fuzz: $target for $seconds s, told in $log"
    "$programs/$target" "$found/$target" "fuzz/corpus/$target" -max_total_time="$seconds" -max_len="$longest" \
        -artifact_prefix="fuzz/artifacts/$target/" -dict=fuzz/dictionary -timeout=60 -print_final_stats=1 >"$log" 2>&1 || true
    crashed=$(find "fuzz/artifacts/$target" -type f | wc -l)
    local runs edges features
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(last_of cov "$log")
    features=$(last_of ft "$log")
    if [ -z "$runs" ] && [ "$crashed" = 0 ]; then tail -n 20 "$log"; fail "$target did not run"; fi
    row=$(printf '%-12s | %11s | %7s | %5s | %8s | %7s' "$target" "$runs" $((SECONDS - began)) "$edges" "$features" "$crashed")
}

# The last number behind the word $1 in the log $2.
last_of() {
    { grep -o "$1: [0-9]*" "$2" || true; } | tail -n 1 | cut -d ' ' -f 2
}

fail() {
    echo "fuzz: $1" >&2
    exit 1
}

main
