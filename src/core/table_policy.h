// SPDX-License-Identifier: MIT
/*
 * table_policy.h - what the operator wants done with a table: the `tables:` list of the
 * configuration, in a form that sources and sinks can ask.
 *
 * The first entry whose glob matches "source.space.table" holds, whole: entries are not merged.
 * Within it, the first entry of `columns` whose glob matches a column's name overrides what the
 * table says for that column. A table that nothing matches has the defaults.
 *
 * Invariant of policies from a loaded configuration: no value is INHERIT, and none asks for what
 * this version does not do (pipeline/config_check.c refuses those).
 */
#ifndef MR_CORE_TABLE_POLICY_H
#define MR_CORE_TABLE_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "options.h"

enum mr_table_mode { MR_TABLE_CURRENT, MR_TABLE_APPEND, MR_TABLE_HISTORY };

enum mr_on_schema_change {
    MR_ON_SCHEMA_CHANGE_EVOLVE,
    MR_ON_SCHEMA_CHANGE_LENIENT,
    MR_ON_SCHEMA_CHANGE_QUARANTINE,
    MR_ON_SCHEMA_CHANGE_STOP,
};

/** What a value does that its column's core type cannot hold. */
enum mr_on_type_error {
    MR_ON_TYPE_ERROR_INHERIT,    /* as written only: the table's, the pipeline's */
    MR_ON_TYPE_ERROR_STOP,       /* the default: an error that names the value and the cure */
    MR_ON_TYPE_ERROR_QUARANTINE, /* the table stands still before it; the others go on */
    MR_ON_TYPE_ERROR_TEXT,       /* the column is captured as TEXT, every value of it */
    MR_ON_TYPE_ERROR_NULL,       /* NULL, counted in metrics and status */
};

struct mr_column_policy {
    const char *match;      /* glob over the column's name */
    unsigned on_type_error; /* enum mr_on_type_error */
};

struct mr_table_policy {
    const char *match;         /* glob over "source.space.table" */
    unsigned mode;             /* enum mr_table_mode */
    unsigned on_schema_change; /* enum mr_on_schema_change */
    unsigned on_type_error;    /* enum mr_on_type_error */
    struct mr_string_list key;
    const char *retention_column; /* NULL: no retention */
    uint64_t retention_keep_ms;
    struct mr_column_policy *columns; /* in order; the owner frees */
    size_t column_count;
};

struct mr_policies {
    struct mr_table_policy *tables; /* in order; the owner frees */
    size_t table_count;
    struct mr_table_policy fallback; /* of a table that none matches */
};

/** What holds where nobody said anything; `match` is "*". */
extern const struct mr_table_policy mr_table_policy_default;

/** The policy of a table, never NULL. policies may be NULL: the defaults. */
const struct mr_table_policy *mr_policies_find(const struct mr_policies *policies,
                                               const char *source, const char *space,
                                               const char *table);

/** What holds for one column of the table; never INHERIT. */
enum mr_on_type_error mr_table_policy_on_type_error(const struct mr_table_policy *policy,
                                                    const char *column);

/** As in the configuration ("stop", "text"). */
const char *mr_on_type_error_name(enum mr_on_type_error value);

#endif
