# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Start one server of the MySQL family. Sourced by server.sh.

# Sets mysqld (the program, maybe with a loader before it), base_options and version, or says why not.
mysql_find() {
    mysqld='' base_options='' install_db=''
    case $kind in
    mariadb)
        mysqld=$(find_program mariadbd) || unavailable "mariadbd is not installed (Debian: mariadb-server-core)"
        install_db=$(find_program mariadb-install-db) || unavailable "mariadb-install-db is not installed"
        ;;
    mysql80)
        programs_dir
        "$servers_dir/get-mysql80.sh" "$programs" >&2 || unavailable "MySQL 8.0.31 could not be fetched or does not run (see above)"
        root=$programs/mysql-8.0.31
        mysqld=$root/bin/mysqld
        base_options="--basedir=$root --lc-messages-dir=$root/share"
        ;;
    mysql9)
        programs_dir
        "$servers_dir/get-mysql9.sh" "$programs" >&2 || unavailable "MySQL 9 could not be fetched or does not run (see above)"
        root=$programs/mysql-sid/root/usr
        mysqld="$programs/mysql-sid/run mysqld"
        base_options="--basedir=$root --lc-messages-dir=$root/share/mysql"
        base_options="$base_options --character-sets-dir=$root/share/mysql/charsets --plugin-dir=$root/lib/mysql/plugin"
        ;;
    mysqld)
        mysqld=$(find_program mysqld) || unavailable "no mysqld is installed"
        ;;
    esac
    # The program must be open to the server's user as well, not only to us.
    # shellcheck disable=SC2086
    version=$(cd / && as_user $mysqld --no-defaults --version 2>/dev/null | sed -n 's/.*Ver \([0-9.]*\).*/\1/p')
    [ -n "$version" ] || unavailable "user ${run_user:-$my_uid} cannot run $mysqld"
    if [ "$kind" = mysqld ]; then
        # Debian's mysqld may be MariaDB under another name, and 5.x is too old to capture from.
        case $($mysqld --no-defaults --version) in *MariaDB*) unavailable "the installed mysqld is MariaDB: use mariadb" ;; esac
        [ "${version%%.*}" -ge 8 ] || unavailable "the installed mysqld is $version, 8.0 or newer is needed"
    fi
}

find_program() {
    PATH=$PATH:/usr/sbin:/usr/local/sbin:/usr/local/bin command -v "$1"
}

# The data directory, made under a temporary name: a run that is cut short leaves nothing half done.
mysql_init() {
    password_settle
    [ ! -d "$dir/data" ] || return 0
    rm -rf "$dir/new"
    if [ "$kind" = mariadb ]; then
        as_user "$install_db" --no-defaults --datadir="$dir/new" --auth-root-authentication-method=normal \
            --skip-test-db >"$dir/init.log" 2>&1 || mysql_init_failed
    else
        # shellcheck disable=SC2086
        (cd "$dir" && as_user $mysqld --no-defaults $base_options --datadir="$dir/new" --initialize-insecure \
            --log-error="$dir/init.log" >/dev/null 2>&1) || mysql_init_failed
    fi
    mv "$dir/new" "$dir/data"
}

mysql_init_failed() {
    tail -n 15 "$dir/init.log" >&2
    die "could not make a data directory for $name ($kind) in $dir"
}

mysql_start() {
    # Idempotent and outside the binlog, so that a test's log holds the test's statements only.
    put_private "$dir/init.sql" <<END
SET sql_log_bin=0;
ALTER USER root@localhost IDENTIFIED BY '$root_password';
CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY '$root_password';
GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;
END
    if [ "$kind" = mariadb ]; then
        # Its installer makes roots without a password for the machine's other names.
        cat >>"$dir/init.sql" <<END
DELETE FROM mysql.global_priv WHERE User = 'root' AND Host NOT IN ('localhost', '127.0.0.1');
FLUSH PRIVILEGES;
END
    fi
    rm -f "$dir/pid" "$dir/s.sock"
    extra='--innodb-buffer-pool-size=128M --performance-schema=OFF --skip-name-resolve=OFF'
    case $kind in
    mariadb) ;;
    # mysqlx would open a second port on all interfaces; Debian's 9.x wants a secure-file-priv directory that exists.
    mysql9) extra="$extra --mysqlx=OFF --secure-file-priv=" ;;
    *) extra="$extra --mysqlx=OFF" ;;
    esac
    [ "$fsync" = on ] || extra="$extra --innodb-flush-log-at-trx-commit=2 --sync-binlog=0"
    # shellcheck disable=SC2086
    server_spawn $mysqld --no-defaults $base_options --datadir="$dir/data" --bind-address=127.0.0.1 --port="$port" \
        --socket="$dir/s.sock" --pid-file="$dir/pid" --init-file="$dir/init.sql" $extra \
        --server-id=1 --log-bin=mysql-bin --binlog-format=ROW --binlog-row-image=FULL "$@"
    write_env "$dir/s.sock" root "mysql://root:$root_password@127.0.0.1:$port/"
    server_wait mysql_ready
}

mysql_ready() {
    server_running && port_busy "$port" && mysql_answers
}

# Without a client on this machine, an open port and a pid file must do.
mysql_answers() {
    command -v mariadb >/dev/null || command -v mysql >/dev/null || return 0
    echo 'SELECT 1;' | mysql_sql --silent
}

mysql_sql() {
    client=$(command -v mariadb || command -v mysql) || die "no MySQL client is installed (Debian: mariadb-client-core)"
    MYSQL_PWD=$(cat "$dir/password") "$client" --no-defaults --loose-skip-ssl-verify-server-cert --host=127.0.0.1 \
        --port="$(cat "$dir/port")" --user=root \
        --default-character-set=utf8mb4 --batch --skip-column-names "$@"
}
