# shellcheck shell=sh disable=SC2034,SC2154  # set for, or by, the demo's pieces
# Does the comparison see a wrong row? The demo's own pieces on small data, then a change that the pipeline cannot see
# (sql_log_bin=0): the checksums, the row itself and a query must tell. Sourced with DEMO_MYSQL set.

. "$(dirname "$0")/../shell/lib.sh"
DEMO_DIR=$work/demo DEMO_ROWS=2000 DEMO_RATE=100
for part in place processes sources pipeline; do
    # shellcheck source=/dev/null
    . "$root/tools/demo/$part.sh"
done
end() {
    demo_stop || :
    demo_clean || :
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

demo_open
start_servers
load_sources
start_pipeline
start_feeder
sleep 5
stop_feeder
ops_url=${ops_root_url%/}/parking
verify=$root/tools/demo/verify.sh
check "the warehouse passes ops" "$verify" wait ops "$ops_url" 60
check "the warehouse passes crm" "$verify" wait crm "$crm_root_url" 60
check "the tables of ops are equal" "$verify" tables ops "$ops_url"
check "the tables of crm are equal" "$verify" tables crm "$crm_root_url"
check "the queries are equal" "$verify" queries "$ops_url" "$crm_root_url"

unseen() {
    echo "SET sql_log_bin=0; $1" | "$server" sql "$mysql_kind" --name "$server_name" -- parking
}
unseen "UPDATE payment SET amount = amount + 0.01 WHERE status = 'captured' ORDER BY id LIMIT 1;"
check "a wrong amount: the table differs" fails_with 1 '1 of 8 tables of ops differ' "$verify" tables ops "$ops_url"
check "a wrong amount: its row is shown" grep -q 'only in the source: .*|captured|' "$work/said"
check "a wrong amount: the revenue differs" fails_with 1 'of 5 queries differ' "$verify" queries "$ops_url" "$crm_root_url"
unseen "UPDATE payment SET amount = amount - 0.01 WHERE status = 'captured' ORDER BY id LIMIT 1;"
check "put right: equal again" "$verify" tables ops "$ops_url"
unseen "DELETE FROM parking_session ORDER BY id LIMIT 1;"
check "a row too many in the warehouse" fails_with 1 'only in the warehouse:' "$verify" tables ops "$ops_url"
exit "$not_ok"
