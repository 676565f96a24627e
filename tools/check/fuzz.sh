#!/bin/sh
# Each fuzz target for FUZZ_SECONDS (30), from its corpus; a finding is left in build-fuzz/findings.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
"$root/tools/setup/install.sh" build check
CC=clang tools/setup/build.sh build-fuzz --buildtype=debugoptimized -Dfuzzers=true
mkdir -p build-fuzz/findings
targets=0
for target in build-fuzz/fuzz/fuzz_*; do
    if [ ! -f "$target" ] || [ ! -x "$target" ]; then continue; fi
    targets=$((targets + 1))
    name=$(basename "$target" | sed 's/^fuzz_//')
    mkdir -p "build-fuzz/corpus/$name"
    echo "== $name"
    set -- "build-fuzz/corpus/$name"
    [ ! -d "fuzz/corpus/$name" ] || set -- "$@" "fuzz/corpus/$name"
    "$target" -max_total_time="${FUZZ_SECONDS:-30}" -artifact_prefix=build-fuzz/findings/ -print_final_stats=1 "$@" \
        2>&1 | tail -n 8
done
[ "$targets" -gt 0 ] || {
    echo "no fuzz target was built" >&2
    exit 1
}
