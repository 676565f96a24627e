# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Counting what the suites did. Sourced by ./check.
#
# A suite is a command that writes its log to standard output and these lines to $counts:
#   pass N | fail NAME: WHY | skip NAME: WHY
# Steps may run side by side: each has a log and counts of its own, and they meet in $logs/totals.

results_open() {
    # Not inside a build folder: another set of options throws that away.
    logs=$root/build-check/logs
    rm -rf "$logs"
    mkdir -p "$logs"
    : >"$logs/totals"
}

# step NAME COMMAND...: run a suite, say what came of it.
step() {
    step_name=$1
    shift
    log=$logs/$(echo "$step_name" | tr ' ' '-').log
    counts=${log%.log}.counts
    : >"$counts"
    began=$(date +%s)
    code=0
    # In a subshell of its own with -e on: after || it would be off.
    set +e
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null
    code=$?
    set -e
    if [ "$code" -ne 0 ] && ! grep -q '^fail' "$counts"; then
        echo "fail $step_name: ended with code $code" >>"$counts"
    fi
    step_passed=$(awk '$1 == "pass" { n += $2 } END { print n + 0 }' "$counts")
    step_failed=$(grep -c '^fail' "$counts" || :)
    step_skipped=$(grep -c '^skip' "$counts" || :)
    echo "$step_passed $step_failed $step_skipped" >>"$logs/totals"
    # Said in one piece, so that steps that end together do not mix their lines.
    said=$(
        printf '%-16s %4d passed %4d failed %4d skipped   %4d s\n' "$step_name" "$step_passed" "$step_failed" \
            "$step_skipped" $(($(date +%s) - began))
        sed -n 's/^skip /    skipped: /p; s/^fail /    FAILED: /p' "$counts"
        if [ "$step_failed" -gt 0 ]; then
            echo "    the end of $log:"
            tail -n "${CHECK_TAIL:-60}" "$log" | sed 's/^/    | /'
        fi
    )
    printf '%s\n' "$said"
}

results_close() {
    # shellcheck disable=SC2046  # three words
    set -- $(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$logs/totals")
    passed=$1 failed=$2 skipped=$3
    if [ "$((passed + failed))" -eq 0 ]; then
        echo "No test ran." >&2
        failed=1
    fi
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}
