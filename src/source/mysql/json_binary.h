// SPDX-License-Identifier: MIT
/*
 * json_binary.h - MySQL's binary JSON as the text the server prints.
 *
 *   document := type u8, value
 *   object   := count, size, key_entry[count], value_entry[count], keys, values
 *   array    := count, size, value_entry[count], values
 *   key_entry   := key offset, u16 key length
 *   value_entry := type u8, offset or, when it fits in one, the value itself
 *
 * count, size and offsets are u16 in the small forms and u32 in the large ones; offsets count from
 * the object's or array's own start. Keys come sorted by length, then bytes: printing keeps that.
 *
 * Bounds: depth MR_JSON_DEPTH_MAX (the server's own), output writer->limit. Values may overlap in
 * hostile bytes, so the number of values is bounded by the limit on the output: each prints at
 * least one byte.
 *
 * FAILURE: MR_E_PROTOCOL, MR_STOP for bytes that are no document; MR_E_LIMIT when the text does
 * not fit.
 *
 * Source: MySQL, sql-common/json_binary.h (format), sql-common/json_dom.cc (printing).
 */
#ifndef MR_SOURCE_MYSQL_JSON_BINARY_H
#define MR_SOURCE_MYSQL_JSON_BINARY_H

#include <stdbool.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"
#include "writer.h"

#define MR_JSON_DEPTH_MAX 100

/** Appends the document as text. No bytes at all is how the server stores an empty value: null. */
bool mr_json_binary_print(struct mr_slice document, struct mr_writer *to,
                          struct mr_error *err) MR_MUST_CHECK;

/** Appends a double as MySQL's JSON prints it: the shortest digits that read back the same. */
void mr_json_binary_print_double(double number, struct mr_writer *to);

#endif
