# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Tests that are shell scripts: each prints "ok - NAME", "not ok - NAME" and "skip - WHY" lines. Sourced by ./check.

shell_suite() {
    for script in "$1"/test_*.sh; do
        echo "== $script"
        script_log=$logs/$(basename "$script").log
        script_code=0
        timeout --kill-after=30 600 "$script" >"$script_log" 2>&1 || script_code=$?
        cat "$script_log"
        n=$(grep -c '^ok ' "$script_log" || :)
        if [ "$n" -gt 0 ]; then echo "pass $n" >>"$counts"; fi
        sed -n "s,^not ok - ,fail $(basename "$script"): ,p; s,^skip - ,skip $(basename "$script"): ,p" "$script_log" >>"$counts"
        if [ "$script_code" -eq 77 ]; then
            echo "skip $(basename "$script"): $(tail -n 1 "$script_log")" >>"$counts"
        elif [ "$script_code" -ne 0 ] && ! grep -q '^not ok ' "$script_log"; then
            echo "fail $(basename "$script"): ended with code $script_code" >>"$counts"
        fi
    done
}

demo_suite() {
    build_tree build
    shell_suite tests/demo
}
