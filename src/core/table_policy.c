// SPDX-License-Identifier: MIT
/*
 * table_policy.c - see table_policy.h.
 */
#include "table_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "table_filter.h"

const struct mr_table_policy mr_table_policy_default = {
    .match = "*",
    .mode = MR_TABLE_CURRENT,
    .on_schema_change = MR_ON_SCHEMA_CHANGE_EVOLVE,
    .on_type_error = MR_ON_TYPE_ERROR_STOP,
};

const struct mr_table_policy *mr_policies_find(const struct mr_policies *policies,
                                               const char *source, const char *space,
                                               const char *table)
{
    MR_ASSERT(source != NULL && space != NULL && table != NULL);
    if (policies == NULL) {
        return &mr_table_policy_default;
    }
    const struct mr_table_policy *found = &policies->fallback;
    const size_t size = strlen(source) + strlen(space) + strlen(table) + 3;
    char *name = mr_memory_new(size, 1);
    (void)snprintf(name, size, "%s.%s.%s", source, space, table);
    for (size_t i = 0; i < policies->table_count; i++) {
        if (mr_glob_matches(policies->tables[i].match, name)) {
            found = &policies->tables[i];
            break;
        }
    }
    free(name);
    return found;
}

enum mr_on_type_error mr_table_policy_on_type_error(const struct mr_table_policy *policy,
                                                    const char *column)
{
    MR_ASSERT(policy != NULL && column != NULL);
    unsigned value = policy->on_type_error;
    for (size_t i = 0; i < policy->column_count; i++) {
        if (mr_glob_matches(policy->columns[i].match, column)) {
            if (policy->columns[i].on_type_error != MR_ON_TYPE_ERROR_INHERIT) {
                value = policy->columns[i].on_type_error;
            }
            break;
        }
    }
    return value == MR_ON_TYPE_ERROR_INHERIT ? MR_ON_TYPE_ERROR_STOP : (enum mr_on_type_error)value;
}

const char *mr_on_type_error_name(enum mr_on_type_error value)
{
    static const char *const names[] = {
        [MR_ON_TYPE_ERROR_INHERIT] = "inherit",
        [MR_ON_TYPE_ERROR_STOP] = "stop",
        [MR_ON_TYPE_ERROR_QUARANTINE] = "quarantine",
        [MR_ON_TYPE_ERROR_TEXT] = "text",
        [MR_ON_TYPE_ERROR_NULL] = "null",
    };
    MR_ASSERT((size_t)value < MR_ARRAY_LEN(names));
    return names[value];
}
