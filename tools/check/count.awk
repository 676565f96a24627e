# meson's testlog.json, one object a line -> lines for results.sh. A test counts as many as its output says
# (cmocka's summary, or TAP), or one.
function field(name,    at, text, out, c, i) {
    at = index($0, "\"" name "\": \"")
    if (!at) return ""
    text = substr($0, at + length(name) + 5)
    # Up to the first quote that is not escaped.
    match(text, /^([^"\\]|\\.)*/)
    return substr(text, 1, RLENGTH)
}
function sum(text, pattern,    n, found) {
    n = 0
    while (match(text, pattern)) {
        found = substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
        sub(/^[^0-9]*/, "", found)
        n += found + 0
    }
    return n
}
function times(text, pattern,    n) {
    n = gsub(pattern, "&", text)
    return n
}
function last_line(text,    n, lines, i) {
    gsub(/\\t/, " ", text)
    n = split(text, lines, /\\n/)
    for (i = n; i >= 1; i--) if (lines[i] !~ /^[ ]*$/) return lines[i]
    return ""
}
{
    name = field("name")
    result = field("result")
    output = "\\n" field("stdout") "\\n" field("stderr")
    good = sum(output, "\\[  PASSED  \\] [0-9]+ test\\(s\\)")
    bad = sum(output, "\\[  FAILED  \\] [0-9]+ test\\(s\\)")
    left = sum(output, "\\[  SKIPPED \\] [0-9]+ test\\(s\\)")
    if (good + bad + left == 0) {
        left = times(output, "\\\\nok [0-9]+[^\\\\]*# [Ss][Kk][Ii][Pp]")
        good = times(output, "\\\\nok [0-9]+") - left
        bad = times(output, "\\\\nnot ok [0-9]+")
    }
    reason = last_line(field("stderr"))
    if (reason == "") reason = last_line(field("stdout"))
    if (result == "SKIP") {
        print "skip " name ": " reason
        next
    }
    if (result != "OK" && result != "EXPECTEDFAIL" && bad == 0) bad = 1
    if (result == "OK" && good + left == 0) good = 1
    if (good > 0) print "pass " good
    for (i = 0; i < bad; i++) print "fail " name ": " result
    for (i = 0; i < left; i++) print "skip " name ": a case of it, see its log"
}
