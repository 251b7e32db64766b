#!/usr/bin/env bash
# Measures cutover beside other crates and writes BENCHMARKS.md, in about five minutes after a build of as many. Let nothing else run meanwhile.
# Usage: scripts/benchmarks.sh [--quick] [--only COMPARISON,..] [--output FILE]; see crates/peers/README.md
# Needs cargo, a C compiler, and the network for the crate registry while it builds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command -v cargo >/dev/null || {
    echo "benchmarks: there is no cargo; install Rust with rustup (https://rustup.rs) or your system's packages" >&2
    exit 1
}
manifest=crates/peers/Cargo.toml
cargo build --release --locked --bins --manifest-path "$manifest"
cargo run --release --locked --quiet --bin peers --manifest-path "$manifest" -- "$@"
