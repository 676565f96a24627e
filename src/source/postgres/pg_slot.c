// SPDX-License-Identifier: MIT
/*
 * pg_slot.c - identity, timelines and slots.
 *
 * A server that is given an older position than the slot's confirmed one silently starts at the
 * latter: changes in between would be missing. So the two are compared before streaming, and a slot
 * that has moved past us is an error that stops.
 */
#include "pg_slot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pgoutput.h"

#define FAILOVER_VERSION_MIN 170000
#define STANDBY_WAIT_MS      UINT64_C(60000) /* a primary logs it every 15 s, when it has work */

bool mr_pg_identify(struct mr_pg_connection *connection, struct mr_pg_identity_of *identity,
                    struct mr_error *err)
{
    MR_ASSERT(connection->kind == MR_PG_CONNECTION_REPLICATION);
    const int version = PQserverVersion(connection->pg);
    if (version < MR_PG_VERSION_MIN) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "\"%s\" port %u runs PostgreSQL %d; millrace follows 14 and later",
                       connection->endpoint->host, connection->endpoint->port, version / 10000);
    }
    PGresult *result = mr_pg_command(connection, "IDENTIFY_SYSTEM", err);
    if (result == NULL) {
        return false;
    }
    const bool ok = PQntuples(result) == 1 && PQnfields(result) >= 2;
    if (ok) {
        (void)snprintf(identity->system, sizeof(identity->system), "%s", mr_pg_field(result, 0, 0));
        identity->timeline = (uint32_t)strtoul(mr_pg_field(result, 0, 1), NULL, 10);
        (void)snprintf(identity->epoch, sizeof(identity->epoch), "%s/%" PRIu32, identity->system,
                       identity->timeline);
    }
    PQclear(result);
    return ok || mr_fail(err, MR_E_PROTOCOL, MR_STOP, "IDENTIFY_SYSTEM gave no identity");
}

uint64_t mr_pg_timeline_left_at(const char *history, uint32_t timeline)
{
    MR_ASSERT(history != NULL);
    char lsn_text[MR_PG_LSN_TEXT_BYTES];
    for (const char *line = history; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        char *end = NULL;
        const unsigned long number = strtoul(line, &end, 10);
        uint64_t lsn = 0;
        if (end == line || number != timeline || *end != '\t') {
            continue;
        }
        (void)snprintf(lsn_text, sizeof(lsn_text), "%.*s", (int)strcspn(end + 1, "\t\n"), end + 1);
        if (mr_pg_lsn_parse(lsn_text, &lsn)) {
            return lsn;
        }
    }
    return 0;
}

static bool check_timeline(struct mr_pg_connection *connection,
                           const struct mr_pg_identity_of *identity,
                           const struct mr_position *resume, struct mr_error *err)
{
    MR_ASSERT(identity->timeline != 0);
    char command[48];
    const char *slash = strchr(resume->epoch, '/');
    const uint32_t ours = slash == NULL ? 0 : (uint32_t)strtoul(slash + 1, NULL, 10);
    (void)snprintf(command, sizeof(command), "TIMELINE_HISTORY %" PRIu32, identity->timeline);
    PGresult *result = mr_pg_command(connection, command, err);
    if (result == NULL) {
        return mr_error_context(err, "read the history of timeline %" PRIu32, identity->timeline);
    }
    const bool has_history = PQntuples(result) == 1 && PQnfields(result) == 2;
    const uint64_t left_at =
        has_history ? mr_pg_timeline_left_at(mr_pg_field(result, 0, 1), ours) : 0;
    PQclear(result);
    if (left_at == 0 || resume->native.major > left_at) {
        return mr_fail(err, MR_E_LOST, MR_STOP,
                       "position %s of timeline %" PRIu32 " is not in the history of the server, "
                       "which is on timeline %" PRIu32 " now: it lacks changes that are in the "
                       "stream already; copy the tables anew",
                       resume->text, ours, identity->timeline);
    }
    return true;
}

bool mr_pg_check_epoch(struct mr_pg_connection *connection,
                       const struct mr_pg_identity_of *identity, const struct mr_position *resume,
                       struct mr_error *err)
{
    MR_ASSERT(mr_position_is_set(resume));
    const size_t length = strlen(identity->system);
    if (strcmp(resume->epoch, identity->epoch) == 0) {
        return true;
    }
    if (strncmp(resume->epoch, identity->system, length) != 0 || resume->epoch[length] != '/') {
        return mr_fail(
            err, MR_E_SOURCE, MR_STOP,
            "the server is another one: the position %s belongs to system \"%s\", \"%s\" "
            "port %u is \"%s\"; point the source at the old server, or give it another "
            "name and copy the tables anew",
            resume->text, resume->epoch, connection->endpoint->host, connection->endpoint->port,
            identity->epoch);
    }
    return check_timeline(connection, identity, resume, err);
}

bool mr_pg_position_set(struct mr_position *position, const struct mr_pg_identity_of *identity,
                        uint64_t lsn, struct mr_error *err)
{
    char text[MR_PG_LSN_TEXT_BYTES];
    MR_ASSERT(lsn != 0);
    mr_pg_lsn_format(lsn, text);
    return mr_position_set(position, mr_slice_of(identity->epoch), mr_slice_of(text),
                           (struct mr_native_position){.major = lsn}, err);
}

bool mr_pg_slot_read(struct mr_pg_connection *connection, const char *name, struct mr_pg_slot *slot,
                     struct mr_error *err)
{
    MR_ASSERT(name[0] != '\0');
    const char *const parameters[] = {name};
    PGresult *result = mr_pg_query(
        connection,
        "SELECT plugin, database, active, coalesce(active_pid, 0), coalesce(wal_status, 'lost'), "
        "confirmed_flush_lsn FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
        parameters, 1, err);
    if (result == NULL) {
        return mr_error_context(err, "read slot \"%s\"", name);
    }
    *slot = (struct mr_pg_slot){.exists = PQntuples(result) == 1};
    bool ok = true;
    if (slot->exists) {
        (void)snprintf(slot->plugin, sizeof(slot->plugin), "%s", mr_pg_field(result, 0, 0));
        (void)snprintf(slot->database, sizeof(slot->database), "%s", mr_pg_field(result, 0, 1));
        slot->is_active = strcmp(mr_pg_field(result, 0, 2), "t") == 0;
        slot->active_pid = (int)strtol(mr_pg_field(result, 0, 3), NULL, 10);
        slot->is_lost = strcmp(mr_pg_field(result, 0, 4), "lost") == 0;
        ok = PQgetisnull(result, 0, 5) ||
             mr_pg_lsn_parse(mr_pg_field(result, 0, 5), &slot->confirmed_lsn);
    }
    PQclear(result);
    return ok || mr_fail(err, MR_E_PROTOCOL, MR_STOP, "slot \"%s\" has no position", name);
}

static bool check_position(const struct mr_pg_slot *slot, const char *name, uint64_t resume_lsn,
                           struct mr_error *err)
{
    MR_ASSERT(slot->exists);
    char ours[MR_PG_LSN_TEXT_BYTES];
    char theirs[MR_PG_LSN_TEXT_BYTES];
    if (resume_lsn == 0 || slot->confirmed_lsn <= resume_lsn) {
        return true;
    }
    mr_pg_lsn_format(resume_lsn, ours);
    mr_pg_lsn_format(slot->confirmed_lsn, theirs);
    return mr_fail(err, MR_E_LOST, MR_STOP,
                   "slot \"%s\" stands at %s, past our position %s: somebody else moved it, or "
                   "data_dir is older than the slot; changes in between are gone: copy the tables "
                   "anew",
                   name, theirs, ours);
}

bool mr_pg_slot_check(const struct mr_pg_slot *slot, const char *name, const char *database,
                      uint64_t resume_lsn, struct mr_error *err)
{
    if (!slot->exists) {
        return mr_fail(
            err, MR_E_LOST, MR_STOP,
            "slot \"%s\" is gone, and with it the log since our position: it was dropped, or the "
            "server is a standby that was promoted (from PostgreSQL 17 on a failover slot comes "
            "along); copy the tables anew: on_lost_position: snapshot does",
            name);
    }
    if (strcmp(slot->plugin, "pgoutput") != 0 || strcmp(slot->database, database) != 0) {
        return mr_fail(err, MR_E_SOURCE, MR_STOP,
                       "slot \"%s\" is of plug-in \"%s\" in database \"%s\", not of pgoutput in "
                       "\"%s\"; give the source another \"slot\"",
                       name, slot->plugin, slot->database, database);
    }
    if (slot->is_lost) {
        return mr_fail(err, MR_E_LOST, MR_STOP,
                       "slot \"%s\" is lost: the server removed log that it needs "
                       "(max_slot_wal_keep_size); raise that, and copy the tables anew: "
                       "on_lost_position: snapshot does, with a new slot; or run: SELECT "
                       "pg_drop_replication_slot('%s') and start with an empty data_dir",
                       name, name);
    }
    if (slot->is_active) {
        return mr_fail(
            err, MR_E_SOURCE, MR_RETRY,
            "slot \"%s\" is in use by process %d of the server; stop the other reader, or "
            "run: SELECT pg_terminate_backend(%d)",
            name, slot->active_pid, slot->active_pid);
    }
    return check_position(slot, name, resume_lsn, err);
}

bool mr_pg_slot_drop(struct mr_pg_connection *connection, const char *name, struct mr_error *err)
{
    const char *const parameters[] = {name};
    PGresult *result = mr_pg_query(connection, "SELECT pg_catalog.pg_drop_replication_slot($1)",
                                   parameters, 1, err);
    PQclear(result);
    return result != NULL || mr_error_context(err, "drop slot \"%s\"", name);
}

/* Failover slots came with 17; a standby cannot make one, and a temporary one is of no use. */
static bool is_failover(const struct mr_pg_connection *connection, enum mr_pg_slot_kind kind)
{
    return kind != MR_PG_SLOT_TEMPORARY && connection->config->slot_failover &&
           PQserverVersion(connection->pg) >= FAILOVER_VERSION_MIN &&
           !mr_pg_connection_is_standby(connection);
}

bool mr_pg_slot_create(struct mr_pg_connection *connection, const char *name,
                       enum mr_pg_slot_kind kind, struct mr_pg_slot_start *start,
                       struct mr_error *err)
{
    char quoted[2 * MR_PG_NAME_BYTES_MAX + 3];
    char command[256];
    MR_ASSERT(connection->kind == MR_PG_CONNECTION_REPLICATION);
    mr_pg_quote_identifier(name, quoted, sizeof(quoted));
    const bool exports = kind != MR_PG_SLOT_LASTING;
    const char *options = is_failover(connection, kind)
                              ? (exports ? "(SNAPSHOT 'export', FAILOVER true)"
                                         : "(SNAPSHOT 'nothing', FAILOVER true)")
                              : (exports ? "EXPORT_SNAPSHOT" : "NOEXPORT_SNAPSHOT");
    (void)snprintf(command, sizeof(command), "CREATE_REPLICATION_SLOT %s%s LOGICAL pgoutput %s",
                   quoted, kind == MR_PG_SLOT_TEMPORARY ? " TEMPORARY" : "", options);
    const bool is_standby = mr_pg_connection_is_standby(connection);
    const uint64_t wait_ms_max = connection->wait_ms_max;
    if (is_standby && wait_ms_max < STANDBY_WAIT_MS) {
        connection->wait_ms_max = STANDBY_WAIT_MS;
    }
    PGresult *result = mr_pg_command(connection, command, err);
    connection->wait_ms_max = wait_ms_max;
    if (result == NULL) {
        return mr_error_context(
            err, "create slot \"%s\" (%s)", name,
            is_standby
                ? "a standby waits for its primary to log what runs there; to have it do so at "
                  "once, run on the primary: SELECT pg_log_standby_snapshot()"
                : "it waits for every transaction that runs now");
    }
    *start = (struct mr_pg_slot_start){0};
    const bool ok = PQntuples(result) == 1 && PQnfields(result) >= 3 &&
                    mr_pg_lsn_parse(mr_pg_field(result, 0, 1), &start->lsn) && start->lsn != 0;
    if (ok) {
        (void)snprintf(start->snapshot, sizeof(start->snapshot), "%s", mr_pg_field(result, 0, 2));
    }
    PQclear(result);
    return ok || mr_fail(err, MR_E_PROTOCOL, MR_STOP, "a new slot \"%s\" has no start", name);
}
