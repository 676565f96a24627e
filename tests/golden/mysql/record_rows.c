// SPDX-License-Identifier: MIT
/*
 * record_rows.c - writes a query's rows as the text protocol sends them, for record.sh.
 *
 *   record_rows PORT QUERY...    each query's rows: per cell "-" for NULL, or its bytes in hex
 *
 * The session is set as mysql_types.h wants it of whoever feeds mr_mysql_put_text().
 */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

static int run(MYSQL *mysql, const char *query)
{
    if (mysql_query(mysql, query) != 0) {
        (void)fprintf(stderr, "%s: %s\n", query, mysql_error(mysql));
        return 1;
    }
    MYSQL_RES *result = mysql_store_result(mysql);
    if (result == NULL) {
        return 0;
    }
    const unsigned count = mysql_num_fields(result);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        const unsigned long *lengths = mysql_fetch_lengths(result);
        for (unsigned i = 0; i < count; i++) {
            (void)printf(i == 0 ? "" : "\t");
            for (unsigned long j = 0; row[i] != NULL && j < lengths[i]; j++) {
                (void)printf("%02x", (unsigned char)row[i][j]);
            }
            (void)printf(row[i] == NULL ? "-" : "");
        }
        (void)printf("\n");
    }
    mysql_free_result(result);
    return 0;
}

int main(int argc, char **argv)
{
    MYSQL *mysql = mysql_init(NULL);
    if (argc < 3 || mysql_real_connect(mysql, "127.0.0.1", "root", getenv("MYSQL_PWD"), NULL,
                                       (unsigned)strtoul(argv[1], NULL, 10), NULL, 0) == NULL) {
        (void)fprintf(stderr, "usage: record_rows PORT QUERY... (%s)\n", mysql_error(mysql));
        return 2;
    }
    int failed =
        run(mysql,
            "SET NAMES utf8mb4, character_set_results = NULL, time_zone = '+00:00', sql_mode = ''");
    for (int i = 2; i < argc && failed == 0; i++) {
        failed = run(mysql, argv[i]);
    }
    mysql_close(mysql);
    return failed;
}
