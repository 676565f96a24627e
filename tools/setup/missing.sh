# shellcheck shell=sh disable=SC2154
# Which packages of packages.txt are needed here. Sourced by install.sh.

have() {
    # Programs of the system's administrator are not on every user's PATH.
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null
}

have_file() {
    old_ifs=$IFS
    IFS='|'
    for pattern in $1; do
        IFS=$old_ifs
        for path in $pattern; do
            if [ -e "$path" ]; then return 0; fi
        done
    done
    IFS=$old_ifs
    return 1
}

# The package's name on this release: some libraries were renamed for 64-bit time.
package_name() {
    case $1 in
    libaio1) if grep -qs '^VERSION_ID="12"' /etc/os-release; then echo libaio1; else echo libaio1t64; fi ;;
    *) echo "$1" ;;
    esac
}

# missing_packages PART...: one line, blanks between.
missing_packages() {
    wanted=" $* "
    while read -r part test what package; do
        case $wanted in *" $part "*) ;; *) continue ;; esac
        case $test in
        cmd) ! have "$what" ;;
        pc) ! { have pkg-config && pkg-config --exists "$what"; } ;;
        file) ! have_file "$what" ;;
        esac && package_name "$package"
    done <"$here/packages.txt" | sort -u | paste -s -d ' ' -
}
