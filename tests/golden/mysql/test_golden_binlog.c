// SPDX-License-Identifier: MIT
/*
 * test_golden_binlog.c - recorded binlogs of real servers, decoded and printed, must read as
 * NAME.expected; and what the stream leaves in each table must equal NAME.rows, the same rows in
 * the text protocol's form, cell by cell.
 *
 * GOLDEN_WRITE=1 writes NAME.expected instead of comparing: look at the difference, then commit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "binlog_stream.h"
#include "check.h"
#include "event_header.h"
#include "golden_tables.h"
#include "table_layout.h"

#define BATCH_BYTES      (UINT64_C(64) << 20)
#define HELD_BATCHES_MAX 512
#define CELL_SHOWN_MAX   100 /* longer cells are printed as their length and a checksum */
#define LINE_BYTES_MAX   (256 * 1024)
#define IMAGE_ROWS_MAX   4096
#define SCHEMAS_MAX      64

static const char *directory;

struct golden_case {
    const char *name;
    const char *gtids;
    bool is_maria;
    uint64_t target_bytes; /* small: the same must come out in many batches */
};

static const struct golden_case cases[] = {
    {"mysql80_minimal", NULL, false, BATCH_BYTES / 8},
    {"mysql80_full", "", false, BATCH_BYTES / 8},
    {"mysql9_full", "", false, BATCH_BYTES / 8},
    {"maria_nolog", "", true, BATCH_BYTES / 8},
    {"maria_full", NULL, true, BATCH_BYTES / 8},
    {"mysql80_protocol", "", false, BATCH_BYTES / 8},
    {"mysql9_protocol", "", false, BATCH_BYTES / 8},
    {"maria_protocol", "", true, BATCH_BYTES / 8},
};

/* The rows a table is left with: what a target that applies the events would hold. */
struct image {
    char *rows[IMAGE_ROWS_MAX];
    char *keys[IMAGE_ROWS_MAX];
    const struct mr_schema *schema;
    unsigned count;
};

struct replay {
    struct golden_tables tables;
    struct mr_catalog *catalog;
    struct mr_batch_pool *pool;
    struct image images[GOLDEN_TABLES_MAX];
    unsigned image_count;
    bool is_shown[SCHEMAS_MAX];
    FILE *out;
    unsigned batch_count;
};

static char *print_cell(const struct mr_chunk *chunk, uint16_t column, uint32_t row)
{
    static char text[LINE_BYTES_MAX];
    const size_t length = mr_cell_print(mr_chunk_column(chunk, column), &chunk->columns[column],
                                        row, text, sizeof(text));
    assert_true(length < sizeof(text));
    for (size_t i = 0; i < length; i++) {
        text[i] = text[i] >= 0 && text[i] < ' ' ? (char)('A' + text[i]) : text[i];
    }
    if (mr_cell_state(&chunk->columns[column], row) == MR_CELL_NULL) {
        (void)snprintf(text, sizeof(text), "NULL");
    } else if (length > CELL_SHOWN_MAX) {
        uint64_t hash = 14695981039346656037u;
        for (size_t i = 0; i < length; i++) {
            hash = (hash ^ (uint8_t)text[i]) * 1099511628211u;
        }
        (void)snprintf(text + 20, sizeof(text) - 20, "... %zu bytes, hash %016llx", length,
                       (unsigned long long)hash);
    }
    return text;
}

/** All cells of a row as one string; of the key columns alone when `key`. */
static char *print_row(const struct mr_chunk *chunk, uint32_t row, bool key)
{
    char *line = malloc(LINE_BYTES_MAX);
    size_t at = 0;
    line[0] = '\0';
    if (key && chunk->image == MR_IMAGE_FULL && chunk->schema->key_count > 0) {
        for (uint16_t i = 0; i < chunk->schema->key_count; i++) {
            at += (size_t)snprintf(line + at, LINE_BYTES_MAX - at, "%s|",
                                   print_cell(chunk, chunk->schema->key[i], row));
        }
        return line;
    }
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        at += (size_t)snprintf(line + at, LINE_BYTES_MAX - at, "%s|", print_cell(chunk, i, row));
    }
    return line;
}

/* ---- Applying. ---- */

static struct image *image_of(struct replay *replay, const struct mr_schema *schema)
{
    for (unsigned i = 0; i < replay->image_count; i++) {
        if (strcmp(replay->images[i].schema->table, schema->table) == 0) {
            replay->images[i].schema = schema;
            return &replay->images[i];
        }
    }
    struct image *made = &replay->images[replay->image_count++];
    made->schema = schema;
    return made;
}

static void remove_at(struct image *image, unsigned at)
{
    free(image->rows[at]);
    free(image->keys[at]);
    image->count--;
    memmove(&image->rows[at], &image->rows[at + 1], (image->count - at) * sizeof(char *));
    memmove(&image->keys[at], &image->keys[at + 1], (image->count - at) * sizeof(char *));
}

/** Strikes out the row with a key; returns what it was, or NULL. */
static char *remove_key(struct image *image, char *key)
{
    char *row = NULL;
    for (unsigned i = 0; i < image->count; i++) {
        if (strcmp(image->keys[i], key) == 0) {
            row = strdup(image->rows[i]);
            remove_at(image, i);
            break;
        }
    }
    free(key);
    return row;
}

/** Cells that the new image lacks are those of the old row. Frees both. */
static char *merge_rows(char *row, char *old)
{
    char *merged = malloc(LINE_BYTES_MAX);
    size_t at = 0;
    merged[0] = '\0';
    if (old == NULL || strstr(row, "absent|") == NULL) {
        free(old);
        free(merged);
        return row;
    }
    char *rest = row;
    char *old_rest = old;
    for (char *cell; (cell = strsep(&rest, "|")) != NULL && rest != NULL;) {
        const char *before = strsep(&old_rest, "|");
        assert_non_null(before);
        at += (size_t)snprintf(merged + at, LINE_BYTES_MAX - at, "%s|",
                               strcmp(cell, "absent") == 0 ? before : cell);
    }
    free(row);
    free(old);
    return merged;
}

static void apply_row(struct replay *replay, const struct mr_batch *batch,
                      const struct mr_event *event, uint16_t i)
{
    const struct mr_chunk *after = event->chunk == MR_NO_CHUNK ? NULL : batch->chunks[event->chunk];
    const struct mr_chunk *before =
        event->before_chunk == MR_NO_CHUNK ? NULL : batch->chunks[event->before_chunk];
    const struct mr_chunk *any = after != NULL ? after : before;
    MR_ASSERT(any != NULL);
    struct image *image = image_of(replay, any->schema);
    char *old = NULL;
    if (before != NULL) {
        old = remove_key(image, print_row(before, event->before_row + i, true));
    } else if (event->kind == MR_EVENT_UPDATE) {
        old = remove_key(image, print_row(after, event->row + i, true));
    }
    if (after == NULL) {
        free(old);
        return;
    }
    assert_true(image->count < IMAGE_ROWS_MAX);
    image->keys[image->count] = print_row(after, event->row + i, true);
    image->rows[image->count++] = merge_rows(print_row(after, event->row + i, false), old);
}

/* ---- Printing. ---- */

/** Prints a schema version once, before its first row. */
static void print_schema(struct replay *replay, const struct mr_schema *schema)
{
    assert_true(schema->schema_id < SCHEMAS_MAX);
    if (replay->is_shown[schema->schema_id]) {
        return;
    }
    replay->is_shown[schema->schema_id] = true;
    (void)fprintf(replay->out, "schema %s.%s version %u\n", schema->space, schema->table,
                  schema->version);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        const struct mr_column *column = &schema->columns[i];
        (void)fprintf(replay->out, "    %s %s: %s(%u,%u)%s%s%s%s", column->name,
                      column->source_type, mr_type_name(column->type), column->precision,
                      column->scale, column->nullable ? "" : " not null",
                      column->charset == NULL ? "" : " charset ",
                      column->charset == NULL ? "" : column->charset,
                      column->key_index == MR_NOT_IN_KEY ? "" : " key");
        if (column->fallback != NULL) {
            (void)fprintf(replay->out, " default <%s>", column->fallback);
        }
        (void)fprintf(replay->out, "\n");
    }
}

static void print_event(struct replay *replay, const struct mr_batch *batch,
                        const struct mr_event *event)
{
    static const char *const kinds[] = {"", "insert", "update", "delete", "truncate", "read"};
    if (event->kind == MR_EVENT_NOTE) {
        const struct mr_note *note = &batch->notes[event->chunk];
        (void)fprintf(replay->out, "  note %d <%.*s> <%.*s>\n", note->kind, (int)note->name.length,
                      (const char *)note->name.bytes, (int)note->text.length,
                      (const char *)note->text.bytes);
        return;
    }
    if (event->kind == MR_EVENT_TRUNCATE) {
        const struct mr_schema *schema = batch->truncated[event->chunk];
        (void)fprintf(replay->out, "  truncate %s\n", schema->table);
        struct image *image = image_of(replay, schema);
        while (image->count > 0) {
            remove_at(image, 0);
        }
        return;
    }
    for (uint16_t i = 0; i < event->count; i++) {
        const struct mr_chunk *before =
            event->before_chunk == MR_NO_CHUNK ? NULL : batch->chunks[event->before_chunk];
        const struct mr_chunk *after =
            event->chunk == MR_NO_CHUNK ? NULL : batch->chunks[event->chunk];
        const struct mr_schema *schema = after != NULL ? after->schema : before->schema;
        print_schema(replay, schema);
        (void)fprintf(replay->out, "  %s %s", kinds[event->kind], schema->table);
        if (before != NULL) {
            char *text = print_row(before, event->before_row + i, false);
            (void)fprintf(replay->out, " before %s{%s}",
                          before->image == MR_IMAGE_KEY ? "key" : "full", text);
            free(text);
        }
        if (after != NULL) {
            char *text = print_row(after, event->row + i, false);
            (void)fprintf(replay->out, " after {%s}", text);
            free(text);
        }
        (void)fprintf(replay->out, "\n");
        apply_row(replay, batch, event, i);
    }
}

static void print_batch(struct replay *replay, const struct mr_batch *batch)
{
    uint32_t events = 0;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct mr_transaction *transaction = &batch->transactions[i];
        const bool goes_on = i + 1 == batch->transaction_count && batch->continued;
        assert_int_equal(transaction->first_event, events);
        if (i > 0 || !batch->continues) {
            const struct mr_slice origin = batch->origins[transaction->origin];
            (void)fprintf(replay->out, "transaction %llu origin <%.*s>\n",
                          (unsigned long long)transaction->number, (int)origin.length,
                          (const char *)origin.bytes);
        }
        for (uint32_t j = 0; j < transaction->event_count; j++) {
            print_event(replay, batch, &batch->events[events++]);
        }
        if (!goes_on) {
            (void)fprintf(replay->out, "commit at %llu/%llu, %lld us\n",
                          (unsigned long long)transaction->end.major,
                          (unsigned long long)transaction->end.minor,
                          (long long)transaction->commit_us);
        }
    }
    assert_int_equal(events, batch->event_count);
    replay->batch_count++;
}

/* ---- Feeding. ---- */

/** Batches of a transaction whose end has not come: it may yet be taken back. */
struct held {
    struct mr_batch *batches[HELD_BATCHES_MAX];
    unsigned count;
};

/** Prints a batch once its last transaction is whole; an abort drops those that wait. */
static void take_batch(struct replay *replay, struct held *held, struct mr_batch *batch)
{
    if (batch->transaction_count == 0 && !batch->aborts) {
        replay->batch_count++;
        mr_batch_release(batch); /* nothing, or a position alone */
        return;
    }
    if (batch->continued && (batch->continues || held->count == 0)) {
        assert_true(held->count < HELD_BATCHES_MAX);
        held->batches[held->count++] = batch;
        return;
    }
    for (unsigned i = 0; i < held->count; i++) {
        struct mr_batch *before = held->batches[i];
        if (batch->aborts) { /* what was whole before the transaction stays */
            before->transaction_count--;
            before->event_count = before->transactions[before->transaction_count].first_event;
            before->continued = false;
        }
        print_batch(replay, before);
        mr_batch_release(before);
    }
    held->count = 0;
    print_batch(replay, batch);
    mr_batch_release(batch);
}

static void feed_all(struct replay *replay, struct mr_binlog_stream *stream, struct mr_slice log)
{
    static struct held held;
    struct mr_error err = {0};
    struct mr_batch *batch = mr_batch_take(replay->pool, 0);
    char last_position[4096] = "";
    for (size_t at = MR_BINLOG_OFFSET_FIRST; at < log.length;) {
        uint32_t size;
        assert_non_null(batch);
        memcpy(&size, log.bytes + at + 9, sizeof(size));
        assert_true(size >= 19 && size <= log.length - at);
        const enum mr_binlog_fed fed =
            mr_binlog_feed(stream, (struct mr_slice){log.bytes + at, size}, batch, &err);
        if (fed == MR_BINLOG_ERROR) {
            fail_msg("%s", err.message);
        }
        assert_int_not_equal(fed, MR_BINLOG_AGAIN);
        at += fed == MR_BINLOG_DONE ? size : 0;
        if (fed == MR_BINLOG_MORE || mr_binlog_may_hand_on(stream, batch) || at == log.length) {
            assert_true(mr_binlog_finish_batch(stream, batch, &err));
            if (batch->position.length > 0) {
                (void)snprintf(last_position, sizeof(last_position), "%.*s epoch %.*s",
                               (int)batch->position.length, (const char *)batch->position.bytes,
                               (int)batch->epoch.length, (const char *)batch->epoch.bytes);
            }
            take_batch(replay, &held, batch);
            batch = mr_batch_take(replay->pool, 0);
        }
    }
    (void)fprintf(replay->out, "position %s\n", last_position);
    mr_batch_release(batch);
    assert_int_equal(held.count, 0);
}

/* ---- The other side: the same rows as text. ---- */

static size_t unhex(const char *text, uint8_t *to)
{
    size_t length = 0;
    for (; text[0] != '\0' && text[1] != '\0'; text += 2) {
        const char pair[3] = {text[0], text[1], '\0'};
        to[length++] = (uint8_t)strtol(pair, NULL, 16);
    }
    return length;
}

static void put_text_row(const struct mr_mysql_layout *layout, struct mr_batch *batch,
                         struct mr_chunk *chunk, char *line)
{
    static uint8_t bytes[LINE_BYTES_MAX];
    for (uint16_t i = 0; i < layout->column_count; i++) {
        struct mr_error err = {0};
        const struct mr_mysql_cell to = {
            .cells = &chunk->columns[i], .arena = &batch->arena, .row = chunk->row_count};
        const char *field = strsep(&line, "\t");
        assert_non_null(field);
        if (strcmp(field, "-") == 0) {
            mr_put_null(&chunk->columns[i], chunk->row_count);
            continue;
        }
        const struct mr_slice text = {bytes, unhex(field, bytes)};
        if (!mr_mysql_put_text(&layout->columns[i], &to, text, &err)) {
            fail_msg("column %s: %s", layout->columns[i].core.name, err.message);
        }
    }
    (void)mr_chunk_end_row(chunk);
}

/** Finds the row among those the stream left, and strikes it out. */
static void strike_row(struct image *image, const char *table, char *row)
{
    for (unsigned i = 0; i < image->count; i++) {
        if (strcmp(image->rows[i], row) == 0) {
            remove_at(image, i);
            free(row);
            return;
        }
    }
    fail_msg("table %s: the snapshot has a row that the stream has not: %s", table, row);
}

static void compare_rows(struct replay *replay, const char *path)
{
    size_t length;
    struct mr_error err = {0};
    char *text = golden_read_file(path, &length);
    char *rest = text;
    struct mr_batch *batch = mr_batch_take(replay->pool, 0);
    struct mr_mysql_layout *layout = NULL;
    struct image *image = NULL;
    for (char *line; (line = strsep(&rest, "\n")) != NULL && line[0] != '\0';) {
        uint16_t index;
        if (strncmp(line, "table ", 6) == 0) {
            mr_mysql_layout_close(layout);
            const struct mr_mysql_table_info *info =
                golden_table_info(&replay->tables, "golden", line + 6, &err);
            layout = mr_mysql_layout_from_info(
                info, &(const struct mr_mysql_layout_terms){.catalog = replay->catalog}, &err);
            if (layout == NULL) {
                fail_msg("%s", err.message);
            }
            const bool is_captured = golden_is_captured(NULL, "golden", line + 6) &&
                                     strcmp(line + 6, "counter") != 0; /* a sequence */
            image = is_captured ? image_of(replay, layout->schema) : NULL;
            continue;
        }
        if (image == NULL) {
            continue;
        }
        struct mr_chunk *chunk =
            mr_batch_chunk_for(batch, layout->schema, MR_IMAGE_FULL, &index, &err);
        assert_non_null(chunk);
        put_text_row(layout, batch, chunk, line);
        strike_row(image, layout->schema->table, print_row(chunk, chunk->row_count - 1, false));
    }
    for (unsigned i = 0; i < replay->image_count; i++) {
        const char *table = replay->images[i].schema->table;
        const bool is_there = golden_table_info(&replay->tables, "golden", table, &err) != NULL;
        if (is_there && replay->images[i].count > 0) {
            fail_msg("table %s: the stream has a row that the snapshot has not: %s", table,
                     replay->images[i].rows[0]);
        }
        while (replay->images[i].count > 0) {
            remove_at(&replay->images[i], 0);
        }
    }
    mr_mysql_layout_close(layout);
    mr_batch_release(batch);
    free(text);
}

/* ---- The cases. ---- */

static void path_of(const struct golden_case *golden, const char *suffix, char path[512])
{
    (void)snprintf(path, 512, "%s/%s.%s", directory, golden->name, suffix);
}

static void compare_expected(const char *path, const char *text, size_t length)
{
    if (getenv("GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, length, file), length);
        (void)fclose(file);
        return;
    }
    size_t expected_length;
    char *expected = golden_read_file(path, &expected_length);
    size_t same = 0;
    while (same < length && same < expected_length && text[same] == expected[same]) {
        same++;
    }
    if (length != expected_length || same != length) {
        while (same > 0 && text[same - 1] != '\n') {
            same--;
        }
        fail_msg("%s differs, from\n%.300s\nit came\n%.300s", path, expected + same, text + same);
    }
    free(expected);
}

static unsigned run_case(const struct golden_case *golden, uint64_t target_bytes)
{
    static struct replay replay;
    char path[512];
    char *text = NULL;
    size_t length = 0;
    size_t log_length;
    struct mr_error err = {0};
    memset(&replay, 0, sizeof(replay));
    path_of(golden, "columns", path);
    golden_tables_read(&replay.tables, path);
    path_of(golden, "binlog", path);
    char *log = golden_read_file(path, &log_length);
    replay.catalog = mr_catalog_open();
    replay.pool = mr_batch_pool_open(HELD_BATCHES_MAX, BATCH_BYTES, 0, &err);
    replay.out = open_memstream(&text, &length);
    struct mr_binlog_options options = {
        .callbacks = {&replay.tables, golden_is_captured, golden_table_info},
        .terms = {.catalog = replay.catalog},
        .value_bytes_max = 1 << 20,
        .target_bytes = target_bytes,
        .is_maria = golden->is_maria,
        .epoch = "golden",
        .file = "mysql-bin.000007",
        .offset = 4,
        .gtids = golden->gtids,
    };
    struct mr_binlog_stream *stream = mr_binlog_stream_open(&options, &err);
    if (stream == NULL) {
        fail_msg("%s", err.message);
    }
    feed_all(&replay, stream, (struct mr_slice){(const uint8_t *)log, log_length});
    (void)fclose(replay.out);
    path_of(golden, "expected", path);
    compare_expected(path, text, length);
    path_of(golden, "rows", path);
    compare_rows(&replay, path);

    mr_binlog_stream_close(stream);
    mr_batch_pool_close(replay.pool);
    mr_catalog_close(replay.catalog);
    golden_tables_done(&replay.tables);
    free(log);
    free(text);
    return replay.batch_count;
}

static void recorded_binlogs_decode_as_expected(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        print_message("    %s\n", cases[i].name);
        assert_int_equal(run_case(&cases[i], cases[i].target_bytes), 1);
    }
}

/** A target of one byte hands on after every row: transactions go on over many batches. */
static void small_batches_give_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        print_message("    %s\n", cases[i].name);
        assert_true(run_case(&cases[i], 1) > 20);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_binlogs_decode_as_expected),
        cmocka_unit_test(small_batches_give_the_same),
    };
    directory = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests_name("golden_binlog", tests, NULL, NULL);
}
