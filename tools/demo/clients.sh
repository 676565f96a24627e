# shellcheck shell=sh
# SQL on a source by URL, and on the warehouse through a running millrace. Sourced.
#
# Source URLs are mysql://user:password@host:port/database and postgres://user:password@host:port/database;
# user and password without characters that a URL would escape.

fail() {
    printf '%s: %s\n' "${0##*/}" "$1" >&2
    exit "${2:-1}"
}

url_family() {
    case $1 in
    mysql://*) echo mysql ;;
    postgres://* | postgresql://*) echo postgres ;;
    *) fail "not a mysql:// or postgres:// URL" 2 ;;
    esac
}

url_database() {
    url_rest=${1#*://*/}
    echo "${url_rest%%\?*}"
}

# source_sql URL: SQL from stdin, tab separated rows without headings, UTC and UTF-8.
source_sql() {
    case $(url_family "$1") in
    mysql)
        url_rest=${1#mysql://}
        url_login=${url_rest%%@*}
        url_place=${url_rest#*@}
        url_host=${url_place%%/*}
        client=$(command -v mariadb || command -v mysql) || fail "no MySQL client is installed (Debian: mariadb-client-core)"
        MYSQL_PWD=${url_login#*:} "$client" --no-defaults --loose-skip-ssl-verify-server-cert \
            --host="${url_host%:*}" --port="${url_host##*:}" \
            --user="${url_login%%:*}" --default-character-set=utf8mb4 --init-command="SET time_zone='+00:00'" \
            --batch --raw --skip-column-names "$(url_database "$1")"
        ;;
    postgres)
        PGTZ=UTC PGCLIENTENCODING=UTF8 PGCONNECT_TIMEOUT=10 psql --no-psqlrc --quiet --no-align --tuples-only \
            --field-separator="$(printf '\t')" --set=ON_ERROR_STOP=1 "$1"
        ;;
    esac
}

# With the line of headings. SQL may begin with a comment, which must not look like a flag.
warehouse_csv() {
    warehouse_text=$("${MILLRACE:-millrace}" query --format csv -- "$1") || return 1
    printf '%s\n' "$warehouse_text" | tr -d '\r'
}

# warehouse_sql SQL: comma separated rows without the line of headings.
# MILLRACE is the program, MILLRACE_URL its console (the program reads that itself).
warehouse_sql() {
    # A file in between, so that a failed query is not hidden by the pipe behind it.
    warehouse_out=$(warehouse_csv "$1") || return 1
    printf '%s\n' "$warehouse_out" | sed 1d
}
