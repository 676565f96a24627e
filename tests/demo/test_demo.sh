#!/bin/sh
# ./demo as a newcomer runs it, bounded: it compares, stops, carries on on the same ports, and cleans up.
set -eu
. "$(dirname "$0")/../shell/lib.sh"
DEMO_DIR=$work/demo DEMO_ROWS=20000 DEMO_SECONDS=8
export DEMO_DIR DEMO_ROWS DEMO_SECONDS
end() {
    "$root/demo" clean >/dev/null 2>&1 || :
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

line_of() {
    grep -E "^  $1 " "$2"
}
count_of() {
    awk -v table="$1" '$1 == table { print $2 }' "$2"
}
check "a bounded run ends well" "$root/demo"
cp "$work/output" "$work/first"
check "it says that they are equal" grep -qx 'The warehouse equals its sources.' "$work/first"
check "it shows all five queries" same 5 "$(grep -c '^  sources .* equal$' "$work/first")"
check "it shows all 14 tables" same 14 "$(grep -c ' equal$' "$work/first" | awk '{ print $1 - 5 }')"
check "a second run carries on" "$root/demo"
cp "$work/output" "$work/second"
check "on the same ports" same "$(line_of Sources "$work/first")" "$(line_of Sources "$work/second")"
check "on the same console" same "$(line_of Console "$work/first")" "$(line_of Console "$work/second")"
check "with the first run's rows and more" test "$(count_of ops.parking.payment "$work/second")" -gt \
    "$(count_of ops.parking.payment "$work/first")"

# Ctrl-C reaches a background job as TERM does; both take the same way.
unset DEMO_SECONDS
"$root/demo" >"$work/third" 2>&1 &
third=$!
tries=0
until grep -q 'Ctrl-C stops everything' "$work/third" || [ "$tries" -gt 300 ]; do
    sleep 0.2
    tries=$((tries + 1))
done
check "another demo in the same folder is refused" fails_with 1 'another ./demo runs' "$root/demo"
kill -s TERM "$third"
code=0
wait "$third" || code=$?
check "it ends on a signal" same 143 "$code"
check "and has stopped everything" grep -q 'servers ... done' "$work/third"
check "clean removes it all" "$root/demo" clean
check "nothing is left" same '' "$(ls -d "$DEMO_DIR" 2>/dev/null || :)"
exit "$not_ok"
