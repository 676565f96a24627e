// SPDX-License-Identifier: MIT
/*
 * binlog_ddl.c - see binlog_ddl.h.
 */
#include "binlog_ddl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ddl_read.h"
#include "memory.h"

#define RENAMED_BYTES_MAX (1u << 20)

/* One statement being taken in. */
struct taking {
    struct mr_binlog_stream *stream;
    struct mr_batch *batch;
    struct mr_slice text;
    struct mr_ddl ddl;
};

bool mr_binlog_add_note(struct mr_binlog_stream *stream, const struct mr_note *note,
                        struct mr_batch *batch, struct mr_error *err)
{
    stream->group.state = MR_GROUP_OPEN;
    return mr_group_enter(&stream->group, batch, err) && mr_batch_add_note(batch, note, err);
}

bool mr_binlog_announce(struct mr_binlog_stream *stream, struct mr_binlog_table *table,
                        struct mr_batch *batch, struct mr_error *err)
{
    if (MR_LIKELY(table->changed_from == NULL)) {
        return true;
    }
    const struct mr_note note = {
        .kind = MR_NOTE_SCHEMA_CHANGE,
        .before = table->changed_from,
        .after = table->layout->schema,
        .name = mr_slice_of("alter"),
    };
    if (!mr_binlog_add_note(stream, &note, batch, err)) {
        return false;
    }
    table->changed_from = NULL;
    return true;
}

static bool tell(struct taking *taking, const char *what, const struct mr_schema *before,
                 const struct mr_schema *after, struct mr_error *err)
{
    const struct mr_note note = {
        .kind = MR_NOTE_SCHEMA_CHANGE,
        .before = before,
        .after = after,
        .name = mr_slice_of(what),
        .text = taking->text,
    };
    return mr_binlog_add_note(taking->stream, &note, taking->batch, err);
}

/* The name in full, as the server has it. */
static void complete_name(const struct mr_binlog_stream *stream, const char *space,
                          struct mr_ddl_name *name)
{
    if (name->space == NULL) {
        name->space = mr_memory_copy_text(space, strlen(space));
    }
    char *const texts[] = {name->space, name->table};
    for (size_t i = 0; i < MR_ARRAY_LEN(texts) && stream->options.names_lower_case; i++) {
        for (char *at = texts[i]; at != NULL && *at != '\0'; at++) {
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
        }
    }
}

/* The entry of a table that the statement names. */
static struct mr_binlog_table *table_of(struct taking *taking, const struct mr_ddl_name *name)
{
    MR_ASSERT(name->space != NULL && name->table != NULL);
    return mr_binlog_tables_get(&taking->stream->tables, name->space, name->table);
}

/* Interns a shape as the table's next version, and makes it the current one. */
static const struct mr_schema *take_shape(struct taking *taking, struct mr_binlog_table *table,
                                          struct mr_table_shape *shape)
{
    struct mr_error ignored = {0};
    struct mr_binlog_tables *tables = &taking->stream->tables;
    const struct mr_mysql_table_info info =
        mr_table_shape_describe(shape, table->space, table->table);
    struct mr_mysql_layout_terms terms = tables->terms;
    terms.follows = mr_binlog_table_known(tables, table);
    struct mr_mysql_layout *layout =
        shape->count == 0 ? NULL : mr_mysql_layout_from_info(&info, &terms, &ignored);
    if (layout == NULL) {
        mr_binlog_table_lose(tables, table); /* a type not known here: the rows will tell */
        return NULL;
    }
    const struct mr_schema *schema = layout->schema;
    mr_mysql_layout_close(layout);
    mr_binlog_table_set(tables, table, schema);
    return schema;
}

/* ---- CREATE. ---- */

static bool shape_of(struct taking *taking, struct mr_binlog_table *table,
                     struct mr_table_shape *shape)
{
    const struct mr_schema *current = mr_binlog_table_current(&taking->stream->tables, table);
    if (current != NULL) {
        mr_table_shape_from_schema(shape, current);
    } else if (table->kept != NULL) {
        mr_table_shape_copy(shape, table->kept);
    }
    return current != NULL || table->kept != NULL;
}

/* Of tables that are not captured only the shape is kept: one may become a captured one's. */
static void keep_shape(struct mr_binlog_table *table, const struct mr_table_shape *shape)
{
    if (table->kept == NULL) {
        table->kept = mr_memory_new(1, sizeof(*table->kept));
    }
    mr_table_shape_copy(table->kept, shape);
}

static bool create(struct taking *taking, struct mr_error *err)
{
    struct mr_binlog_tables *tables = &taking->stream->tables;
    struct mr_binlog_table *table = table_of(taking, &taking->ddl.names[0]);
    const struct mr_schema *before = mr_binlog_table_current(tables, table);
    struct mr_table_shape shape = {0};
    bool done = true;
    if (taking->ddl.if_not_exists && before != NULL) {
        return true;
    }
    const bool is_known =
        taking->ddl.is_like ? shape_of(taking, table_of(taking, &taking->ddl.names[1]), &shape)
                            : mr_ddl_create(&taking->ddl, taking->stream->options.is_maria, &shape);
    mr_binlog_table_lose(tables, table);
    if (!mr_binlog_table_captured(tables, table)) {
        if (is_known) {
            keep_shape(table, &shape);
        }
    } else {
        if (before != NULL && taking->ddl.or_replace) {
            done = tell(taking, "drop", before, NULL, err);
        }
        const struct mr_schema *after = is_known ? take_shape(taking, table, &shape) : NULL;
        done = done && (after == NULL || tell(taking, "create", NULL, after, err));
    }
    mr_table_shape_done(&shape);
    return done;
}

/* ---- DROP. ---- */

static bool drop_table(struct taking *taking, struct mr_binlog_table *table, struct mr_error *err)
{
    const struct mr_schema *before = mr_binlog_table_current(&taking->stream->tables, table);
    mr_binlog_table_lose(&taking->stream->tables, table);
    return before == NULL || tell(taking, "drop", before, NULL, err);
}

static bool drop_space(struct taking *taking, struct mr_error *err)
{
    struct mr_binlog_tables *tables = &taking->stream->tables;
    const char *space = taking->ddl.names[0].space;
    const uint32_t count = mr_catalog_count(tables->terms.catalog);
    for (uint32_t id = 1; id <= count; id++) {
        const struct mr_schema *schema = mr_catalog_find(tables->terms.catalog, id);
        if (schema == NULL || strcmp(schema->space, space) != 0) {
            continue;
        }
        struct mr_binlog_table *table = mr_binlog_tables_get(tables, space, schema->table);
        if (mr_binlog_table_captured(tables, table) && !drop_table(taking, table, err)) {
            return false;
        }
    }
    return true;
}

/* ---- RENAME. ---- */

/* A table's state goes to another name. */
static bool move_table(struct taking *taking, struct mr_binlog_table *from,
                       struct mr_binlog_table *to, struct mr_error *err)
{
    struct mr_binlog_tables *tables = &taking->stream->tables;
    const struct mr_schema *before = mr_binlog_table_current(tables, from);
    struct mr_table_shape shape = {0};
    bool done = true;
    const bool is_known = shape_of(taking, from, &shape);
    mr_binlog_table_lose(tables, from);
    mr_binlog_table_lose(tables, to);
    if (is_known && before != NULL) {
        const struct mr_schema *after = take_shape(taking, to, &shape);
        done = after == NULL || tell(taking, "rename", before, after, err);
    } else if (is_known) {
        keep_shape(to, &shape);
    }
    mr_table_shape_done(&shape);
    return done;
}

/* Follows a name through the steps of the statement from `step` on. */
static struct mr_binlog_table *final_name(struct taking *taking, struct mr_binlog_table *table,
                                          uint32_t step)
{
    for (uint32_t i = step; i + 1 < taking->ddl.name_count; i += 2) {
        if (table_of(taking, &taking->ddl.names[i]) == table) {
            table = table_of(taking, &taking->ddl.names[i + 1]);
        }
    }
    return table;
}

/* A table that comes in under a captured name, of which only its shape is known, if that. */
static bool take_place(struct taking *taking, struct mr_binlog_table *from,
                       struct mr_binlog_table *to, const struct mr_schema *before,
                       struct mr_error *err)
{
    struct mr_binlog_tables *tables = &taking->stream->tables;
    struct mr_table_shape shape = {0};
    bool done = true;
    const bool is_known = shape_of(taking, from, &shape);
    mr_binlog_table_lose(tables, from);
    if (before != NULL) {
        /* The tool copied the rows of the captured table: it is that one, altered. */
        mr_binlog_table_set(tables, to, before);
        const struct mr_schema *after = is_known ? take_shape(taking, to, &shape) : NULL;
        if (after == NULL) {
            mr_binlog_table_set(tables, to, before);
            to->is_uncertain = true;
        } else if (after != before) {
            done = tell(taking, "alter", before, after, err);
        }
    } else if (is_known) {
        const struct mr_schema *after = take_shape(taking, to, &shape);
        const struct mr_note note = {
            .kind = MR_NOTE_QUARANTINE,
            .before = after,
            .text = mr_slice_of("the table came by RENAME from a name that is not captured, with "
                                "rows that are not known here; copy it"),
        };
        done = after == NULL || mr_binlog_add_note(taking->stream, &note, taking->batch, err);
    }
    mr_table_shape_done(&shape);
    return done;
}

static bool rename_step(struct taking *taking, uint32_t step, const struct mr_schema **replaced,
                        struct mr_error *err)
{
    struct mr_binlog_tables *tables = &taking->stream->tables;
    struct mr_binlog_table *from = table_of(taking, &taking->ddl.names[step]);
    struct mr_binlog_table *to = table_of(taking, &taking->ddl.names[step + 1]);
    const struct mr_schema *before = mr_binlog_table_current(tables, from);
    if (from == to) {
        return true;
    }
    if (before == NULL && mr_binlog_table_captured(tables, to)) {
        const struct mr_schema *swapped = *replaced != NULL &&
                                                  strcmp((*replaced)->table, to->table) == 0 &&
                                                  strcmp((*replaced)->space, to->space) == 0
                                              ? *replaced
                                              : NULL;
        *replaced = swapped != NULL ? NULL : *replaced;
        return take_place(taking, from, to, swapped, err);
    }
    if (before == NULL || mr_binlog_table_captured(tables, final_name(taking, to, step + 2))) {
        return move_table(taking, from, to, err);
    }
    /* It leaves: for a name that is taken by the next step, or for good. */
    for (uint32_t i = step + 2; i + 1 < taking->ddl.name_count; i += 2) {
        struct mr_binlog_table *next = table_of(taking, &taking->ddl.names[i]);
        if (table_of(taking, &taking->ddl.names[i + 1]) == from &&
            mr_binlog_table_current(tables, next) == NULL) {
            *replaced = before;
            mr_binlog_table_lose(tables, from);
            return true;
        }
    }
    return drop_table(taking, from, err);
}

static bool rename_tables(struct taking *taking, struct mr_error *err)
{
    const struct mr_schema *replaced = NULL;
    for (uint32_t i = 0; i + 1 < taking->ddl.name_count; i += 2) {
        if (!rename_step(taking, i, &replaced, err)) {
            return false;
        }
    }
    return true;
}

/* ---- ALTER. ---- */

static bool set_aside(struct taking *taking, const struct mr_schema *schema, struct mr_error *err)
{
    const struct mr_binlog_options *options = &taking->stream->options;
    static const char reason[] = "rows of whole partitions (or of its tablespace) came or went, "
                                 "which the binlog does not list; copy the table anew";
    const struct mr_table_policy *policy = mr_policies_find(
        options->terms.policies, options->terms.source != NULL ? options->terms.source : "",
        schema->space, schema->table);
    if (policy->on_schema_change == MR_ON_SCHEMA_CHANGE_STOP) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP, "table \"%s\".\"%s\": %s, or exclude it",
                       schema->space, schema->table, reason);
    }
    const struct mr_note note = {
        .kind = MR_NOTE_QUARANTINE, .before = schema, .text = mr_slice_of(reason)};
    return mr_binlog_add_note(taking->stream, &note, taking->batch, err);
}

/* Nothing of it was in the log so far, but it may have been copied. */
static bool set_aside_unknown(struct taking *taking, const struct mr_binlog_table *table,
                              struct mr_error *err)
{
    const struct mr_schema *schema = NULL;
    return mr_binlog_tables_schema(&taking->stream->tables, table->space, table->table, &schema,
                                   err) &&
           (schema == NULL || set_aside(taking, schema, err));
}

static bool tell_altered(struct taking *taking, const struct mr_schema *before,
                         const struct mr_schema *after, const struct mr_table_shape *shape,
                         struct mr_error *err)
{
    struct mr_writer renamed = {0};
    mr_writer_init(&renamed, RENAMED_BYTES_MAX);
    mr_table_shape_renamed(shape, &renamed);
    const struct mr_note note = {
        .kind = MR_NOTE_SCHEMA_CHANGE,
        .before = before,
        .after = after,
        .name = mr_slice_of("alter"),
        .text = taking->text,
        .renamed = {renamed.bytes, renamed.length},
    };
    const bool told = mr_binlog_add_note(taking->stream, &note, taking->batch, err);
    mr_writer_done(&renamed);
    return told;
}

static bool alter_shape(struct taking *taking, struct mr_binlog_table *table,
                        struct mr_table_shape *shape, const struct mr_ddl_altered *altered,
                        struct mr_error *err)
{
    const struct mr_schema *before = mr_binlog_table_current(&taking->stream->tables, table);
    if (before == NULL) {
        keep_shape(table, shape);
        return true;
    }
    if (altered->moves_rows && !set_aside(taking, before, err)) {
        return false;
    }
    const bool was_uncertain = table->is_uncertain;
    const struct mr_schema *after = take_shape(taking, table, shape);
    if (after == NULL) { /* its rows, and information_schema, must tell */
        mr_binlog_table_set(&taking->stream->tables, table, before);
        table->is_uncertain = true;
        return true;
    }
    table->is_uncertain = was_uncertain || !altered->is_understood;
    return after == before || tell_altered(taking, before, after, shape, err);
}

static bool alter(struct taking *taking, struct mr_error *err)
{
    struct mr_binlog_table *table = table_of(taking, &taking->ddl.names[0]);
    struct mr_table_shape shape = {0};
    struct mr_ddl_altered altered = {0};
    bool done = false;
    const bool is_known = shape_of(taking, table, &shape);
    mr_ddl_alter(&taking->ddl, taking->stream->options.is_maria, &shape, &altered);
    mr_binlog_table_forget(table);
    if (altered.exchanged.table != NULL) {
        complete_name(taking->stream, taking->ddl.names[0].space, &altered.exchanged);
        const struct mr_schema *other =
            mr_binlog_table_current(&taking->stream->tables, table_of(taking, &altered.exchanged));
        if (other != NULL && !set_aside(taking, other, err)) {
            goto out;
        }
    }
    if (!is_known && altered.moves_rows &&
        mr_binlog_table_captured(&taking->stream->tables, table)) {
        done = set_aside_unknown(taking, table, err);
        goto out;
    }
    done = !is_known || alter_shape(taking, table, &shape, &altered, err);
    if (done && altered.renamed_to.table != NULL) {
        struct mr_ddl_name names[2] = {taking->ddl.names[0], altered.renamed_to};
        struct taking renaming = *taking;
        complete_name(taking->stream, taking->ddl.names[0].space, &names[1]);
        altered.renamed_to = names[1];
        renaming.ddl = (struct mr_ddl){.kind = MR_DDL_RENAME, .names = names, .name_count = 2};
        done = rename_tables(&renaming, err);
    }

out:
    free(altered.renamed_to.space);
    free(altered.renamed_to.table);
    free(altered.exchanged.space);
    free(altered.exchanged.table);
    mr_table_shape_done(&shape);
    return done;
}

/* ---- All. ---- */

static bool take(struct taking *taking, struct mr_error *err)
{
    switch (taking->ddl.kind) {
    case MR_DDL_NONE:
        return true;
    case MR_DDL_CREATE:
        return create(taking, err);
    case MR_DDL_ALTER:
        return alter(taking, err);
    case MR_DDL_DROP:
        for (uint32_t i = 0; i < taking->ddl.name_count; i++) {
            if (!drop_table(taking, table_of(taking, &taking->ddl.names[i]), err)) {
                return false;
            }
        }
        return true;
    case MR_DDL_RENAME:
        return rename_tables(taking, err);
    case MR_DDL_DROP_SPACE:
        return drop_space(taking, err);
    case MR_DDL_UNKNOWN:
        mr_binlog_tables_doubt(&taking->stream->tables);
        return true;
    }
    return true;
}

bool mr_binlog_take_ddl(struct mr_binlog_stream *stream, struct mr_slice space,
                        struct mr_slice text, struct mr_batch *batch, struct mr_error *err)
{
    struct taking taking = {.stream = stream, .batch = batch, .text = text};
    mr_binlog_tables_end_statement(&stream->tables);
    mr_ddl_read(text, &taking.ddl);
    char *own =
        mr_memory_copy_text(space.length > 0 ? (const char *)space.bytes : "", space.length);
    for (uint32_t i = 0; i < taking.ddl.name_count; i++) {
        complete_name(stream, own, &taking.ddl.names[i]);
    }
    free(own);
    const bool done = take(&taking, err);
    mr_ddl_done(&taking.ddl);
    return done;
}
