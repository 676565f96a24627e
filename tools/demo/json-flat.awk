# JSON on stdin -> one "path<TAB>value" a scalar: {"a":[{"b":1}]} gives "a.0.b<TAB>1". For machines without jq.
{ text = text $0 "\n" }
END {
    depth = 0
    rest = text
    while (match(rest, /"([^"\\]|\\.)*"|[-+.0-9eE]+|true|false|null|[][{},:]/)) {
        token = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if (token == "{" || token == "[") {
            depth++
            kind[depth] = token
            key[depth] = token == "[" ? 0 : ""
            want_key = token == "{"
        } else if (token == "}" || token == "]") {
            depth--
            want_key = 0
        } else if (token == ",") {
            if (kind[depth] == "[") key[depth]++
            want_key = kind[depth] == "{"
        } else if (token != ":") {
            if (token ~ /^"/) token = substr(token, 2, length(token) - 2)
            if (want_key) {
                key[depth] = token
                want_key = 0
            } else {
                path = key[1]
                for (i = 2; i <= depth; i++) path = path "." key[i]
                print path "\t" token
            }
        }
    }
}
