// SPDX-License-Identifier: MIT
/*
 * pg_describe_types.c - one recursive query over pg_type: the types asked for and all that they are
 * made of.
 *
 * Extensions' types are told by their send function: one that sends plain text (textsend and its
 * like) is text, hstore and ltree have forms that we know; every other binary form is foreign. A
 * type without a send function is sent as text by the server, binary or not.
 *
 * The answer comes in no order that we could rely on, so it is gone through until nothing is left
 * whose parts are known; there are at most as many rounds as types are nested.
 */
#include "pg_describe_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "writer.h"

#define OIDS_BYTES_MAX  (UINT32_C(1) << 20)
#define OID_MONEY       790
#define OID_MONEY_ARRAY 791
#define FIELDS_MAX      1664 /* columns of a composite: MaxTupleAttributeNumber of the server */

enum field {
    FIELD_OID,
    FIELD_KIND,
    FIELD_HAS_SEND,
    FIELD_SEND,
    FIELD_PART, /* of an array its element, of a range its subtype, of a domain its base ... */
    FIELD_NAMES,
    FIELD_OIDS,
};

static const char types_query[] =
    "WITH RECURSIVE tree(oid) AS ("
    "SELECT pg_catalog.unnest($1::pg_catalog.oid[]) UNION "
    "SELECT x.oid FROM tree t JOIN pg_catalog.pg_type p ON p.oid = t.oid CROSS JOIN LATERAL ("
    "SELECT p.typelem WHERE p.typsubscript = "
    "'pg_catalog.array_subscript_handler'::pg_catalog.regproc "
    "UNION ALL SELECT p.typbasetype WHERE p.typtype = 'd' "
    "UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = p.oid "
    "UNION ALL SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = p.oid "
    "UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a "
    "WHERE p.typtype = 'c' AND a.attrelid = p.typrelid AND a.attnum > 0 AND NOT a.attisdropped"
    ") AS x(oid)) "
    "SELECT p.oid, CASE WHEN p.typsubscript = "
    "'pg_catalog.array_subscript_handler'::pg_catalog.regproc THEN 'a' ELSE p.typtype END, "
    "p.typsend <> 0, coalesce(s.proname, ''), "
    "CASE WHEN p.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc "
    "THEN p.typelem WHEN p.typtype = 'd' THEN p.typbasetype "
    "WHEN p.typtype = 'r' THEN r.rngsubtype WHEN p.typtype = 'm' THEN m.rngtypid ELSE 0 END, "
    "f.names, f.oids "
    "FROM tree t JOIN pg_catalog.pg_type p ON p.oid = t.oid "
    "LEFT JOIN pg_catalog.pg_proc s ON s.oid = p.typsend "
    "LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = p.oid "
    "LEFT JOIN pg_catalog.pg_range m ON m.rngmultitypid = p.oid "
    "LEFT JOIN LATERAL (SELECT pg_catalog.string_agg(a.attname, E'\\x1f' ORDER BY a.attnum) AS "
    "names, pg_catalog.string_agg(a.atttypid::pg_catalog.text, ',' ORDER BY a.attnum) AS oids "
    "FROM pg_catalog.pg_attribute a WHERE p.typtype = 'c' AND a.attrelid = p.typrelid "
    "AND a.attnum > 0 AND NOT a.attisdropped) f ON true";

static uint32_t to_oid(const PGresult *result, int row, enum field field)
{
    return (uint32_t)strtoul(mr_pg_field(result, row, (int)field), NULL, 10);
}

/* ---- One type of the answer. ---- */

static void add_base(struct mr_pg_types *types, const PGresult *result, int row)
{
    static const struct form {
        const char *send;
        enum mr_pg_shape shape;
        mr_pg_print_fn print;
    } forms[] = {
        {"textsend", MR_PG_SHAPE_SCALAR, mr_pg_print_text},
        {"varcharsend", MR_PG_SHAPE_SCALAR, mr_pg_print_text},
        {"bpcharsend", MR_PG_SHAPE_SCALAR, mr_pg_print_text},
        {"citextsend", MR_PG_SHAPE_SCALAR, mr_pg_print_text},
        {"ltree_send", MR_PG_SHAPE_SCALAR, mr_pg_print_versioned},
        {"lquery_send", MR_PG_SHAPE_SCALAR, mr_pg_print_versioned},
        {"ltxtq_send", MR_PG_SHAPE_SCALAR, mr_pg_print_versioned},
        {"hstore_send", MR_PG_SHAPE_HSTORE, NULL},
    };
    const char *send = mr_pg_field(result, row, FIELD_SEND);
    struct mr_pg_type_draft draft = {
        .oid = to_oid(result, row, FIELD_OID),
        .shape = mr_pg_field(result, row, FIELD_HAS_SEND)[0] == 't' ? MR_PG_SHAPE_FOREIGN
                                                                    : MR_PG_SHAPE_TEXT_ONLY,
    };
    if (mr_pg_scalar_find(draft.oid) != NULL) {
        return; /* built in, and known better */
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(forms); i++) {
        if (strcmp(forms[i].send, send) == 0) {
            draft.shape = (uint8_t)forms[i].shape;
            draft.print = forms[i].print;
        }
    }
    mr_pg_types_add(types, &draft);
}

/* Fields of a composite; names that do not fit their number make it foreign. */
static void add_composite(struct mr_pg_types *types, const PGresult *result, int row)
{
    char *names = mr_memory_copy_text(mr_pg_field(result, row, FIELD_NAMES),
                                      strlen(mr_pg_field(result, row, FIELD_NAMES)));
    const char **split = mr_memory_new(FIELDS_MAX, sizeof(*split));
    uint32_t *oids = mr_memory_new(FIELDS_MAX, sizeof(*oids));
    struct mr_pg_type_draft draft = {
        .oid = to_oid(result, row, FIELD_OID),
        .shape = MR_PG_SHAPE_COMPOSITE,
        .field_names = split,
        .field_oids = oids,
    };
    uint32_t name_count = 0;
    const char *oid = mr_pg_field(result, row, FIELD_OIDS);
    bool is_whole = mr_pg_text_is_utf8((const uint8_t *)names, strlen(names));
    for (char *name = names; *oid != '\0' && name != NULL && name_count < FIELDS_MAX;) {
        split[name_count++] = name;
        name = strchr(name, '\x1f');
        if (name != NULL) {
            *name++ = '\0';
        }
    }
    while (*oid != '\0' && draft.field_count < FIELDS_MAX) {
        char *end = NULL;
        oids[draft.field_count++] = (uint32_t)strtoul(oid, &end, 10);
        oid = *end == ',' ? end + 1 : end;
    }
    is_whole = is_whole && name_count == draft.field_count && *oid == '\0';
    if (!is_whole) {
        draft = (struct mr_pg_type_draft){.oid = draft.oid, .shape = MR_PG_SHAPE_FOREIGN};
    }
    mr_pg_types_add(types, &draft);
    free(oids);
    free(split);
    free(names);
}

static void add_type(struct mr_pg_types *types, const PGresult *result, int row)
{
    MR_ASSERT(row < PQntuples(result));
    struct mr_pg_type_draft draft = {
        .oid = to_oid(result, row, FIELD_OID),
        .element_oid = to_oid(result, row, FIELD_PART),
    };
    switch (mr_pg_field(result, row, FIELD_KIND)[0]) {
    case 'a':
        draft.shape = MR_PG_SHAPE_ARRAY;
        break;
    case 'r':
        draft.shape = MR_PG_SHAPE_RANGE;
        break;
    case 'm':
        draft.shape = MR_PG_SHAPE_MULTIRANGE;
        break;
    case 'e':
        draft.shape = MR_PG_SHAPE_SCALAR;
        draft.print = mr_pg_print_text;
        break;
    case 'd':
        mr_pg_types_add_alias(types, draft.oid, draft.element_oid);
        return;
    case 'c':
        add_composite(types, result, row);
        return;
    default:
        add_base(types, result, row);
        return;
    }
    mr_pg_types_add(types, &draft);
}

/* ---- The answer as a whole. ---- */

/* Whether a type of the answer that is not taken in yet has this number. */
static bool is_waiting(const PGresult *result, const bool *done, uint32_t oid)
{
    for (int row = 0; row < PQntuples(result); row++) {
        if (!done[row] && to_oid(result, row, FIELD_OID) == oid) {
            return true;
        }
    }
    return false;
}

static bool has_its_parts(const PGresult *result, const bool *done, int row)
{
    const uint32_t part = to_oid(result, row, FIELD_PART);
    const char *oids = mr_pg_field(result, row, FIELD_OIDS);
    if (part != 0 && is_waiting(result, done, part)) {
        return false;
    }
    while (*oids != '\0') {
        char *end = NULL;
        if (is_waiting(result, done, (uint32_t)strtoul(oids, &end, 10))) {
            return false;
        }
        oids = *end == ',' ? end + 1 : end;
    }
    return true;
}

static void take_in(struct mr_pg_types *types, const PGresult *result)
{
    const int count = PQntuples(result);
    bool *done = mr_memory_new((size_t)count + 1, sizeof(*done));
    bool has_moved = true;
    while (has_moved) {
        has_moved = false;
        for (int row = 0; row < count; row++) {
            if (!done[row] && has_its_parts(result, done, row)) {
                add_type(types, result, row);
                done[row] = true;
                has_moved = true;
            }
        }
    }
    free(done);
}

static bool ask(struct mr_pg_connection *connection, const char *oids, struct mr_pg_types *types,
                struct mr_error *err)
{
    const char *const parameters[] = {oids};
    PGresult *result = mr_pg_query(connection, types_query, parameters, 1, err);
    if (result == NULL) {
        return mr_error_context(err, "ask for types");
    }
    take_in(types, result);
    PQclear(result);
    return true;
}

bool mr_pg_describe_type(struct mr_pg_connection *connection, uint32_t oid,
                         struct mr_pg_types *types, struct mr_error *err)
{
    char oids[16];
    MR_ASSERT(oid != 0);
    (void)snprintf(oids, sizeof(oids), "{%u}", oid);
    return ask(connection, oids, types, err);
}

/* How many digits of a money are behind the point: the server's lc_monetary says. */
static bool ask_money(struct mr_pg_connection *connection, struct mr_pg_types *types,
                      struct mr_error *err)
{
    PGresult *result = mr_pg_query(
        connection, "SELECT pg_catalog.scale('0'::pg_catalog.money::pg_catalog.numeric)", NULL, 0,
        err);
    if (result == NULL) {
        return mr_error_context(err, "ask for the digits of money");
    }
    const long scale = strtol(mr_pg_field(result, 0, 0), NULL, 10);
    PQclear(result);
    if (scale < 0 || scale > 6) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP, "money with %ld digits behind the point", scale);
    }
    types->money_scale = (uint8_t)scale;
    types->has_money_scale = true;
    return true;
}

bool mr_pg_describe_types(struct mr_pg_connection *connection, const struct mr_pg_table *table,
                          struct mr_error *err)
{
    MR_ASSERT(table->types != NULL);
    struct mr_writer oids;
    bool ok = true;
    uint32_t count = 0;
    mr_writer_init(&oids, OIDS_BYTES_MAX);
    mr_write_u8(&oids, '{');
    for (uint16_t i = 0; ok && i < table->column_count; i++) {
        const struct mr_pg_column *column = &table->columns[i];
        const uint32_t oid = column->known ? column->base_oid : column->type_oid;
        const bool is_builtin = column->is_enum || mr_pg_types_is_builtin(oid);
        /* What is not built in may hold money too: one question a connection is cheap. */
        if (!table->types->has_money_scale &&
            (oid == OID_MONEY || oid == OID_MONEY_ARRAY || !is_builtin)) {
            ok = ask_money(connection, table->types, err);
        }
        if (!is_builtin) {
            char text[16];
            const int length = snprintf(text, sizeof(text), count++ == 0 ? "%u" : ",%u", oid);
            mr_write_bytes(&oids, text, (size_t)length);
        }
    }
    mr_write_bytes(&oids, "}", 2);
    if (oids.failed) {
        ok = mr_fail(err, MR_E_LIMIT, MR_STOP, "too many types");
    }
    ok = ok && (count == 0 || ask(connection, (const char *)oids.bytes, table->types, err));
    mr_writer_done(&oids);
    return ok;
}

/* ---- Values. ---- */

bool mr_pg_describe_print(struct mr_pg_connection *connection, uint32_t oid, struct mr_slice wire,
                          struct mr_arena *arena, struct mr_slice *text, struct mr_error *err)
{
    static const char query[] = "SELECT pg_catalog.format('%s', $1)";
    PGresult *result = mr_pg_query_binary(connection, query, oid, wire, err);
    if (result == NULL) {
        return mr_error_context(err, "have the server print a value");
    }
    const size_t length = (size_t)PQgetlength(result, 0, 0);
    char *copy = mr_arena_alloc(arena, length + 1, 1);
    if (copy != NULL) {
        memcpy(copy, mr_pg_field(result, 0, 0), length);
        *text = (struct mr_slice){(const uint8_t *)copy, length};
    }
    PQclear(result);
    return copy != NULL ||
           mr_fail(err, MR_E_LIMIT, MR_STOP,
                   "a value of %zu bytes, printed by the server, is too large", length);
}
