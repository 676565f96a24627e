// SPDX-License-Identifier: MIT
/*
 * pg_types.c - the type table, and one put function for each wire form.
 *
 * A put function trusts nothing: a wrong length is MALFORMED, a value outside the core type is
 * refused by its own result, never clipped. It writes the cell only when it returns OK, except that
 * text is validated before the copy and a decimal after its arithmetic.
 *
 * Wire forms: the *send() functions of PostgreSQL, src/backend/utils/adt (integers and floats
 * big-endian; dates in days and times in microseconds from 2000-01-01; jsonb with a version byte).
 */
#include "pg_types.h"

#include <stdio.h>
#include <string.h>

#include "pg_numeric.h"
#include "pg_tree.h"
#include "reader.h"

#define DAY_US           INT64_C(86400000000)
#define JSONB_VERSION    1
#define MONEY_DIGITS_MAX 19 /* of an int64 */

/* ---- Fixed widths. ---- */

#define PUT_FIXED(name, bits, c_type)                                                              \
    static enum mr_pg_put put_##name(struct mr_column_chunk *column, struct mr_arena *arena,       \
                                     uint32_t row, const struct mr_pg_plan *plan,                  \
                                     struct mr_slice wire)                                         \
    {                                                                                              \
        uint##bits##_t raw;                                                                        \
        c_type value;                                                                              \
        (void)arena;                                                                               \
        (void)plan;                                                                                \
        MR_ASSERT(column->width == sizeof(value));                                                 \
        if (MR_UNLIKELY(wire.length != sizeof(raw))) {                                             \
            return MR_PG_PUT_MALFORMED;                                                            \
        }                                                                                          \
        memcpy(&raw, wire.bytes, sizeof(raw));                                                     \
        raw = __builtin_bswap##bits(raw);                                                          \
        memcpy(&value, &raw, sizeof(value));                                                       \
        mr_put_##name(column, row, value);                                                         \
        return MR_PG_PUT_OK;                                                                       \
    }
PUT_FIXED(i16, 16, int16_t)
PUT_FIXED(i32, 32, int32_t)
PUT_FIXED(i64, 64, int64_t)
PUT_FIXED(u32, 32, uint32_t)
PUT_FIXED(u64, 64, uint64_t)
PUT_FIXED(f32, 32, float)
PUT_FIXED(f64, 64, double)
#undef PUT_FIXED

static bool read_i64(struct mr_slice wire, int64_t *value)
{
    uint64_t raw;
    if (MR_UNLIKELY(wire.length != sizeof(raw))) {
        return false;
    }
    memcpy(&raw, wire.bytes, sizeof(raw));
    *value = (int64_t)__builtin_bswap64(raw);
    return true;
}

static enum mr_pg_put put_bool(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                               const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->width == sizeof(uint8_t));
    (void)arena;
    (void)plan;
    if (MR_UNLIKELY(wire.length != 1 || wire.bytes[0] > 1)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_put_u8(column, row, wire.bytes[0]);
    return MR_PG_PUT_OK;
}

static enum mr_pg_put put_date(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                               const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->width == sizeof(int32_t));
    uint32_t raw;
    (void)arena;
    (void)plan;
    if (MR_UNLIKELY(wire.length != sizeof(raw))) {
        return MR_PG_PUT_MALFORMED;
    }
    memcpy(&raw, wire.bytes, sizeof(raw));
    const int32_t days = (int32_t)__builtin_bswap32(raw);
    if (MR_UNLIKELY(days == INT32_MAX || days == INT32_MIN)) {
        mr_put_i32(column, row, days > 0 ? MR_DATE_INFINITY : -MR_DATE_INFINITY);
        return MR_PG_PUT_OK;
    }
    if (MR_UNLIKELY(days >= MR_DATE_INFINITY - MR_PG_EPOCH_DAYS)) {
        return MR_PG_PUT_RANGE;
    }
    mr_put_i32(column, row, days + MR_PG_EPOCH_DAYS);
    return MR_PG_PUT_OK;
}

static enum mr_pg_put put_time(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                               const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->width == sizeof(int64_t));
    int64_t us;
    (void)arena;
    (void)plan;
    if (MR_UNLIKELY(!read_i64(wire, &us) || us < 0 || us > DAY_US)) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_put_i64(column, row, us);
    return MR_PG_PUT_OK;
}

static enum mr_pg_put put_timestamp(struct mr_column_chunk *column, struct mr_arena *arena,
                                    uint32_t row, const struct mr_pg_plan *plan,
                                    struct mr_slice wire)
{
    MR_ASSERT(column->width == sizeof(int64_t));
    int64_t us;
    (void)arena;
    (void)plan;
    if (MR_UNLIKELY(!read_i64(wire, &us))) {
        return MR_PG_PUT_MALFORMED;
    }
    if (MR_UNLIKELY(us == INT64_MAX || us == INT64_MIN)) {
        mr_put_i64(column, row, us > 0 ? MR_TIMESTAMP_INFINITY : -MR_TIMESTAMP_INFINITY);
        return MR_PG_PUT_OK;
    }
    if (MR_UNLIKELY(us >= MR_TIMESTAMP_INFINITY - MR_PG_EPOCH_US)) {
        return MR_PG_PUT_RANGE;
    }
    mr_put_i64(column, row, us + MR_PG_EPOCH_US);
    return MR_PG_PUT_OK;
}

/* i64 microseconds, i32 days, i32 months; all three at an end: infinite (17 and later). */
static enum mr_pg_put put_interval(struct mr_column_chunk *column, struct mr_arena *arena,
                                   uint32_t row, const struct mr_pg_plan *plan,
                                   struct mr_slice wire)
{
    struct mr_reader in = mr_reader_init(wire.bytes, wire.length);
    struct mr_interval interval = {0};
    MR_ASSERT(column->width == sizeof(interval));
    (void)arena;
    (void)plan;
    interval.us = (int64_t)mr_read_u64_be(&in);
    interval.days = (int32_t)mr_read_u32_be(&in);
    interval.months = (int32_t)mr_read_u32_be(&in);
    if (!mr_reader_ok(&in) || mr_reader_left(&in) != 0) {
        return MR_PG_PUT_MALFORMED;
    }
    if ((interval.us == INT64_MAX && interval.days == INT32_MAX && interval.months == INT32_MAX) ||
        (interval.us == INT64_MIN && interval.days == INT32_MIN && interval.months == INT32_MIN)) {
        return MR_PG_PUT_INFINITY;
    }
    mr_put_interval(column, row, interval);
    return MR_PG_PUT_OK;
}

static enum mr_pg_put put_money(struct mr_column_chunk *column, struct mr_arena *arena,
                                uint32_t row, const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->type == MR_TYPE_DECIMAL);
    int64_t units;
    (void)arena;
    (void)plan;
    if (MR_UNLIKELY(!read_i64(wire, &units))) {
        return MR_PG_PUT_MALFORMED;
    }
    mr_put_decimal(column, row, units);
    return MR_PG_PUT_OK;
}

static enum mr_pg_put put_uuid(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                               const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->type == MR_TYPE_UUID);
    (void)arena;
    (void)plan;
    if (MR_UNLIKELY(wire.length != column->width)) {
        return MR_PG_PUT_MALFORMED;
    }
    memcpy(column->values + (size_t)row * column->width, wire.bytes, wire.length);
    mr_put_valid(column, row);
    return MR_PG_PUT_OK;
}

static enum mr_pg_put put_decimal(struct mr_column_chunk *column, struct mr_arena *arena,
                                  uint32_t row, const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->type == MR_TYPE_DECIMAL);
    struct mr_pg_numeric numeric;
    mr_i128 unscaled;
    (void)arena;
    switch (mr_pg_numeric_parse(wire, &numeric)) {
    case MR_PG_NUMERIC_FINITE:
        break;
    case MR_PG_NUMERIC_NAN:
        return MR_PG_PUT_NAN;
    case MR_PG_NUMERIC_INFINITY:
    case MR_PG_NUMERIC_MINUS_INFINITY:
        return MR_PG_PUT_INFINITY;
    case MR_PG_NUMERIC_MALFORMED:
        return MR_PG_PUT_MALFORMED;
    }
    if (!mr_pg_numeric_unscaled(&numeric, plan->precision, plan->scale, &unscaled)) {
        return MR_PG_PUT_RANGE;
    }
    mr_put_decimal(column, row, unscaled);
    return MR_PG_PUT_OK;
}

/* ---- Variable lengths. ---- */

static enum mr_pg_put put_bytes(struct mr_column_chunk *column, struct mr_arena *arena,
                                uint32_t row, const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->width == 0);
    (void)plan;
    return mr_put_bytes(column, arena, row, wire.bytes, wire.length) ? MR_PG_PUT_OK
                                                                     : MR_PG_PUT_FULL;
}

enum mr_pg_put mr_pg_put_text(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                              const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->width == 0);
    (void)plan;
    if (MR_UNLIKELY(!mr_pg_text_is_utf8(wire.bytes, wire.length))) {
        return MR_PG_PUT_ENCODING;
    }
    return mr_put_bytes(column, arena, row, wire.bytes, wire.length) ? MR_PG_PUT_OK
                                                                     : MR_PG_PUT_FULL;
}

static enum mr_pg_put put_jsonb(struct mr_column_chunk *column, struct mr_arena *arena,
                                uint32_t row, const struct mr_pg_plan *plan, struct mr_slice wire)
{
    if (wire.length == 0 || wire.bytes[0] != JSONB_VERSION) {
        return MR_PG_PUT_MALFORMED;
    }
    return mr_pg_put_text(column, arena, row, plan,
                          (struct mr_slice){.bytes = wire.bytes + 1, .length = wire.length - 1});
}

/* What the type's tree says; see pg_tree.h. */
static enum mr_pg_put put_tree(struct mr_column_chunk *column, struct mr_arena *arena, uint32_t row,
                               const struct mr_pg_plan *plan, struct mr_slice wire)
{
    MR_ASSERT(column->width == 0 && plan->type != NULL);
    struct mr_pg_out out = {.column = column, .arena = arena};
    const enum mr_pg_put put = mr_pg_tree_print(&out, plan->type, wire);
    if (put != MR_PG_PUT_OK) {
        mr_pg_out_drop(&out, row);
        return put;
    }
    return mr_pg_out_end(&out, row) ? MR_PG_PUT_OK : MR_PG_PUT_FULL;
}

/* Length of the well-formed sequence at `bytes`, which starts with a byte >= 0x80; 0 if it is none.
 * Table 3-7 of the Unicode standard: only the second byte's bounds depend on the first. */
static size_t utf8_sequence(const uint8_t *bytes, size_t left)
{
    MR_ASSERT(left > 0 && bytes[0] >= 0x80);
    const uint8_t first = bytes[0];
    const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || left < length) {
        return 0;
    }
    const uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool mr_pg_text_is_utf8(const uint8_t *bytes, size_t length)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 0;
    while (i < length) {
        uint64_t word;
        if (length - i >= sizeof(word)) {
            memcpy(&word, bytes + i, sizeof(word));
            /* No byte is above 0x7F and none is zero. */
            if (((word | (word - ones)) & high_bits) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        if (bytes[i] == 0) {
            return false;
        }
        const size_t step = bytes[i] < 0x80 ? 1 : utf8_sequence(bytes + i, length - i);
        if (step == 0) {
            return false;
        }
        i += step;
    }
    return true;
}

/* ---- The table. ---- */

struct type_entry {
    uint32_t oid; /* src/include/catalog/pg_type.dat; built-in numbers never change */
    enum mr_type type;
    mr_pg_put_fn put;
    const char *name; /* as format_type() prints it, modifier aside */
    enum {
        MODIFIER_NONE,
        MODIFIER_LENGTH,
        MODIFIER_BITS,
        MODIFIER_NUMERIC,
        MODIFIER_FRACTION,
        MODIFIER_FIELDS,
    } modifier;
    const char *suffix; /* after the modifier: " with time zone" */
    bool text_is_same;
};

#define OID_NUMERIC 1700
#define OID_BPCHAR  1042
#define OID_BIT     1560

static const struct type_entry types[] = {
    {.oid = 16, .type = MR_TYPE_BOOL, .put = put_bool, .name = "boolean"},
    {.oid = 17, .type = MR_TYPE_BYTES, .put = put_bytes, .name = "bytea"},
    {.oid = 19, .type = MR_TYPE_TEXT, .put = mr_pg_put_text, .name = "name", .text_is_same = true},
    {.oid = 20, .type = MR_TYPE_I64, .put = put_i64, .name = "bigint"},
    {.oid = 21, .type = MR_TYPE_I16, .put = put_i16, .name = "smallint"},
    {.oid = 23, .type = MR_TYPE_I32, .put = put_i32, .name = "integer"},
    {.oid = 25, .type = MR_TYPE_TEXT, .put = mr_pg_put_text, .name = "text", .text_is_same = true},
    {.oid = 26, .type = MR_TYPE_U32, .put = put_u32, .name = "oid"},
    {.oid = 24, .type = MR_TYPE_U32, .put = put_u32, .name = "regproc"},
    {.oid = 28, .type = MR_TYPE_U32, .put = put_u32, .name = "xid"},
    {.oid = 29, .type = MR_TYPE_U32, .put = put_u32, .name = "cid"},
    {.oid = 114, .type = MR_TYPE_JSON, .put = mr_pg_put_text, .name = "json", .text_is_same = true},
    {.oid = 700, .type = MR_TYPE_F32, .put = put_f32, .name = "real"},
    {.oid = 701, .type = MR_TYPE_F64, .put = put_f64, .name = "double precision"},
    {.oid = 790, .type = MR_TYPE_DECIMAL, .put = put_money, .name = "money"},
    {.oid = OID_BPCHAR,
     .type = MR_TYPE_TEXT,
     .put = mr_pg_put_text,
     .name = "character",
     .modifier = MODIFIER_LENGTH,
     .text_is_same = true},
    {.oid = 1043,
     .type = MR_TYPE_TEXT,
     .put = mr_pg_put_text,
     .name = "character varying",
     .modifier = MODIFIER_LENGTH,
     .text_is_same = true},
    {.oid = 1082, .type = MR_TYPE_DATE, .put = put_date, .name = "date"},
    {.oid = 1083,
     .type = MR_TYPE_TIME,
     .put = put_time,
     .name = "time",
     .modifier = MODIFIER_FRACTION,
     .suffix = " without time zone"},
    {.oid = 1114,
     .type = MR_TYPE_TIMESTAMP,
     .put = put_timestamp,
     .name = "timestamp",
     .modifier = MODIFIER_FRACTION,
     .suffix = " without time zone"},
    {.oid = 1184,
     .type = MR_TYPE_TIMESTAMPTZ,
     .put = put_timestamp,
     .name = "timestamp",
     .modifier = MODIFIER_FRACTION,
     .suffix = " with time zone"},
    {.oid = 1186,
     .type = MR_TYPE_INTERVAL,
     .put = put_interval,
     .name = "interval",
     .modifier = MODIFIER_FIELDS},
    {.oid = 1266,
     .type = MR_TYPE_TEXT,
     .put = put_tree,
     .name = "time",
     .modifier = MODIFIER_FRACTION,
     .suffix = " with time zone"},
    {.oid = OID_BIT,
     .type = MR_TYPE_TEXT,
     .put = put_tree,
     .name = "bit",
     .modifier = MODIFIER_BITS},
    {.oid = 1562,
     .type = MR_TYPE_TEXT,
     .put = put_tree,
     .name = "bit varying",
     .modifier = MODIFIER_BITS},
    {.oid = OID_NUMERIC,
     .type = MR_TYPE_DECIMAL,
     .put = put_decimal,
     .name = "numeric",
     .modifier = MODIFIER_NUMERIC},
    {.oid = 2202, .type = MR_TYPE_U32, .put = put_u32, .name = "regprocedure"},
    {.oid = 2203, .type = MR_TYPE_U32, .put = put_u32, .name = "regoper"},
    {.oid = 2204, .type = MR_TYPE_U32, .put = put_u32, .name = "regoperator"},
    {.oid = 2205, .type = MR_TYPE_U32, .put = put_u32, .name = "regclass"},
    {.oid = 2206, .type = MR_TYPE_U32, .put = put_u32, .name = "regtype"},
    {.oid = 2950, .type = MR_TYPE_UUID, .put = put_uuid, .name = "uuid"},
    {.oid = 3734, .type = MR_TYPE_U32, .put = put_u32, .name = "regconfig"},
    {.oid = 3769, .type = MR_TYPE_U32, .put = put_u32, .name = "regdictionary"},
    {.oid = 3802, .type = MR_TYPE_JSON, .put = put_jsonb, .name = "jsonb"},
    {.oid = 4089, .type = MR_TYPE_U32, .put = put_u32, .name = "regnamespace"},
    {.oid = 4096, .type = MR_TYPE_U32, .put = put_u32, .name = "regrole"},
    {.oid = 4191, .type = MR_TYPE_U32, .put = put_u32, .name = "regcollation"},
    {.oid = 5069, .type = MR_TYPE_U64, .put = put_u64, .name = "xid8"},
};

static const struct type_entry *find_type(uint32_t oid)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(types); i++) {
        if (types[i].oid == oid) {
            return &types[i];
        }
    }
    return NULL;
}

/* Modifiers of numeric and of lengths count the 4 bytes of a varlena header. */
#define MODIFIER_OFFSET 4

static bool has_modifier(int32_t modifier)
{
    return modifier >= MODIFIER_OFFSET;
}

static int numeric_precision(int32_t modifier)
{
    MR_ASSERT(has_modifier(modifier));
    return (modifier - MODIFIER_OFFSET) >> 16 & 0xFFFF;
}

/* Eleven bits, signed (15 and later allow scales below zero and above the precision). */
static int numeric_scale(int32_t modifier)
{
    MR_ASSERT(has_modifier(modifier));
    return (((modifier - MODIFIER_OFFSET) & 0x7FF) ^ 1024) - 1024;
}

/*
 * Digits of the decimal that holds every numeric(p,s). Since 15 a scale may lie below zero (digits
 * before the point are rounded away, but still count) or above p (zeros follow the point).
 */
static bool is_decimal(int32_t modifier, int *precision, int *scale)
{
    if (!has_modifier(modifier)) {
        return false;
    }
    *precision = numeric_precision(modifier);
    *scale = numeric_scale(modifier);
    if (*scale < 0) {
        *precision -= *scale;
        *scale = 0;
    } else if (*scale > *precision) {
        *precision = *scale;
    }
    return *precision >= 1 && *precision <= MR_DECIMAL_DIGITS_MAX;
}

/* The column goes by the type's tree: JSON or text. */
static bool resolve_tree(struct mr_pg_type_ref ref, struct mr_column *column,
                         struct mr_pg_plan *plan)
{
    MR_ASSERT(ref.types != NULL);
    const struct mr_pg_type *type = mr_pg_types_find(ref.types, ref.oid);
    static const struct mr_pg_type nothing = {.shape = MR_PG_SHAPE_FOREIGN};
    if (type == NULL && ref.oid != 0) { /* no type has the number 0, but a peer may say so */
        const struct mr_pg_type_draft draft = {.oid = ref.oid, .shape = MR_PG_SHAPE_FOREIGN};
        mr_pg_types_add(ref.types, &draft);
        type = mr_pg_types_find(ref.types, ref.oid);
    }
    plan->type = type != NULL ? type : &nothing;
    plan->put = put_tree;
    plan->text_is_same = plan->type->shape == MR_PG_SHAPE_TEXT_ONLY;
    column->type = mr_pg_tree_is_json(plan->type) ? MR_TYPE_JSON : MR_TYPE_TEXT;
    return plan->type->shape != MR_PG_SHAPE_UNSENDABLE;
}

static bool may_hold_less(enum mr_type type)
{
    return type == MR_TYPE_DECIMAL || type == MR_TYPE_TIMESTAMP || type == MR_TYPE_TIMESTAMPTZ ||
           type == MR_TYPE_INTERVAL;
}

static void resolve_entry(const struct type_entry *entry, struct mr_pg_type_ref ref,
                          struct mr_column *column, struct mr_pg_plan *plan)
{
    int precision = 0;
    int scale = 0;
    plan->put = entry->put;
    plan->text_is_same = entry->text_is_same;
    column->type = entry->type;
    if (entry->modifier == MODIFIER_FRACTION) {
        column->precision = ref.modifier >= 0 && ref.modifier <= 6 ? (uint8_t)ref.modifier : 6;
    } else if (entry->put == put_money) {
        column->precision = MONEY_DIGITS_MAX;
        column->scale = mr_pg_types_find(ref.types, ref.oid)->scale;
    } else if (entry->modifier == MODIFIER_NUMERIC &&
               is_decimal(ref.modifier, &precision, &scale)) {
        column->precision = (uint8_t)precision;
        column->scale = (uint8_t)scale;
    }
    plan->precision = column->precision;
    plan->scale = column->scale;
}

bool mr_pg_type_resolve(struct mr_pg_type_ref ref, struct mr_column *column,
                        struct mr_pg_plan *plan)
{
    const struct type_entry *entry = find_type(ref.oid);
    MR_ASSERT(ref.types != NULL);
    *plan = (struct mr_pg_plan){.on_error = (uint8_t)ref.on_type_error};
    column->precision = 0;
    column->scale = 0;
    if (ref.is_enum) {
        column->type = MR_TYPE_TEXT;
        plan->put = mr_pg_put_text;
        plan->text_is_same = true;
        return true;
    }
    int precision = 0;
    int scale = 0;
    const bool is_wide = entry != NULL && entry->modifier == MODIFIER_NUMERIC &&
                         !is_decimal(ref.modifier, &precision, &scale);
    const bool as_text = entry != NULL && ref.on_type_error == MR_ON_TYPE_ERROR_TEXT &&
                         entry->put != put_money && may_hold_less(entry->type);
    if (entry == NULL || entry->put == put_tree || is_wide || as_text) {
        return resolve_tree(ref, column, plan);
    }
    resolve_entry(entry, ref, column, plan);
    MR_ASSERT(plan->put != NULL);
    return true;
}

/* "(12,2)", or nothing; false when the modifier is not understood. */
static bool format_modifier(const struct type_entry *entry, int32_t modifier, char *shown,
                            size_t size)
{
    MR_ASSERT(size > 0);
    shown[0] = '\0';
    switch (entry->modifier) {
    case MODIFIER_NONE:
        break;
    case MODIFIER_LENGTH:
        if (has_modifier(modifier)) {
            (void)snprintf(shown, size, "(%d)", modifier - MODIFIER_OFFSET);
        }
        break;
    case MODIFIER_NUMERIC:
        if (has_modifier(modifier)) {
            (void)snprintf(shown, size, "(%d,%d)", numeric_precision(modifier),
                           numeric_scale(modifier));
        }
        break;
    case MODIFIER_BITS:
    case MODIFIER_FRACTION:
        if (modifier >= 0) {
            (void)snprintf(shown, size, "(%d)", modifier);
        }
        break;
    case MODIFIER_FIELDS:
        return modifier < 0;
    }
    return true;
}

bool mr_pg_type_format(uint32_t oid, int32_t modifier, char text[MR_PG_TYPE_NAME_BYTES])
{
    const struct mr_pg_scalar *element = mr_pg_scalar_of_array(oid);
    const struct type_entry *entry = find_type(element != NULL ? element->oid : oid);
    const struct mr_pg_scalar *scalar = element != NULL ? element : mr_pg_scalar_find(oid);
    char shown[24] = "";
    if ((entry == NULL && scalar == NULL) ||
        (entry != NULL && !format_modifier(entry, modifier, shown, sizeof(shown)))) {
        return false;
    }
    /* "character" and "bit" without a length mean one; without any limit they are named so. */
    const char *name = entry == NULL                                  ? scalar->name
                       : entry->oid == OID_BPCHAR && shown[0] == '\0' ? "bpchar"
                       : entry->oid == OID_BIT && shown[0] == '\0'    ? "\"bit\""
                                                                      : entry->name;
    const int length = snprintf(text, MR_PG_TYPE_NAME_BYTES, "%s%s%s%s", name, shown,
                                entry == NULL || entry->suffix == NULL ? "" : entry->suffix,
                                element != NULL ? "[]" : "");
    MR_ASSERT(length > 0 && length < MR_PG_TYPE_NAME_BYTES);
    return true;
}

bool mr_pg_put_fail(enum mr_pg_put result, const struct mr_schema *schema, uint16_t column,
                    struct mr_error *err)
{
    const struct mr_column *of = &schema->columns[column];
    const char *what = NULL;
    MR_ASSERT(column < schema->column_count);
    switch (result) {
    case MR_PG_PUT_OK:
    case MR_PG_PUT_FULL:
        mr_assert_failed("the cell failed", __FILE__, __LINE__);
    case MR_PG_PUT_MALFORMED:
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP,
                       "table \"%s.%s\", column \"%s\": the server sent bytes that are no %s",
                       schema->space, schema->table, of->name, of->source_type);
    case MR_PG_PUT_NAN:
        what = "a value NaN, which a decimal cannot hold";
        break;
    case MR_PG_PUT_INFINITY:
        what = "an infinite value, which has no place in the target";
        break;
    case MR_PG_PUT_RANGE:
        what = "a value outside the range of the target's type";
        break;
    case MR_PG_PUT_ENCODING:
        return mr_fail(err, MR_E_TYPE, MR_STOP,
                       "table \"%s.%s\", column \"%s\" of type %s: text that is not UTF-8; correct "
                       "the row at the source, or set on_type_error of the column to null, and "
                       "copy the table anew",
                       schema->space, schema->table, of->name, of->source_type);
    case MR_PG_PUT_FOREIGN:
        return mr_fail(err, MR_E_TYPE, MR_STOP,
                       "table \"%s.%s\", column \"%s\": the server must print values of type %s, "
                       "and cannot be asked; exclude the column from the publication",
                       schema->space, schema->table, of->name, of->source_type);
    case MR_PG_PUT_ALTERED:
        return mr_fail(err, MR_E_TYPE, MR_STOP,
                       "table \"%s.%s\", column \"%s\": a value of type %s was written before the "
                       "type's fields were changed, so they cannot be told apart any more; copy "
                       "the table anew",
                       schema->space, schema->table, of->name, of->source_type);
    }
    return mr_fail(err, MR_E_TYPE, MR_STOP,
                   "table \"%s.%s\", column \"%s\" of type %s: %s; set on_type_error of the column "
                   "to text or null, or correct the row at the source, and copy the table anew",
                   schema->space, schema->table, of->name, of->source_type, what);
}
