# /api/v1/status, flattened by json-flat.awk -> one line. `memory` keeps the last total, for the rate.
function number(n) {
    n = sprintf("%d", n)
    while (match(n, /[0-9][0-9][0-9][0-9]($|,)/)) n = substr(n, 1, RSTART) "," substr(n, RSTART + 1)
    return n
}
$1 ~ /^(sources|sinks)\.[0-9]+\.[a-z_]+$/ {
    split($1, part, ".")
    value[part[1], part[2], part[3]] = $2
    if (part[2] + 1 > count[part[1]]) count[part[1]] = part[2] + 1
}
$1 ~ /^sources\.[0-9]+\.snapshot\.rows$/ {
    split($1, part, ".")
    copied[part[2]] = $2
}
$1 ~ /^sources\.[0-9]+\.stream\.written_bytes$/ { stream_bytes += $2 }
END {
    if (!count["sources"]) {
        print "no answer from the console"
        exit
    }
    line = sprintf("%4d s ", elapsed)
    for (i = 0; i < count["sources"]; i++) {
        lag = value["sources", i, "lag_ms"]
        line = line sprintf(" %s %s rows, lag %s |", value["sources", i, "name"], number(value["sources", i, "rows_total"] + copied[i]), \
                            lag == "null" || lag == "" ? "?" : lag " ms")
    }
    if (stream_bytes > 0) line = line sprintf(" stream %s KB |", number(stream_bytes / 1024))
    for (i = 0; i < count["sinks"]; i++) {
        total += value["sinks", i, "rows_total"]
        line = line sprintf(" %s %s rows in %s commits |", value["sinks", i, "name"], number(value["sinks", i, "rows_total"]), \
                            number(value["sinks", i, "commits_total"]))
    }
    getline before < memory
    close(memory)
    print total > memory
    if (before != "" && total >= before) line = line sprintf(" %s rows/s", number((total - before) / every))
    else sub(/ \|$/, "", line)
    print line
}
