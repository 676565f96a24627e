# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Wait until the warehouse has passed a source's position. Sourced by verify.sh.

source_position() {
    case $family in
    mysql)
        # Three names for one statement: MySQL to 8.3, MySQL from 8.2, MariaDB.
        for statement in 'SHOW MASTER STATUS' 'SHOW BINARY LOG STATUS'; do
            if echo "$statement;" | source_sql "$url" >"$work/position" 2>"$work/error" && [ -s "$work/position" ]; then
                awk -F '\t' '{ print $1 ":" $2 }' "$work/position"
                return 0
            fi
        done
        cat "$work/error" >&2
        return 1
        ;;
    postgres) echo 'SELECT pg_current_wal_lsn();' | source_sql "$url" ;;
    esac
}

# A server's own housekeeping writes to its log too, and no change may ever come after it: touch one row, so
# that a change lies beyond the position that is waited for.
touch_row() {
    case $family in
    mysql) echo 'UPDATE location SET updated_at = NOW(6) WHERE id = 1;' ;;
    postgres) echo 'UPDATE location SET is_open = is_open WHERE id = 1;' ;;
    esac | source_sql "$url"
}

# Is the first position at or beyond the second?  mysql-bin.000002:1234[;gtids]   0/16B3748
position_reached() {
    reached=${1%%;*}
    case $family in
    mysql)
        awk -v a="$reached" -v b="$2" 'BEGIN {
            split(a, x, ":"); split(b, y, ":")
            sub(/.*\./, "", x[1]); sub(/.*\./, "", y[1])
            exit !(x[1] + 0 > y[1] + 0 || (x[1] + 0 == y[1] + 0 && x[2] + 0 >= y[2] + 0)) }'
        ;;
    postgres)
        [ $((0x${reached%/*})) -gt $((0x${2%/*})) ] ||
            { [ $((0x${reached%/*})) -eq $((0x${2%/*})) ] && [ $((0x${reached#*/})) -ge $((0x${2#*/})) ]; }
        ;;
    esac
}

wait_for() {
    source=$1 url=$2 seconds=$3
    family=$(url_family "$url")
    target=$(source_position) || fail "cannot read the position of $source"
    touch_row || fail "cannot touch a row of $source"
    echo "$source stands at $target"
    tries=$((seconds * 5))
    at=''
    while [ "$tries" -gt 0 ]; do
        # shellcheck disable=SC2154
        at=$(warehouse_sql "SELECT position FROM millrace.position WHERE source = '$source' ORDER BY seq DESC LIMIT 1" 2>"$work/error" |
            tr -d '"' | head -n 1) || at=''
        if [ -n "$at" ] && position_reached "$at" "$target"; then
            echo "$source: the warehouse stands at ${at%%;*}"
            return 0
        fi
        tries=$((tries - 1))
        sleep 0.2
    done
    cat "$work/error" >&2
    fail "$source: the warehouse stands at '${at:-nothing}' after $seconds s, the source was at $target"
}
