# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Looking at the sources without running them. Sourced by ./check. A file counts as one test.

shell_files() {
    find . -path './build*' -prune -o -path './.git' -prune -o -path './demo-data' -prune -o -type f -name '*.sh' -print
    printf '%s\n' demo check .ci/run
}

# Another version formats and finds otherwise, so only this one is asked.
clang_tools=14

has_version() {
    "$1" --version | grep -q "version $clang_tools\\." && return 0
    echo "skip $1: the version that counts is $clang_tools (Debian 12's), here is $("$1" --version | grep -o 'version [0-9.]*' | head -n 1)" >>"$counts"
    return 1
}

check_format() {
    has_version clang-format || return 0
    tools/format.sh --check >"$logs/unformatted" || [ $? -eq 1 ]
    cat "$logs/unformatted"
    bad=$(grep -c . "$logs/unformatted" || :)
    sed 's/^/fail /' "$logs/unformatted" >>"$counts"
    total=$(find src tests fuzz bench tools -name '*.[ch]' 2>/dev/null | grep -c .)
    echo "pass $((total - bad))" >>"$counts"
}

check_spelling() {
    spelling=$(codespell) || :
    printf '%s\n' "$spelling"
    if [ -z "$spelling" ]; then echo "pass 1" >>"$counts"; else echo "fail codespell: see the log" >>"$counts"; fi
}

# Sizes, the include graph between stages, banned calls: our own rules. A test of the suite unit as well.
check_tidy() {
    build_tree build
    build/tools/tidy/tidy "$root"
    echo "pass 1" >>"$counts"
}

check_shell() {
    for file in $(shell_files); do
        if shellcheck -x "$file"; then echo "pass 1" >>"$counts"; else echo "fail $file: shellcheck" >>"$counts"; fi
    done
}

# The web UI: types, ESLint, unit tests. Its pages in a browser are an end-to-end test.
check_ui() {
    build_tree build
    if [ ! -d ui/node_modules/vitest ]; then
        echo "skip ui: it was left out of the build, see its log" >>"$counts"
        return 0
    fi
    (cd ui && npx --no-install tsc --noEmit && npx --no-install eslint . && npx --no-install vitest run --no-color) | tee "$logs/ui-tests"
    # "      Tests  27 passed (27)"; tsc and eslint end the pipe before that line when they find something.
    ui_passed=$(awk '$1 == "Tests" && /passed/ && !/failed/ { print $2 }' "$logs/ui-tests")
    if [ -n "$ui_passed" ]; then echo "pass $ui_passed" >>"$counts"; else echo "fail ui: see the log" >>"$counts"; fi
}

# A file whose text, headers and rules are what they were in a clean run is not looked at again, in any checkout.
check_clang_tidy() {
    has_version clang-tidy || return 0
    build_tree build
    clean=${MILLRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace}/lint-clean
    mkdir -p "$(dirname "$clean")"
    touch "$clean"
    tools/check/lint-sums.py build | LC_ALL=C sort >"$logs/lint-sums"
    files=$(grep -vxFf "$clean" "$logs/lint-sums" | cut -d' ' -f1) || :
    # shellcheck disable=SC2086  # one word a file
    if [ -z "$files" ] || tools/lint.sh build $files; then
        # Only the newest sums are kept.
        LC_ALL=C cat "$logs/lint-sums" "$clean" | awk '!seen[$0]++ && NR <= 20000' >"$logs/lint-clean"
        cp "$logs/lint-clean" "$clean"
        echo "pass $(grep -c . "$logs/lint-sums")" >>"$counts"
    else
        echo "fail clang-tidy: see the log" >>"$counts"
    fi
}
