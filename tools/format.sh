#!/bin/sh
# Formatting by clang-format and .clang-format.
#   tools/format.sh --check   lists the files that are not formatted; exits 1 when there are any
#   tools/format.sh --fix     formats them
# Only version 14 counts (Debian 12's): another one formats differently. CLANG_FORMAT names the program.
set -eu
cd "$(dirname "$0")/.."
clang_format=${CLANG_FORMAT:-clang-format}

usage() {
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
[ $# -eq 1 ] || usage
if ! "$clang_format" --version 2>/dev/null | grep -q 'version 14\.'; then
    echo "format.sh: $clang_format is not version 14" >&2
    exit 2
fi

list=$(mktemp)
trap 'rm -f "$list"' EXIT
find src tests fuzz bench tools -name '*.[ch]' 2>/dev/null | LC_ALL=C sort >"$list"
case $1 in
--fix) xargs "$clang_format" -i <"$list" ;;
--check)
    bad=0
    while read -r file; do
        if ! "$clang_format" --dry-run -Werror "$file" 2>/dev/null; then
            echo "$file: not formatted (tools/format.sh --fix)"
            bad=1
        fi
    done <"$list"
    exit "$bad"
    ;;
*) usage ;;
esac
