# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Start one PostgreSQL server. Sourced by server.sh.

# Sets bindir and version: that very version, or the newest of those we support.
postgres_find() {
    case $kind in
    postgres) wanted='18 17 16 15 14' ;;
    *) wanted=${kind#postgres} ;;
    esac
    # Data of one major version cannot be opened by another: a server keeps the one it was made with.
    [ ! -s "$dir/data/PG_VERSION" ] || wanted=$(cat "$dir/data/PG_VERSION")
    for major in $wanted; do
        for bindir in "/usr/lib/postgresql/$major/bin" "/usr/pgsql-$major/bin" "${MILLRACE_PG_BINDIR:-}" \
            "$(pg_config --bindir 2>/dev/null || :)"; do
            [ -x "${bindir:-/nowhere}/initdb" ] || continue
            version=$("$bindir/postgres" --version | sed 's/[^0-9]*\([0-9.]*\).*/\1/')
            [ "${version%%.*}" = "$major" ] && return 0
        done
    done
    if [ "$kind" = postgres18 ]; then
        programs_dir
        "$servers_dir/get-postgres18.sh" "$programs" >&2 ||
            unavailable "PostgreSQL 18 is not installed, and could not be fetched or does not run (see above)"
        bindir=$programs/postgres-18.4/bin
        version=18.4
        return 0
    fi
    unavailable "no PostgreSQL server of version $wanted is installed (Debian: postgresql)"
}

postgres_init() {
    password_settle
    [ ! -d "$dir/data" ] || return 0
    rm -rf "$dir/new"
    # The database's own files need no sync: a run that is cut short leaves "new", which is thrown away.
    as_user "$bindir/initdb" --pgdata="$dir/new" --username=postgres --pwfile="$dir/password" --auth-local=trust \
        --auth-host=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$dir/init.log" 2>&1 || {
        tail -n 15 "$dir/init.log" >&2
        die "could not make a data directory for $name ($kind) in $dir"
    }
    mv "$dir/new" "$dir/data"
}

postgres_start() {
    # A container's /dev/shm is often 64 MB, too small for parallel queries' segments.
    shm_kb=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
    shm_type=posix
    if [ "${shm_kb:-0}" -lt 131072 ]; then shm_type=mmap; fi
    # A postmaster.pid of an older boot that names a living process would keep this one from starting.
    if [ -s "$dir/data/postmaster.pid" ] && ! postgres_pid_is_ours; then rm -f "$dir/data/postmaster.pid"; fi
    rm -f "$dir/pid"
    server_spawn "$bindir/postgres" -D "$dir/data" -c listen_addresses=127.0.0.1 -c port="$port" \
        -c unix_socket_directories="$dir" -c dynamic_shared_memory_type="$shm_type" -c fsync="$fsync" \
        -c logging_collector=off -c timezone=UTC -c shared_buffers=64MB -c max_wal_size=1GB -c external_pid_file="$dir/pid" \
        -c wal_level=logical -c max_replication_slots=4 -c max_wal_senders=4 "$@"
    write_env "$dir" postgres "postgres://postgres:$root_password@127.0.0.1:$port/postgres"
    server_wait postgres_ready
}

postgres_pid_is_ours() {
    old_pid=$(sed -n 1p "$dir/data/postmaster.pid")
    pid_alive "$old_pid" && tr '\0' '\n' <"/proc/$old_pid/cmdline" 2>/dev/null | grep -qF -e "$dir/data"
}

postgres_ready() {
    server_running && echo 'SELECT 1;' | postgres_sql --no-password
}

postgres_sql() {
    psql=$bindir/psql
    [ -x "$psql" ] || psql=$(command -v psql) || die "no psql is installed (Debian: postgresql-client)"
    PGPASSWORD=$(cat "$dir/password") PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT=10 "$psql" --no-psqlrc --quiet --no-align \
        --tuples-only --field-separator="$(printf '\t')" --set=ON_ERROR_STOP=1 --host=127.0.0.1 \
        --port="$(cat "$dir/port")" --username=postgres "$@"
}
