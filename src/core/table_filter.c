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
#include "writer.h"

#define NAME_BYTES_MAX 65536

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

/* The first glob that matches; NULL: none. */
static const char *find_match(const struct mr_string_list *globs, const char *text)
{
    for (size_t i = 0; globs != NULL && i < globs->count; i++) {
        if (mr_glob_matches(globs->items[i], text)) {
            return globs->items[i];
        }
    }
    return NULL;
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
                             find_match(filter->include, name) != NULL;
    const bool is_excluded = find_match(filter->exclude, name) != NULL;
    free(name);
    return is_included && !is_excluded;
}

void mr_table_filter_why(const struct mr_table_filter *filter, const char *space, const char *table,
                         char *why, size_t size)
{
    const enum mr_choice choice = mr_table_choices_get(filter->choices, space, table);
    const bool takes_all = filter->include == NULL || filter->include->count == 0;
    struct mr_writer name;
    mr_writer_init(&name, NAME_BYTES_MAX);
    mr_write_bytes(&name, space, strlen(space));
    mr_write_u8(&name, '.');
    mr_write_bytes(&name, table, strlen(table) + 1);
    MR_ASSERT(!name.failed);
    const char *text = (const char *)name.bytes;
    const char *excluded = find_match(filter->exclude, text);
    const char *included = find_match(filter->include, text);
    if (choice != MR_CHOICE_NONE) {
        (void)snprintf(why, size, "it was %s by name",
                       choice == MR_CHOICE_ADDED ? "added" : "dropped");
    } else if (excluded != NULL) {
        (void)snprintf(why, size, "\"%s\" of \"exclude\" matches", excluded);
    } else if (takes_all) {
        (void)snprintf(why, size, "\"tables\" names none, so all are");
    } else if (included != NULL) {
        (void)snprintf(why, size, "\"%s\" of \"tables\" matches", included);
    } else {
        (void)snprintf(why, size, "no pattern of \"tables\" matches");
    }
    mr_writer_done(&name);
}
