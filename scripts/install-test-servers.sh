#!/usr/bin/env bash
# Installs the programs that the tests run, redis-server, PostgreSQL, Chromium with its driver, valgrind and jq, where they are
# missing.
# Leaves no service running.
set -euo pipefail

policy=/usr/sbin/policy-rc.d

main() {
    local missing=()
    has_redis || missing+=(redis-server)
    has_postgres || missing+=(postgresql)
    has_browser || missing+=(chromium chromium-driver)
    has_font || missing+=(fonts-dejavu-core)
    has_valgrind || missing+=(valgrind)
    has_jq || missing+=(jq)
    [ "${#missing[@]}" -gt 0 ] || return 0
    echo "install-test-servers: missing: ${missing[*]}"
    command -v apt-get >/dev/null || fail "this system has no apt-get"
    as_root true 2>/dev/null || fail "only root can install them here, and sudo is not there or asks for a password"
    forbid_services
    as_root apt-get update
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "${missing[@]}"
    has_redis || fail "redis-server is still missing"
    has_postgres || fail "initdb and postgres are still missing"
    has_browser || fail "chromium and chromedriver are still missing"
    has_valgrind || fail "valgrind is still missing"
    has_jq || fail "jq is still missing"
}

has_redis() {
    command -v redis-server >/dev/null
}

# Looks where the tests look: one folder that has both programs.
has_postgres() {
    local folder folders=()
    IFS=: read -r -a folders <<<"$PATH"
    folders+=(/usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /usr/pgsql-*/bin)
    folders+=("$(pg_config --bindir 2>/dev/null || true)")
    for folder in "${folders[@]}"; do
        if [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then return 0; fi
    done
    return 1
}

# Looks where the tests look.
has_browser() {
    local browser
    command -v chromedriver >/dev/null || return 1
    for browser in chromium chromium-browser google-chrome google-chrome-stable; do
        if command -v "$browser" >/dev/null; then return 0; fi
    done
    return 1
}

# A browser without any font shows no text in its screenshots.
has_font() {
    [ -n "$(find /usr/share/fonts /usr/local/share/fonts /System/Library/Fonts -name '*.tt[fc]' 2>/dev/null | head -1)" ]
}

# Counts are of Linux, and are not taken elsewhere.
has_valgrind() {
    [ "$(uname -s)" != Linux ] || command -v valgrind >/dev/null
}

has_jq() {
    command -v jq >/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

# Packages ask this file whether they may start their service. One that is there already is left as it is.
forbid_services() {
    [ ! -e "$policy" ] || return 0
    trap 'as_root rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

fail() {
    {
        echo "install-test-servers: $1"
        echo "The tests need the programs redis-server, initdb, postgres, chromium, chromedriver and jq, and valgrind on Linux. Install them:"
        echo "  Debian, Ubuntu  apt-get install redis-server postgresql chromium chromium-driver fonts-dejavu-core valgrind jq"
        echo "  macOS           brew install redis postgresql@15 chromedriver jq, and a Chrome"
        echo "  Fedora          dnf install redis postgresql-server chromium chromedriver valgrind jq"
    } >&2
    exit 1
}

main
