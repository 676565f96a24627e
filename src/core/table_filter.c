// SPDX-License-Identifier: MIT
/*
 * table_filter.c - globs over "space.table".
 *
 * The matcher keeps one place to come back to (the last star), so its time is bounded by the
 * product of both lengths whatever the pattern.
 */
#include "table_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

bool mr_glob_matches(const char *glob, const char *text)
{
    MR_ASSERT(glob != NULL && text != NULL);
    if (strcmp(glob, "*") == 0) {
        return true;
    }
    const char *star = NULL;   /* after the last star of the pattern */
    const char *resume = NULL; /* what that star has not swallowed yet */
    while (*text != '\0') {
        if (*glob == '*') {
            star = ++glob;
            resume = text;
        } else if (*glob == *text || (*glob == '?' && *text != '.')) {
            glob++;
            text++;
        } else if (star != NULL && *resume != '.') {
            glob = star;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*glob == '*') {
        glob++;
    }
    return *glob == '\0';
}

static bool matches_any(const struct mr_string_list *globs, const char *text)
{
    for (size_t i = 0; i < globs->count; i++) {
        if (mr_glob_matches(globs->items[i], text)) {
            return true;
        }
    }
    return false;
}

bool mr_table_filter_takes(const struct mr_table_filter *filter, const char *space,
                           const char *table)
{
    MR_ASSERT(space != NULL && table != NULL);
    const enum mr_choice choice = mr_table_choices_get(filter->choices, space, table);
    if (choice != MR_CHOICE_NONE) {
        return choice == MR_CHOICE_ADDED;
    }
    const size_t size = strlen(space) + strlen(table) + 2;
    char *name = mr_memory_new(size, 1);
    (void)snprintf(name, size, "%s.%s", space, table);
    const bool is_included = filter->include == NULL || filter->include->count == 0 ||
                             matches_any(filter->include, name);
    const bool is_excluded = filter->exclude != NULL && matches_any(filter->exclude, name);
    free(name);
    return is_included && !is_excluded;
}
