#!/bin/sh
# Print the directory with duckdb.h and DuckDB's static libraries; download it first when it is not there.
# With --cached: never download, exit 1 when it is not there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cache=${MILLRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace}

fail() {
    printf 'third_party/duckdb/fetch.sh: %s\n' "$1" >&2
    exit 1
}

pinned() {
    sed -n "s/^$1 //p" "$here/VERSION"
}

case "$(uname -s) $(uname -m)" in
'Linux x86_64') platform=linux-amd64 ;;
'Linux aarch64') platform=linux-arm64 ;;
*) fail "no static libraries are published for $(uname -s) on $(uname -m); build with -Dduckdb=system" ;;
esac
version=$(pinned module)
place=$cache/duckdb-$version-$platform
if [ -e "$place/duckdb.h" ]; then
    echo "$place"
    exit 0
fi

[ "${1:-}" != --cached ] || exit 1

go=$(command -v go || find /usr/lib/go-1.*/bin/go 2>/dev/null | sort -V | tail -n 1)
[ -n "$go" ] || fail "go is needed to download DuckDB (Debian: golang-go)"
mkdir -p "$cache"
exec 9>>"$cache/duckdb.lock"
flock 9
if [ ! -e "$place/duckdb.h" ]; then
    work=$(mktemp -d "$cache/duckdb.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    module=github.com/duckdb/duckdb-go-bindings/lib/$platform
    echo "third_party/duckdb/fetch.sh: fetching DuckDB $(pinned duckdb) (30 MB) into $place" >&2
    # A module cache of its own that can be deleted; GONOSUMDB because the sum is compared here.
    (cd "$work" && GOFLAGS=-modcacherw GOMODCACHE=$work/mod GOPATH=$work/go GONOSUMDB=github.com/duckdb GO111MODULE=on \
        GOTOOLCHAIN=local "$go" mod download -json "$module@$version" >"$work/answer" 2>"$work/err") || {
        sed 's/^/  /' "$work/err" "$work/answer" >&2
        fail "go mod download failed"
    }
    sum=$(sed -n 's/.*"Sum": "\(.*\)".*/\1/p' "$work/answer")
    [ "$sum" = "$(pinned "$platform")" ] || fail "wrong checksum for $module: $sum"
    [ -e "$work/mod/$module@$version/duckdb.h" ] || fail "the module holds no duckdb.h"
    mv -T "$work/mod/$module@$version" "$place"
fi
echo "$place"
