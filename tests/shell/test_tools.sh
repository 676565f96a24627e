#!/bin/sh
# The small parts of the scripts: reading JSON and logs, comparing positions, canonical forms, what is missing.
set -eu
. "$(dirname "$0")/lib.sh"
trap 'rm -rf "$work"' EXIT
demo=$root/tools/demo

flat() {
    printf '%s' "$1" | awk -f "$demo/json-flat.awk" | tr '\t\n' '= '
}
check "json: objects in arrays" same 'a.0.b=1 a.1.b=x a.1.c=null d=true ' \
    "$(flat '{"a":[{"b":1},{"b":"x","c":null}],"d":true}')"
check "json: empty parts and escaped quotes" same 'c=q\"q e.0=-1.5e3 ' "$(flat '{"a":{},"b":[],"c":"q\"q","e":[-1.5e3]}')"

counts() {
    printf '%s\n' "$1" | awk -f "$root/tools/check/count.awk" | tr '\n' ';'
}
check "count: cmocka's summary" same 'pass 12;' \
    "$(counts '{"name": "unit / arena", "stdout": "", "stderr": "[  PASSED  ] 5 test(s).\n[  PASSED  ] 7 test(s).\n", "result": "OK"}')"
check "count: TAP with a skip and a failure" same 'pass 1;fail a: FAIL;skip a: a case of it, see its log;' \
    "$(counts '{"name": "a", "stdout": "TAP version 13\n1..3\nok 1 - x\nok 2 - y # SKIP no server\nnot ok 3 - z\n", "result": "FAIL"}')"
check "count: a crash is a failure, a skip keeps its reason" same 'fail a: TIMEOUT;skip b: no mariadbd;' \
    "$(counts '{"name": "a", "stdout": "", "result": "TIMEOUT"}
{"name": "b", "stdout": "starting\nno mariadbd\n", "result": "SKIP"}')"

# shellcheck source=../../tools/demo/clients.sh
. "$demo/clients.sh"
# shellcheck source=../../tools/demo/verify-wait.sh
. "$demo/verify-wait.sh"
reached() {
    # shellcheck disable=SC2034  # position_reached's
    family=$1
    position_reached "$2" "$3"
}
behind() {
    ! reached "$@"
}
check "position: MySQL, same file" reached mysql 'mysql-bin.000002:1234;uuid:1-5' mysql-bin.000002:1234
check "position: MySQL, later file" reached mysql mysql-bin.000010:4 mysql-bin.000009:99999
check "position: MySQL, behind" behind mysql mysql-bin.000002:1233 mysql-bin.000002:1234
check "position: PostgreSQL" reached postgres 1/0 0/FFFFFFFF
check "position: PostgreSQL, behind" behind postgres 0/16B3747 0/16B3748

check "verify: an unknown column type is an error, not a skip" fails_with 1 'no canonical form for t.g of type geometry' \
    awk -f "$demo/canonical-mysql.awk" <<END
t	g	geometry	geometry	
END

mkdir "$work/path"
for tool in sort paste grep; do ln -s "$(command -v $tool)" "$work/path/"; done
here=$root/tools/setup
. "$root/tools/setup/missing.sh"
check "setup: a part that is there" same '' "$(missing_packages build)"
printf 'x cmd no-such-program pack-a\nx file /no/such*|/nor/this pack-b\nx cmd sh pack-c\ny cmd nor-this pack-d\n' >"$work/packages.txt"
here=$work
check "setup: what is missing of one part" same 'pack-a pack-b' "$(missing_packages x)"

check "demo: a wrong setting is a usage error" fails_with 2 'DEMO_SECONDS' env DEMO_SECONDS=soon "$root/demo"
check "demo: an unknown word is a usage error" fails_with 2 './demo clean' "$root/demo" help
mkdir "$work/fake"
printf '#!/bin/sh\necho Darwin\n' >"$work/fake/uname"
chmod +x "$work/fake/uname"
check "demo: macOS is told what to use" fails_with 2 'docker run' env PATH="$work/fake:$PATH" "$root/demo"
exit "$not_ok"
