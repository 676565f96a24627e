#!/bin/sh
# SPDX-License-Identifier: MIT
# record.sh NAME PORT BINLOG_DIR FILE.sql... - records one golden case from a running server.
#
# The server listens on 127.0.0.1:PORT, user root, password in MYSQL_PWD; BINLOG_DIR is its data
# directory. Writes beside itself:
#   NAME.binlog    the binlog file with the statements
#   NAME.columns   information_schema.COLUMNS of the tables, at the end
#   NAME.rows      every table's rows, as the text protocol sends them
# NAME.expected is then written by the test itself: GOLDEN_WRITE=1 meson test golden_binlog
# The cases come from these servers, all with --binlog-format=ROW --binlog-row-image=FULL:
#   mysql80_minimal  MySQL 8.0.31                                types special json
#   mysql80_full     MySQL 8.0.31 --binlog-row-metadata=FULL --gtid-mode=ON
#                    --enforce-gtid-consistency=ON               types special json alter
#   mysql9_full      MySQL 9.7, the same options                 types special json alter mysql9
#   maria_nolog      MariaDB 10.11                               types special maria
#   maria_full       MariaDB 10.11 --binlog-row-metadata=FULL    types special alter maria
#   mysql80_protocol MySQL 8.0.31, as mysql80_full               protocol
#   mysql9_protocol  MySQL 9.7, as mysql9_full                   protocol tags
#   maria_protocol   MariaDB 10.11, as maria_full, with
#                    --log-bin-compress --log-bin-compress-min-len=10  maria_protocol
set -eu
here=$(cd "$(dirname "$0")" && pwd)
name=$1 port=$2 directory=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2046  # several flags are several words
cc -O1 -o "$work/record_rows" "$here/record_rows.c" $(pkg-config --cflags --libs libmariadb)

sql() {
    mariadb --no-defaults --default-character-set=utf8mb4 -h127.0.0.1 -P"$port" -uroot -N -B "$@"
}

sql -e 'DROP DATABASE IF EXISTS golden; FLUSH BINARY LOGS'
file=$(sql -e 'SHOW BINARY LOGS' | tail -1 | cut -f1)
sql -e 'CREATE DATABASE golden CHARACTER SET utf8mb4'
for script in "$@"; do
    sql golden <"$here/$script"
done
sql -e 'FLUSH BINARY LOGS'
cp "$directory/$file" "$here/$name.binlog"
chmod 644 "$here/$name.binlog"

sql --raw -e "SELECT c.TABLE_NAME, c.COLUMN_NAME, c.COLUMN_TYPE, IFNULL(c.CHARACTER_SET_NAME, '-'),
    IFNULL(HEX(c.COLUMN_DEFAULT), '-'), c.IS_NULLABLE, IFNULL(k.ORDINAL_POSITION, 0)
  FROM information_schema.COLUMNS c
  LEFT JOIN information_schema.KEY_COLUMN_USAGE k
    ON k.TABLE_SCHEMA = c.TABLE_SCHEMA AND k.TABLE_NAME = c.TABLE_NAME
   AND k.COLUMN_NAME = c.COLUMN_NAME AND k.CONSTRAINT_NAME = 'PRIMARY'
  WHERE c.TABLE_SCHEMA = 'golden' ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION" \
    >"$here/$name.columns"

: >"$here/$name.rows"
# shellcheck disable=SC2013  # a table's name is one word
for table in $(cut -f1 "$here/$name.columns" | sort -u); do
    # FLOAT and DOUBLE as mr_mysql_column_select() asks for them.
    list=$(awk -F'\t' -v t="$table" '$1 == t { s = $3 ~ /^(float|double)/ ? "*1e0" : "";
        printf "%s`%s`%s", n++ ? ", " : "", $2, s }' "$here/$name.columns")
    echo "table $table" >>"$here/$name.rows"
    "$work/record_rows" "$port" "SELECT $list FROM golden.$table" >>"$here/$name.rows"
done
