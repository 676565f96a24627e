# Columns of one MySQL schema -> for each table: name, the row as text in MySQL's SQL, the same in DuckDB's SQL.
# In: table \t column \t data type \t column type, in the order of the columns. The forms are in README.md.
function flush_table() {
    if (table != "") printf "%s\t%s\t%s\n", table, "CONCAT_WS('|'" mysql ")", "concat_ws('|'" duck ")"
}
function add(m, d) {
    mysql = mysql ", COALESCE(" m ", '~')"
    duck = duck ", coalesce(" d ", '~')"
}
BEGIN { FS = "\t" }
$1 != table { flush_table(); table = $1; mysql = ""; duck = "" }
{
    m = "`" $2 "`"
    d = "\"" $2 "\""
    if ($3 ~ /^(tinyint|smallint|mediumint|int|bigint|year)$/) {
        # A tinyint(1) may arrive as a boolean; hugeint also holds an unsigned bigint.
        add("CAST(" m " AS CHAR)", "CAST(CAST(" d " AS HUGEINT) AS VARCHAR)")
    } else if ($3 == "decimal") {
        add("CAST(" m " AS CHAR)", "CAST(" d " AS VARCHAR)")
    } else if ($3 ~ /^(datetime|timestamp)$/) {
        add("CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " m ") AS CHAR)", "CAST(epoch_us(" d ") AS VARCHAR)")
    } else if ($3 == "date") {
        add("DATE_FORMAT(" m ", '%Y-%m-%d')", "strftime(" d ", '%Y-%m-%d')")
    } else if ($3 == "json" || ($3 == "longtext" && $5 == "json")) {
        add("REPLACE(REPLACE(CAST(" m " AS CHAR), ', ', ','), ': ', ':')", \
            "replace(replace(CAST(" d " AS VARCHAR), ', ', ','), ': ', ':')")
    } else if ($3 ~ /^(char|varchar|tinytext|text|mediumtext|longtext|enum|set)$/) {
        add("CAST(" m " AS CHAR)", "CAST(" d " AS VARCHAR)")
    } else if ($3 ~ /^(binary|varbinary|tinyblob|blob|mediumblob|longblob)$/) {
        add("HEX(" m ")", "hex(" d ")")
    } else {
        print "no canonical form for " $1 "." $2 " of type " $3 > "/dev/stderr"
        exit 1
    }
}
END { flush_table() }
