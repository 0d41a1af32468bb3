#!/usr/bin/env bash
# Installs what is missing, and nothing else: `stack/bootstrap.sh check|up|test`.
#   check  the workspace with its development tools
#   up     the workspace, the servers' packages, the browser assets
#   test   all of that, and a browser
# Silent and quick when everything is there.
set -euo pipefail
cd "$(dirname "$0")/.."
unset VIRTUAL_ENV

readonly purpose=${1:?usage: stack/bootstrap.sh check|up|test}
readonly uv_versions='>=0.13,<0.14'

say() { printf 'bootstrap: %s\n' "$*" >&2; }
fail() {
    say "$*"
    exit 1
}
has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null; }
has_library() { PATH="$PATH:/usr/sbin:/sbin" ldconfig -p | grep -q "$1"; }

install_packages() {
    if [ "$(id -u)" != 0 ]; then
        fail "missing packages; run: sudo apt-get install --no-install-recommends $*"
    fi
    has apt-get || fail "missing packages, and this is no Debian: install the likes of $*"
    say "installing $*"
    # Installing a server must not start one: policy-rc.d says no, then is as it was before.
    local policy=/usr/sbin/policy-rc.d kept
    kept=$(mktemp -d)
    [ ! -e "$policy" ] || cp -a "$policy" "$kept/policy"
    # shellcheck disable=SC2064  # the values of now
    trap "rm -f '$policy'; [ ! -e '$kept/policy' ] || cp -a '$kept/policy' '$policy'; rm -rf '$kept'" EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || say "the list of packages could not be refreshed; going on with this one"
    apt-get install -y -qq --no-install-recommends "$@" >&2 ||
        fail "apt-get could not install: $*"
    trap - EXIT
    rm -f "$policy"
    [ ! -e "$kept/policy" ] || cp -a "$kept/policy" "$policy"
    rm -rf "$kept"
}

packages_missing() {
    [ "$purpose" != check ] || return 0
    compgen -G '/usr/lib/rabbitmq/lib/rabbitmq_server-*' >/dev/null || echo rabbitmq-server
    has haproxy || echo haproxy
    has clamd || echo clamav-daemon
    # What PostgreSQL's binaries are linked with, and their time zones.
    has_library libxml2.so.2 || echo libxml2
    has_library libgssapi_krb5.so.2 || echo libgssapi-krb5-2
    [ -e /usr/share/zoneinfo/Europe/Paris ] || echo tzdata
    [ ! -e gateway/package-lock.json ] || has npm || printf '%s\n' nodejs npm
    [ "$purpose" != test ] || has chromium-headless-shell || echo chromium-headless-shell
}

# A pyenv shim exists for versions that are not selected, and fails: an interpreter is one that runs.
is_recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; }

recent_python() {
    local name candidate
    for name in python3.14 python3.13 python3.12 python3; do
        while read -r candidate; do
            ! is_recent "$candidate" || { echo "$candidate" && return; }
        done < <(type -aP "$name")
    done
    while read -r candidate; do
        ! is_recent "$candidate" || { echo "$candidate" && return; }
    done < <(compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.*/bin/python3" | sort -rV)
    "$uv" python install --quiet 3.13 >&2 && "$uv" python find 3.13 && return
    fail "no Python 3.12 or later on PATH or in pyenv, and uv could download none:" \
        "install one (for instance with: pyenv install 3.13) and run this again"
}

find_uv() {
    local found
    for found in .run/uv/bin/uv uv; do
        case $("$found" --version 2>/dev/null) in
        "uv 0.13."*)
            command -v "$found"
            return
            ;;
        esac
    done
}

install_uv() {
    say "installing uv"
    has python3 || install_packages python3 python3-venv
    # The module venv may be there without the pip that it brings along.
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
    python3 -m venv --clear .run/uv
    .run/uv/bin/pip install --quiet "uv$uv_versions"
}

mkdir -p .run
mapfile -t missing < <(packages_missing)
[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"

uv=$(find_uv)
if [ -z "$uv" ]; then
    install_uv
    uv=.run/uv/bin/uv
fi

python=.venv/bin/python
is_recent "$python" || python=$(recent_python)
if [ "$purpose" = up ]; then
    "$uv" sync --quiet --frozen --python "$python" --no-dev --inexact
else
    "$uv" sync --quiet --frozen --python "$python"
fi

if [ gateway/package-lock.json -nt gateway/node_modules/.package-lock.json ]; then
    say "installing the browser assets"
    npm ci --prefix gateway --no-audit --no-fund --no-update-notifier --loglevel=error >&2
    touch gateway/node_modules/.package-lock.json
fi
