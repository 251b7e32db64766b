#!/usr/bin/env bash
# Tests scripts/release where it changes something: in a clone, with a registry that is a folder, and without the builds.
# What it builds and tests in earnest is tried by its dry run.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
clone=$folder/clone
cargo=$(command -v cargo)
export REAL_CARGO=$cargo REGISTRY=$folder/registry CARGO_TARGET_DIR=$folder/target
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.org GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.org
passed=0

main() {
    git clone --quiet . "$clone"
    cp scripts/release "$clone/scripts/release"
    cd "$clone"
    pretend_cargo
    mapfile -t names < <(scripts/release packages | cut -d ' ' -f 1)
    version=$("$cargo" metadata --no-deps --format-version 1 | jq -r '.packages[] | select(.name == "cutover").version')
    git tag | xargs -r git tag -d >/dev/null
    git commit --quiet --allow-empty --all --message "test"
    local test
    for test in changes_nothing_before_yes refuses_uncommitted_changes refuses_a_package_without_its_licence \
        refuses_another_archive_before_it_publishes stops_at_the_first_error_and_goes_on_from_there refuses_a_released_version \
        next_release_gets_its_own_heading; do
        "$test"
        echo "release_test: $test: ok"
        passed=$((passed + 1))
    done
    echo "$passed passed, 0 failed"
}

# Builds nothing, publishes into the folder, refuses the package that is named in its file `broken`.
pretend_cargo() {
    mkdir -p "$folder/bin" "$REGISTRY"
    cat >"$folder/bin/cargo" <<'END'
#!/usr/bin/env bash
set -euo pipefail
case "$1" in
    test | doc | deny | semver-checks) ;;
    publish)
        [ "$3" != "$(cat "$REGISTRY/broken" 2>/dev/null)" ] || { echo "error: the registry is out of order" >&2; exit 101; }
        cp "$CARGO_TARGET_DIR/package/$3"-[0-9]*.crate "$REGISTRY"
        echo "$3" >>"$REGISTRY/order"
        ;;
    generate-lockfile)
        read -r name version < <(tail -n 1 Cargo.toml | tr -d '="')
        archive=$REGISTRY/$name-$version.crate
        [ -e "$archive" ] || { echo "error: no matching package named \`$name\` found" >&2; exit 101; }
        printf '[[package]]\nname = "%s"\nchecksum = "%s"\n' "$name" "$(sha256sum "$archive" | cut -d ' ' -f 1)" >Cargo.lock
        ;;
    *) exec "$REAL_CARGO" "$@" ;;
esac
END
    chmod +x "$folder/bin/cargo"
    PATH=$folder/bin:$PATH
}

changes_nothing_before_yes() {
    local before
    before=$(git rev-parse HEAD)
    expect_failure "nothing was published" publish <<<"no"
    expect_failure "nothing was published" publish </dev/null
    expect "$before" "$(git rev-parse HEAD)"
    expect "" "$(git status --porcelain)$(git tag)$(ls "$REGISTRY")"
}

refuses_uncommitted_changes() {
    echo >>README.md
    expect_failure "not committed" publish <<<"yes"
    git checkout --quiet README.md
}

refuses_a_package_without_its_licence() {
    git rm --quiet crates/cutover-sqlite/LICENSE-MIT
    expect_failure "the archive of cutover-sqlite lacks LICENSE-MIT" packages
    git reset --quiet --hard
}

refuses_another_archive_before_it_publishes() {
    local last=${names[-1]}
    echo "somebody else's" >"$REGISTRY/$last-$version.crate"
    expect_failure "the registry has another $last $version" publish <<<"yes"
    expect "$last-$version.crate" "$(ls "$REGISTRY")"
    expect "" "$(git tag)"
    rm "$REGISTRY/$last-$version.crate"
}

stops_at_the_first_error_and_goes_on_from_there() {
    local released
    echo "${names[2]}" >"$REGISTRY/broken"
    expect_failure "${names[2]} was not published" publish <<<"yes"
    expect "${names[*]:0:2}" "$(published)"
    expect "" "$(git tag)"
    released=$(git rev-parse HEAD)

    rm "$REGISTRY/broken"
    scripts/release publish <<<"yes" >/dev/null
    expect "${names[*]}" "$(published)"
    expect "$released" "$(git rev-parse "v$version^{commit}")"
    expect "$released" "$(git rev-parse HEAD)"
    expect 1 "$(grep -cF "## [$version]" CHANGELOG.md)"
}

refuses_a_released_version() {
    expect_failure "v$version is released" publish <<<"yes"
}

next_release_gets_its_own_heading() {
    find . -name Cargo.toml -not -path './fuzz/*' -exec sed -i "s/version = \"$version\"/version = \"99.0.0\"/" {} +
    "$cargo" metadata --format-version 1 >/dev/null
    sed -i 's/^## \[Unreleased\]$/&\n\n- You see this./' CHANGELOG.md
    git commit --quiet --all --message "test"
    scripts/release publish <<<"yes" >/dev/null
    expect "" "$(git diff HEAD~1 -- CHANGELOG.md | grep '^-[^-]' || true)"
    expect "## [Unreleased]|## [99.0.0] - $(date -u +%F)|## [$version]" \
        "$(grep '^## \[' CHANGELOG.md | head -n 3 | paste -sd '|' | sed "s/\(\[$version\]\).*/\1/")"
}

published() {
    paste -sd ' ' "$REGISTRY/order"
}

# Runs the script with the arguments behind the first, which it must say when it fails.
expect_failure() {
    local told
    if told=$(scripts/release "${@:2}" 2>&1); then fail "it did not fail with \"$1\""; fi
    grep -qF -- "$1" <<<"$told" || fail "it failed without \"$1\":"$'\n'"$told"
}

expect() {
    [ "$1" = "$2" ] || fail "expected \"$1\", found \"$2\""
}

fail() {
    echo "release_test: $1 (in ${FUNCNAME[2]})" >&2
    exit 1
}

main
