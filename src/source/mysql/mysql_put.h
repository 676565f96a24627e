// SPDX-License-Identifier: MIT
/*
 * mysql_put.h - the functions behind mr_mysql_column.put_binlog and .put_text, one a kind of type.
 * mysql_types.c chooses; mysql_put_binlog.c, mysql_put_text.c and mysql_put_forms.c define.
 *
 * All may assume that the bytes of a fixed-size cell are as many as fixed_size says.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_PUT_H
#define MR_SOURCE_MYSQL_MYSQL_PUT_H

#include "mysql_types.h"

#define MR_MYSQL_PUT(name)                                                                         \
    bool mr_mysql_put_##name(const struct mr_mysql_column *column, struct mr_slice bytes,          \
                             const struct mr_mysql_cell *to, struct mr_error *err)

/* From the binlog. */
MR_MYSQL_PUT(fixed1);
MR_MYSQL_PUT(fixed2);
MR_MYSQL_PUT(fixed4);
MR_MYSQL_PUT(fixed8);
MR_MYSQL_PUT(int24);
MR_MYSQL_PUT(decimal);
MR_MYSQL_PUT(decimal_as_text);
MR_MYSQL_PUT(bit);
MR_MYSQL_PUT(year);
MR_MYSQL_PUT(date);
MR_MYSQL_PUT(datetime);
MR_MYSQL_PUT(timestamp);
MR_MYSQL_PUT(time);
MR_MYSQL_PUT(utf8);
MR_MYSQL_PUT(other_charset);
MR_MYSQL_PUT(bytes);
MR_MYSQL_PUT(padded);
MR_MYSQL_PUT(enum);
MR_MYSQL_PUT(set);
MR_MYSQL_PUT(json);
MR_MYSQL_PUT(date_as_text);
MR_MYSQL_PUT(datetime_as_text);
MR_MYSQL_PUT(timestamp_as_text);
MR_MYSQL_PUT(inet);
MR_MYSQL_PUT(uuid);
MR_MYSQL_PUT(packed);

/* From either: the text protocol sends the same bytes. */
MR_MYSQL_PUT(geometry);
MR_MYSQL_PUT(floats);

/* As column->misfits says, but NULL for MR_E_TYPE. */
MR_MYSQL_PUT(or_null);
MR_MYSQL_PUT(text_or_null);

/* From text. */
MR_MYSQL_PUT(text_integer);
MR_MYSQL_PUT(text_unsigned);
MR_MYSQL_PUT(text_f32);
MR_MYSQL_PUT(text_f64);
MR_MYSQL_PUT(text_decimal);
MR_MYSQL_PUT(text_decimal_as_text);
MR_MYSQL_PUT(text_date);
MR_MYSQL_PUT(text_datetime);
MR_MYSQL_PUT(text_time);
MR_MYSQL_PUT(text_utf8);
MR_MYSQL_PUT(text_uuid);

/** MR_E_LIMIT: the batch's arena is full. */
bool mr_mysql_fail_full(struct mr_error *err);

#endif
