// SPDX-License-Identifier: MIT
/*
 * mysql_resume.c - see mysql_resume.h.
 */
#include "mysql_resume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gtid.h"
#include "memory.h"
#include "mysql_info.h"
#include "mysql_server.h"
#include "writer.h"

#define QUERY_BYTES_MAX ((size_t)4 * MR_POSITION_BYTES_MAX)
#define SHOWN_BYTES     120 /* of a position in a message: a GTID set may be longer */

/** Runs a query that takes the GTIDs once or twice: `before` gtids `between` gtids `after`. */
static bool query_gtids(struct mr_mysql_connection *connection, const char *const parts[3],
                        struct mr_slice gtids, uint64_t *number, struct mr_error *err)
{
    MR_ASSERT(parts[0] != NULL && parts[1] != NULL);
    struct mr_writer sql = {0};
    char *set = mr_memory_copy_text(gtids.bytes, gtids.length);
    mr_writer_init(&sql, QUERY_BYTES_MAX);
    mr_write_bytes(&sql, parts[0], strlen(parts[0]));
    mr_mysql_write_literal(&sql, set);
    mr_write_bytes(&sql, parts[1], strlen(parts[1]));
    if (parts[2] != NULL) {
        mr_mysql_write_literal(&sql, set);
        mr_write_bytes(&sql, parts[2], strlen(parts[2]));
    }
    mr_write_u8(&sql, 0);
    bool read = sql.failed
                    ? mr_fail(err, MR_E_LIMIT, MR_STOP, "the position's GTID set is too long")
                    : mr_mysql_query_uint(connection, (const char *)sql.bytes, number, err);
    mr_writer_done(&sql);
    free(set);
    return read;
}

bool mr_mysql_resume_explain(struct mr_mysql_connection *connection, const char *position,
                             const char *server_says, struct mr_error *err)
{
    MR_ASSERT(position != NULL && server_says != NULL);
    struct mr_mysql_logs logs = {0};
    struct mr_error ignored = {0};
    char has[160] = "its list of binlogs could not be read";
    if (connection != NULL && mr_mysql_logs_read(connection, NULL, 0, &logs, &ignored)) {
        (void)snprintf(has, sizeof(has), "it still has %.60s to %.60s", logs.first, logs.last);
    }
    char shown[SHOWN_BYTES + 4];
    (void)snprintf(shown, sizeof(shown), "%.*s%s", SHOWN_BYTES, position,
                   strlen(position) > SHOWN_BYTES ? "..." : "");
    return mr_fail(err, MR_E_LOST, MR_STOP,
                   "the server cannot go on from position \"%s\": %s%s%.160s; copy the source's "
                   "tables anew (on_lost_position: snapshot does), and let the server keep its "
                   "binlogs longer (binlog_expire_logs_seconds)",
                   shown, has, server_says[0] == '\0' ? "" : "; it says: ", server_says);
}

/** The server never had what we have: it may catch up, or it went another way. */
static bool fail_missing(struct mr_mysql_connection *connection, const struct mr_position *from,
                         bool is_same_server, struct mr_error *err)
{
    MR_ASSERT(mr_position_is_set(from));
    uint64_t is_read_only = 0;
    if (!is_same_server &&
        !mr_mysql_query_uint(connection, "SELECT @@global.read_only", &is_read_only, err)) {
        return false;
    }
    const bool is_behind = !is_same_server && is_read_only != 0;
    return mr_fail(err, is_behind ? MR_E_SOURCE : MR_E_LOST, is_behind ? MR_RETRY : MR_STOP,
                   "%s:%u has not executed all transactions up to position \"%.120s\": it is %s; "
                   "connect to the server that has them, or copy the tables anew",
                   connection->endpoint->host, connection->endpoint->port, from->text,
                   is_same_server ? "the same server with another history (reset or restored)"
                   : is_behind    ? "a replica that is behind"
                                  : "a server that takes writes without them (diverged)");
}

static uint32_t count_held(const struct mr_maria_position *ours, struct mr_maria_gtid theirs)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < ours->count; i++) {
        const struct mr_maria_gtid *gtid = &ours->gtids[i];
        held += gtid->domain == theirs.domain && gtid->server == theirs.server &&
                gtid->sequence <= theirs.sequence;
    }
    return held;
}

/** MariaDB: whether a list of GTIDs, one a domain and server, has one at or after each of ours. */
static bool has_maria_gtids(const char *state, const struct mr_maria_position *ours, bool *has,
                            struct mr_error *err)
{
    MR_ASSERT(state != NULL);
    struct mr_maria_position theirs = {0};
    uint32_t held = 0;
    bool parsed = true;
    while (parsed && *state != '\0') {
        const size_t length = strcspn(state, ",");
        parsed = mr_maria_position_parse(&theirs, (struct mr_slice){(const uint8_t *)state, length},
                                         err);
        held += parsed && theirs.count == 1 ? count_held(ours, theirs.gtids[0]) : 0;
        state += length + (state[length] == ',' ? 1 : 0);
    }
    mr_maria_position_done(&theirs);
    *has = held == ours->count;
    return parsed;
}

/** MariaDB: what the server ever wrote into its binlog must hold what we have. */
static bool check_maria(struct mr_mysql_connection *connection, const struct mr_position *from,
                        const struct mr_mysql_resume *plan, bool is_same_server,
                        struct mr_error *err)
{
    MR_ASSERT(plan->keeps_gtids && connection->is_maria);
    struct mr_maria_position ours = {0};
    char *state = mr_memory_new(1, MR_POSITION_BYTES_MAX);
    bool ok = mr_maria_position_parse(&ours, plan->place.gtids, err) &&
              mr_mysql_query_text(connection, "SELECT @@global.gtid_binlog_state", state,
                                  MR_POSITION_BYTES_MAX, err);
    bool has = false;
    ok = ok && has_maria_gtids(state, &ours, &has, err);
    if (ok && !has) {
        ok = fail_missing(connection, from, is_same_server, err);
    }
    mr_maria_position_done(&ours);
    free(state);
    return ok;
}

/** MySQL: our set against what the server has thrown away and what it ever had. */
static bool check_gtids(struct mr_mysql_connection *connection, const struct mr_position *from,
                        const struct mr_mysql_resume *plan, bool is_same_server,
                        struct mr_error *err)
{
    MR_ASSERT(plan->keeps_gtids && !connection->is_maria);
    struct mr_slice gtids = plan->place.gtids;
    static const char *const is_executed[3] = {"SELECT GTID_SUBSET(", ", @@global.gtid_executed)",
                                               NULL};
    static const char *const is_kept[3] = {"SELECT GTID_SUBSET(@@global.gtid_purged, ", ")", NULL};
    uint64_t executed = 0;
    uint64_t kept = 0;

    if (!query_gtids(connection, is_executed, gtids, &executed, err) ||
        !query_gtids(connection, is_kept, gtids, &kept, err)) {
        return mr_error_context(err, "compare GTIDs with the server's");
    }
    if (executed == 0) {
        return fail_missing(connection, from, is_same_server, err);
    }
    if (kept == 0 && plan->by_gtids) {
        return mr_mysql_resume_explain(connection, from->text,
                                       "transactions after it are in gtid_purged", err);
    }
    return true;
}

bool mr_mysql_resume_plan(struct mr_mysql_connection *connection, const struct mr_position *from,
                          const char *epoch, struct mr_mysql_resume *resume, struct mr_error *err)
{
    struct mr_mysql_resume plan = {0};
    struct mr_mysql_logs logs = {0};
    char file[MR_MYSQL_FILE_BYTES_MAX];
    bool has_gtids = false;

    MR_ASSERT(mr_position_is_set(from));
    if (!mr_binlog_place_parse(mr_slice_of(from->text), &plan.place, err)) {
        return mr_error_context(err, "resume from \"%.120s\"", from->text);
    }
    if (plan.place.file.length >= sizeof(file)) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "position \"%.120s\" names no file",
                       from->text);
    }
    memcpy(file, plan.place.file.bytes, plan.place.file.length);
    file[plan.place.file.length] = '\0';
    if (!mr_mysql_has_gtids(connection, &has_gtids, err) ||
        !mr_mysql_logs_read(connection, file, plan.place.offset, &logs, err)) {
        return false;
    }
    plan.keeps_gtids = has_gtids && plan.place.gtids.bytes != NULL;
    bool is_same_server = strcmp(from->epoch, epoch) == 0;
    bool by_file = is_same_server && logs.has_wanted;
    plan.by_gtids = !by_file && plan.keeps_gtids;
    if (!by_file && !plan.by_gtids && !is_same_server) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "position \"%.120s\" belongs to server \"%s\", and %s:%u is \"%s\"; without "
                       "GTIDs on both a place cannot be carried over: connect to the first one, or "
                       "copy the tables anew",
                       from->text, from->epoch, connection->endpoint->host,
                       connection->endpoint->port, epoch);
    }
    if (!by_file && !plan.by_gtids) {
        return mr_mysql_resume_explain(connection, from->text, "", err);
    }
    if (plan.keeps_gtids &&
        !(connection->is_maria ? check_maria(connection, from, &plan, is_same_server, err)
                               : check_gtids(connection, from, &plan, is_same_server, err))) {
        return false;
    }
    plan.generation = (from->native.major >> MR_BINLOG_GENERATION_SHIFT) + (is_same_server ? 0 : 1);
    *resume = plan;
    return true;
}
