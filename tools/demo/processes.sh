# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Starting and ending the demo's own processes. Sourced by ./demo.

feeder_pid='' pipeline_pid='' servers_started='' stopping=''

# spawn LOG COMMAND...: in a session of its own, so that Ctrl-C reaches only ./demo, which ends the rest in order.
spawn() {
    spawn_log=$1
    shift
    setsid "$@" </dev/null >>"$spawn_log" 2>&1 8>&- &
    spawned=$!
}

alive() {
    [ -r "/proc/$1/stat" ] || return 1
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1) in '' | Z | X) return 1 ;; esac
}

# end_process PID SECONDS: asks, waits, insists.
end_process() {
    kill -s TERM "$1" 2>/dev/null || return 0
    end_tries=$(($2 * 10))
    while alive "$1"; do
        end_tries=$((end_tries - 1))
        if [ "$end_tries" -le 0 ]; then
            say "process $1 did not end within $2 s: killing it" >&2
            kill -s KILL "$1" 2>/dev/null || :
            break
        fi
        sleep 0.1
    done
}

stop_feeder() {
    [ -n "$feeder_pid" ] || return 0
    end_process "$feeder_pid" 20
    wait "$feeder_pid" 2>/dev/null || :
    feeder_pid=''
    state_set FEEDER_PID ''
}

# SIGTERM makes millrace drain: what it has received is committed before it ends.
stop_pipeline() {
    [ -n "$pipeline_pid" ] || return 0
    end_process "$pipeline_pid" 60
    pipeline_code=0
    wait "$pipeline_pid" 2>/dev/null || pipeline_code=$?
    pipeline_pid=''
    state_set PIPELINE_PID ''
    if [ "$pipeline_code" -ne 0 ]; then
        say "millrace ended with code $pipeline_code; the end of $demo_dir/millrace.log:" >&2
        tail -n 5 "$demo_dir/millrace.log" >&2
        return 1
    fi
}

demo_stop() {
    trap '' INT TERM HUP
    trap - EXIT
    [ -z "$stopping" ] || return 0
    stopping=yes
    [ -z "$feeder_pid$pipeline_pid$servers_started" ] || printf '\nStopping: feeder, millrace (drains), servers ... '
    stop_feeder
    stop_result=0
    stop_pipeline || stop_result=1
    for stop_kind in $servers_started; do
        "$server" stop "$stop_kind" --name "$server_name" || stop_result=1
    done
    if [ -n "$servers_started" ]; then say "done. ./demo carries on, ./demo clean removes it."; fi
    return "$stop_result"
}

# A demo that was killed may have left its own processes: a pid counts only while it is still that program.
stop_left_over() {
    for left_name in FEEDER_PID PIPELINE_PID; do
        left_pid=$(state_get "$left_name")
        case $left_pid in '' | *[!0-9]*) continue ;; esac
        if alive "$left_pid" && [ "$(readlink "/proc/$left_pid/exe" | sed 's/ (deleted)$//')" = "$millrace" ]; then
            say "Ending process $left_pid that an earlier demo left."
            end_process "$left_pid" 60
        fi
    done
}
