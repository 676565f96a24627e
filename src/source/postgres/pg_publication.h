// SPDX-License-Identifier: MIT
/*
 * pg_publication.h - the publication: which tables the server sends.
 */
#ifndef MR_SOURCE_POSTGRES_PG_PUBLICATION_H
#define MR_SOURCE_POSTGRES_PG_PUBLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include "pg_connection.h"
#include "table_filter.h"

/**
 * What stands between the publication and the configured tables. One that somebody else made is
 * used as it is: its row filters, lists of columns and tables are what is captured. Ours has a
 * comment that says so, or the name that it gets by itself.
 */
struct mr_pg_publication {
    bool exists;
    bool is_ours;
    bool sends_changes;     /* updates or deletes, which need a replica identity */
    bool sends_all;         /* and inserts and truncates */
    bool sends_generated;   /* stored generated columns (18 and later) */
    char sends[48];         /* "insert, update", for people */
    uint32_t missing_count; /* tables that match and are not published */
    char *statement;        /* what creates or completes it; NULL when there is nothing to do */
};

/** Looks, and changes nothing. */
bool mr_pg_publication_read(struct mr_pg_connection *connection, const char *name,
                            const struct mr_table_filter *filter,
                            struct mr_pg_publication *publication,
                            struct mr_error *err) MR_MUST_CHECK;
void mr_pg_publication_done(struct mr_pg_publication *publication);

/**
 * Creates the publication when it is missing; adds tables that match and are not in it to ours.
 * Must come before the slot: a slot cannot send for a publication that did not exist at its start.
 */
bool mr_pg_publication_ensure(struct mr_pg_connection *connection, const char *name,
                              const struct mr_table_filter *filter,
                              struct mr_error *err) MR_MUST_CHECK;

#endif
