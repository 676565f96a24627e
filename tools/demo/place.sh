# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Settings of the demo, where it keeps things, and how they are removed. Sourced by ./demo.

demo_dir=${DEMO_DIR:-$root/demo-data}
case $demo_dir in /*) ;; *) demo_dir=$PWD/$demo_dir ;; esac
state=$demo_dir/state
# The servers' folder depends on the demo's, so that two demos of one checkout have two sets of servers.
server=$root/tools/servers/server.sh
server_name=demo-$(printf %s "$demo_dir" | cksum | cut -d' ' -f1)
millrace=$root/build/src/millrace

say() {
    printf '%s\n' "$*"
}

fail() {
    printf 'demo: %s\n' "$1" >&2
    exit "${2:-1}"
}

demo_check_system() {
    case $(uname -s) in
    Linux) return 0 ;;
    Darwin) other='On macOS run it in a Linux container or virtual machine, for example:' ;;
    MINGW* | MSYS* | CYGWIN*) other='On Windows run it inside WSL 2 (wsl --install -d Debian), or in a Linux container:' ;;
    *) other='It runs on Linux. Here, use a Linux container or virtual machine, for example:' ;;
    esac
    cat >&2 <<END
$other
  docker run --rm -it -p 127.0.0.1:8989:8989 -e DEMO_LISTEN=0.0.0.0 -v "\$PWD":/millrace -w /millrace debian:12 ./demo
END
    exit 2
}

demo_check_settings() {
    case ${DEMO_SECONDS:-1} in *[!0-9]* | 0) fail "DEMO_SECONDS is a number of seconds, not '$DEMO_SECONDS'" 2 ;; esac
    case ${DEMO_RATE:-1} in *[!0-9]* | 0) fail "DEMO_RATE is a number of rows a second, not '$DEMO_RATE'" 2 ;; esac
    case ${DEMO_ROWS:-1} in *[!0-9]* | 0) fail "DEMO_ROWS is a number of visits, not '$DEMO_ROWS'" 2 ;; esac
    case ${DEMO_MYSQL:-auto} in
    auto | 8.0 | 9 | mariadb | mysqld) ;;
    *) fail "DEMO_MYSQL is auto, 8.0, 9, mariadb or mysqld, not '$DEMO_MYSQL'" 2 ;;
    esac
}

# What has to be installed: a server kind that is there already is not installed again, nor is Go once DuckDB is there.
demo_parts() {
    demo_parts='build ui servers'
    "$root/third_party/duckdb/fetch.sh" --cached >/dev/null 2>&1 || demo_parts="$demo_parts go"
    case ${DEMO_MYSQL:-auto} in
    8.0) demo_parts="$demo_parts mysql80" ;;
    9 | mysqld) ;;
    auto) mysqld_usable || demo_parts="$demo_parts mariadb" ;;
    *) demo_parts="$demo_parts mariadb" ;;
    esac
    echo "$demo_parts"
}

mysqld_usable() {
    mysqld_version=$(PATH=$PATH:/usr/sbin mysqld --no-defaults --version 2>/dev/null) || return 1
    case $mysqld_version in
    *MariaDB*) return 1 ;;
    *'Ver 8.'* | *'Ver 9.'* | *'Ver 1'[0-9]*) return 0 ;;
    *) return 1 ;;
    esac
}

# The demo's folder, ours alone, and one demo at a time in it.
demo_open() {
    (umask 077 && mkdir -p "$demo_dir")
    if [ ! -e "$state" ]; then
        [ -z "$(ls -A "$demo_dir")" ] || fail "$demo_dir holds other files: set DEMO_DIR to a folder of its own" 2
        (umask 077 && : >"$state")
    fi
    exec 8>>"$demo_dir/lock"
    flock -n 8 || fail "another ./demo runs with $demo_dir; stop it first (Ctrl-C there), or set DEMO_DIR"
}

# One NAME=value a line; values without blanks or quotes.
state_get() {
    sed -n "s/^$1=//p" "$state" | tail -n 1
}

state_set() {
    sed "/^$1=/d" "$state" >"$state.new"
    echo "$1=$2" >>"$state.new"
    chmod 600 "$state.new"
    mv "$state.new" "$state"
}

# state_once NAME COMMAND...: what was kept, else the command's output, which is then kept.
state_once() {
    state_name=$1
    shift
    [ -n "$(state_get "$state_name")" ] || state_set "$state_name" "$("$@")"
    state_get "$state_name"
}

demo_clean() {
    stop_left_over
    for clean_kind in $("$server" list | awk -v name="$server_name" '$1 == name { print $2 }'); do
        "$server" wipe "$clean_kind" --name "$server_name"
    done
    rm -rf "$demo_dir"
    say "Removed: the demo's servers with their data, and $demo_dir."
    say "Still there: build/, what apt-get installed, and downloads in ${MILLRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace}."
}
