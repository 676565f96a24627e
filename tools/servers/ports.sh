# shellcheck shell=sh
# What the kernel says about ports. Sourced.

# Is somebody listening on this port? From the kernel's own table: neither ss nc nor lsof may be there.
port_busy() {
    port_hex=$(printf ':%04X' "$1")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
        awk -v want="$port_hex" '$4 == "0A" && substr($2, length($2) - 4) == want { found = 1 } END { exit !found }'
}
