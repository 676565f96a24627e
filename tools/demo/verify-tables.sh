# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# Row count and checksum of every table of a source, computed by the source and by the warehouse. Sourced by verify.sh.
#
# A row becomes one text (canonical-*.awk); its checksum is the first 60 bits of that text's SHA-256, a table's checksum is
# the sum over its rows: independent of the order, and sensitive to a row that is missing, doubled or different.

# table \t row text on the source \t row text on the warehouse
table_forms() {
    case $family in
    mysql)
        # A JSON column of MariaDB is longtext with a check; the check is what tells it.
        source_sql "$url" >"$work/columns" <<END
SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE,
       CASE WHEN EXISTS (SELECT 1 FROM information_schema.CHECK_CONSTRAINTS k
                         WHERE k.CONSTRAINT_SCHEMA = c.TABLE_SCHEMA AND k.CHECK_CLAUSE = CONCAT('json_valid(\`', c.COLUMN_NAME, '\`)'))
            THEN 'json' ELSE '' END
FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME)
WHERE c.TABLE_SCHEMA = '$schema' AND t.TABLE_TYPE = 'BASE TABLE'
ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION;
END
        ;;
    postgres)
        source_sql "$url" >"$work/columns" <<END
SELECT t.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace JOIN pg_attribute a ON a.attrelid = t.oid
WHERE n.nspname = '$schema' AND t.relkind IN ('r', 'p') AND NOT t.relispartition AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY t.relname, a.attnum;
END
        ;;
    esac
    awk -f "$here/canonical-$family.awk" "$work/columns"
}

# SHA-256 in hex (MySQL 9 has no MD5 any more), and its first 60 bits as a number, in each SQL dialect.
hash_of() {
    case $1 in
    mysql) echo "SHA2($2, 256)" ;;
    postgres) echo "encode(sha256(convert_to($2, 'UTF8')), 'hex')" ;;
    duckdb) echo "sha256($2)" ;;
    esac
}

bits() {
    hash=$(hash_of "$1" "$2")
    case $1 in
    mysql) echo "CAST(CONV(LEFT($hash, 15), 16, 10) AS UNSIGNED)" ;;
    postgres) echo "('x' || left($hash, 15))::bit(60)::bigint" ;;
    duckdb) echo "CAST('0x' || left($hash, 15) AS BIGINT)" ;;
    esac
}

source_table() {
    case $family in
    mysql) echo "\`$schema\`.\`$1\`" ;;
    postgres) echo "\"$schema\".\"$1\"" ;;
    esac
}

verify_tables() {
    source=$1 url=$2
    family=$(url_family "$url")
    case $family in
    mysql) schema=${3:-$(url_database "$url")} ;;
    postgres) schema=${3:-public} ;;
    esac
    table_forms >"$work/forms" || fail "could not describe the tables of $source"
    [ -s "$work/forms" ] || fail "$source has no tables in $schema"
    different=0 tables=0
    printf '%-38s %10s %10s %24s %24s\n' "table" "source" "warehouse" "checksum source" "checksum warehouse"
    while IFS='	' read -r table source_form warehouse_form; do
        tables=$((tables + 1))
        warehouse_table="\"${source}_$schema\".\"$table\""
        there=$(echo "SELECT COUNT(*), COALESCE(SUM($(bits "$family" "$source_form")), 0) FROM $(source_table "$table");" |
            source_sql "$url" | tr '\t' ' ')
        here_sql="SELECT count(*) AS n, coalesce(sum($(bits duckdb "$warehouse_form")), 0)::VARCHAR AS checksum FROM $warehouse_table"
        here_sums=$(warehouse_sql "$here_sql" | tr -d '"' | tr ',' ' ') || here_sums=''
        [ -n "$here_sums" ] || here_sums='missing -'
        verdict=equal
        if [ -z "$there" ] || [ "$there" != "$here_sums" ]; then
            verdict=DIFFERENT
            different=$((different + 1))
        fi
        printf '%-38s %10s %10s %24s %24s %s\n' "$source.$schema.$table" "${there%% *}" "${here_sums%% *}" \
            "${there#* }" "${here_sums#* }" "$verdict"
        [ "$verdict" = equal ] || [ "$here_sums" = 'missing -' ] || show_difference
    done <"$work/forms"
    [ "$different" -eq 0 ] || {
        echo "$different of $tables tables of $source differ" >&2
        return 1
    }
}

# The rows that differ: first by 256 buckets of their checksum, then row by row in the first few that differ,
# so that neither side ever returns more than a small part of a big table.
show_difference() {
    bucket_source="SELECT LEFT($(hash_of "$family" "$source_form"), 2) AS b, COUNT(*), SUM($(bits "$family" "$source_form")) FROM $(source_table "$table") GROUP BY 1;"
    echo "$bucket_source" | source_sql "$url" | tr '\t' ' ' | LC_ALL=C sort >"$work/buckets-source"
    bucket_sql="SELECT left($(hash_of duckdb "$warehouse_form"), 2) AS b, count(*) AS n, sum($(bits duckdb "$warehouse_form"))::VARCHAR AS c FROM $warehouse_table GROUP BY ALL ORDER BY b"
    warehouse_sql "$bucket_sql" | tr -d '"' | tr ',' ' ' | LC_ALL=C sort >"$work/buckets-warehouse"
    buckets=$(LC_ALL=C comm -3 "$work/buckets-source" "$work/buckets-warehouse" | tr -d '\t' | cut -c1-2 | sort -u | head -n 4 |
        sed "s/.*/'&'/" | paste -s -d , -)
    [ -n "$buckets" ] || return 0
    rows_source="SELECT REPLACE(REPLACE($source_form, '\"', ''''), '
', ' ') FROM $(source_table "$table") WHERE LEFT($(hash_of "$family" "$source_form"), 2) IN ($buckets);"
    echo "$rows_source" | source_sql "$url" | LC_ALL=C sort >"$work/rows-source"
    rows_sql="SELECT replace(replace($warehouse_form, '\"', ''''), '
', ' ') AS r FROM $warehouse_table WHERE left($(hash_of duckdb "$warehouse_form"), 2) IN ($buckets)"
    warehouse_sql "$rows_sql" | sed 's/^"//; s/"$//' | LC_ALL=C sort >"$work/rows-warehouse"
    LC_ALL=C comm -23 "$work/rows-source" "$work/rows-warehouse" | head -n 3 | sed 's/^/    only in the source:    /'
    LC_ALL=C comm -13 "$work/rows-source" "$work/rows-warehouse" | head -n 3 | sed 's/^/    only in the warehouse: /'
}
