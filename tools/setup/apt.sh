# shellcheck shell=sh
# Install packages with apt-get without waking a database service. Sourced by install.sh.

policy=/usr/sbin/policy-rc.d
cluster_conf=/etc/postgresql-common/createcluster.conf

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

apt_quiet() {
    as_root env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 apt-get -q -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

# apt's own forecast: what it would get and what that takes on the disk.
apt_forecast() {
    LC_ALL=C apt-get --assume-no --no-install-recommends install "$@" 2>/dev/null </dev/null |
        grep -E '^(Need to get|After this operation)' || :
}

apt_install() {
    # One word a package from here on.
    # shellcheck disable=SC2086
    set -- $1
    echo "Missing on this machine: $*"
    if [ "${DEMO_INSTALL:-yes}" = no ]; then
        # What that would take, as far as the lists that are here know it.
        apt_forecast "$@" | sed 's/^/  /'
        echo "DEMO_INSTALL=no, so nothing is installed. By hand: apt-get install --no-install-recommends $*" >&2
        exit 3
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        echo "Neither root nor sudo here. As root: apt-get install --no-install-recommends $*" >&2
        exit 1
    fi
    forecast=$(apt_forecast "$@")
    if [ -z "$forecast" ]; then
        echo "Reading apt's package lists first (apt-get update)."
        apt_quiet update >/dev/null
        forecast=$(apt_forecast "$@")
    fi
    echo "Installing them with apt-get, into this system's usual places:"
    printf '%s\n' "$forecast" | sed 's/^/  /'
    services_hold
    trap services_release EXIT
    trap 'exit 130' INT TERM
    if ! apt_quiet install "$@" >"$apt_log" 2>&1; then
        # Lists that are older than the mirror name files that are gone.
        apt_quiet update >/dev/null
        apt_quiet install "$@" >"$apt_log" 2>&1 || {
            tail -n 20 "$apt_log" >&2
            exit 1
        }
    fi
    services_release
    trap - EXIT INT TERM
}

# No package may start a service or make a PostgreSQL cluster; an administrator's own policy stays as it is.
services_hold() {
    apt_log=$(mktemp)
    made_policy=no
    if [ ! -e "$policy" ]; then
        made_policy=yes
        printf '#!/bin/sh\n# millrace: removed when the installation ends\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    if [ ! -e "$cluster_conf" ]; then
        as_root mkdir -p "${cluster_conf%/*}"
        echo "create_main_cluster = false" | as_root tee "$cluster_conf" >/dev/null
    fi
}

services_release() {
    [ "$made_policy" = no ] || as_root rm -f "$policy"
    rm -f "$apt_log"
}
