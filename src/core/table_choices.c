// SPDX-License-Identifier: MIT
/*
 * table_choices.c - see table_choices.h. People name few tables: a list does.
 */
#include "table_choices.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct choice {
    struct choice *next;
    char *space;
    char *table;
    enum mr_choice said;
};

struct mr_table_choices {
    pthread_mutex_t lock;
    struct choice *all;
};

struct mr_table_choices *mr_table_choices_open(void)
{
    struct mr_table_choices *choices = mr_memory_new(1, sizeof(*choices));
    const int made = pthread_mutex_init(&choices->lock, NULL);
    MR_ASSERT(made == 0);
    return choices;
}

void mr_table_choices_close(struct mr_table_choices *choices)
{
    if (choices == NULL) {
        return;
    }
    while (choices->all != NULL) {
        struct choice *choice = choices->all;
        choices->all = choice->next;
        free(choice->space);
        free(choice->table);
        free(choice);
    }
    (void)pthread_mutex_destroy(&choices->lock);
    free(choices);
}

/* Under the lock. */
static struct choice *find(const struct mr_table_choices *choices, const char *space,
                           const char *table)
{
    struct choice *choice = choices->all;
    while (choice != NULL &&
           (strcmp(choice->space, space) != 0 || strcmp(choice->table, table) != 0)) {
        choice = choice->next;
    }
    return choice;
}

void mr_table_choices_set(struct mr_table_choices *choices, const char *space, const char *table,
                          enum mr_choice said)
{
    MR_ASSERT(space != NULL && table != NULL);
    (void)pthread_mutex_lock(&choices->lock);
    struct choice *choice = find(choices, space, table);
    if (choice == NULL) {
        choice = mr_memory_new(1, sizeof(*choice));
        choice->space = mr_memory_copy_text(space, strlen(space));
        choice->table = mr_memory_copy_text(table, strlen(table));
        choice->next = choices->all;
        choices->all = choice;
    }
    choice->said = said;
    (void)pthread_mutex_unlock(&choices->lock);
}

enum mr_choice mr_table_choices_get(struct mr_table_choices *choices, const char *space,
                                    const char *table)
{
    MR_ASSERT(space != NULL && table != NULL);
    if (choices == NULL) {
        return MR_CHOICE_NONE;
    }
    (void)pthread_mutex_lock(&choices->lock);
    const struct choice *choice = find(choices, space, table);
    const enum mr_choice said = choice == NULL ? MR_CHOICE_NONE : choice->said;
    (void)pthread_mutex_unlock(&choices->lock);
    return said;
}
