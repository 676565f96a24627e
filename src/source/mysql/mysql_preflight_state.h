// SPDX-License-Identifier: MIT
/*
 * mysql_preflight_state.h - what the parts of a preflight share; nobody else includes it.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_PREFLIGHT_STATE_H
#define MR_SOURCE_MYSQL_MYSQL_PREFLIGHT_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "mysql_config.h"
#include "mysql_connection.h"
#include "mysql_info.h"
#include "mysql_server.h"
#include "source.h"

struct mr_mysql_preflight {
    const struct mr_source_context *context;
    const struct mr_mysql_config *config;
    struct mr_mysql_connection *connection;
    struct mr_findings *findings;
    struct mr_error *err; /* of a connection that is lost on the way */
    char account[MR_MYSQL_ACCOUNT_BYTES_MAX];
    struct mr_mysql_list list;
    bool *needs_lock; /* as list.tables: its copy locks the table */
    uint32_t denied_count;
    uint32_t refused_count;
    uint32_t locked_count;
};

/** A failed look: a lost connection ends the preflight, anything else is a finding. */
bool mr_mysql_note_failure(struct mr_mysql_preflight *preflight, const char *what,
                           const struct mr_error *err);

/* Each looks at one matter and adds its findings; false when the connection was lost. */
bool mr_mysql_preflight_databases(struct mr_mysql_preflight *preflight);
bool mr_mysql_preflight_tables(struct mr_mysql_preflight *preflight); /* fills the list */
/* Each table of the server, captured or not and why, and how long the binlog lasts. */
bool mr_mysql_doctor(struct mr_mysql_preflight *preflight);
bool mr_mysql_preflight_snapshot_lock(struct mr_mysql_preflight *preflight); /* after tables */
bool mr_mysql_preflight_rows(struct mr_mysql_preflight *preflight);          /* after tables */
bool mr_mysql_preflight_cascades(struct mr_mysql_preflight *preflight);
bool mr_mysql_preflight_prepared(struct mr_mysql_preflight *preflight);

#endif
