#!/bin/sh
# build.sh [BUILDDIR [MESON OPTION...]]: fetch DuckDB, configure once (release unless told otherwise), build.
# Run again it takes a second. Another set of options configures anew.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-build}
[ $# -eq 0 ] || shift
case $build in /*) ;; *) build=$root/$build ;; esac

case " $* " in
*' -Dduckdb=system '* | *' -Dduckdb_dir='*) ;;
*) duckdb=$("$root/third_party/duckdb/fetch.sh") && set -- "-Dduckdb_dir=$duckdb" "$@" ;;
esac
case " $* " in
*' --buildtype='* | *' -Dbuildtype='*) ;;
*) set -- --buildtype=release "$@" ;;
esac
# Only there: a newer compiler's new warning must not break a user's build.
[ -z "${CI:-}" ] || set -- -Dwerror=true "$@"

# Where meson finds ccache it uses it: objects are then shared by all checkouts and build folders.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1

stamp=$build/.millrace-options
wanted="${CC:-cc} $*"
if [ ! -e "$build/build.ninja" ] || [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    [ ! -e "$build/build.ninja" ] || rm -rf "$build"
    mkdir -p "$build"
    meson setup "$build" "$root" "$@" >"$build/setup.log" 2>&1 || {
        tail -n 25 "$build/setup.log" >&2
        exit 1
    }
    echo "$wanted" >"$stamp"
fi
# shellcheck disable=SC2086  # several flags are several words
ninja -C "$build" ${NINJA_FLAGS:-}
