#!/bin/sh
# clang-tidy over the sources, by .clang-tidy.
#   tools/lint.sh BUILDDIR                every file under src and fuzz that the build compiles
#   tools/lint.sh BUILDDIR --since REV    only files changed since REV, committed or not
#   tools/lint.sh BUILDDIR FILE...        these
# One process a file (with several in one, clang-tidy 14 reports false findings), two at a time.
# BUILDDIR has the compile_commands.json of a meson build; gcc's own options are taken out of a copy.
set -eu
cd "$(dirname "$0")/.."

usage() {
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
}
if [ $# -lt 1 ] || [ ! -f "$1/compile_commands.json" ]; then usage; fi
build=$(cd "$1" && pwd)
shift

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -e 's/ -fstack-clash-protection//g; s/ -ftrivial-auto-var-init=zero//g' \
    -e 's/ -W\(logical-op\|duplicated-cond\|duplicated-branches\|cast-align=strict\)//g' \
    "$build/compile_commands.json" >"$work/compile_commands.json"

case ${1:-} in
'') find src fuzz -name '*.c' | LC_ALL=C sort ;;
--since)
    [ $# -eq 2 ] || usage
    git diff --name-only --diff-filter=d "$2" -- >"$work/changed"
    git ls-files --others --exclude-standard >>"$work/changed"
    LC_ALL=C sort -u "$work/changed" | grep -E '^(src|fuzz)/.*\.c$' || :
    ;;
-*) usage ;;
*) printf '%s\n' "$@" ;;
esac >"$work/wanted"

# Only what the build compiles has options to be read with.
while read -r file; do
    grep -qF "/$file\"" "$work/compile_commands.json" && echo "$file"
done <"$work/wanted" >"$work/files" || :
# shellcheck disable=SC2016  # expanded by the inner shell
xargs -r -n 1 -P 2 sh -c 'clang-tidy --quiet -p "$0" "$1" >"$0/$(echo "$1" | tr / _).out" 2>&1 ||
    touch "$0/failed"' "$work" <"$work/files" || touch "$work/failed"
cat "$work"/*.out 2>/dev/null | grep -v ' warnings\{0,1\} generated\|^Suppressed\|^Use -header-filter' || :
echo "lint: $(wc -l <"$work/files") files"
[ ! -e "$work/failed" ]
