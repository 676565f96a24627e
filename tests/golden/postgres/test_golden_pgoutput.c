// SPDX-License-Identifier: MIT
/*
 * test_golden_pgoutput.c - bytes that a real server sent, and what they must decode to.
 *
 *   test_golden_pgoutput DIRECTORY     GOLDEN_WRITE=1: write the .expected files instead
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_env.h"
#include "pgoutput.h"

#define BATCH_BYTES   (64u << 20)
#define LINE_BYTES    65536
#define CELL_BYTES    8192
#define OUTPUT_BYTES  (1u << 20)
#define PATH_BYTES    1024
#define SHOWN_AT_MOST 60 /* of a cell; the rest is its length */

static const char *directory;
static char output[OUTPUT_BYTES];
static size_t output_length;

static void emit(const char *text)
{
    const int written = snprintf(output + output_length, OUTPUT_BYTES - output_length, "%s", text);
    assert_true(written >= 0 && output_length + (size_t)written < OUTPUT_BYTES);
    output_length += (size_t)written;
}

static void emit_row(const struct mr_chunk *chunk, uint32_t row)
{
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        char cell[CELL_BYTES] = "NULL";
        char shown[CELL_BYTES + 64];
        const enum mr_cell_state state = mr_cell_state(&chunk->columns[i], row);
        size_t length = 4;
        if (state == MR_CELL_VALUE) {
            length = mr_cell_print(mr_chunk_column(chunk, i), &chunk->columns[i], row, cell,
                                   sizeof(cell));
            assert_true(length < sizeof(cell));
        } else if (state == MR_CELL_UNCHANGED) {
            (void)snprintf(cell, sizeof(cell), "UNCHANGED");
        }
        if (length > SHOWN_AT_MOST) {
            (void)snprintf(shown, sizeof(shown), "%.*s... (%zu)", SHOWN_AT_MOST, cell, length);
        } else {
            (void)snprintf(shown, sizeof(shown), "%s", cell);
        }
        emit("    ");
        emit(mr_chunk_column(chunk, i)->name);
        emit(" = ");
        emit(shown);
        emit("\n");
    }
}

static void emit_event(const struct mr_batch *batch, const struct mr_event *event)
{
    static const char *const kinds[] = {"?", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "READ"};
    if (event->kind == MR_EVENT_NOTE) {
        const struct mr_note *note = &batch->notes[event->chunk];
        char line[512];
        (void)snprintf(line, sizeof(line), "  NOTE %d <%.*s> <%.*s>\n", note->kind,
                       (int)note->name.length, (const char *)note->name.bytes,
                       (int)note->text.length, (const char *)note->text.bytes);
        emit(line);
        return;
    }
    const struct mr_schema *schema = mr_batch_event_schema(batch, event);
    const unsigned count = event->kind == MR_EVENT_TRUNCATE ? 1 : event->count;
    for (unsigned i = 0; i < count; i++) {
        char head[256];
        (void)snprintf(head, sizeof(head), "  %s %s.%s version %u\n", kinds[event->kind],
                       schema->space, schema->table, schema->version);
        emit(head);
        if (event->kind != MR_EVENT_TRUNCATE && event->chunk != MR_NO_CHUNK) {
            emit_row(batch->chunks[event->chunk], event->row + i);
        }
        if (event->before_chunk != MR_NO_CHUNK) {
            emit("   before\n");
            emit_row(batch->chunks[event->before_chunk], event->before_row + i);
        }
    }
}

static void emit_batch(const struct mr_batch *batch)
{
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct mr_transaction *transaction = &batch->transactions[i];
        const struct mr_slice origin = batch->origins[transaction->origin];
        char head[256];
        (void)snprintf(head, sizeof(head), "TRANSACTION %u rows%s%.*s\n", transaction->row_count,
                       origin.length > 0 ? " from " : "", (int)origin.length,
                       origin.length > 0 ? (const char *)origin.bytes : "");
        emit(head);
        assert_true(transaction->end.major > 0);
        assert_true(transaction->commit_us > INT64_C(1700000000000000) || origin.length > 0 ||
                    transaction->number == 0);
        for (uint32_t n = 0; n < transaction->event_count; n++) {
            emit_event(batch, &batch->events[transaction->first_event + n]);
        }
    }
}

static void emit_schemas(const struct mr_catalog *catalog)
{
    for (uint32_t id = 1; id <= mr_catalog_count(catalog); id++) {
        const struct mr_schema *schema = mr_catalog_find(catalog, id);
        char line[256];
        (void)snprintf(line, sizeof(line), "SCHEMA %s.%s version %u%s\n", schema->space,
                       schema->table, schema->version, schema->full_before ? " full before" : "");
        emit(line);
        for (uint16_t i = 0; i < schema->column_count; i++) {
            const struct mr_column *column = &schema->columns[i];
            char key[16] = "";
            if (column->key_index != MR_NOT_IN_KEY) {
                (void)snprintf(key, sizeof(key), " key %u", column->key_index);
            }
            (void)snprintf(line, sizeof(line), "    %s %s -> %s(%u,%u)%s\n", column->name,
                           column->source_type, mr_type_name(column->type), column->precision,
                           column->scale, key);
            emit(line);
        }
    }
}

static size_t from_hex(const char *hex, uint8_t *bytes)
{
    size_t count = 0;
    for (; hex[0] != '\0' && hex[0] != '\n'; hex += 2) {
        unsigned value = 0;
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        bytes[count++] = (uint8_t)value;
    }
    return count;
}

static struct mr_pg_spool *open_spool(struct mr_fake_env *fake)
{
    struct mr_error err = {0};
    const struct mr_env *env = mr_fake_env_as_env(fake);
    const int dir_fd = env->open_dir(env, MR_ENV_CWD, ".");
    struct mr_pg_spool *spool = mr_pg_spool_open(env, dir_fd, "golden", &err);
    assert_non_null(spool);
    (void)env->close(env, dir_fd);
    return spool;
}

static void decode_file(const char *path)
{
    static char line[LINE_BYTES];
    static uint8_t bytes[LINE_BYTES / 2];
    static const struct mr_string_list all = {0};
    struct mr_error err = {0};
    struct mr_fake_env *fake = mr_fake_env_open(1);
    struct mr_pgoutput decoder = {
        .spool = open_spool(fake),
        .keeps_relations = true,
        .catalog = mr_catalog_open(),
        .filter = {.include = &all, .exclude = &all},
        .value_bytes_max = BATCH_BYTES,
    };
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, BATCH_BYTES, &err);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_true(mr_pgoutput_init(&decoder, &err));
    output_length = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        const size_t length = from_hex(line, bytes);
        const enum mr_pg_decoded decoded = mr_pgoutput_decode(&decoder, batch, bytes, length, &err);
        if (decoded != MR_PG_DECODED) {
            print_message("%s\n", err.message);
        }
        assert_int_equal(decoded, MR_PG_DECODED);
    }
    (void)fclose(file);
    assert_false(decoder.in_transaction);
    assert_int_equal(mr_pg_spool_count(decoder.spool), 0);
    emit_schemas(decoder.catalog);
    emit_batch(batch);
    mr_batch_release(batch);
    mr_batch_pool_close(pool);
    struct mr_catalog *catalog = decoder.catalog;
    mr_pgoutput_done(&decoder);
    mr_pg_spool_close(decoder.spool);
    mr_fake_env_close(fake);
    mr_catalog_close(catalog);
}

static void expect_file(const char *path)
{
    static char expected[OUTPUT_BYTES];
    if (getenv("GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "we");
        assert_non_null(file);
        assert_int_equal(fwrite(output, 1, output_length, file), output_length);
        assert_int_equal(fclose(file), 0);
        return;
    }
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    expected[fread(expected, 1, sizeof(expected) - 1, file)] = '\0';
    (void)fclose(file);
    assert_string_equal(output, expected);
}

static void recorded_bytes_decode_as_expected(void **state)
{
    static const char *const names[] = {"types",    "every",  "changes",
                                        "progress", "images", "newest"};
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        char path[PATH_BYTES];
        print_message("    %s\n", names[i]);
        (void)snprintf(path, sizeof(path), "%s/%s.pgoutput", directory, names[i]);
        decode_file(path);
        (void)snprintf(path, sizeof(path), "%s/%s.expected", directory, names[i]);
        expect_file(path);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_bytes_decode_as_expected),
    };
    directory = argc > 1 ? argv[1] : ".";
    return cmocka_run_group_tests_name("golden_pgoutput", tests, NULL, NULL);
}
