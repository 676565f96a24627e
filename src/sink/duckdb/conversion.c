// SPDX-License-Identifier: MIT
/*
 * conversion.c - see conversion.h.
 */
#include "conversion.h"

#include <stdio.h>
#include <string.h>

#include "compiler.h"

enum kind {
    KIND_OTHER,
    KIND_INTEGER,
    KIND_DECIMAL,
    KIND_FLOAT,
    KIND_DOUBLE,
    KIND_TEXT,
    KIND_JSON,
    KIND_DATE,
    KIND_TIMESTAMP,
    KIND_UUID,
};

struct type {
    enum kind kind;
    unsigned bits; /* of an integer */
    bool is_unsigned;
    unsigned digits, scale; /* of a decimal, or an integer's as one */
};

static struct type read_type(const char *name)
{
    static const struct {
        const char *name;
        struct type type;
    } known[] = {
        {"TINYINT", {KIND_INTEGER, 8, false, 3, 0}},
        {"SMALLINT", {KIND_INTEGER, 16, false, 5, 0}},
        {"INTEGER", {KIND_INTEGER, 32, false, 10, 0}},
        {"BIGINT", {KIND_INTEGER, 64, false, 19, 0}},
        {"UTINYINT", {KIND_INTEGER, 8, true, 3, 0}},
        {"USMALLINT", {KIND_INTEGER, 16, true, 5, 0}},
        {"UINTEGER", {KIND_INTEGER, 32, true, 10, 0}},
        {"UBIGINT", {KIND_INTEGER, 64, true, 20, 0}},
        {"FLOAT", {.kind = KIND_FLOAT}},
        {"DOUBLE", {.kind = KIND_DOUBLE}},
        {"VARCHAR", {.kind = KIND_TEXT}},
        {"JSON", {.kind = KIND_JSON}},
        {"DATE", {.kind = KIND_DATE}},
        {"TIMESTAMP", {.kind = KIND_TIMESTAMP}},
        {"UUID", {.kind = KIND_UUID}},
    };
    struct type type = {.kind = KIND_OTHER};
    for (size_t i = 0; i < MR_ARRAY_LEN(known); i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].type;
        }
    }
    /* NOLINTNEXTLINE(cert-err34-c): the engine prints at most two digits each */
    if (sscanf(name, "DECIMAL(%u,%u)", &type.digits, &type.scale) == 2) {
        type.kind = KIND_DECIMAL;
    }
    return type;
}

static bool is_number(const struct type *type)
{
    return type->kind == KIND_INTEGER || type->kind == KIND_DECIMAL;
}

bool mr_conversion_is_faithful(const char *from_name, const char *to_name)
{
    const struct type from = read_type(from_name);
    const struct type to = read_type(to_name);
    MR_ASSERT(strcmp(from_name, to_name) != 0);
    switch (from.kind) {
    case KIND_INTEGER:
        return is_number(&to) || to.kind == KIND_DOUBLE || to.kind == KIND_TEXT;
    case KIND_DECIMAL:
        return to.kind == KIND_DECIMAL || (to.kind == KIND_INTEGER && from.scale == 0) ||
               to.kind == KIND_DOUBLE || to.kind == KIND_TEXT;
    case KIND_FLOAT:
        return to.kind == KIND_DOUBLE;
    case KIND_DOUBLE:
        return to.kind == KIND_FLOAT;
    case KIND_TEXT:
        return is_number(&to) || to.kind == KIND_DATE || to.kind == KIND_UUID;
    case KIND_JSON:
        return to.kind == KIND_TEXT;
    case KIND_DATE:
        return to.kind == KIND_TIMESTAMP || to.kind == KIND_TEXT;
    case KIND_TIMESTAMP:
        return to.kind == KIND_DATE;
    case KIND_UUID:
        return to.kind == KIND_TEXT;
    case KIND_OTHER:
        break;
    }
    return false;
}

/* An integer or decimal in another one: whole digits, and digits behind the point. */
static bool number_is_held(const struct type *narrow, const struct type *wide)
{
    if (narrow->kind == KIND_INTEGER && wide->kind == KIND_INTEGER) {
        return narrow->is_unsigned == wide->is_unsigned
                   ? narrow->bits <= wide->bits
                   : narrow->is_unsigned && narrow->bits < wide->bits;
    }
    return wide->kind == KIND_DECIMAL && narrow->scale <= wide->scale &&
           narrow->digits - narrow->scale <= wide->digits - wide->scale;
}

bool mr_conversion_is_held_by(const char *narrow_name, const char *wide_name)
{
    const struct type narrow = read_type(narrow_name);
    const struct type wide = read_type(wide_name);
    MR_ASSERT(strcmp(narrow_name, wide_name) != 0);
    if (is_number(&narrow) && is_number(&wide)) {
        return number_is_held(&narrow, &wide);
    }
    if (narrow.kind == KIND_DATE && wide.kind == KIND_TIMESTAMP) {
        return true;
    }
    return (narrow.kind == KIND_FLOAT && wide.kind == KIND_DOUBLE) ||
           (wide.kind == KIND_TEXT && (is_number(&narrow) || narrow.kind == KIND_JSON ||
                                       narrow.kind == KIND_UUID || narrow.kind == KIND_DATE));
}
