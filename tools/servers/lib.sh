# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Places, ports and processes of the throw-away servers. Sourced by server.sh.

die() {
    printf 'server.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

# Why this kind cannot be had here: tests take 77 for a skip.
unavailable() {
    die "$kind is not available here: $1" 77
}

checkout=$(cd "$servers_dir/../.." && pwd)
my_uid=$(id -u)
# Servers refuse to run as root, so they get another user there, and a place that user can reach:
# root's home is usually closed. Not /var/tmp: it is swept of what was not touched for a month.
run_user=''
user_base=/var/tmp/millrace-$my_uid
if [ "$my_uid" = 0 ]; then
    user_base=/var/lib/millrace
    run_user=${MILLRACE_SERVER_USER:-nobody}
    run_uid=$(id -u "$run_user") || die "no such user: $run_user"
    run_gid=$(id -g "$run_user")
    [ "$run_uid" != 0 ] || die "MILLRACE_SERVER_USER must not be root"
fi
# One folder a checkout, so that two checkouts never meet; short, for the sockets in it.
servers_base=${MILLRACE_SERVERS:-$user_base/$(printf %s "$checkout" | cksum | cut -d' ' -f1)}

as_user() {
    if [ -n "$run_user" ]; then
        HOME=${dir:-/} setpriv --reuid="$run_uid" --regid="$run_gid" --clear-groups "$@"
    else
        "$@"
    fi
}

# Where server programs are downloaded to: the cache, or a place that the server's user can read too.
programs_dir() {
    programs=${MILLRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace}
    mkdir -p "$programs"
    (cd / && as_user test -x "$programs") || programs=/var/cache/millrace
}

# The server's own directory, and its parents open enough for the server's user to reach it.
dir_create() {
    if [ -z "${MILLRACE_SERVERS:-}" ]; then
        # A fixed name under a folder that all may write: it has to be ours and no link.
        (umask 022 && mkdir -p "$user_base")
        if [ -h "$user_base" ] || [ ! -O "$user_base" ]; then
            die "$user_base belongs to somebody else; set MILLRACE_SERVERS"
        fi
    fi
    (umask 022 && mkdir -p "$servers_base" "$dir")
    [ -z "$run_user" ] || chown "$run_uid:$run_gid" "$dir"
    chmod 700 "$dir"
    as_user test -w "$dir" ||
        die "user ${run_user:-$my_uid} cannot reach $dir: set MILLRACE_SERVERS to a place whose parents are open to it"
    # A socket's path is limited to 107 bytes and PostgreSQL adds 15 to its directory.
    [ ${#dir} -le 85 ] || die "path too long for a socket: $dir; set MILLRACE_SERVERS to a shorter one"
}

# Files only root and the server read.
put_private() {
    (umask 077 && cat >"$1")
    [ -z "$run_user" ] || chown "$run_uid:$run_gid" "$1"
}

random_password() {
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

# Sets root_password: the one of the first start, kept with the data it belongs to.
password_settle() {
    [ -s "$dir/password" ] || printf '%s\n' "${password:-$(random_password)}" | put_private "$dir/password"
    root_password=$(cat "$dir/password")
    if [ -n "$password" ] && [ "$password" != "$root_password" ]; then
        die "$name ($kind) was made with another password: wipe it first" 2
    fi
}

# A counter shared by all servers of this user keeps two starts at the same instant apart.
port_choose() {
    counter=$user_base/next-port
    mkdir -p "$user_base"
    exec 9>>"$counter.lock"
    flock 9
    first=${MILLRACE_PORT_FIRST:-21000}
    port=$(cat "$counter" 2>/dev/null || echo "$first")
    tries=0
    while [ "$port" -lt "$first" ] || [ "$port" -ge $((first + 8000)) ] || port_busy "$port"; do
        port=$((port + 1))
        [ "$port" -lt $((first + 8000)) ] && [ "$port" -ge "$first" ] || port=$first
        tries=$((tries + 1))
        [ "$tries" -lt 8000 ] || die "no free port from $first on"
    done
    echo $((port + 1)) >"$counter"
    exec 9>&-
}

# The port that was asked for, else the one of the last start while it is free, else a new one.
port_settle() {
    if [ -n "$port" ]; then
        ! port_busy "$port" || die "port $port is in use by another program"
    else
        port=$(cat "$dir/port" 2>/dev/null || :)
        if [ -z "$port" ] || port_busy "$port"; then port_choose; fi
    fi
    echo "$port" >"$dir/port"
}

# Alive, and not merely waiting for a parent that never reaps (a container without an init).
pid_alive() {
    [ -r "/proc/$1/stat" ] || return 1
    pid_state=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1)
    [ -n "$pid_state" ] && [ "$pid_state" != Z ] && [ "$pid_state" != X ]
}

# A pid file may be older than the last reboot: the process must name our data directory.
server_running() {
    pid=$(sed -n 1p "$dir/pid" 2>/dev/null || :)
    case $pid in '' | *[!0-9]*) return 1 ;; esac
    pid_alive "$pid" || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -e "$dir/data"
}

server_spawn() {
    # A session of its own: Ctrl-C in the caller's terminal is the caller's matter.
    log=$dir/server.log
    if [ -n "$run_user" ]; then
        set -- setpriv --reuid="$run_uid" --regid="$run_gid" --clear-groups "$@"
    fi
    # Nor may it hold on to what the caller has open: a lock, the end of a pipe.
    (exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&- && cd "$dir" && HOME=$dir exec setsid "$@" </dev/null >>"$log" 2>&1) &
    spawned=$!
}

# server_wait READY_COMMAND...: until the command succeeds; fails at once when the server ends.
server_wait() {
    waited=0
    while ! "$@" >/dev/null 2>&1; do
        waited=$((waited + 1))
        if ! pid_alive "$spawned" || [ "$waited" -gt 600 ]; then
            printf 'server.sh: %s (%s) did not come up; the end of its log:\n' "$name" "$kind" >&2
            tail -n 15 "$dir/server.log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

server_stop() {
    server_running || return 0
    stop_signal=TERM
    # PostgreSQL: TERM would wait for every client to leave, INT sends them away.
    [ "$family" = mysql ] || stop_signal=INT
    waited=0
    kill -s "$stop_signal" "$pid" 2>/dev/null || :
    while pid_alive "$pid"; do
        waited=$((waited + 1))
        if [ "$waited" -eq 600 ]; then kill -s QUIT "$pid" 2>/dev/null || :; fi
        if [ "$waited" -eq 700 ]; then kill -s KILL "$pid" 2>/dev/null || :; fi
        [ "$waited" -lt 800 ] || die "$name ($kind), process $pid, does not end"
        sleep 0.1
    done
    rm -f "$dir/pid"
}

write_env() {
    put_private "$dir/env" <<END
KIND=$kind
NAME=$name
VERSION=$version
HOST=127.0.0.1
PORT=$port
SOCKET=$1
ROOT_USER=$2
ROOT_PASSWORD=$root_password
URL=$3
DIR=$dir
LOG=$dir/server.log
END
}

print_env() {
    cat "$dir/env"
    if server_running; then echo "PID=$pid"; fi
}

servers_list() {
    for env_file in "$servers_base"/*/env; do
        [ -r "$env_file" ] || continue
        dir=$(dirname "$env_file")
        state=stopped
        if server_running; then state=running; fi
        sed -n 's/^NAME=//p; s/^KIND=//p; s/^PORT=//p' "$env_file" | paste -s -d ' ' - |
            awk -v state="$state" '{ print $2, $1, $3, state }'
    done
}
