#!/bin/sh
# The throw-away servers: each kind starts with the flags that its manual promises, comes back on its port with its
# data, survives a stale pid file, and leaves nothing behind.
set -eu
. "$(dirname "$0")/lib.sh"
server=$root/tools/servers/server.sh
name=shell-$$
started=''
stop_all() {
    for left in $started; do "$server" wipe "$left" --name "$name" || :; done
    rm -rf "$work"
}
trap stop_all EXIT
trap 'exit 130' INT TERM

value() {
    sed -n "s/^$1=//p" "$work/$kind"
}
start() {
    "$server" start "$kind" --name "$name" "$@" >"$work/$kind"
}
ask() {
    echo "$1" | "$server" sql "$kind" --name "$name" | paste -s -d ' ' - | tr '\t' ' '
}
running_as_user() {
    want_user=$(id -u)
    [ "$want_user" != 0 ] || want_user=$(id -u nobody)
    same "$want_user" "$(awk '/^Uid:/ { print $2 }' "/proc/$(value PID)/status")"
}

for kind in mariadb mysql80 postgres; do
    code=0
    start 2>"$work/why" || code=$?
    if [ "$code" = 77 ]; then
        echo "skip - $(tail -n 1 "$work/why")"
        continue
    fi
    started="$started $kind"
    check "$kind: starts" same 0 "$code"
    check "$kind: runs as an ordinary user" running_as_user
    port=$(value PORT)
    case $kind in
    postgres)
        check "$kind: settings" same 'logical 4 4' "$(ask 'SHOW wal_level; SHOW max_replication_slots; SHOW max_wal_senders')"
        ask 'CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)' >/dev/null
        kept='SELECT n FROM kept'
        ;;
    *)
        settings='SELECT @@server_id, @@log_bin, @@binlog_format, @@binlog_row_image, @@binlog_row_metadata'
        metadata=MINIMAL
        [ "$kind" = mysql80 ] || metadata=NO_LOG
        check "$kind: settings" same "1 1 ROW FULL $metadata" "$(ask "$settings")"
        [ "$kind" = mariadb ] || check "$kind: no GTID" same OFF "$(ask 'SELECT @@gtid_mode')"
        check "$kind: its users are not in the binlog" same 0 "$(ask "SHOW BINLOG EVENTS" | grep -c 'CREATE USER' || :)"
        ask 'CREATE DATABASE d; CREATE TABLE d.kept (n INT); INSERT INTO d.kept VALUES (7)' >/dev/null
        kept='SELECT n FROM d.kept'
        ;;
    esac
    check "$kind: starting a running server changes nothing" start
    check "$kind: stops" "$server" stop "$kind" --name "$name"
    check "$kind: status says stopped" fails_with 1 stopped "$server" status "$kind" --name "$name"
    # The pid of a process that lives and is not the server, as after a reboot.
    echo $$ >"$(value DIR)/pid"
    [ "$kind" != postgres ] || echo $$ >"$(value DIR)/data/postmaster.pid"
    check "$kind: a stale pid file does not make it run" fails_with 1 stopped "$server" status "$kind" --name "$name"
    case $kind in
    postgres) extra='-c work_mem=5MB' ask_extra='SHOW work_mem' want_extra=5MB ;;
    mysql80)
        extra=--default-authentication-plugin=mysql_native_password want_extra=mysql_native_password
        ask_extra="CREATE USER u IDENTIFIED BY 'x'; SELECT plugin FROM mysql.user WHERE user = 'u'"
        ;;
    *) extra=--binlog-format=STATEMENT ask_extra='SELECT @@binlog_format' want_extra=STATEMENT ;;
    esac
    # shellcheck disable=SC2086
    check "$kind: starts again with an option of the caller" start -- $extra
    check "$kind: on the same port" same "$port" "$(value PORT)"
    check "$kind: the option holds" same "$want_extra" "$(ask "$ask_extra")"
    check "$kind: with its data" same 7 "$(ask "$kept")"
    dir=$(value DIR)
    check "$kind: wipes" "$server" wipe "$kind" --name "$name"
    check "$kind: nothing is left" same '' "$(ls -d "$dir" 2>/dev/null || :)"
done
check "an unknown kind is a usage error" fails_with 2 usage: "$server" start oracle
kind=postgres14
code=0
"$server" start postgres14 --name "$name" >"$work/$kind" 2>&1 || code=$?
if [ "$code" = 0 ]; then started="$started $kind"; else check "a kind that is not here is 77" same 77 "$code"; fi
exit "$not_ok"
