#!/bin/sh
# Throw-away private database servers. README.md beside this file is the manual.
set -eu
servers_dir=$(cd "$(dirname "$0")" && pwd)
. "$servers_dir/ports.sh"
. "$servers_dir/lib.sh"
. "$servers_dir/mysql.sh"
. "$servers_dir/postgres.sh"

usage() {
    cat >&2 <<END
usage: server.sh start|stop|wipe|status|env|sql KIND [--name NAME] [--port N] [--fsync on|off] [--password P] [-- options...]
       server.sh list
KIND:  mariadb mysql80 mysql9 mysqld postgres postgres14..postgres18   (see $servers_dir/README.md)
END
    exit 2
}

[ $# -ge 1 ] || usage
verb=$1
shift
if [ "$verb" = list ]; then
    servers_list
    exit 0
fi
[ $# -ge 1 ] || usage
kind=$1
shift
name=default port='' fsync=off password=''
while [ $# -gt 0 ]; do
    case $1 in
    --) shift; break ;;
    --name | --port | --fsync | --password)
        [ $# -ge 2 ] || usage
        case $1 in
        --name) name=$2 ;;
        --port) port=$2 ;;
        --fsync) fsync=$2 ;;
        --password) password=$2 ;;
        esac
        shift 2
        ;;
    *) usage ;;
    esac
done
case $name in '' | *[!A-Za-z0-9_-]*) die "a server's name holds letters, digits, - and _ only: '$name'" 2 ;; esac
[ ${#name} -le 24 ] || die "a server's name has at most 24 characters: '$name'" 2
case $port in *[!0-9]*) die "not a port: '$port'" 2 ;; esac
case $fsync in on | off) ;; *) usage ;; esac
case $password in *[!A-Za-z0-9_.-]*) die "--password takes letters, digits, . _ and - only" 2 ;; esac
case $kind in
mariadb | mysql80 | mysql9 | mysqld) family=mysql ;;
postgres | postgres1[4-8]) family=postgres ;;
*) usage ;;
esac

dir=$servers_base/$name-$kind

case $verb in
start)
    if server_running; then
        print_env
        exit 0
    fi
    "${family}_find"
    dir_create
    "${family}_init"
    port_settle
    "${family}_start" "$@"
    print_env
    ;;
stop) server_stop ;;
wipe)
    server_stop
    rm -rf "$dir"
    rmdir "$servers_base" "$user_base" 2>/dev/null || :
    ;;
status)
    if server_running; then
        echo running
        exit 0
    fi
    if [ -d "$dir" ]; then echo stopped; else echo absent; fi
    exit 1
    ;;
env)
    [ -s "$dir/env" ] || die "no such server: $name ($kind)"
    print_env
    ;;
sql)
    server_running || die "not running: $name ($kind)"
    "${family}_find"
    "${family}_sql" "$@"
    ;;
*) usage ;;
esac
