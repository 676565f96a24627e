// SPDX-License-Identifier: MIT
/*
 * table_choices.h - tables that people chose by name while a pipeline runs, beside the globs of its
 * configuration: added ones are captured though no pattern takes them, dropped ones are not though
 * one does. The last word about a name counts.
 *
 * Threads: any may ask and set.
 */
#ifndef MR_CORE_TABLE_CHOICES_H
#define MR_CORE_TABLE_CHOICES_H

#include <stdbool.h>

#include "compiler.h"

enum mr_choice {
    MR_CHOICE_NONE, /* the globs decide */
    MR_CHOICE_ADDED,
    MR_CHOICE_DROPPED,
};

struct mr_table_choices;

struct mr_table_choices *mr_table_choices_open(void);
void mr_table_choices_close(struct mr_table_choices *choices); /* accepts NULL */

void mr_table_choices_set(struct mr_table_choices *choices, const char *space, const char *table,
                          enum mr_choice said);

/** What was said of a table; choices may be NULL. */
enum mr_choice mr_table_choices_get(struct mr_table_choices *choices, const char *space,
                                    const char *table);

#endif
