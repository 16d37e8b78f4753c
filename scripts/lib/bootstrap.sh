# SPDX-License-Identifier: LGPL-3.0-or-later
# What must happen before Python can take over: the Debian packages and an
# interpreter. Sourced by the commands in scripts/; also run by the lab itself
# (`bootstrap.sh browser`) when a command turns out to need a browser.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

# Installs the named Debian packages, or says in one line which are missing.
install_packages() {
    local sudo=()
    if [ "$(id -u)" != 0 ]; then
        sudo=(sudo -n)
        if ! sudo -n true 2>/dev/null; then
            die "missing Debian packages, please install: apt-get install $*"
        fi
    fi
    command -v apt-get >/dev/null || die "missing, and no apt-get here: $*"
    echo "Installing Debian packages: $*" >&2
    local log
    log=$(mktemp)
    # The postgresql package would create and start a cluster of its own; the
    # lab has a private one. The drop-in is taken away again: it is not our
    # business what the machine does with a later PostgreSQL.
    local drop_in=/etc/postgresql-common/createcluster.d/lead-pipeline-lab.conf
    local own_cluster=1
    case " $* " in *" postgresql "*) own_cluster=0 ;; esac
    if [ $own_cluster = 0 ]; then
        "${sudo[@]}" mkdir -p "$(dirname $drop_in)"
        echo "create_main_cluster = false" | "${sudo[@]}" tee $drop_in >/dev/null
    fi
    local ok=0
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive sh -c '
        apt-get -q update &&
        apt-get -qy install --no-install-recommends "$@"' sh "$@" \
        </dev/null >"$log" 2>&1 || ok=1
    [ $own_cluster = 1 ] || "${sudo[@]}" rm -f $drop_in
    if [ $ok != 0 ]; then
        tail -n 20 "$log" >&2
        die "could not install the Debian packages: $*"
    fi
    rm -f "$log"
}

# True when the interpreter is new enough and can make environments.
usable_python() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
        >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3 /usr/bin/python3 \
        python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && usable_python "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

have_postgres() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
        command -v initdb >/dev/null
}

have_browser() {
    [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null ||
        command -v google-chrome >/dev/null ||
        command -v google-chrome-stable >/dev/null
}

have_package() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

ensure_base() {
    local missing=()
    find_python >/dev/null || missing+=(python3 python3-venv)
    have_postgres || missing+=(postgresql)
    command -v setpriv >/dev/null || missing+=(util-linux)
    if [ "$(uname -m)" != x86_64 ] && ! command -v g++ >/dev/null; then
        # libsass, which Odoo needs, has ready-made wheels for amd64 only
        missing+=(g++ python3-dev)
    fi
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
    PYTHON=$(find_python) || die "needs Python 3.11 or newer with venv; set PYTHON to one"
}

# The checks look at what git knows, and the tests at versions of before.
ensure_git() {
    command -v git >/dev/null || install_packages git
}

ensure_browser() {
    local missing=() package
    if ! have_browser; then
        if grep -qs '^ID=ubuntu' /etc/os-release; then
            # Ubuntu's package only installs a snap, which needs snapd running.
            die "needs Chromium or Chrome; set CHROMIUM to one (Ubuntu has it as a snap only)"
        fi
        missing+=(chromium chromium-driver)
    fi
    if command -v dpkg-query >/dev/null; then
        # Names of leads in Arabic and Chinese must be readable on screenshots.
        for package in fonts-noto-core fonts-noto-cjk; do
            have_package $package || missing+=($package)
        done
    fi
    [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
}

# Replaces this shell by a command of the lab: `run_command NAME ARGS...`
run_command() {
    local name=$1
    shift
    ensure_base
    export PYTHONPATH="$root/scripts${PYTHONPATH:+:$PYTHONPATH}"
    exec "$PYTHON" -m "lab.commands.$name" "$@"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
    set -euo pipefail
    case "${1:-}" in
    browser) ensure_browser ;;
    *) die "usage: bootstrap.sh browser" ;;
    esac
fi
