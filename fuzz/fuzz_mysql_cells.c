// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: the first byte chooses a column, the second on_type_error; the rest is a cell
 * as it lies in the binlog. It becomes a value of the column's core type, UTF-8 where that is
 * text, or fails with a code and a message. Corpus: corpus/mysql_cells.
 */
#include <assert.h>

#include "batch.h"
#include "charset.h"
#include "table_layout.h"

#define BATCH_BYTES     ((size_t)4 << 20)
#define VALUE_BYTES_MAX 65536

static const struct mr_mysql_column_info columns[] = {
    {.name = "c", .column_type = "mediumint"},
    {.name = "c", .column_type = "decimal(38,10)"},
    {.name = "c", .column_type = "decimal(65,30)"},
    {.name = "c", .column_type = "bit(64)"},
    {.name = "c", .column_type = "year"},
    {.name = "c", .column_type = "date"},
    {.name = "c", .column_type = "datetime(6)"},
    {.name = "c", .column_type = "timestamp(3)"},
    {.name = "c", .column_type = "time(5)"},
    {.name = "c", .column_type = "varchar(300)", .charset = "utf8mb4"},
    {.name = "c", .column_type = "varchar(300)", .charset = "cp1250"},
    {.name = "c", .column_type = "text", .charset = "sjis"},
    {.name = "c", .column_type = "binary(20)"},
    {.name = "c", .column_type = "enum('a','b')", .charset = "utf8mb4"},
    {.name = "c", .column_type = "set('a','b','c','d','e','f','g','h','i')", .charset = "utf8mb4"},
    {.name = "c", .column_type = "json"},
    {.name = "c", .column_type = "longtext", .charset = "latin1", .is_json = true},
    {.name = "c", .column_type = "geometry"},
    {.name = "c", .column_type = "vector(3)"},
    {.name = "c", .column_type = "inet4"},
    {.name = "c", .column_type = "inet6"},
    {.name = "c", .column_type = "uuid"},
    {.name = "c", .column_type = "blob /*M!100301 COMPRESSED*/"},
    {.name = "c", .column_type = "varchar(9) /*M!100301 COMPRESSED*/", .charset = "latin1"},
};

static void check_cell(const struct mr_chunk *chunk)
{
    const struct mr_column_chunk *cells = &chunk->columns[0];
    if (mr_bit(cells->valid, 0) && (cells->type == MR_TYPE_TEXT || cells->type == MR_TYPE_JSON)) {
        assert(mr_utf8_is_valid(cells->heap + cells->offsets[0],
                                cells->offsets[1] - cells->offsets[0]));
    }
}

static void put(const struct mr_mysql_layout *layout, struct mr_slice bytes)
{
    struct mr_error err = {0};
    struct mr_writer scratch;
    uint16_t index = 0;
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, 0, &err);
    assert(pool != NULL);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    struct mr_chunk *chunk = mr_batch_chunk_for(batch, layout->schema, MR_IMAGE_FULL, &index, &err);
    assert(chunk != NULL);
    mr_writer_init(&scratch, VALUE_BYTES_MAX);
    const struct mr_mysql_cell to = {
        .cells = chunk->columns, .arena = &batch->arena, .scratch = &scratch};
    if (layout->columns[0].put_binlog(&layout->columns[0], bytes, &to, &err)) {
        assert(err.code == MR_OK);
        check_cell(chunk);
    } else {
        assert(err.code != MR_OK && err.message[0] != '\0');
    }
    mr_writer_done(&scratch);
    mr_batch_release(batch);
    mr_batch_pool_close(pool);
}

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum mr_on_type_error reactions[] = {MR_ON_TYPE_ERROR_STOP, MR_ON_TYPE_ERROR_TEXT,
                                                      MR_ON_TYPE_ERROR_NULL};
    if (size < 2 || size > VALUE_BYTES_MAX) {
        return 0;
    }
    const struct mr_policies policies = {
        .fallback = {.match = "*", .on_type_error = reactions[data[1] % MR_ARRAY_LEN(reactions)]}};
    const struct mr_mysql_table_info info = {.space = "s",
                                             .table = "t",
                                             .columns = &columns[data[0] % MR_ARRAY_LEN(columns)],
                                             .column_count = 1};
    struct mr_error err = {0};
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_mysql_layout *layout =
        mr_mysql_layout_from_info(&info,
                                  &(const struct mr_mysql_layout_terms){
                                      .catalog = catalog, .policies = &policies, .source = "x"},
                                  &err);
    assert(layout != NULL);
    const size_t fixed = layout->columns[0].fixed_size;
    if (fixed == 0 || fixed <= size - 2) {
        put(layout, (struct mr_slice){data + 2, fixed == 0 ? size - 2 : fixed});
    }
    mr_mysql_layout_close(layout);
    mr_catalog_close(catalog);
    return 0;
}
