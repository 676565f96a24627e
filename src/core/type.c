// SPDX-License-Identifier: MIT
/*
 * type.c - names and widths of the core types.
 */
#include "type.h"

#include "compiler.h"

static const char *const names[MR_TYPE_COUNT] = {
    [MR_TYPE_BOOL] = "bool",
    [MR_TYPE_I8] = "i8",
    [MR_TYPE_I16] = "i16",
    [MR_TYPE_I32] = "i32",
    [MR_TYPE_I64] = "i64",
    [MR_TYPE_U8] = "u8",
    [MR_TYPE_U16] = "u16",
    [MR_TYPE_U32] = "u32",
    [MR_TYPE_U64] = "u64",
    [MR_TYPE_F32] = "f32",
    [MR_TYPE_F64] = "f64",
    [MR_TYPE_DECIMAL] = "decimal",
    [MR_TYPE_DATE] = "date",
    [MR_TYPE_TIME] = "time",
    [MR_TYPE_DURATION] = "duration",
    [MR_TYPE_TIMESTAMP] = "timestamp",
    [MR_TYPE_TIMESTAMPTZ] = "timestamptz",
    [MR_TYPE_UUID] = "uuid",
    [MR_TYPE_TEXT] = "text",
    [MR_TYPE_BYTES] = "bytes",
    [MR_TYPE_JSON] = "json",
    [MR_TYPE_INTERVAL] = "interval",
};

_Static_assert(sizeof(struct mr_interval) == 16, "an interval has no padding");
_Static_assert(MR_TYPE_INTERVAL + 1 == MR_TYPE_COUNT,
               "a new type needs a name, a width and a count");

static size_t decimal_width(unsigned precision)
{
    MR_ASSERT(precision > 0 && precision <= MR_DECIMAL_DIGITS_MAX);
    if (precision <= 4) {
        return 2;
    }
    if (precision <= 9) {
        return 4;
    }
    return precision <= 18 ? 8 : 16;
}

size_t mr_type_width(enum mr_type type, unsigned precision)
{
    switch (type) {
    case MR_TYPE_BOOL:
    case MR_TYPE_I8:
    case MR_TYPE_U8:
        return 1;
    case MR_TYPE_I16:
    case MR_TYPE_U16:
        return 2;
    case MR_TYPE_I32:
    case MR_TYPE_U32:
    case MR_TYPE_F32:
    case MR_TYPE_DATE:
        return 4;
    case MR_TYPE_I64:
    case MR_TYPE_U64:
    case MR_TYPE_F64:
    case MR_TYPE_TIME:
    case MR_TYPE_DURATION:
    case MR_TYPE_TIMESTAMP:
    case MR_TYPE_TIMESTAMPTZ:
        return 8;
    case MR_TYPE_UUID:
    case MR_TYPE_INTERVAL:
        return 16;
    case MR_TYPE_DECIMAL:
        return decimal_width(precision);
    case MR_TYPE_TEXT:
    case MR_TYPE_BYTES:
    case MR_TYPE_JSON:
        return 0;
    }
    mr_assert_failed("the type was checked before", __FILE__, __LINE__);
}

const char *mr_type_name(enum mr_type type)
{
    return (unsigned)type < MR_TYPE_COUNT ? names[type] : NULL;
}
