// SPDX-License-Identifier: MIT
/*
 * libFuzzer target: what a PostgreSQL server sends. The first byte says how:
 *
 *   0   pgoutput messages, each as u16 length (big-endian) and bytes
 *   1   one binary COPY, decoded as a table with a column of every type
 *   2   messages as for 0, transactions in progress and prepared ones are kept; with 4 besides,
 *       foreign ones are left out
 *
 * Batches are small, so that full ones occur. Whatever comes out is printed cell by cell; whatever
 * does not fails with a code and a message and leaves the batch whole. Corpus: corpus/pgoutput.
 */
#include <assert.h>
#include <string.h>

#include "fake_env.h"
#include "pg_copy.h"
#include "pg_tree.h"
#include "pgoutput.h"

#define BATCH_BYTES     (256u << 10)
#define VALUE_BYTES_MAX 4096
#define MESSAGES_MAX    4096

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Numbers of built-in types, and those that make_types() makes up. */
enum { COMPOSITE = 70000, COMPOSITES, HSTORE, DOMAIN_OF_ARRAY, TEXT_RANGE, FOREIGN };
static const uint32_t type_oids[] = {
    16,         17,      18,   19,        20,
    21,         23,      25,   26,        27,
    114,        142,     600,  601,       602,
    603,        604,     628,  650,       700,
    701,        718,     774,  790,       829,
    869,        1042,    1043, 1082,      1083,
    1114,       1184,    1186, 1266,      1560,
    1562,       1700,    2950, 3220,      3614,
    3802,       4072,    1007, 1009,      1231,
    1021,       199,     22,   3904,      3906,
    3908,       4451,    6152, COMPOSITE, COMPOSITES,
    HSTORE,     5069,    1187, 1000,      3905,
    2201,       1003,    1016, 1002,      DOMAIN_OF_ARRAY,
    TEXT_RANGE, FOREIGN,
};

static void make_types(struct mr_pg_types *types)
{
    static const char *const names[] = {"n", "many"};
    static const uint32_t oids[] = {23, 1009};
    const struct mr_pg_type_draft drafts[] = {
        {.oid = COMPOSITE,
         .shape = MR_PG_SHAPE_COMPOSITE,
         .field_count = 2,
         .field_names = names,
         .field_oids = oids},
        {.oid = COMPOSITES, .shape = MR_PG_SHAPE_ARRAY, .element_oid = COMPOSITE},
        {.oid = HSTORE, .shape = MR_PG_SHAPE_HSTORE},
        {.oid = TEXT_RANGE, .shape = MR_PG_SHAPE_RANGE, .element_oid = 25},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(drafts); i++) {
        mr_pg_types_add(types, &drafts[i]);
    }
    mr_pg_types_add_alias(types, DOMAIN_OF_ARRAY, 1007);
}

/* Every cell of the batch is readable, and the counts agree. */
static void check_batch(const struct mr_batch *batch)
{
    uint32_t rows = 0;
    for (uint32_t i = 0; i < batch->event_count; i++) {
        rows += batch->events[i].kind == MR_EVENT_TRUNCATE ? 0 : batch->events[i].count;
    }
    assert(rows == batch->row_count);
    for (uint32_t i = 0; i < batch->chunk_count; i++) {
        const struct mr_chunk *chunk = batch->chunks[i];
        for (uint32_t row = 0; row < chunk->row_count; row++) {
            for (uint16_t c = 0; c < chunk->column_count; c++) {
                char text[64];
                (void)mr_cell_print(mr_chunk_column(chunk, c), &chunk->columns[c], row, text,
                                    sizeof(text));
            }
        }
    }
}

static void check_outcome(enum mr_pg_decoded decoded, const struct mr_error *err)
{
    if (decoded == MR_PG_FAILED) {
        assert(err->code != MR_OK && err->message[0] != '\0');
    } else {
        assert(err->code == MR_OK);
    }
}

/* Gives each message to the decoder, a second time when the batch was full. */
static void feed(struct mr_pgoutput *decoder, struct mr_batch *batch, struct mr_reader *in)
{
    struct mr_error err = {0};
    enum mr_pg_decoded decoded = MR_PG_DECODED;
    for (int i = 0; i < MESSAGES_MAX && decoded == MR_PG_DECODED; i++) {
        const uint16_t length = mr_read_u16_be(in);
        const uint8_t *bytes = mr_read_bytes(in, length);
        if (bytes == NULL) {
            break;
        }
        decoded = mr_pgoutput_decode(decoder, batch, bytes, length, &err);
        check_outcome(decoded, &err);
        while (decoded == MR_PG_BATCH_FULL) {
            assert(batch->event_count > 0); /* so that it ends */
            mr_pgoutput_hand_on(decoder, batch);
            check_batch(batch);
            mr_batch_clear(batch);
            decoded = mr_pgoutput_decode(decoder, batch, bytes, length, &err);
            check_outcome(decoded, &err);
        }
    }
}

static struct mr_pg_spool *open_spool(struct mr_fake_env *fake)
{
    struct mr_error err = {0};
    const struct mr_env *env = mr_fake_env_as_env(fake);
    const int dir_fd = env->open_dir(env, MR_ENV_CWD, ".");
    struct mr_pg_spool *spool = mr_pg_spool_open(env, dir_fd, "fuzz", &err);
    assert(spool != NULL);
    (void)env->close(env, dir_fd);
    return spool;
}

static void run_messages(const uint8_t *data, size_t size, struct mr_catalog *catalog,
                         struct mr_batch_pool *pool)
{
    static const char *exclude_items[] = {"*.hidden"};
    static const struct mr_string_list include = {0};
    static const struct mr_string_list exclude = {exclude_items, 1};
    struct mr_error err = {0};
    struct mr_fake_env *fake = (data[0] & 2) != 0 ? mr_fake_env_open(1) : NULL;
    struct mr_pgoutput decoder = {
        .spool = fake == NULL ? NULL : open_spool(fake),
        .target_bytes = BATCH_BYTES / 4,
        .keeps_relations = fake != NULL,
        .refuses_foreign = (data[0] & 4) != 0,
        .catalog = catalog,
        .filter = {.include = &include, .exclude = &exclude},
        .value_bytes_max = VALUE_BYTES_MAX,
        .resume_lsn = 16,
    };
    const bool ready = mr_pgoutput_init(&decoder, &err);
    assert(ready);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    struct mr_reader in = mr_reader_init(data + 1, size - 1);
    feed(&decoder, batch, &in);
    mr_pgoutput_hand_on(&decoder, batch);
    check_batch(batch);
    mr_batch_release(batch);
    mr_pgoutput_done(&decoder);
    mr_pg_spool_close(decoder.spool);
    mr_fake_env_close(fake);
}

static void run_copy(const uint8_t *data, size_t size, struct mr_catalog *catalog,
                     struct mr_batch_pool *pool)
{
    struct mr_error err = {0};
    struct mr_pg_types types = {0};
    make_types(&types);
    struct mr_column columns[MR_ARRAY_LEN(type_oids)];
    struct mr_pg_plan plans[MR_ARRAY_LEN(type_oids)];
    for (size_t i = 0; i < MR_ARRAY_LEN(type_oids); i++) {
        columns[i] = (struct mr_column){
            .name = "c", .source_type = "t", .key_index = MR_NOT_IN_KEY, .nullable = true};
        /* numeric(12,2), where a modifier matters */
        const struct mr_pg_type_ref ref = {
            .oid = type_oids[i], .modifier = 786438, .types = &types};
        const bool known = mr_pg_type_resolve(ref, &columns[i], &plans[i]);
        assert(known);
        plans[i].is_nullable = i != 0;
    }
    const struct mr_schema draft = {
        .column_count = MR_ARRAY_LEN(type_oids), .space = "s", .table = "t", .columns = columns};
    struct mr_pg_copy copy = {
        .schema = mr_catalog_intern(catalog, &draft, &err),
        .plans = plans,
        .value_bytes_max = VALUE_BYTES_MAX,
    };
    assert(copy.schema != NULL);
    struct mr_batch *batch = mr_batch_take(pool, 0);
    enum mr_pg_decoded decoded = MR_PG_BATCH_FULL;
    while (decoded == MR_PG_BATCH_FULL) {
        decoded = mr_pg_copy_decode(&copy, batch, data, size, &err);
        check_outcome(decoded, &err);
        check_batch(batch);
        assert(decoded != MR_PG_BATCH_FULL || batch->row_count > 0);
        mr_batch_clear(batch);
    }
    mr_batch_release(batch);
    mr_pg_types_done(&types);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_error err = {0};
    if (size == 0) {
        return 0;
    }
    struct mr_catalog *catalog = mr_catalog_open();
    struct mr_batch_pool *pool = mr_batch_pool_open(1, BATCH_BYTES, BATCH_BYTES, &err);
    assert(pool != NULL);
    if ((data[0] & 1) == 0) {
        run_messages(data, size, catalog, pool);
    } else {
        run_copy(data + 1, size - 1, catalog, pool);
    }
    mr_batch_pool_close(pool);
    mr_catalog_close(catalog);
    return 0;
}
