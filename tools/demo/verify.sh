#!/bin/sh
# Compare sources with the warehouse of a running millrace. README.md beside this file is the manual.
#   verify.sh wait    SOURCE URL [SECONDS]      until the warehouse has passed the source's position of now
#   verify.sh tables  SOURCE URL [SCHEMA]       row count and checksum of every table
#   verify.sh queries MYSQL_URL POSTGRES_URL    the five parking queries
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/clients.sh"
. "$here/verify-tables.sh"
. "$here/verify-queries.sh"
. "$here/verify-wait.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

command -v "${MILLRACE:-millrace}" >/dev/null || fail "no program '${MILLRACE:-millrace}': set MILLRACE to millrace's path" 2
case "${1:-} $#" in
'wait 3' | 'wait 4') wait_for "$2" "$3" "${4:-60}" ;;
'tables 3' | 'tables 4') verify_tables "$2" "$3" "${4:-}" ;;
'queries 3') verify_queries "$2" "$3" ;;
*)
    sed -n '2,5p' "$0" >&2
    exit 2
    ;;
esac
