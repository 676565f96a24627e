# Columns of one PostgreSQL schema -> for each table: name, the row as text in PostgreSQL's SQL, the same in DuckDB's SQL.
# In: table \t column \t type (format_type), in the order of the columns. The forms are in README.md.
function flush_table() {
    if (table != "") printf "%s\t%s\t%s\n", table, "concat_ws('|'" pg ")", "concat_ws('|'" duck ")"
}
function add(p, d) {
    pg = pg ", coalesce(" p ", '~')"
    duck = duck ", coalesce(" d ", '~')"
}
BEGIN { FS = "\t" }
$1 != table { flush_table(); table = $1; pg = ""; duck = "" }
{
    c = "\"" $2 "\""
    if ($3 ~ /^(smallint|integer|bigint)$/ || $3 ~ /^(numeric|character varying)/ || $3 == "text" || $3 == "uuid") {
        add(c "::text", "CAST(" c " AS VARCHAR)")
    } else if ($3 == "boolean") {
        add("CASE WHEN " c " THEN 't' WHEN NOT " c " THEN 'f' END", "CASE WHEN " c " THEN 't' WHEN NOT " c " THEN 'f' END")
    } else if ($3 ~ /^timestamp/) {
        add("(extract(epoch FROM " c ") * 1000000)::bigint::text", "CAST(epoch_us(" c ") AS VARCHAR)")
    } else if ($3 == "date") {
        add("to_char(" c ", 'YYYY-MM-DD')", "strftime(" c ", '%Y-%m-%d')")
    } else if ($3 ~ /^character\(/) {
        add("rtrim(" c "::text, ' ')", "rtrim(CAST(" c " AS VARCHAR), ' ')")
    } else if ($3 == "bytea") {
        add("upper(encode(" c ", 'hex'))", "hex(" c ")")
    } else {
        print "no canonical form for " $1 "." $2 " of type " $3 > "/dev/stderr"
        exit 1
    }
}
END { flush_table() }
