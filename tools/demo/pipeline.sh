# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# millrace itself, the feeder, and the comparison at the end. Sourced by ./demo.

fetch() {
    curl --silent --fail --max-time 3 --noproxy '*' "$MILLRACE_URL$1"
}

# The console's port is chosen once, so that a bookmark stays good.
choose_console_port() {
    candidate=8989
    while port_busy "$candidate"; do candidate=$((candidate + 1)); done
    echo "$candidate"
}

start_pipeline() {
    # shellcheck source=../servers/ports.sh
    . "$root/tools/servers/ports.sh"
    console_port=$(state_once CONSOLE_PORT choose_console_port)
    ! port_busy "$console_port" ||
        fail "the console's port $console_port is in use by another program; free it, or delete the line CONSOLE_PORT in $state"
    listen_host=${DEMO_LISTEN:-127.0.0.1}
    MILLRACE_LISTEN=$listen_host:$console_port
    MILLRACE_DATA_DIR=$demo_dir/data
    MILLRACE_URL=http://127.0.0.1:$console_port
    MILLRACE=$millrace
    no_proxy=127.0.0.1
    export MILLRACE MILLRACE_LISTEN MILLRACE_DATA_DIR MILLRACE_URL no_proxy
    case $listen_host in
    127.* | localhost | '[::1]') ;;
    *)
        say "DEMO_LISTEN=$listen_host: everybody who reaches this machine can read the demo's (made up) data."
        MILLRACE_CONSOLE_INSECURE=1
        export MILLRACE_CONSOLE_INSECURE
        ;;
    esac
    mkdir -p "$MILLRACE_DATA_DIR"
    say "Starting millrace (log: $demo_dir/millrace.log)"
    spawn "$demo_dir/millrace.log" "$millrace" run -c "$root/examples/parking/pipeline.yaml"
    pipeline_pid=$spawned
    state_set PIPELINE_PID "$pipeline_pid"
    wait_until_ready
}

pipeline_gone() {
    say "millrace ended; the end of $demo_dir/millrace.log:" >&2
    tail -n 15 "$demo_dir/millrace.log" >&2
    pipeline_pid=''
    exit 1
}

# Ready means: both tables' copies are in and both sources stream. That takes seconds, or more on a slow disk.
wait_until_ready() {
    ready_tries=0
    until fetch /readyz >/dev/null 2>&1; do
        alive "$pipeline_pid" || pipeline_gone
        ready_tries=$((ready_tries + 1))
        if [ "$ready_tries" -gt 3000 ]; then
            curl --silent --max-time 3 --noproxy '*' "$MILLRACE_URL/readyz" >&2 || :
            fail "millrace is not ready after 10 minutes"
        fi
        sleep 0.2
    done
}

start_feeder() {
    spawn "$demo_dir/feed.log" "$millrace" feed mysql --url "$feed_mysql_url" --rate "${DEMO_RATE:-200}"
    feeder_pid=$spawned
    state_set FEEDER_PID "$feeder_pid"
}

print_help() {
    shown_host=$listen_host
    [ "$listen_host" != 0.0.0.0 ] || shown_host=$(hostname -I 2>/dev/null | cut -d' ' -f1)
    demo_setting=''
    [ -z "${DEMO_DIR:-}" ] || demo_setting="DEMO_DIR=$demo_dir "
    cat <<END

  Console   http://${shown_host:-localhost}:$console_port/
  Sources   ops: $mysql_kind $ops_version on 127.0.0.1:$OPS_PORT    crm: PostgreSQL $crm_version on 127.0.0.1:$CRM_PORT
  Log       $demo_dir/millrace.log

  Try, in another terminal:
    export MILLRACE_URL=$MILLRACE_URL
    build/src/millrace status
    build/src/millrace query "SELECT status, count(*), sum(amount) FROM ops_parking.payment GROUP BY ALL ORDER BY ALL"
    build/src/millrace tail ops.parking.payment

  Ctrl-C stops everything, ./demo carries on, ${demo_setting}./demo clean removes it all.

END
}

# After the feeder has stopped: everything that the sources hold must be in the warehouse, equal to the digit.
demo_compare() {
    stop_feeder
    compare_mysql=${ops_root_url%/}/parking
    compare_result=0
    say ''
    say "The feeder has stopped. Waiting for the warehouse to pass both sources' positions."
    "$root/tools/demo/verify.sh" wait ops "$compare_mysql" 120 || compare_result=1
    "$root/tools/demo/verify.sh" wait crm "$crm_root_url" 120 || compare_result=1
    say ''
    say "The five parking queries, on the warehouse and on the sources:"
    "$root/tools/demo/verify.sh" queries "$compare_mysql" "$crm_root_url" || compare_result=1
    say ''
    say "Every table, rows and checksum:"
    "$root/tools/demo/verify.sh" tables ops "$compare_mysql" || compare_result=1
    "$root/tools/demo/verify.sh" tables crm "$crm_root_url" || compare_result=1
    demo_stop || compare_result=1
    if [ "$compare_result" -eq 0 ]; then
        say "The warehouse equals its sources."
    else
        say "The warehouse DIFFERS from its sources (see above)." >&2
    fi
    exit "$compare_result"
}
