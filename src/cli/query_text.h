// SPDX-License-Identifier: MIT
/*
 * query_text.h - a query's JSON answer as a table for people, or as CSV (RFC 4180).
 */
#ifndef MR_CLI_QUERY_TEXT_H
#define MR_CLI_QUERY_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/** Aligned columns, numbers to the right, and a line that counts the rows. False: not an answer. */
bool mr_query_text_table(FILE *out, const json_t *answer);

/** A header line, then the rows; NULL is an empty field, an empty text is "". */
bool mr_query_text_csv(FILE *out, const json_t *answer);

#endif
