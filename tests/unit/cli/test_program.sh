#!/bin/sh
# SPDX-License-Identifier: MIT
# The program from outside: exit codes, what goes to which stream, and that docs/OPTIONS.md is fresh.
# usage: test_program.sh MILLRACE DOCS_DIRECTORY
set -u
millrace=$1
docs=$2
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
failed=0

fail() {
    echo "not ok: $*"
    failed=1
}

# expect CODE TEXT ARGUMENTS...: the exit code, and a text on either stream.
expect() {
    code=$1 text=$2
    shift 2
    "$millrace" "$@" >"$work/out" 2>&1
    got=$?
    [ "$got" -eq "$code" ] || fail "millrace $*: exit code $got, not $code: $(head -3 "$work/out")"
    grep -qF -- "$text" "$work/out" || fail "millrace $*: no \"$text\" in: $(head -3 "$work/out")"
}

expect 2 'usage: millrace COMMAND'
expect 0 'usage: millrace COMMAND' --help
expect 0 'millrace 0.' --version
expect 0 'millrace 0.' version
expect 2 'did you mean "status"?' statsu
expect 2 'lists them' xyzzyxyzzy
expect 0 'usage: millrace run -c FILE' run --help
expect 0 'usage: millrace run -c FILE' help run
expect 0 'sources[]' help options
expect 2 '--config is missing' run
expect 2 '/nonexistent.yaml' run -c /nonexistent.yaml
expect 2 '/nonexistent.yaml' check -c /nonexistent.yaml
expect 2 'something is missing' query
expect 1 'does not answer' status --url http://127.0.0.1:1
expect 1 'does not answer' query --url http://127.0.0.1:1 'SELECT 1'
expect 2 'is no address' tail --url gopher://x
expect 2 'there is no directory' bench --dir "$work/nothing"

cat >"$work/wrong.yaml" <<'EOF'
version: 1
pipeline: parking
sources:
  - name: ops
    type: mysql
    tabels: [parking.*]
sinks:
  - {name: w, type: discard}
EOF
expect 2 'wrong.yaml:6: unknown key "tabels" in sources[0]; did you mean "tables"?' \
    run -c "$work/wrong.yaml"

cat >"$work/open.yaml" <<'EOF'
version: 1
pipeline: parking
data_dir: ${DATA_DIR}
sources:
  - {name: ops, type: mysql, url: 'mysql://cdc@127.0.0.1:1/', password: x, tables: [parking.*]}
sinks:
  - {name: w, type: discard}
console: {listen: '0.0.0.0:0'}
EOF
expect 2 'environment variable "DATA_DIR" is not set' check -c "$work/open.yaml"
DATA_DIR=$work/data
export DATA_DIR
expect 2 'console.token' run -c "$work/open.yaml"
[ ! -e "$work/data" ] || fail "a refused run made its data_dir"
MILLRACE_CONSOLE_INSECURE=1 expect 3 'source "ops" (mysql)' check -c "$work/open.yaml"
[ ! -e "$work/data" ] || fail "check made the data_dir"
DATA_DIR=/proc/nothing MILLRACE_CONSOLE_INSECURE=1 expect 2 'data_dir' check -c "$work/open.yaml"

"$millrace" help options --markdown >"$work/OPTIONS.md" || fail "help options --markdown"
cmp -s "$work/OPTIONS.md" "$docs/OPTIONS.md" ||
    fail "docs/OPTIONS.md is stale: millrace help options --markdown >docs/OPTIONS.md"

[ "$failed" -eq 0 ] && echo "ok"
exit "$failed"
