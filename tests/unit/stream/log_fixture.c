// SPDX-License-Identifier: MIT
/*
 * log_fixture.c - see log_fixture.h.
 */
#include "log_fixture.h"

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crc32c.h"

#define POOL_BATCHES    64
#define BATCH_BYTES_MAX ((size_t)16 << 20)
#define BATCH_KEPT      ((size_t)256 << 10)

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % below;
}

static void init_common(struct log_fixture *fixture)
{
    struct mr_error err = {0};
    fixture->pool = mr_batch_pool_open(POOL_BATCHES, BATCH_BYTES_MAX, BATCH_KEPT, &err);
    assert_non_null(fixture->pool);
    fixture->ops = &mr_stream_log;
    fixture->source_index = 3;
    fixture->config = (struct mr_stream_log_config){
        .segment_bytes_max = 65536,
        .retention_ms = UINT64_MAX,
        .retention_bytes = UINT64_C(1) << 40,
        .compression = 1,
    };
    fixture->tail_bytes_max = UINT64_C(1) << 20;
}

void log_fixture_init(struct log_fixture *fixture, uint64_t seed)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->fake = mr_fake_env_open(seed);
    fixture->env = mr_fake_env_as_env(fixture->fake);
    fixture->data_dir_fd = fixture->env->open_dir(fixture->env, MR_ENV_CWD, "/");
    assert_true(fixture->data_dir_fd >= 0);
    init_common(fixture);
}

void log_fixture_init_real(struct log_fixture *fixture)
{
    memset(fixture, 0, sizeof(*fixture));
    fixture->env = &mr_env_posix;
    (void)snprintf(fixture->directory, sizeof(fixture->directory), "stream-log-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    fixture->data_dir_fd = fixture->env->open_dir(fixture->env, MR_ENV_CWD, fixture->directory);
    assert_true(fixture->data_dir_fd >= 0);
    init_common(fixture);
}

static bool delete_entry(void *context, const char *name)
{
    assert_int_equal(unlinkat(*(const int *)context, name, 0), 0);
    return true;
}

static void delete_real(struct log_fixture *fixture)
{
    const struct mr_env *env = fixture->env;
    int fd = env->open_dir(env, fixture->data_dir_fd, "stream/ops");
    if (fd >= 0) {
        assert_int_equal(env->list_dir(env, fd, delete_entry, &fd), 0);
        (void)env->close(env, fd);
        assert_int_equal(unlinkat(fixture->data_dir_fd, "stream/ops", AT_REMOVEDIR), 0);
        assert_int_equal(unlinkat(fixture->data_dir_fd, "stream", AT_REMOVEDIR), 0);
    }
    assert_int_equal(rmdir(fixture->directory), 0);
}

void log_fixture_done(struct log_fixture *fixture)
{
    log_fixture_close(fixture);
    if (fixture->fake == NULL) {
        delete_real(fixture);
    }
    (void)fixture->env->close(fixture->env, fixture->data_dir_fd);
    mr_batch_pool_close(fixture->pool);
    mr_fake_env_close(fixture->fake);
}

bool log_fixture_open(struct log_fixture *fixture, struct mr_error *err)
{
    assert_null(fixture->stream);
    fixture->catalog = mr_catalog_open();
    const struct mr_stream_context context = {
        .source = "ops",
        .config = &fixture->config,
        .env = fixture->env,
        .data_dir_fd = fixture->data_dir_fd,
        .catalog = fixture->catalog,
        .tail_bytes_max = fixture->tail_bytes_max,
        .batch_bytes_max = BATCH_BYTES_MAX,
        .source_index = fixture->source_index,
    };
    fixture->stream = fixture->ops->open(&context, err);
    if (fixture->stream == NULL) {
        assert_int_not_equal(err->code, MR_OK);
        mr_catalog_close(fixture->catalog);
        fixture->catalog = NULL;
        return false;
    }
    fixture->is_open = false;
    return true;
}

void log_fixture_close(struct log_fixture *fixture)
{
    fixture->ops->close(fixture->stream);
    fixture->stream = NULL;
    mr_catalog_close(fixture->catalog);
    fixture->catalog = NULL;
}

#define KEY(place, of, ...)                                                                        \
    {                                                                                              \
        .name = of, .key_index = place, __VA_ARGS__                                                \
    }
#define COLUMN(of, ...)                                                                            \
    {                                                                                              \
        .name = of, .key_index = MR_NOT_IN_KEY, .nullable = true, __VA_ARGS__                      \
    }

static const struct mr_column wide_columns[] = {
    KEY(1, "id", .type = MR_TYPE_I64, .source_type = "bigint"),
    COLUMN("bool", .type = MR_TYPE_BOOL),
    COLUMN("i8", .type = MR_TYPE_I8),
    COLUMN("i16", .type = MR_TYPE_I16),
    COLUMN("u8", .type = MR_TYPE_U8),
    COLUMN("u16", .type = MR_TYPE_U16),
    COLUMN("u32", .type = MR_TYPE_U32),
    COLUMN("u64", .type = MR_TYPE_U64),
    COLUMN("f32", .type = MR_TYPE_F32),
    COLUMN("f64", .type = MR_TYPE_F64),
    COLUMN("dec4", .type = MR_TYPE_DECIMAL, .precision = 4, .scale = 2),
    COLUMN("dec9", .type = MR_TYPE_DECIMAL, .precision = 9, .scale = 2),
    COLUMN("dec18", .type = MR_TYPE_DECIMAL, .precision = 18, .scale = 2),
    COLUMN("dec38", .type = MR_TYPE_DECIMAL, .precision = 38, .scale = 2),
    COLUMN("date", .type = MR_TYPE_DATE),
    COLUMN("time", .type = MR_TYPE_TIME),
    COLUMN("duration", .type = MR_TYPE_DURATION),
    COLUMN("ts", .type = MR_TYPE_TIMESTAMP, .fallback = "now()"),
    COLUMN("tstz", .type = MR_TYPE_TIMESTAMPTZ),
    COLUMN("uuid", .type = MR_TYPE_UUID),
    COLUMN("text", .type = MR_TYPE_TEXT, .charset = "utf8mb4"),
    COLUMN("bytes", .type = MR_TYPE_BYTES),
    KEY(0, "region", .type = MR_TYPE_TEXT),
    COLUMN("json", .type = MR_TYPE_JSON),
};

static const struct mr_column small_columns[] = {
    KEY(0, "id", .type = MR_TYPE_I32),
    COLUMN("name", .type = MR_TYPE_TEXT,
           .labels = "a\x1f"
                     "b"),
};

static const struct mr_column keyless_columns[] = {
    COLUMN("line", .type = MR_TYPE_TEXT),
};

const struct mr_schema *log_fixture_schema(struct log_fixture *fixture, uint32_t which)
{
    static const struct mr_schema drafts[] = {
        {.space = "shop",
         .table = "wide",
         .columns = wide_columns,
         .column_count = MR_ARRAY_LEN(wide_columns)},
        {.space = "shop",
         .table = "small",
         .columns = small_columns,
         .column_count = MR_ARRAY_LEN(small_columns)},
        {.space = "shop",
         .table = "keyless",
         .columns = keyless_columns,
         .column_count = MR_ARRAY_LEN(keyless_columns),
         .full_before = true},
    };
    struct mr_error err = {0};
    assert_true(which < MR_ARRAY_LEN(drafts));
    const struct mr_schema *schema = mr_catalog_intern(fixture->catalog, &drafts[which], &err);
    assert_non_null(schema);
    return schema;
}

static void put_cell(struct mr_batch *batch, struct mr_chunk *chunk, uint16_t i, uint64_t *state)
{
    struct mr_column_chunk *column = &chunk->columns[i];
    const uint32_t row = chunk->row_count;
    const uint64_t kind =
        mr_chunk_column(chunk, i)->key_index != MR_NOT_IN_KEY ? 0 : draw(state, 20);
    if (kind >= 14) {
        const enum mr_cell_state states[] = {MR_CELL_NULL,      MR_CELL_NULL,      MR_CELL_NULL,
                                             MR_CELL_UNCHANGED, MR_CELL_UNCHANGED, MR_CELL_ABSENT};
        assert_true(mr_put_state(column, &batch->arena, row, chunk->capacity, states[kind - 14]));
        return;
    }
    uint8_t bytes[48];
    const size_t length = column->width != 0 ? column->width : draw(state, sizeof(bytes) + 1);
    for (size_t b = 0; b < length; b++) {
        bytes[b] = (uint8_t)('a' + draw(state, 16));
    }
    if (column->width == 0) {
        assert_true(mr_put_bytes(column, &batch->arena, row, bytes, length));
    } else {
        memcpy(column->values + (size_t)row * column->width, bytes, length);
        mr_put_valid(column, row);
    }
}

static uint16_t put_row(struct mr_batch *batch, const struct mr_schema *schema, enum mr_image image,
                        uint16_t *chunk_index, uint64_t *state)
{
    struct mr_error err = {0};
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, schema, image, chunk_index, &err);
    assert_non_null(chunk);
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        put_cell(batch, chunk, i, state);
    }
    return mr_chunk_end_row(chunk);
}

static void put_note(struct mr_batch *batch, const struct mr_schema *schema, uint64_t *state)
{
    struct mr_error err = {0};
    uint8_t text[32];
    const uint64_t drawn = draw(state, 1 << 8);
    memset(text, (int)('a' + drawn % 16), sizeof(text));
    const struct mr_note note = {
        .kind = (uint8_t)(MR_NOTE_MESSAGE + drawn % 4),
        .flags = drawn % 8 == 0 ? MR_NOTE_TRANSACTIONAL : 0,
        .before = drawn % 2 == 0 ? schema : NULL,
        .after = drawn % 3 == 0 ? schema : NULL,
        .name = {text, drawn % 5},
        .text = {text, drawn % sizeof(text)},
        .renamed = {text, drawn % 7},
    };
    assert_true(mr_batch_add_note(batch, &note, &err));
}

static void put_event(struct mr_batch *batch, const struct mr_schema *schema, uint64_t *state)
{
    struct mr_error err = {0};
    const enum mr_image before_image = schema->key_count > 0 ? MR_IMAGE_KEY : MR_IMAGE_FULL;
    const uint64_t kind = draw(state, 10);
    uint16_t chunk = MR_NO_CHUNK;
    uint16_t before_chunk = MR_NO_CHUNK;
    uint16_t row = 0;
    uint16_t before_row = 0;
    if (kind == 9 && draw(state, 2) == 0) {
        put_note(batch, schema, state);
        return;
    }
    if (kind == 9) {
        assert_true(mr_batch_add_truncate(batch, schema, &err));
        return;
    }
    if (kind >= 6 || (kind == 5 && schema->key_count == 0)) {
        before_row = put_row(batch, schema, before_image, &before_chunk, state);
    }
    if (kind < 8) {
        row = put_row(batch, schema, MR_IMAGE_FULL, &chunk, state);
    }
    const enum mr_event_kind event = kind == 8   ? MR_EVENT_DELETE
                                     : kind >= 5 ? MR_EVENT_UPDATE
                                                 : MR_EVENT_INSERT;
    assert_true(mr_batch_add_event(batch, event, chunk, row, before_chunk, before_row, &err));
}

void log_fixture_fill(struct log_fixture *fixture, struct mr_batch *batch, uint64_t seed,
                      uint32_t rows, enum log_part part)
{
    struct mr_error err = {0};
    uint64_t state = seed;
    batch->continues = part == LOG_MIDDLE || part == LOG_END;
    assert_true(mr_batch_begin(batch, seed, 0, &err));
    for (uint32_t i = 0; i < rows; i++) {
        const uint64_t which = draw(&state, 8);
        put_event(batch, log_fixture_schema(fixture, which < 5 ? 0 : which < 7 ? 1 : 2), &state);
    }
    if (part == LOG_BEGIN || part == LOG_MIDDLE) {
        mr_batch_suspend(batch);
        return;
    }
    uint16_t origin = 0;
    char text[32];
    const int length = snprintf(text, sizeof(text), "server-%u", (unsigned)(seed % 3));
    if (seed % 3 != 0) {
        assert_true(mr_batch_origin(batch, (struct mr_slice){(uint8_t *)text, (size_t)length},
                                    &origin, &err));
    }
    batch->transactions[batch->transaction_count - 1].origin = origin;
    const struct mr_native_position end = {.major = seed, .minor = 7};
    mr_batch_commit(batch, end, (int64_t)seed * 1000);
    const int size = snprintf(text, sizeof(text), "at/%llu", (unsigned long long)seed);
    assert_true(mr_batch_set_position(batch, mr_slice_of("epoch-1"),
                                      (struct mr_slice){(uint8_t *)text, (size_t)size}, end, &err));
}

static uint32_t sum_cell(uint32_t sum, const struct mr_column_chunk *column, uint32_t row)
{
    const uint8_t state = (uint8_t)mr_cell_state(column, row);
    const struct mr_slice bytes = mr_cell(column, row);
    const uint32_t length = (uint32_t)bytes.length;
    sum = mr_crc32c(sum, &state, 1);
    sum = mr_crc32c(sum, &length, sizeof(length));
    return state == MR_CELL_VALUE ? mr_crc32c(sum, bytes.bytes, bytes.length) : sum;
}

static uint32_t sum_row(uint32_t sum, const struct mr_batch *batch, uint16_t index, uint32_t row)
{
    if (index == MR_NO_CHUNK) {
        return mr_crc32c(sum, "-", 1);
    }
    const struct mr_chunk *chunk = batch->chunks[index];
    MR_ASSERT(row < chunk->row_count);
    sum = mr_crc32c(sum, chunk->schema->table, strlen(chunk->schema->table));
    for (uint16_t i = 0; i < chunk->column_count; i++) {
        sum = sum_cell(sum, &chunk->columns[i], row);
    }
    return sum;
}

static uint32_t sum_note(uint32_t sum, const struct mr_note *note)
{
    const struct mr_schema *const schemas[] = {note->before, note->after};
    sum = mr_crc32c(sum, &note->kind, 1);
    sum = mr_crc32c(sum, &note->flags, 1);
    for (size_t i = 0; i < MR_ARRAY_LEN(schemas); i++) {
        const char *table = schemas[i] != NULL ? schemas[i]->table : "-";
        sum = mr_crc32c(sum, table, strlen(table));
    }
    sum = mr_crc32c(sum, note->name.bytes, note->name.length);
    sum = mr_crc32c(sum, note->renamed.bytes, note->renamed.length);
    return mr_crc32c(sum, note->text.bytes, note->text.length);
}

/* Row by row, so that it does not matter how rows were run together. */
static uint32_t sum_events(uint32_t sum, const struct mr_batch *batch,
                           const struct mr_transaction *transaction)
{
    for (uint32_t i = 0; i < transaction->event_count; i++) {
        const struct mr_event *event = &batch->events[transaction->first_event + i];
        sum = mr_crc32c(sum, &event->kind, 1);
        if (event->kind == MR_EVENT_NOTE) {
            sum = sum_note(sum, &batch->notes[event->chunk]);
        }
        if (event->kind == MR_EVENT_TRUNCATE) {
            const char *table = batch->truncated[event->chunk]->table;
            sum = mr_crc32c(sum, table, strlen(table));
        }
        for (uint32_t row = 0; row < event->count; row++) {
            sum = row > 0 ? mr_crc32c(sum, &event->kind, 1) : sum;
            sum = sum_row(sum, batch, event->before_chunk, event->before_row + row);
            sum = sum_row(sum, batch, event->chunk, event->row + row);
        }
    }
    return sum;
}

static uint32_t sum_commit(uint32_t sum, const struct mr_batch *batch,
                           const struct mr_transaction *transaction)
{
    const struct mr_slice origin = batch->origins[transaction->origin];
    sum = mr_crc32c(sum, &transaction->end, sizeof(transaction->end));
    sum = mr_crc32c(sum, &transaction->number, sizeof(transaction->number));
    sum = mr_crc32c(sum, &transaction->commit_us, sizeof(transaction->commit_us));
    return mr_crc32c(sum, origin.bytes, origin.length);
}

uint32_t log_fixture_sum(const struct mr_batch *batch, uint32_t transaction)
{
    const struct mr_transaction *of = &batch->transactions[transaction];
    return sum_commit(sum_events(0, batch, of), batch, of);
}

/* Lets the model follow a batch; one that failed may all the same be found after a crash. */
static void model_batch(struct log_fixture *fixture, const struct mr_batch *batch, bool appended)
{
    uint32_t count = fixture->appended;
    bool is_open = fixture->is_open;
    uint32_t open_sum = fixture->open_sum;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct mr_transaction *transaction = &batch->transactions[i];
        const bool goes_on = i == 0 && batch->continues;
        const uint32_t sum = sum_events(goes_on ? open_sum : 0, batch, transaction);
        assert_true(goes_on == is_open);
        assert_true(!appended || batch->first_sequence + i == count + 1);
        is_open = batch->continued && i + 1 == batch->transaction_count;
        open_sum = sum;
        if (!is_open) {
            assert_true(count < FIXTURE_MODEL_MAX);
            fixture->seeds[count] = transaction->end.major;
            fixture->model[count++] = sum_commit(sum, batch, transaction);
        }
    }
    fixture->attempted = count;
    if (appended) {
        fixture->appended = count;
        fixture->is_open = is_open;
        fixture->open_sum = open_sum;
    }
}

struct mr_batch *log_fixture_take(struct log_fixture *fixture)
{
    struct mr_batch *batch = mr_batch_take(fixture->pool, 0);
    assert_non_null(batch);
    return batch;
}

static bool append(struct log_fixture *fixture, struct mr_batch *batch, struct mr_error *err)
{
    const bool appended = fixture->ops->append(fixture->stream, batch, err);
    model_batch(fixture, batch, appended);
    mr_batch_release(batch);
    return appended;
}

bool log_fixture_append(struct log_fixture *fixture, uint64_t seed, uint32_t transactions,
                        uint32_t rows, struct mr_error *err)
{
    struct mr_batch *batch = log_fixture_take(fixture);
    for (uint32_t i = 0; i < transactions; i++) {
        log_fixture_fill(fixture, batch, seed + i, rows, LOG_WHOLE);
    }
    return append(fixture, batch, err);
}

bool log_fixture_append_part(struct log_fixture *fixture, uint64_t seed, uint32_t rows,
                             enum log_part part, struct mr_error *err)
{
    struct mr_batch *batch = log_fixture_take(fixture);
    log_fixture_fill(fixture, batch, seed, rows, part);
    return append(fixture, batch, err);
}

bool log_fixture_abort(struct log_fixture *fixture, struct mr_error *err)
{
    if (!fixture->ops->abort(fixture->stream, err)) {
        return false;
    }
    fixture->is_open = false;
    return true;
}

bool log_fixture_sync(struct log_fixture *fixture, struct mr_error *err)
{
    if (!fixture->ops->sync(fixture->stream, err)) {
        return false;
    }
    fixture->synced = fixture->appended;
    return true;
}

void log_check_batch(struct log_check *check, const struct mr_batch *batch)
{
    check->batches++;
    assert_int_equal(batch->source_index == 3 || batch->source_index == 0, 1);
    if (batch->transaction_count == 0) {
        return;
    }
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        const struct mr_transaction *transaction = &batch->transactions[i];
        const uint64_t sequence = batch->first_sequence + i;
        const bool goes_on = i == 0 && batch->continues;
        const uint32_t sum = sum_events(goes_on ? check->sum : 0, batch, transaction);
        if (sequence < check->next) {
            continue; /* callers skip what came before */
        }
        assert_int_equal(sequence, check->next);
        assert_int_equal(goes_on, check->is_open);
        check->is_open = batch->continued && i + 1 == batch->transaction_count;
        check->sum = sum;
        if (!check->is_open) {
            assert_true(sequence <= check->fixture->appended);
            assert_int_equal(sum_commit(sum, batch, transaction),
                             check->fixture->model[sequence - 1]);
            check->next++;
        }
    }
}

uint64_t log_fixture_read_all(struct log_fixture *fixture, uint64_t first, uint64_t last)
{
    struct mr_error err = {0};
    struct log_check check = {.fixture = fixture, .next = first};
    struct mr_stream_reader *reader = fixture->ops->reader_open(fixture->stream, first, &err);
    if (reader == NULL) {
        print_error("reader_open: %s\n", err.message);
        assert_non_null(reader);
    }
    for (;;) {
        struct mr_batch *batch = fixture->ops->reader_next(reader, 0, &err);
        if (batch == NULL) {
            break;
        }
        log_check_batch(&check, batch);
        mr_batch_release(batch);
    }
    if (err.code != MR_OK) {
        print_error("reader_next: %s\n", err.message);
    }
    assert_int_equal(err.code, MR_OK);
    fixture->ops->reader_close(reader);
    assert_false(check.is_open);
    if (last != LOG_ANY) {
        assert_int_equal(check.next - 1, last);
    } else {
        assert_true(check.next - 1 >= fixture->synced || first > fixture->synced);
        assert_true(check.next - 1 <= fixture->appended);
    }
    return check.next - 1;
}

static void check_position(struct log_fixture *fixture, uint64_t last)
{
    const struct mr_position *position = fixture->ops->position(fixture->stream);
    char expected[32];
    if (last == 0) {
        assert_null(position->text);
        return;
    }
    (void)snprintf(expected, sizeof(expected), "at/%llu",
                   (unsigned long long)fixture->seeds[last - 1]);
    assert_non_null(position->text);
    assert_string_equal(position->text, expected);
    assert_int_equal(position->native.major, fixture->seeds[last - 1]);
}

bool log_fixture_survives(struct log_fixture *fixture, struct mr_error *err)
{
    struct mr_stream_observation seen;
    if (!log_fixture_open(fixture, err)) {
        return false;
    }
    fixture->ops->observe(fixture->stream, &seen);
    assert_true(seen.last_sequence >= fixture->synced);
    assert_true(seen.last_sequence <= fixture->appended ||
                seen.last_sequence <= fixture->attempted);
    check_position(fixture, seen.last_sequence);
    fixture->appended = (uint32_t)seen.last_sequence;
    fixture->synced = fixture->appended;
    log_fixture_read_all(fixture, seen.first_sequence, seen.last_sequence);
    if (!log_fixture_append(fixture, 900000 + seen.last_sequence, 2, 3, err) ||
        !log_fixture_sync(fixture, err)) {
        log_fixture_close(fixture);
        return false;
    }
    fixture->ops->observe(fixture->stream, &seen); /* retention may have deleted the oldest */
    log_fixture_read_all(fixture, seen.first_sequence, fixture->appended);
    log_fixture_close(fixture);
    return true;
}

struct newest {
    char name[64];
};

static bool find_newest(void *context, const char *name)
{
    struct newest *newest = context;
    const size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, ".seg") == 0 && strcmp(name, newest->name) > 0) {
        (void)snprintf(newest->name, sizeof(newest->name), "%s", name);
    }
    return true;
}

void log_fixture_newest(struct log_fixture *fixture, char path[128])
{
    struct newest newest = {{0}};
    const struct mr_env *env = fixture->env;
    const int fd = env->open_dir(env, fixture->data_dir_fd, "stream/ops");
    assert_true(fd >= 0);
    assert_int_equal(env->list_dir(env, fd, find_newest, &newest), 0);
    (void)env->close(env, fd);
    assert_true(newest.name[0] != '\0');
    (void)snprintf(path, 128, "stream/ops/%s", newest.name);
}
