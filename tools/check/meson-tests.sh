# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Builds and meson's test suites. Sourced by ./check.

build_tree() {
    case $1 in
    build) tools/setup/build.sh build ;;
    build-asan)
        tools/setup/build.sh build-asan -Dui=disabled --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
        ;;
    build-clang) CC=clang tools/setup/build.sh build-clang -Dui=disabled ;;
    esac
}

# meson_suite BUILDDIR SUITE
meson_suite() {
    build_tree "$1"
    case $1 in
    build-asan)
        patience=4
        ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
        UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
        export ASAN_OPTIONS UBSAN_OPTIONS
        ;;
    *) patience=2 ;;
    esac
    if ! meson test -C "$1" --list --suite "$2" 2>/dev/null | grep -q .; then
        echo "skip $1 $2: the build has no such tests" >>"$counts"
        return 0
    fi
    base=check-$2
    rm -f "$1/meson-logs/$base.json"
    # Its exit code says no more than the log that is read below.
    meson test -C "$1" --no-rebuild --suite "$2" --logbase "$base" --timeout-multiplier "$patience" \
        --print-errorlogs --num-processes 2 || :
    [ -s "$1/meson-logs/$base.json" ] || return 1
    awk -f tools/check/count.awk "$1/meson-logs/$base.json" >>"$counts"
}
