// SPDX-License-Identifier: MIT
/* Query results and status as text. */
#include "check.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "query_text.h"
#include "status_text.h"

static char *print(bool (*printer)(FILE *out, const json_t *answer), const char *json,
                   bool *printed)
{
    char *text = NULL;
    size_t size = 0;
    json_t *root = json_loads(json, 0, NULL);
    assert_non_null(root);
    FILE *out = open_memstream(&text, &size);
    *printed = printer(out, root);
    (void)fclose(out);
    json_decref(root);
    return text;
}

static const char answer[] =
    "{\"columns\":[{\"name\":\"method\",\"type\":\"VARCHAR\"},"
    "{\"name\":\"sum\",\"type\":\"DECIMAL(12,2)\"},{\"name\":\"ok\",\"type\":\"BOOLEAN\"}],"
    "\"rows\":[[\"cash, \\\"new\\\"\",\"12.50\",true],[null,7,false],[\"\\u001b[2J\\u20ac\",null,"
    "null]],\"truncated\":true,\"elapsed_ms\":1.25}";

static void table_is_aligned_and_harmless(void **state)
{
    (void)state;
    bool printed = false;
    char *text = print(mr_query_text_table, answer, &printed);
    assert_true(printed);
    assert_string_equal(text, " method      |   sum | ok   \n"
                              "-------------+-------+-------\n"
                              " cash, \"new\" | 12.50 | true \n"
                              " NULL        |     7 | false\n"
                              " .[2J\xe2\x82\xac       |  NULL | NULL \n"
                              "(3 rows, there are more, 1.2 ms)\n");
    free(text);
}

static void csv_is_quoted(void **state)
{
    (void)state;
    bool printed = false;
    char *text = print(mr_query_text_csv, answer, &printed);
    assert_true(printed);
    assert_string_equal(text, "method,sum,ok\r\n"
                              "\"cash, \"\"new\"\"\",12.50,true\r\n"
                              ",7,false\r\n"
                              "\x1b[2J\xe2\x82\xac,,\r\n");
    free(text);
    text = print(mr_query_text_csv,
                 "{\"columns\":[{\"name\":\"a\"}],\"rows\":[[\"\"],[null],[9007199254740993],[{"
                 "\"x\":1}]]}",
                 &printed);
    assert_string_equal(text, "a\r\n\"\"\r\n\r\n9007199254740993\r\n\"{\"\"x\"\":1}\"\r\n");
    free(text);
}

static void other_answers_are_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"{}", "[]", "{\"columns\":1,\"rows\":[]}"};
    for (size_t i = 0; i < MR_ARRAY_LEN(others); i++) {
        bool printed = true;
        free(print(mr_query_text_table, others[i], &printed));
        assert_false(printed);
        printed = true;
        free(print(mr_query_text_csv, others[i], &printed));
        assert_false(printed);
    }
}

static void rows_of_odd_lengths_do_no_harm(void **state)
{
    (void)state;
    bool printed = false;
    char *text = print(mr_query_text_table,
                       "{\"columns\":[{\"name\":\"a\"},{}],\"rows\":[[],[1],[1,2,3],7]}", &printed);
    assert_true(printed);
    free(text);
}

/* ---- Status. ---- */

static const char status[] =
    "{\"pipeline\":\"parking\",\"version\":\"0.1.0\",\"state\":\"running\",\"uptime_ms\":61000,"
    "\"sources\":[{\"name\":\"ops\",\"type\":\"mysql\",\"state\":\"STREAMING\",\"server\":"
    "\"MariaDB 10.11.6\",\"position\":\"mysql-bin.000002:1234\",\"lag_ms\":3,\"lag_bytes\":null,"
    "\"rows_total\":1234567,\"error\":null,\"snapshot\":{\"state\":\"copying\",\"tables\":3,"
    "\"tables_finished\":1,\"rows\":50,\"rows_estimate\":200,\"percent\":25,\"rows_per_second\":"
    "10,\"seconds_left\":15},\"stream\":{\"size_bytes\":1536,\"segments\":2,\"last_sequence\":9,"
    "\"released_sequence\":8,\"intake_paused\":true},\"tables\":[{\"name\":\"parking.payment\","
    "\"captured\":true,\"snapshot\":{\"state\":\"copying\"},\"rows_copied\":50,\"inserts\":1,"
    "\"updates\":2,\"deletes\":3}]}],"
    "\"sinks\":[{\"name\":\"warehouse\",\"type\":\"duckdb\",\"state\":\"running\",\"lag_ms\":null,"
    "\"rows_total\":1000,\"commits_total\":5,\"errors\":0,\"error\":\"disk full\"}]}";

static void page_shows_every_stage(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "pipeline parking: running, up 61 s, millrace 0.1.0",
        "mysql-bin.000002:1234",
        "1,234,567",
        "MariaDB 10.11.6",
        "copying: table 2 of 3, 50 of about 200 rows (25%), 10 rows/s, about 15 s left",
        "1.5 KiB",
        "intake paused",
        "ops.parking.payment",
        "error: disk full",
    };
    char *text = NULL;
    size_t size = 0;
    json_t *root = json_loads(status, 0, NULL);
    assert_non_null(root);
    FILE *out = open_memstream(&text, &size);
    mr_status_text_page(out, root);
    (void)fclose(out);
    for (size_t i = 0; i < MR_ARRAY_LEN(parts); i++) {
        if (strstr(text, parts[i]) == NULL) {
            fail_msg("no \"%s\" in:\n%s", parts[i], text);
        }
    }
    free(text);
    json_decref(root);
}

static void line_counts_rates(void **state)
{
    (void)state;
    char line[400];
    struct mr_status_line previous = {0};
    json_t *root = json_loads(status, 0, NULL);
    mr_status_text_line(&previous, root, 1000, line, sizeof(line));
    assert_string_equal(line, "parking running | sources 0 rows/s, lag 3 ms, 1,234,567 rows | "
                              "sinks 0 rows/s, lag ?, 1,000 rows");
    previous.source_rows -= 500;
    previous.sink_rows -= 1000;
    mr_status_text_line(&previous, root, 1500, line, sizeof(line));
    assert_string_equal(line, "parking running | sources 1,000 rows/s, lag 3 ms, 1,234,567 rows | "
                              "sinks 2,000 rows/s, lag ?, 1,000 rows");
    json_decref(root);
}

static void page_takes_anything(void **state)
{
    (void)state;
    static const char *const others[] = {"{}", "[]", "7", "{\"sources\":7,\"sinks\":[7,null,{}]}",
                                         "{\"sources\":[{\"tables\":[{}]}]}"};
    for (size_t i = 0; i < MR_ARRAY_LEN(others); i++) {
        char *text = NULL;
        size_t size = 0;
        char line[64];
        struct mr_status_line previous = {0};
        json_t *root = json_loads(others[i], JSON_DECODE_ANY, NULL);
        FILE *out = open_memstream(&text, &size);
        mr_status_text_page(out, root);
        mr_status_text_line(&previous, root, 1, line, sizeof(line));
        (void)fclose(out);
        assert_true(strlen(text) > 0);
        free(text);
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_aligned_and_harmless),
        cmocka_unit_test(csv_is_quoted),
        cmocka_unit_test(other_answers_are_refused),
        cmocka_unit_test(rows_of_odd_lengths_do_no_harm),
        cmocka_unit_test(page_shows_every_stage),
        cmocka_unit_test(line_counts_rates),
        cmocka_unit_test(page_takes_anything),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
