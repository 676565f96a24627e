# shellcheck shell=sh disable=SC2034  # used by the files that source it
# For tests that are shell scripts: "ok - NAME", "not ok - NAME", "skip - WHY" lines, and an exit code. Sourced.

root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
not_ok=0

# check NAME COMMAND...
check() {
    check_name=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        echo "ok - $check_name"
    else
        echo "not ok - $check_name"
        sed 's/^/#   /' "$work/output"
        not_ok=1
    fi
}

same() {
    [ "$1" = "$2" ] || {
        printf 'expected: %s\ngot:      %s\n' "$1" "$2"
        return 1
    }
}

# fails_with CODE TEXT COMMAND...: it ends with that code and says that.
fails_with() {
    want_code=$1 want_text=$2
    shift 2
    got_code=0
    "$@" >"$work/said" 2>&1 || got_code=$?
    cat "$work/said"
    [ "$got_code" = "$want_code" ] || {
        echo "ended with $got_code instead of $want_code"
        return 1
    }
    grep -qF -e "$want_text" "$work/said"
}
