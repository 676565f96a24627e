// SPDX-License-Identifier: MIT
/*
 * json_diff.h - what an update changed inside a JSON document (binlog_row_value_options =
 * PARTIAL_JSON), applied to the document before it.
 *
 *   diffs := diff*                    the cell behind its length of four bytes
 *   diff  := operation u8, lenenc n, path[n], [unless REMOVE: lenenc n, document[n]]
 *   path  := "$" leg*                 as text: .name, ."quoted name", [7], [last], [last-7]
 *
 * As the server's own replicas do: a path is followed exactly, without wrapping a scalar into an
 * array; REPLACE and REMOVE need what they name, INSERT a name that is new. Anything else means
 * that the document is not the one that the diff was made from: MR_E_PROTOCOL, MR_STOP.
 *
 * Containers are taken apart only along the paths; everything else stays bytes and is printed from
 * there. Bounds: memory some 20 times the bytes of both, depth MR_JSON_DEPTH_MAX, output
 * writer->limit (MR_E_LIMIT).
 *
 * Source: MySQL, sql-common/json_diff.cc; sql-common/json_path.cc.
 */
#ifndef MR_SOURCE_MYSQL_JSON_DIFF_H
#define MR_SOURCE_MYSQL_JSON_DIFF_H

#include <stdbool.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"
#include "writer.h"

/** Appends, as text, the document that `before` (binary JSON, not NULL) becomes by `diffs`. */
bool mr_mysql_json_diff_apply(struct mr_slice before, struct mr_slice diffs, struct mr_writer *to,
                              struct mr_error *err) MR_MUST_CHECK;

#endif
