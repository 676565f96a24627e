# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# The demo's two servers, their schemas, users and history. Sourced by ./demo.

choose_kind() {
    case ${DEMO_MYSQL:-auto} in
    8.0) echo mysql80 ;;
    9) echo mysql9 ;;
    auto)
        # The first choice stays: another server would be another history.
        kept=$(state_get MYSQL_KIND)
        if [ -n "$kept" ]; then echo "$kept"; elif mysqld_usable; then echo mysqld; else echo mariadb; fi
        ;;
    *) echo "$DEMO_MYSQL" ;;
    esac
}

start_servers() {
    stop_left_over
    mysql_kind=$(choose_kind)
    kept=$(state_get MYSQL_KIND)
    if [ -n "$kept" ] && [ "$kept" != "$mysql_kind" ]; then
        fail "$demo_dir was made with $kept: run ./demo clean first, or set DEMO_DIR to another folder" 2
    fi
    options='--binlog-row-metadata=FULL'
    [ "$mysql_kind" = mariadb ] || options="$options --gtid-mode=ON --enforce-gtid-consistency=ON"
    say "Starting private servers ($mysql_kind, postgres)"
    # Named before the start: what is cut short there is stopped all the same.
    servers_started=$mysql_kind
    code=0
    # shellcheck disable=SC2086
    lines=$("$server" start "$mysql_kind" --name "$server_name" --fsync on -- $options) || code=$?
    if [ "$code" -ne 0 ] && [ "$mysql_kind" = mysqld ] && [ -z "$kept" ] && [ "${DEMO_MYSQL:-auto}" = auto ]; then
        say "The installed mysqld cannot be used, so MariaDB it is."
        "$root/tools/setup/install.sh" mariadb
        DEMO_MYSQL=mariadb
        start_servers
        return
    fi
    [ "$code" -eq 0 ] || fail "no $mysql_kind server" "$code"
    state_set MYSQL_KIND "$mysql_kind"
    ops_version=$(echo "$lines" | sed -n 's/^VERSION=//p')
    OPS_PORT=$(echo "$lines" | sed -n 's/^PORT=//p')
    ops_root_url=$(echo "$lines" | sed -n 's/^URL=//p')
    servers_started="$mysql_kind postgres"
    lines=$("$server" start postgres --name "$server_name" --fsync on) || fail "no postgres server" $?
    crm_version=$(echo "$lines" | sed -n 's/^VERSION=//p')
    CRM_PORT=$(echo "$lines" | sed -n 's/^PORT=//p')
    crm_root_url=$(echo "$lines" | sed -n 's/^URL=//p' | sed 's,/postgres$,/parking,')
    export OPS_PORT CRM_PORT
}

random_word() {
    od -An -N12 -tx1 /dev/urandom | tr -d ' \n'
}

# The users that millrace and the feeder log in with, with no more rights than they need.
load_sources() {
    OPS_PASSWORD=$(state_once OPS_PASSWORD random_word)
    CRM_PASSWORD=$(state_once CRM_PASSWORD random_word)
    feed_password=$(state_once FEED_PASSWORD random_word)
    export OPS_PASSWORD CRM_PASSWORD
    feed_mysql_url=mysql://feed:$feed_password@127.0.0.1:$OPS_PORT/parking
    feed_postgres_url=postgres://feed:$feed_password@127.0.0.1:$CRM_PORT/parking
    [ -z "$(state_get LOADED)" ] || return 0

    say "Loading the parking schema into $mysql_kind $ops_version and PostgreSQL $crm_version"
    "$server" sql "$mysql_kind" --name "$server_name" <"$root/examples/parking/mysql.sql"
    "$server" sql "$mysql_kind" --name "$server_name" <<END
CREATE USER IF NOT EXISTS cdc@'127.0.0.1' IDENTIFIED BY '$OPS_PASSWORD', cdc@localhost IDENTIFIED BY '$OPS_PASSWORD';
GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO cdc@'127.0.0.1', cdc@localhost;
GRANT LOCK TABLES ON parking.* TO cdc@'127.0.0.1', cdc@localhost;
CREATE USER IF NOT EXISTS feed@'127.0.0.1' IDENTIFIED BY '$feed_password', feed@localhost IDENTIFIED BY '$feed_password';
GRANT ALL ON parking.* TO feed@'127.0.0.1', feed@localhost;
END
    # cdc is a member of the role that owns the tables: only an owner may put a table into a publication.
    "$server" sql postgres --name "$server_name" <<END
SELECT 'CREATE ROLE feed LOGIN PASSWORD ''$feed_password''' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'feed') \\gexec
SELECT 'CREATE ROLE cdc LOGIN REPLICATION PASSWORD ''$CRM_PASSWORD'' IN ROLE feed' WHERE NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'cdc') \\gexec
SELECT 'CREATE DATABASE parking OWNER feed' WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'parking') \\gexec
GRANT CREATE ON DATABASE parking TO cdc;
END
    {
        echo 'SET ROLE feed;'
        cat "$root/examples/parking/postgres.sql"
    } | PGOPTIONS='-c client_min_messages=warning' "$server" sql postgres --name "$server_name" -- --dbname=parking
    "$server" sql postgres --name "$server_name" -- --dbname=parking <<END
GRANT ALL ON SCHEMA public TO feed, cdc;
TRUNCATE parking_history, payment_history;
END
    say "Loading 30 days of history (${DEMO_ROWS:-200000} visits) into PostgreSQL"
    "$millrace" feed postgres --url "$feed_postgres_url" --days 30 --rows "${DEMO_ROWS:-200000}" --seed 1 ||
        fail "millrace feed postgres failed"
    state_set LOADED yes
}
