// SPDX-License-Identifier: MIT
/*
 * apart.c - the rows of millrace.apart and millrace.piece; what they mean is in follow.c.
 */
#include "apart.h"

#include <stdlib.h>
#include <string.h>

#include "ddl.h"
#include "memory.h"
#include "result.h"

static const char *const create_statements[] = {
    "CREATE TABLE IF NOT EXISTS millrace.apart (seq UBIGINT, source VARCHAR, space VARCHAR, "
    "name VARCHAR, what VARCHAR, state VARCHAR, sequence UBIGINT, copy VARCHAR, plan VARCHAR, "
    "condition VARCHAR, keys VARCHAR, high_major UBIGINT, high_minor UBIGINT, exact BOOLEAN)",
    "CREATE TABLE IF NOT EXISTS millrace.piece (source VARCHAR, space VARCHAR, name VARCHAR, "
    "what VARCHAR, piece UINTEGER, state UTINYINT)",
};

static const char *const what_names[] = {
    [MR_APART_TABLE] = "table",
    [MR_APART_COPY] = "copy",
    [MR_APART_FIRST] = "first",
};

static const char *const state_names[] = {
    [MR_APART_JOINED] = "joined",       [MR_APART_PAUSED] = "paused",
    [MR_APART_FOLLOWING] = "following", [MR_APART_COPYING] = "copying",
    [MR_APART_DROPPED] = "dropped",
};

static unsigned index_of(const char *const *names, unsigned count, const char *name)
{
    unsigned index = 0;
    while (index < count && strcmp(names[index], name) != 0) {
        index++;
    }
    return index;
}

void mr_apart_set_text(char **text, const char *value)
{
    free(*text);
    *text = value == NULL ? NULL : mr_memory_copy_text(value, strlen(value));
}

struct mr_apart *mr_aparts_find(const struct mr_aparts *aparts, uint16_t source_index,
                                const struct mr_schema *schema, enum mr_apart_what what)
{
    struct mr_apart *entry = aparts->all;
    while (entry != NULL &&
           (entry->source_index != source_index || entry->what != what ||
            strcmp(entry->space, schema->space) != 0 || strcmp(entry->table, schema->table) != 0)) {
        entry = entry->next;
    }
    return entry;
}

struct mr_apart *mr_aparts_take(struct mr_aparts *aparts, uint16_t source_index,
                                const struct mr_schema *schema, enum mr_apart_what what)
{
    struct mr_apart *entry = mr_aparts_find(aparts, source_index, schema, what);
    if (entry == NULL) {
        entry = mr_memory_new(1, sizeof(*entry));
        entry->source_index = source_index;
        entry->space = mr_memory_copy_text(schema->space, strlen(schema->space));
        entry->table = mr_memory_copy_text(schema->table, strlen(schema->table));
        entry->what = what;
        entry->copy = mr_memory_copy_text("", 0);
        entry->next = aparts->all;
        aparts->all = entry;
    }
    return entry;
}

static bool find_source(const struct mr_aparts *aparts, const char *name, uint16_t *index)
{
    for (uint32_t i = 0; i < aparts->source_count; i++) {
        if (strcmp(aparts->source_names[i], name) == 0) {
            *index = (uint16_t)i;
            return true;
        }
    }
    return false;
}

enum field {
    FIELD_SEQ,
    FIELD_SOURCE,
    FIELD_SPACE,
    FIELD_NAME,
    FIELD_WHAT,
    FIELD_STATE,
    FIELD_SEQUENCE,
    FIELD_COPY,
    FIELD_PLAN,
    FIELD_CONDITION,
    FIELD_KEYS,
    FIELD_HIGH_MAJOR,
    FIELD_HIGH_MINOR,
    FIELD_EXACT,
    FIELD_COUNT,
};

static bool take_row(struct mr_aparts *aparts, struct mr_result *result, char *const *texts,
                     struct mr_error *err)
{
    const struct mr_schema named = {.space = texts[FIELD_SPACE], .table = texts[FIELD_NAME]};
    const unsigned what = index_of(what_names, MR_ARRAY_LEN(what_names), texts[FIELD_WHAT]);
    const unsigned state = index_of(state_names, MR_ARRAY_LEN(state_names), texts[FIELD_STATE]);
    uint16_t source = 0;
    if (what == MR_ARRAY_LEN(what_names) || state == MR_ARRAY_LEN(state_names)) {
        return mr_fail(err, MR_E_SINK, MR_STOP,
                       "millrace.apart has a row of \"%s.%s\" that this version does not know "
                       "(\"%s\", \"%s\")",
                       named.space, named.table, texts[FIELD_WHAT], texts[FIELD_STATE]);
    }
    if (!find_source(aparts, texts[FIELD_SOURCE], &source)) {
        return true; /* a source that was removed from the configuration */
    }
    struct mr_apart *entry = mr_aparts_take(aparts, source, &named, (enum mr_apart_what)what);
    entry->state = (enum mr_apart_state)state;
    entry->progress.committed.sequence = mr_result_u64(result, FIELD_SEQUENCE);
    entry->progress.pending.place = entry->progress.committed;
    mr_apart_set_text(&entry->copy, texts[FIELD_COPY]);
    mr_apart_set_text(&entry->plan,
                      mr_result_is_null(result, FIELD_PLAN) ? NULL : texts[FIELD_PLAN]);
    mr_apart_set_text(&entry->where,
                      mr_result_is_null(result, FIELD_CONDITION) ? NULL : texts[FIELD_CONDITION]);
    mr_apart_set_text(&entry->keys,
                      mr_result_is_null(result, FIELD_KEYS) ? NULL : texts[FIELD_KEYS]);
    entry->mark = (struct mr_snapshot_mark){
        .high = {mr_result_u64(result, FIELD_HIGH_MAJOR), mr_result_u64(result, FIELD_HIGH_MINOR)},
        .exact = mr_result_bool(result, FIELD_EXACT),
    };
    return true;
}

static bool read_entries(struct mr_aparts *aparts, struct mr_error *err)
{
    struct mr_result result = {0};
    bool read = mr_result_query(aparts->warehouse, "SELECT * FROM millrace.apart ORDER BY seq",
                                &result, err);
    aparts->next_seq = 1;
    while (read && mr_result_next(&result)) {
        char *texts[FIELD_COUNT] = {0};
        for (unsigned i = FIELD_SOURCE; i <= FIELD_KEYS; i++) {
            if (i != FIELD_SEQUENCE) {
                texts[i] = mr_result_text(&result, i);
            }
        }
        aparts->next_seq = mr_result_u64(&result, FIELD_SEQ) + 1;
        aparts->rows++;
        read = take_row(aparts, &result, texts, err); /* in order: the last one counts */
        for (unsigned i = 0; i < FIELD_COUNT; i++) {
            free(texts[i]);
        }
    }
    mr_result_done(&result);
    return read || mr_error_context(err, "read the tables that are apart");
}

bool mr_aparts_open(struct mr_aparts *aparts, struct mr_warehouse *warehouse,
                    const char *const *source_names, uint32_t source_count, struct mr_error *err)
{
    *aparts = (struct mr_aparts){
        .warehouse = warehouse, .source_names = source_names, .source_count = source_count};
    for (size_t i = 0; i < MR_ARRAY_LEN(create_statements); i++) {
        if (!mr_warehouse_exec(warehouse, create_statements[i], err)) {
            return mr_error_context(err, "make the sink's own tables");
        }
    }
    return mr_warehouse_prepare(warehouse,
                                "INSERT INTO millrace.apart VALUES ($1, $2, $3, $4, $5, $6, $7, "
                                "$8, $9, $10, $11, $12, $13, $14)",
                                &aparts->append, err) &&
           mr_warehouse_prepare(warehouse,
                                "INSERT INTO millrace.piece VALUES ($1, $2, $3, $4, $5, $6)",
                                &aparts->append_piece, err) &&
           read_entries(aparts, err);
}

void mr_aparts_done(struct mr_aparts *aparts)
{
    if (aparts->append != NULL) {
        duckdb_destroy_prepare(&aparts->append);
    }
    if (aparts->append_piece != NULL) {
        duckdb_destroy_prepare(&aparts->append_piece);
    }
    while (aparts->all != NULL) {
        struct mr_apart *entry = aparts->all;
        aparts->all = entry->next;
        free(entry->space);
        free(entry->table);
        free(entry->copy);
        free(entry->plan);
        free(entry->where);
        free(entry->keys);
        free(entry);
    }
    *aparts = (struct mr_aparts){0};
}

static void bind_text(duckdb_prepared_statement statement, idx_t index, const char *text)
{
    const duckdb_state bound = text == NULL ? duckdb_bind_null(statement, index)
                                            : duckdb_bind_varchar(statement, index, text);
    MR_ASSERT(bound == DuckDBSuccess);
}

bool mr_aparts_append(struct mr_aparts *aparts, const struct mr_apart *entry,
                      enum mr_apart_state state, uint64_t sequence, struct mr_error *err)
{
    duckdb_prepared_statement statement = aparts->append;
    MR_ASSERT(entry->source_index < aparts->source_count);
    (void)duckdb_bind_uint64(statement, FIELD_SEQ + 1, aparts->next_seq++);
    bind_text(statement, FIELD_SOURCE + 1, aparts->source_names[entry->source_index]);
    bind_text(statement, FIELD_SPACE + 1, entry->space);
    bind_text(statement, FIELD_NAME + 1, entry->table);
    bind_text(statement, FIELD_WHAT + 1, what_names[entry->what]);
    bind_text(statement, FIELD_STATE + 1, state_names[state]);
    (void)duckdb_bind_uint64(statement, FIELD_SEQUENCE + 1, sequence);
    bind_text(statement, FIELD_COPY + 1, entry->copy);
    bind_text(statement, FIELD_PLAN + 1, entry->plan);
    bind_text(statement, FIELD_CONDITION + 1, entry->where);
    bind_text(statement, FIELD_KEYS + 1, entry->keys);
    (void)duckdb_bind_uint64(statement, FIELD_HIGH_MAJOR + 1, entry->mark.high.major);
    (void)duckdb_bind_uint64(statement, FIELD_HIGH_MINOR + 1, entry->mark.high.minor);
    (void)duckdb_bind_boolean(statement, FIELD_EXACT + 1, entry->mark.exact);
    aparts->rows++;
    return mr_warehouse_run(aparts->warehouse, statement, NULL, err) ||
           mr_error_context(err, "append the state of \"%s.%s\"", entry->space, entry->table);
}

bool mr_aparts_append_piece(struct mr_aparts *aparts, const struct mr_apart *entry, uint32_t piece,
                            enum mr_piece_state state, struct mr_error *err)
{
    duckdb_prepared_statement statement = aparts->append_piece;
    bind_text(statement, 1, aparts->source_names[entry->source_index]);
    bind_text(statement, 2, entry->space);
    bind_text(statement, 3, entry->table);
    bind_text(statement, 4, what_names[entry->what]);
    (void)duckdb_bind_uint32(statement, 5, piece);
    (void)duckdb_bind_uint8(statement, 6, (uint8_t)state);
    return mr_warehouse_run(aparts->warehouse, statement, NULL, err) ||
           mr_error_context(err, "append a piece of \"%s.%s\"", entry->space, entry->table);
}

/* SELECT or DELETE over the pieces of an entry. */
static void add_pieces_of(struct mr_sql *sql, const struct mr_aparts *aparts,
                          const struct mr_apart *entry)
{
    mr_sql_add(sql, " FROM millrace.piece WHERE source = ");
    mr_sql_add_literal(sql, aparts->source_names[entry->source_index]);
    mr_sql_add(sql, " AND space = ");
    mr_sql_add_literal(sql, entry->space);
    mr_sql_add(sql, " AND name = ");
    mr_sql_add_literal(sql, entry->table);
    mr_sql_add(sql, " AND what = ");
    mr_sql_add_literal(sql, what_names[entry->what]);
}

bool mr_aparts_forget_pieces(struct mr_aparts *aparts, const struct mr_apart *entry,
                             struct mr_error *err)
{
    struct mr_sql sql = {0};
    mr_sql_add(&sql, "DELETE");
    add_pieces_of(&sql, aparts, entry);
    const bool done = mr_warehouse_exec(aparts->warehouse, sql.text, err);
    mr_sql_done(&sql);
    return done ||
           mr_error_context(err, "forget the pieces of \"%s.%s\"", entry->space, entry->table);
}

bool mr_aparts_read_pieces(struct mr_aparts *aparts, const struct mr_apart *entry, uint8_t *pieces,
                           uint32_t piece_count, struct mr_error *err)
{
    struct mr_sql sql = {0};
    struct mr_result result = {0};
    mr_sql_add(&sql, "SELECT piece, max(state)::UINTEGER");
    add_pieces_of(&sql, aparts, entry);
    mr_sql_add(&sql, " GROUP BY piece");
    const bool read = mr_result_query(aparts->warehouse, sql.text, &result, err);
    while (read && mr_result_next(&result)) {
        const uint32_t piece = mr_result_u32(&result, 0);
        if (piece < piece_count) {
            pieces[piece] = (uint8_t)mr_result_u32(&result, 1);
        }
    }
    mr_result_done(&result);
    mr_sql_done(&sql);
    return read ||
           mr_error_context(err, "read the pieces of \"%s.%s\"", entry->space, entry->table);
}

uint64_t mr_aparts_pinned(const struct mr_aparts *aparts, uint16_t source_index)
{
    uint64_t least = UINT64_MAX;
    for (const struct mr_apart *entry = aparts->all; entry != NULL; entry = entry->next) {
        const bool waits = entry->state == MR_APART_PAUSED || entry->state == MR_APART_FOLLOWING ||
                           (entry->state == MR_APART_COPYING && entry->what == MR_APART_COPY);
        const uint64_t sequence = entry->progress.committed.sequence;
        if (waits && entry->source_index == source_index && sequence < least) {
            least = sequence;
        }
    }
    return least;
}

bool mr_aparts_compact(struct mr_aparts *aparts, struct mr_error *err)
{
    if (!mr_warehouse_exec(aparts->warehouse,
                           "DELETE FROM millrace.apart AS a USING (SELECT source, space, name, "
                           "what, max(seq) AS seq FROM millrace.apart GROUP BY ALL) AS last "
                           "WHERE a.source = last.source AND a.space = last.space AND a.name = "
                           "last.name AND a.what = last.what AND a.seq < last.seq",
                           err)) {
        return mr_error_context(err, "compact the tables that are apart");
    }
    aparts->rows = 0;
    return true;
}
