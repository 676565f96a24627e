// SPDX-License-Identifier: MIT
/*
 * table_filter.h - which tables a source captures: globs over "space.table", * and ? as wildcards
 * (* does not cross the dot unless the whole pattern is "*"). A table is captured when an include
 * pattern matches and no exclude pattern does; what people chose by name (table_choices.h) goes
 * before both.
 */
#ifndef MR_CORE_TABLE_FILTER_H
#define MR_CORE_TABLE_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "table_choices.h"

struct mr_table_filter {
    const struct mr_string_list *include; /* borrowed; empty: everything */
    const struct mr_string_list *exclude;
    struct mr_table_choices *choices; /* borrowed; NULL: none */
};

bool mr_table_filter_takes(const struct mr_table_filter *filter, const char *space,
                           const char *table);

/** Why a table is taken or not, as a clause for people; always ends with a NUL. */
void mr_table_filter_why(const struct mr_table_filter *filter, const char *space, const char *table,
                         char *why, size_t size);

/** True when the glob matches the whole text. */
bool mr_glob_matches(const char *glob, const char *text);

#endif
