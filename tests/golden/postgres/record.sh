#!/bin/sh
# SPDX-License-Identifier: MIT
# record.sh NAME... - records NAME.sql as NAME.pgoutput, from a running PostgreSQL 15.
#
# The server is found through libpq's environment (PGHOST, PGPORT, PGUSER); it needs
# wal_level=logical, max_prepared_transactions and logical_decoding_work_mem=64kB, and the user must be a
# superuser. Each case gets a database of its own. What stands before the line "-- RECORD" is run before
# the slot is made. "-- OPTIONS ..." names the plug-in's options where they are more than version 1,
# "-- PUBLICATION ..." what is published where that is not all.
#   NAME.pgoutput   one message a line, in hexadecimal, as START_REPLICATION sends its payload
#   ../../../fuzz/corpus/pgoutput/NAME   the same for the fuzzer: 0x00, then u16 length and bytes (0x02: and what is in progress is kept)
# NAME.expected is then written by the test itself: GOLDEN_WRITE=1 meson test golden_pgoutput
# The cases here come from PostgreSQL 15.20, progress and images from 15.18,
# newest from 18.4.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
corpus=$here/../../../fuzz/corpus/pgoutput
sql() {
    psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}
for name in "$@"; do
    sql -d postgres -c "DROP DATABASE IF EXISTS golden WITH (FORCE)" -c "CREATE DATABASE golden"
    sed '/^-- RECORD/,$d' "$here/$name.sql" | sql -d golden
    options=$(sed -n 's/^-- OPTIONS //p' "$here/$name.sql")
    published=$(sed -n 's/^-- PUBLICATION //p' "$here/$name.sql")
    case $options in *two_phase*) two_phase=true ;; *) two_phase=false ;; esac
    case $options in *streaming*) mode=2 ;; *) mode=0 ;; esac
    sql -d golden -c "CREATE PUBLICATION golden ${published:-FOR ALL TABLES}" \
        -c "SELECT pg_create_logical_replication_slot('golden', 'pgoutput', false, $two_phase)" >/dev/null
    sed '1,/^-- RECORD/d' "$here/$name.sql" | sql -d golden >/dev/null
    sql -d golden -c "SELECT encode(data, 'hex') FROM pg_logical_slot_get_binary_changes('golden',
        NULL, NULL, ${options:-'proto_version', '1'}, 'publication_names', 'golden', 'binary', 'true')" \
        >"$here/$name.pgoutput"
    mkdir -p "$corpus"
    MODE=$mode perl -e 'print chr $ENV{MODE}; while (<>) { chomp; my $m = pack("H*", $_); print pack("n", length $m), $m }' \
        "$here/$name.pgoutput" >"$corpus/$name"
    sql -d golden -c "SELECT pg_drop_replication_slot('golden')" >/dev/null
    sql -d postgres -c "DROP DATABASE golden"
done
