// SPDX-License-Identifier: MIT
/*
 * pg_snapshot_tables.c - which tables are copied, and in which pieces.
 *
 * The list is what the publication sends, filtered as the stream is. A partitioned table that is
 * published as itself is copied partition by partition. A plain table larger than `snapshot_piece`
 * is cut by ranges of its blocks, which the server reads without looking at the rest (TID range
 * scans, 14 and later); the last range is open, for the table may have grown. A table without a key
 * is one piece: a copy that is interrupted must start it over, since nothing tells its rows apart.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_describe.h"
#include "pg_snapshot.h"
#include "pg_tree.h"
#include "table_filter.h"
#include "writer.h"

#define BLOCK_BYTES        8192
#define COLUMNS_BYTES_MAX  (UINT32_C(1) << 20)
#define QUOTED_BYTES       (2 * MR_PG_NAME_BYTES_MAX + 3)
#define COLUMN_LISTS_MIN   150000 /* column lists and row filters of publications */
#define SCRATCH_BYTES_MAX  (UINT32_C(16) << 20)
#define SCRATCH_BYTES_KEPT (UINT32_C(64) << 10)

enum table_field {
    TABLE_OID,
    TABLE_SPACE,
    TABLE_NAME,
    TABLE_KIND,
    TABLE_IDENTITY,
    TABLE_COLUMNS,
    TABLE_FILTER,
};

#define TABLES_QUERY(columns, filter)                                                              \
    "SELECT c.oid, n.nspname, c.relname, c.relkind, c.relreplident, " columns ", " filter          \
    " FROM pg_catalog.pg_publication_tables p "                                                    \
    "JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname "                                  \
    "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename "            \
    "WHERE p.pubname = $1 ORDER BY n.nspname, c.relname"

enum leaf_field {
    LEAF_OID,
    LEAF_SPACE,
    LEAF_NAME,
    LEAF_FILENODE,
    LEAF_BLOCKS,
    LEAF_ROWS,
    LEAF_HAS_TOAST,
};

static const char leaves_query[] =
    "SELECT c.oid, n.nspname, c.relname, coalesce(pg_catalog.pg_relation_filenode(c.oid), 0), "
    "CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid) / "
    "pg_catalog.current_setting('block_size')::pg_catalog.int8 ELSE 0 END, "
    "greatest(c.reltuples, 0)::pg_catalog.int8, "
    "coalesce(pg_catalog.pg_relation_size(nullif(c.reltoastrelid, 0)), 0) > 0 "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "WHERE (c.oid = $1::pg_catalog.oid AND c.relkind <> 'p') OR c.oid IN "
    "(SELECT t.relid FROM pg_catalog.pg_partition_tree($1::pg_catalog.oid::pg_catalog.regclass) t "
    "WHERE t.isleaf AND t.relid <> $1::pg_catalog.oid) ORDER BY c.oid";

static uint32_t to_u32(const PGresult *result, int row, int field)
{
    const unsigned long long value = strtoull(mr_pg_field(result, row, field), NULL, 10);
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static const char *optional(const PGresult *result, int row, int field)
{
    return PQgetisnull(result, row, field) ? NULL : mr_pg_field(result, row, field);
}

static const char *keep(struct mr_snapshot *snapshot, const char *text)
{
    return text == NULL ? NULL : mr_pg_arena_text(&snapshot->arena, mr_slice_of(text));
}

static bool fail_full(struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP, "too many tables to copy; narrow \"tables\"");
}

static void write_text(struct mr_writer *writer, const char *text)
{
    mr_write_bytes(writer, text, strlen(text));
}

/* Only the server can read the binary form, or there is none: it prints the value. */
static bool is_printed(const struct mr_pg_plan *plan)
{
    return plan->type != NULL &&
           (plan->type->shape == MR_PG_SHAPE_FOREIGN || plan->type->shape == MR_PG_SHAPE_TEXT_ONLY);
}

/*
 * "a", "b", "c". What the server prints is format('%s', ...), the type's output function, not a
 * cast, which a type may define as it likes; DISTINCT FROM is the one test for null that a
 * composite of nulls does not pass.
 */
static const char *column_list(struct mr_snapshot *snapshot, const struct mr_schema *schema,
                               const struct mr_pg_plan *plans)
{
    MR_ASSERT(schema->column_count <= MR_COLUMN_COUNT_MAX);
    struct mr_writer writer;
    mr_writer_init(&writer, COLUMNS_BYTES_MAX);
    for (uint16_t i = 0; i < schema->column_count; i++) {
        char quoted[QUOTED_BYTES];
        mr_pg_quote_identifier(schema->columns[i].name, quoted, sizeof(quoted));
        mr_write_bytes(&writer, ", ", i == 0 ? 0 : 2);
        if (is_printed(&plans[i])) {
            write_text(&writer, "CASE WHEN ");
            write_text(&writer, quoted);
            write_text(&writer, " IS DISTINCT FROM NULL THEN pg_catalog.format('%s', ");
            write_text(&writer, quoted);
            write_text(&writer, ") END");
        } else {
            write_text(&writer, quoted);
        }
    }
    const struct mr_slice list = {writer.bytes, writer.length};
    const char *kept = writer.failed ? NULL : mr_pg_arena_text(&snapshot->arena, list);
    mr_writer_done(&writer);
    return kept;
}

/* ---- Leaves and pieces. ---- */

static bool add_leaf(struct mr_snapshot *snapshot, const PGresult *leaves, int row,
                     const char *filter, struct mr_pg_leaf *leaf)
{
    MR_ASSERT(row < PQntuples(leaves));
    char space[QUOTED_BYTES];
    char table[QUOTED_BYTES];
    char qualified[2 * QUOTED_BYTES];
    const struct mr_pg_config *config = snapshot->context->config;
    mr_pg_quote_identifier(mr_pg_field(leaves, row, LEAF_SPACE), space, sizeof(space));
    mr_pg_quote_identifier(mr_pg_field(leaves, row, LEAF_NAME), table, sizeof(table));
    (void)snprintf(qualified, sizeof(qualified), "%s.%s", space, table);
    *leaf = (struct mr_pg_leaf){
        .qualified = keep(snapshot, qualified),
        .filter = filter,
        .oid = to_u32(leaves, row, LEAF_OID),
        .filenode = to_u32(leaves, row, LEAF_FILENODE),
        .block_count = to_u32(leaves, row, LEAF_BLOCKS),
        .has_toast = strcmp(mr_pg_field(leaves, row, LEAF_HAS_TOAST), "t") == 0,
    };
    const uint64_t piece_blocks = config->snapshot_piece_bytes / BLOCK_BYTES;
    leaf->piece_count = (uint32_t)((leaf->block_count + piece_blocks - 1) / piece_blocks);
    leaf->piece_count = leaf->piece_count == 0 ? 1 : leaf->piece_count;
    return leaf->qualified != NULL;
}

/* A keyless table is one piece, whatever it is made of. */
static void join_leaves(struct mr_snapshot *snapshot, struct mr_pg_copied *copied,
                        const struct mr_pg_table *table)
{
    MR_ASSERT(copied->leaves != NULL);
    char space[QUOTED_BYTES];
    char name[QUOTED_BYTES];
    char qualified[2 * QUOTED_BYTES];
    if (copied->leaf_count == 1) {
        copied->leaves[0].piece_count = 1;
        return;
    }
    mr_pg_quote_identifier(table->space, space, sizeof(space));
    mr_pg_quote_identifier(table->name, name, sizeof(name));
    (void)snprintf(qualified, sizeof(qualified), "%s.%s", space, name);
    copied->leaves[0] = (struct mr_pg_leaf){
        .qualified = keep(snapshot, qualified),
        .filter = copied->leaf_count == 0 ? NULL : copied->leaves[0].filter,
        .oid = table->oid,
        .piece_count = 1,
    };
    copied->leaf_count = 1;
}

/* The publication's row filter and the condition of a wish. */
static const char *both_conditions(struct mr_snapshot *snapshot, const char *filter,
                                   const char *where)
{
    struct mr_writer writer;
    mr_writer_init(&writer, COLUMNS_BYTES_MAX);
    mr_write_bytes(&writer, "(", 1);
    mr_write_bytes(&writer, where, strlen(where));
    mr_write_bytes(&writer, ")", 1);
    if (filter != NULL) {
        mr_write_bytes(&writer, " AND (", 6);
        mr_write_bytes(&writer, filter, strlen(filter));
        mr_write_bytes(&writer, ")", 1);
    }
    const struct mr_slice text = {writer.bytes, writer.length};
    const char *kept = writer.failed ? NULL : mr_pg_arena_text(&snapshot->arena, text);
    mr_writer_done(&writer);
    return kept;
}

/* What is copied: the wished table, or those that are captured. */
static bool is_wanted(const struct mr_snapshot *snapshot, const struct mr_table_filter *filter,
                      const char *space, const char *table)
{
    const struct mr_snapshot_wish *wish = mr_wished_table(snapshot->context);
    if (wish != NULL) {
        return strcmp(wish->space, space) == 0 && strcmp(wish->table, table) == 0;
    }
    return mr_table_filter_takes(filter, space, table);
}

static bool list_leaves(struct mr_snapshot *snapshot, const struct mr_pg_table *table,
                        const char *filter, uint32_t index, struct mr_error *err)
{
    MR_ASSERT(index < snapshot->table_count);
    struct mr_pg_copied *copied = &snapshot->copied[index];
    struct mr_snapshot_table *shown = &snapshot->tables[index];
    char oid[16];
    const char *const parameters[] = {oid};
    (void)snprintf(oid, sizeof(oid), "%u", table->oid);
    PGresult *leaves = mr_pg_query(&snapshot->control, leaves_query, parameters, 1, err);
    if (leaves == NULL) {
        return false;
    }
    const int count = PQntuples(leaves);
    const char *kept = keep(snapshot, filter);
    const struct mr_snapshot_wish *wish = mr_wished_table(snapshot->context);
    if (wish != NULL && wish->where != NULL) {
        kept = both_conditions(snapshot, filter, wish->where);
    }
    copied->leaves = MR_ARENA_NEW(&snapshot->arena, struct mr_pg_leaf, count == 0 ? 1 : count);
    bool ok = copied->leaves != NULL;
    for (int row = 0; ok && row < count; row++) {
        ok = add_leaf(snapshot, leaves, row, kept, &copied->leaves[row]);
        shown->rows_estimate += strtoull(mr_pg_field(leaves, row, LEAF_ROWS), NULL, 10);
        copied->leaf_count++;
    }
    PQclear(leaves);
    if (!ok) {
        return fail_full(err);
    }
    if (shown->exact || count == 0) {
        join_leaves(snapshot, copied, table);
    }
    if (!mr_pg_snapshot_plan(snapshot, index, err)) {
        return false;
    }
    for (uint32_t i = 0; i < copied->leaf_count; i++) {
        shown->piece_count += copied->leaves[i].piece_count;
    }
    MR_ASSERT(shown->piece_count >= 1);
    return true;
}

/* ---- Tables. ---- */

static bool add_table(struct mr_snapshot *snapshot, const PGresult *tables, int row,
                      struct mr_arena *scratch, struct mr_error *err)
{
    MR_ASSERT(row < PQntuples(tables));
    const uint32_t index = snapshot->table_count;
    struct mr_pg_table table = {
        .oid = to_u32(tables, row, TABLE_OID),
        .space = mr_pg_field(tables, row, TABLE_SPACE),
        .name = mr_pg_field(tables, row, TABLE_NAME),
        .identity = mr_pg_field(tables, row, TABLE_IDENTITY)[0],
        .types = &snapshot->types,
    };
    table.policy = mr_policies_find(snapshot->context->policies, snapshot->context->name,
                                    table.space, table.name);
    mr_arena_reset(scratch);
    if (!mr_pg_describe_whole(&snapshot->control, &table, optional(tables, row, TABLE_COLUMNS),
                              scratch, err)) {
        return false;
    }
    if (table.column_count == 0) {
        return true; /* a table without columns: there is nothing to copy */
    }
    struct mr_pg_copied *copied = &snapshot->copied[index];
    copied->plans = MR_ARENA_NEW(&snapshot->arena, struct mr_pg_plan, table.column_count);
    if (copied->plans == NULL) {
        return fail_full(err);
    }
    const struct mr_schema *schema =
        mr_pg_table_intern(&table, snapshot->context->catalog, scratch, copied->plans, err);
    if (schema == NULL) {
        return false;
    }
    for (uint16_t i = 0; i < schema->column_count; i++) {
        /* COPY of a table by itself refuses generated columns. */
        copied->is_selected = copied->is_selected || table.columns[i].is_generated;
        if (is_printed(&copied->plans[i])) {
            copied->is_selected = true;
            copied->plans[i].put = mr_pg_put_text;
        }
    }
    copied->columns = column_list(snapshot, schema, copied->plans);
    if (copied->columns == NULL) {
        return fail_full(err);
    }
    snapshot->tables[index] =
        (struct mr_snapshot_table){.schema = schema, .exact = schema->key_count == 0};
    snapshot->table_count++;
    return list_leaves(snapshot, &table, optional(tables, row, TABLE_FILTER), index, err);
}

static bool add_tables(struct mr_snapshot *snapshot, const PGresult *tables, struct mr_error *err)
{
    const struct mr_pg_config *config = snapshot->context->config;
    const struct mr_table_filter filter = {
        .include = &config->tables,
        .exclude = &config->exclude,
        .choices = snapshot->context->choices,
    };
    const int count = PQntuples(tables);
    struct mr_arena scratch = {0};
    snapshot->tables = MR_ARENA_NEW(&snapshot->arena, struct mr_snapshot_table, count);
    snapshot->copied = MR_ARENA_NEW(&snapshot->arena, struct mr_pg_copied, count);
    if (snapshot->tables == NULL || snapshot->copied == NULL) {
        return fail_full(err);
    }
    bool ok = mr_arena_init(&scratch, SCRATCH_BYTES_MAX, SCRATCH_BYTES_KEPT, err);
    for (int row = 0; ok && row < count; row++) {
        const char *space = mr_pg_field(tables, row, TABLE_SPACE);
        const char *name = mr_pg_field(tables, row, TABLE_NAME);
        if (is_wanted(snapshot, &filter, space, name)) {
            ok = add_table(snapshot, tables, row, &scratch, err);
        }
    }
    mr_arena_done(&scratch);
    return ok;
}

bool mr_pg_snapshot_list(struct mr_snapshot *snapshot, const char *publication,
                         struct mr_error *err)
{
    static const char plain[] = TABLES_QUERY("NULL", "NULL");
    static const char with_lists[] =
        TABLES_QUERY("pg_catalog.array_to_string(p.attnames, E'\\x1f')", "p.rowfilter");
    const bool has_lists = PQserverVersion(snapshot->control.pg) >= COLUMN_LISTS_MIN;
    const char *const parameters[] = {publication};
    MR_ASSERT(snapshot->table_count == 0);
    PGresult *tables =
        mr_pg_query(&snapshot->control, has_lists ? with_lists : plain, parameters, 1, err);
    if (tables == NULL) {
        return mr_error_context(err, "list the tables of publication \"%s\"", publication);
    }
    const bool ok = add_tables(snapshot, tables, err);
    PQclear(tables);
    return ok;
}
