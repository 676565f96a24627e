// SPDX-License-Identifier: MIT
/*
 * status_text.c - see status_text.h.
 */
#include "status_text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "compiler.h"

#define CELL_BYTES_MAX 64
#define NAME_WIDTH     28

static uint64_t count_of(const json_t *object, const char *key)
{
    const json_int_t number = json_integer_value(json_object_get(object, key));
    return number > 0 ? (uint64_t)number : 0;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

void mr_status_text_count(uint64_t number, char *text, size_t size)
{
    char digits[32];
    size_t used = 0;
    const int length = snprintf(digits, sizeof(digits), "%" PRIu64, number);

    MR_ASSERT(size >= CELL_BYTES_MAX / 2 && length > 0);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

void mr_status_text_bytes(uint64_t bytes, char *text, size_t size)
{
    MR_ASSERT(size > 0);

    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double number = (double)bytes;
    size_t unit = 0;

    while (number >= 1024 && unit + 1 < MR_ARRAY_LEN(units)) {
        number /= 1024;
        unit++;
    }
    (void)snprintf(text, size, unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
}

/* A count or a size by its key; "-" when it is null or missing. */
static const char *cell(const json_t *object, const char *key,
                        void (*print)(uint64_t number, char *text, size_t size),
                        char text[CELL_BYTES_MAX])
{
    MR_ASSERT(print != NULL);

    const json_t *value = json_object_get(object, key);

    if (json_is_integer(value)) {
        print(count_of(object, key), text, CELL_BYTES_MAX);
    } else {
        (void)snprintf(text, CELL_BYTES_MAX, "-");
    }
    return text;
}

static void print_ms(uint64_t ms, char *text, size_t size)
{
    if (ms < 10000) {
        (void)snprintf(text, size, "%" PRIu64 " ms", ms);
    } else if (ms < 600000) {
        (void)snprintf(text, size, "%" PRIu64 " s", ms / 1000);
    } else if (ms < UINT64_C(172800000)) {
        (void)snprintf(text, size, "%" PRIu64 "h%02" PRIu64 "m", ms / 3600000, ms / 60000 % 60);
    } else {
        (void)snprintf(text, size, "%" PRIu64 " d", ms / 86400000);
    }
}

/* ---- The page. ---- */

static void put_snapshot(FILE *out, const json_t *source)
{
    const json_t *snapshot = json_object_get(source, "snapshot");
    char rows[CELL_BYTES_MAX];
    char estimate[CELL_BYTES_MAX];
    char rate[CELL_BYTES_MAX];

    if (strcmp(text_of(snapshot, "state"), "copying") != 0) {
        return;
    }
    (void)fprintf(out,
                  "    copying: table %" PRIu64 " of %" PRIu64 ", %s of about %s rows (%" PRIu64
                  "%%), %s rows/s",
                  count_of(snapshot, "tables_finished") + 1, count_of(snapshot, "tables"),
                  cell(snapshot, "rows", mr_status_text_count, rows),
                  cell(snapshot, "rows_estimate", mr_status_text_count, estimate),
                  count_of(snapshot, "percent"),
                  cell(snapshot, "rows_per_second", mr_status_text_count, rate));
    if (json_is_integer(json_object_get(snapshot, "seconds_left"))) {
        (void)fprintf(out, ", about %" PRIu64 " s left", count_of(snapshot, "seconds_left"));
    }
    (void)fputc('\n', out);
}

/* The lag budget: until when the server keeps what we need. */
static void put_retention(FILE *out, const json_t *source)
{
    const json_t *retention = json_object_get(source, "retention");
    char left[CELL_BYTES_MAX];
    char held[CELL_BYTES_MAX];
    const bool has_bytes = json_is_integer(json_object_get(retention, "left_bytes"));
    const bool has_time = json_is_integer(json_object_get(retention, "left_seconds"));

    if (!has_bytes && !has_time) {
        return;
    }
    (void)fprintf(out, "    the server keeps what we need for");
    if (has_time) {
        (void)fprintf(out, " %.1f h", (double)count_of(retention, "left_seconds") / 3600);
    }
    if (has_bytes) {
        (void)fprintf(out, "%s %s more", has_time ? ", or" : "",
                      cell(retention, "left_bytes", mr_status_text_bytes, left));
    }
    (void)fprintf(out, "; it holds %s for us\n",
                  cell(retention, "held_bytes", mr_status_text_bytes, held));
}

static void put_sources(FILE *out, const json_t *sources)
{
    size_t index;
    const json_t *source;

    (void)fprintf(out, "%-16s %-10s %-12s %10s %12s %16s  %s\n", "SOURCE", "TYPE", "STATE", "LAG",
                  "LAG BYTES", "ROWS", "SERVER");
    json_array_foreach(sources, index, source)
    {
        char lag[CELL_BYTES_MAX];
        char bytes[CELL_BYTES_MAX];
        char rows[CELL_BYTES_MAX];
        (void)fprintf(out, "%-16s %-10s %-12s %10s %12s %16s  %s\n", text_of(source, "name"),
                      text_of(source, "type"), text_of(source, "state"),
                      cell(source, "lag_ms", print_ms, lag),
                      cell(source, "lag_bytes", mr_status_text_bytes, bytes),
                      cell(source, "rows_total", mr_status_text_count, rows),
                      text_of(source, "server"));
        (void)fprintf(out, "    at %s\n", text_of(source, "position"));
        put_retention(out, source);
        put_snapshot(out, source);
        if (json_is_string(json_object_get(source, "error"))) {
            (void)fprintf(out, "    error: %s\n", text_of(source, "error"));
        }
    }
}

static void put_streams(FILE *out, const json_t *sources)
{
    size_t index;
    const json_t *source;

    (void)fprintf(out, "\n%-16s %12s %10s %16s %16s\n", "STREAM", "SIZE", "SEGMENTS", "NEWEST",
                  "RELEASED");
    json_array_foreach(sources, index, source)
    {
        const json_t *stream = json_object_get(source, "stream");
        char size[CELL_BYTES_MAX];
        char segments[CELL_BYTES_MAX];
        char last[CELL_BYTES_MAX];
        char released[CELL_BYTES_MAX];
        (void)fprintf(out, "%-16s %12s %10s %16s %16s%s\n", text_of(source, "name"),
                      cell(stream, "size_bytes", mr_status_text_bytes, size),
                      cell(stream, "segments", mr_status_text_count, segments),
                      cell(stream, "last_sequence", mr_status_text_count, last),
                      cell(stream, "released_sequence", mr_status_text_count, released),
                      json_is_true(json_object_get(stream, "intake_paused")) ? "  intake paused"
                                                                             : "");
    }
}

/* Sources whose changes do not flow into the sink. */
static void put_gaps(FILE *out, const json_t *sink)
{
    size_t index;
    const json_t *source;

    json_array_foreach(json_object_get(sink, "sources"), index, source)
    {
        if (strcmp(text_of(source, "state"), "gap") == 0) {
            (void)fprintf(out,
                          "    gap: the stream of \"%s\" lacks what follows %" PRIu64
                          "; its tables must be copied anew (on_lost_position: snapshot)\n",
                          text_of(source, "name"), count_of(source, "sequence"));
        }
    }
}

static void put_sinks(FILE *out, const json_t *sinks)
{
    size_t index;
    const json_t *sink;

    (void)fprintf(out, "\n%-16s %-10s %-12s %10s %12s %16s %8s\n", "SINK", "TYPE", "STATE", "LAG",
                  "COMMITS", "ROWS", "ERRORS");
    json_array_foreach(sinks, index, sink)
    {
        const json_t *visible = json_object_get(sink, "commit_to_visible_ms");
        char lag[CELL_BYTES_MAX];
        char commits[CELL_BYTES_MAX];
        char rows[CELL_BYTES_MAX];
        char errors[CELL_BYTES_MAX];
        (void)fprintf(out, "%-16s %-10s %-12s %10s %12s %16s %8s\n", text_of(sink, "name"),
                      text_of(sink, "type"), text_of(sink, "state"),
                      cell(sink, "lag_ms", print_ms, lag),
                      cell(sink, "commits_total", mr_status_text_count, commits),
                      cell(sink, "rows_total", mr_status_text_count, rows),
                      cell(sink, "errors", mr_status_text_count, errors));
        if (count_of(visible, "count") > 0) {
            (void)fprintf(out, "    commit to visible: p50 %.1f ms, p99 %.1f ms\n",
                          json_number_value(json_object_get(visible, "p50")),
                          json_number_value(json_object_get(visible, "p99")));
        }
        put_gaps(out, sink);
        if (json_is_string(json_object_get(sink, "error"))) {
            (void)fprintf(out, "    error: %s\n", text_of(sink, "error"));
        }
    }
}

static void put_table(FILE *out, const char *source, const json_t *table)
{
    char name[CELL_BYTES_MAX * 2];
    char cells[4][CELL_BYTES_MAX];
    const json_t *captured = json_object_get(table, "captured");

    (void)snprintf(name, sizeof(name), "%s.%s", source, text_of(table, "name"));
    (void)fprintf(out, "%-*s %14s %14s %14s %14s  %s\n", NAME_WIDTH, name,
                  cell(table, "rows_copied", mr_status_text_count, cells[0]),
                  cell(table, "inserts", mr_status_text_count, cells[1]),
                  cell(table, "updates", mr_status_text_count, cells[2]),
                  cell(table, "deletes", mr_status_text_count, cells[3]),
                  json_is_false(captured) ? text_of(table, "reason")
                                          : text_of(json_object_get(table, "snapshot"), "state"));
}

static void put_tables(FILE *out, const json_t *sources)
{
    size_t index;
    const json_t *source;

    (void)fprintf(out, "\n%-*s %14s %14s %14s %14s  %s\n", NAME_WIDTH, "TABLE", "COPIED", "INSERTS",
                  "UPDATES", "DELETES", "COPY");
    json_array_foreach(sources, index, source)
    {
        size_t table_index;
        const json_t *table;
        json_array_foreach(json_object_get(source, "tables"), table_index, table)
        {
            put_table(out, text_of(source, "name"), table);
        }
    }
}

/* Tables that do not simply go with the stream; nothing when there are none. */
static void put_apart(FILE *out, const json_t *sources)
{
    size_t source_index;
    size_t index;
    const json_t *source;
    const json_t *entry;
    bool is_first = true;

    json_array_foreach(sources, source_index, source)
    {
        json_array_foreach(json_object_get(source, "tables_apart"), index, entry)
        {
            const char *error = json_string_value(json_object_get(entry, "error"));
            if (is_first) {
                (void)fprintf(out, "\n%-*s %-6s %-12s %12s\n", NAME_WIDTH, "TABLE APART", "WHAT",
                              "STATE", "BEHIND");
                is_first = false;
            }
            char name[CELL_BYTES_MAX * 2];
            (void)snprintf(name, sizeof(name), "%s.%s", text_of(source, "name"),
                           text_of(entry, "name"));
            (void)fprintf(out, "%-*s %-6s %-12s %12" PRIu64 "  %s\n", NAME_WIDTH, name,
                          text_of(entry, "what"), text_of(entry, "state"),
                          count_of(entry, "behind"), error == NULL ? "" : error);
        }
    }
}

void mr_status_text_page(FILE *out, const json_t *status)
{
    MR_ASSERT(out != NULL);

    char uptime[CELL_BYTES_MAX];
    const json_t *sources = json_object_get(status, "sources");

    (void)fprintf(out, "pipeline %s: %s, up %s, millrace %s\n\n", text_of(status, "pipeline"),
                  text_of(status, "state"), cell(status, "uptime_ms", print_ms, uptime),
                  text_of(status, "version"));
    put_sources(out, sources);
    put_streams(out, sources);
    put_sinks(out, json_object_get(status, "sinks"));
    put_tables(out, sources);
    put_apart(out, sources);
}

/* ---- The line. ---- */

static uint64_t sum_of(const json_t *parts, const char *key)
{
    uint64_t sum = 0;
    size_t index;
    const json_t *part;

    json_array_foreach(parts, index, part)
    {
        sum += count_of(part, key);
    }
    return sum;
}

/* The greatest lag of a stage; "?" as soon as one part does not know. */
static void worst_lag(const json_t *parts, char *text, size_t size)
{
    uint64_t worst = 0;
    size_t index;
    const json_t *part;

    json_array_foreach(parts, index, part)
    {
        if (!json_is_integer(json_object_get(part, "lag_ms"))) {
            (void)snprintf(text, size, "?");
            return;
        }
        const uint64_t lag = count_of(part, "lag_ms");
        worst = lag > worst ? lag : worst;
    }
    print_ms(worst, text, size);
}

static uint64_t rate_of(uint64_t now, uint64_t before, uint64_t elapsed_ms)
{
    return elapsed_ms > 0 && now > before ? (now - before) * 1000 / elapsed_ms : 0;
}

void mr_status_text_line(struct mr_status_line *previous, const json_t *status, uint64_t now_ms,
                         char *line, size_t size)
{
    MR_ASSERT(now_ms >= previous->at_ms);

    const json_t *sources = json_object_get(status, "sources");
    const json_t *sinks = json_object_get(status, "sinks");
    const uint64_t source_rows = sum_of(sources, "rows_total");
    const uint64_t sink_rows = sum_of(sinks, "rows_total");
    const uint64_t elapsed_ms = previous->at_ms != 0 ? now_ms - previous->at_ms : 0;
    char texts[4][CELL_BYTES_MAX];
    char lags[2][CELL_BYTES_MAX];

    mr_status_text_count(rate_of(source_rows, previous->source_rows, elapsed_ms), texts[0],
                         CELL_BYTES_MAX);
    mr_status_text_count(source_rows, texts[1], CELL_BYTES_MAX);
    mr_status_text_count(rate_of(sink_rows, previous->sink_rows, elapsed_ms), texts[2],
                         CELL_BYTES_MAX);
    mr_status_text_count(sink_rows, texts[3], CELL_BYTES_MAX);
    worst_lag(sources, lags[0], CELL_BYTES_MAX);
    worst_lag(sinks, lags[1], CELL_BYTES_MAX);
    (void)snprintf(line, size,
                   "%s %s | sources %s rows/s, lag %s, %s rows | sinks %s rows/s, lag %s, %s rows",
                   text_of(status, "pipeline"), text_of(status, "state"), texts[0], lags[0],
                   texts[1], texts[2], lags[1], texts[3]);
    *previous = (struct mr_status_line){
        .at_ms = now_ms, .source_rows = source_rows, .sink_rows = sink_rows};
}
