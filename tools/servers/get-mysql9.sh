#!/bin/sh
# MySQL 9 out of Debian sid, unpacked in a private root with its own libc, DIRECTORY/mysql-sid: nothing is
# installed on the machine and the machine's apt state is not touched. Needs apt-get and dpkg-deb. Quick when it is there.
set -eu
cache=${1:?usage: get-mysql9.sh DIRECTORY}
place=$cache/mysql-sid
apt=$place/apt

fail() {
    printf 'get-mysql9.sh: %s\n' "$1" >&2
    exit 1
}

[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail "only tried on Linux x86_64"
if [ ! -x "$place/root/usr/sbin/mysqld" ]; then
    command -v apt-get >/dev/null || fail "apt-get is not installed"
    # The mirror that this machine's own apt uses.
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' | grep -v security | sort -u | head -n 1)
    [ -n "$mirror" ] || fail "apt knows no Debian mirror: run apt-get update first"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    echo "deb $mirror sid main" >"$apt/sources.list"
    # An otherwise empty dpkg state in which perl counts as installed: the server does not need it.
    printf 'Package: perl\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: allowed\nVersion: 5.99\nMaintainer: none\nDescription: stand-in\n\n' >"$apt/status"
    cat >"$apt/apt.conf" <<END
Dir::State "$apt"; Dir::State::lists "$apt/lists"; Dir::State::status "$apt/status"; Dir::Cache "$apt/cache";
Dir::Etc::sourcelist "$apt/sources.list"; Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
APT::Install-Recommends "false"; APT::Sandbox::User "root"; Acquire::Languages "none";
END
    echo "get-mysql9.sh: fetching MySQL 9 (54 MB and the package lists) into $place" >&2
    APT_CONFIG=$apt/apt.conf
    export APT_CONFIG
    apt-get -qq update >&2
    apt-get -qq -y --download-only install mysql-server-core mysql-client-core >/dev/null
    rm -rf "$place/root.new"
    mkdir "$place/root.new"
    for package in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$package" "$place/root.new"; done
    rm -rf "$place/root" "$apt/cache" "$apt/lists"
    mv "$place/root.new" "$place/root"
fi

cat >"$place/run" <<'END'
#!/bin/sh
# Run a program of the private root with the private root's loader and libraries.
root=$(cd "$(dirname "$0")/root" && pwd)
program=$1
shift
for folder in usr/sbin usr/bin; do
    [ ! -x "$root/$folder/$program" ] || exec "$root/usr/lib64/ld-linux-x86-64.so.2" \
        --library-path "$root/usr/lib/x86_64-linux-gnu" "$root/$folder/$program" "$@"
done
exit 127
END
chmod 755 "$place/run"
"$place/run" mysqld --no-defaults --version >/dev/null || fail "it does not run here"
