# shellcheck shell=sh disable=SC2154,SC2034  # set or used by the files it is sourced with
# The five parking queries on the sources and on the warehouse. Sourced by verify.sh.
#
# Each query's warehouse form gives the rows of `crm`, then those of `ops`: exactly PostgreSQL's answer to its form,
# followed by MySQL's.

queries_dir=$here/../../examples/parking/queries

verify_queries() {
    mysql_url=$1 postgres_url=$2
    different=0
    for form in "$queries_dir"/*.warehouse.sql; do
        query=$(basename "$form" .warehouse.sql)
        {
            source_sql "$postgres_url" <"$queries_dir/$query.postgres.sql" &&
                source_sql "$mysql_url" <"$queries_dir/$query.mysql.sql"
        } | tr '\t' ',' >"$work/$query.source"
        warehouse_csv "$(cat "$form")" >"$work/$query.all" || :
        sed 1d "$work/$query.all" >"$work/$query.warehouse"
        printf '\n%s (%s rows)\n' "$query" "$(grep -c . "$work/$query.warehouse" || :)"
        show_query "$work/$query.all"
        if [ -s "$work/$query.source" ] && cmp -s "$work/$query.source" "$work/$query.warehouse"; then
            echo "  sources $(answer_sum source)  warehouse $(answer_sum warehouse)  equal"
        else
            different=$((different + 1))
            echo "  sources $(answer_sum source)  warehouse $(answer_sum warehouse)  DIFFERENT: sources (<), warehouse (>)"
            diff "$work/$query.source" "$work/$query.warehouse" | head -n 12 | sed 's/^/    /' || :
        fi
    done
    [ "$different" -eq 0 ] || {
        echo "$different of 5 queries differ" >&2
        return 1
    }
}

answer_sum() {
    sha256sum <"$work/$query.$1" | cut -c1-16
}

# Columns in line; a long answer only from its start.
show_query() {
    awk -F, '
        NR <= 13 { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) }; fields[NR] = NF }
        END {
            for (r = 1; r <= NR && r <= 13; r++) {
                line = " "
                for (i = 1; i <= fields[r]; i++) line = line sprintf(" %" (i > 2 ? "" : "-") width[i] "s ", cell[r, i])
                print line
            }
            if (NR > 13) printf "  ... and %d more\n", NR - 13
        }' "$1"
}
