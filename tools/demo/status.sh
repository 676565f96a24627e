# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# One line that moves every second while the demo runs. Sourced by ./demo.

# show_status SECONDS: until then, or without end when empty. On something else than a terminal a line every ten seconds.
show_status() {
    every=10
    if [ -t 1 ]; then every=1; fi
    shown=0
    : >"$demo_dir/rows"
    while [ -z "$1" ] || [ "$shown" -lt "$1" ]; do
        alive "$pipeline_pid" || pipeline_gone
        alive "$feeder_pid" || {
            say "the feeder ended; the end of $demo_dir/feed.log:" >&2
            tail -n 5 "$demo_dir/feed.log" >&2
            feeder_pid=''
            exit 1
        }
        # In the background, so that a signal is acted on at once and not after the sleep.
        sleep 1 8>&- &
        wait $! || :
        shown=$((shown + 1))
        [ $((shown % every)) -eq 0 ] || continue
        line=$(status_line "$shown")
        if [ -t 1 ]; then
            # A line that wraps could not be written over.
            width=$(stty size 2>/dev/null | cut -d' ' -f2)
            [ "${width:-0}" -gt 20 ] || width=80
            printf '\r\033[K%.*s' "$((width - 1))" "$line"
        else
            say "$line"
        fi
    done
    if [ -t 1 ]; then say ''; fi
}

status_line() {
    fetch /api/v1/status 2>/dev/null | awk -f "$root/tools/demo/json-flat.awk" |
        awk -F '\t' -v elapsed="$1" -v every="$every" -v memory="$demo_dir/rows" \
            -f "$root/tools/demo/status.awk"
}
