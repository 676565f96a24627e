#!/bin/sh
# install.sh PART...: install what is missing of the parts that packages.txt lists (Debian 12, 13 and their kin).
# Says what it installs, how much, and where, before it does. DEMO_INSTALL=no: says it and stops (exit 3).
# Nothing missing: silent, a tenth of a second.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/missing.sh"
. "$here/apt.sh"

[ $# -ge 1 ] || {
    echo "usage: install.sh PART... (parts: see packages.txt)" >&2
    exit 2
}
packages=$(missing_packages "$@")
[ -n "$packages" ] || exit 0

if ! command -v apt-get >/dev/null; then
    printf 'These are missing (Debian names), and this machine has no apt-get to bring them:\n' >&2
    printf '  %s\n' "$packages" >&2
    echo "Install what your distribution calls them, then run this again." >&2
    exit 1
fi
apt_install "$packages"
left=$(missing_packages "$@")
[ -z "$left" ] || {
    echo "install.sh: apt-get was content, but these are still missing: $left" >&2
    exit 1
}
