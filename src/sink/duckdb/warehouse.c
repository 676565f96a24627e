// SPDX-License-Identifier: MIT
/*
 * warehouse.c - opens the database with settings that cannot be changed later, runs the writer's
 * statements and turns the engine's errors into ours.
 *
 * Order of opening: the operator's properties, then what the sink relies on (these win), then the
 * table function, then the lock on the configuration.
 */
#include "warehouse.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "rows.h"

#define CLOSE_WAIT_MS      30000 /* a query may sit in one string function for seconds */
#define REOPEN_WAIT_MS     2000
#define MAKE_ROOM_PAUSE_MS 2000
#define PATH_BYTES_MAX     4096
#define SETTING_BYTES_MAX  64
#define CHECKPOINT_NEVER   "1TB" /* the sink makes all checkpoints itself */
#define VACUUM_TASKS_MAX   "1"   /* a checkpoint: more make it longer, up to a second */
#define RESERVED_COUNT     9

struct mr_warehouse {
    char *path;
    char *temp_path;
    struct mr_warehouse_config config;
    duckdb_database database;
    duckdb_connection writer;
    struct mr_rows_registry *rows;
    struct mr_gate *gate;
    uint32_t generation;
    bool broken;
    bool was_alone; /* when memory ran out last: no query held any of it */
};

/* Settings the sink's promises rest on: properties may not name them. */
static const char *const reserved_settings[RESERVED_COUNT] = {
    "access_mode",
    "allow_unsigned_extensions",
    "autoinstall_known_extensions",
    "autoload_known_extensions",
    "checkpoint_threshold",
    "enable_external_access",
    "lock_configuration",
    "temp_directory",
    "wal_autocheckpoint",
};

int mr_duckdb_first_line(const char *message)
{
    const size_t length = strcspn(message, "\n");
    return length > MR_ERROR_MESSAGE_BYTES_MAX ? MR_ERROR_MESSAGE_BYTES_MAX : (int)length;
}

/* A COMMIT for which memory did not suffice fails as a transaction, with the reason in its text. */
static bool is_commit_out_of_memory(duckdb_error_type type, const char *text)
{
    return type == DUCKDB_ERROR_TRANSACTION && (strstr(text, "could not allocate block") != NULL ||
                                                strstr(text, "failed to pin block") != NULL ||
                                                strstr(text, "failed to allocate data") != NULL);
}

/* Turns an engine error into ours, and notes a broken database. */
static bool fail_engine(struct mr_warehouse *warehouse, duckdb_error_type type, const char *message,
                        struct mr_error *err)
{
    const char *text = message == NULL ? "no message" : message;
    const int length = mr_duckdb_first_line(text);

    if (type == DUCKDB_ERROR_OUT_OF_MEMORY || is_commit_out_of_memory(type, text)) {
        warehouse->was_alone = mr_gate_make_room(warehouse->gate, MAKE_ROOM_PAUSE_MS) == 0;
        return mr_fail(err, MR_E_LIMIT, MR_RETRY,
                       "DuckDB: %.*s; if this comes again, raise the sink's \"memory\"", length,
                       text);
    }
    if (type == DUCKDB_ERROR_FATAL || type == DUCKDB_ERROR_INTERNAL ||
        strstr(text, "database has been invalidated") != NULL) {
        warehouse->broken = true;
        return mr_fail(err, MR_E_SINK, MR_RETRY, "DuckDB gave up the database: %.*s", length, text);
    }
    if (strstr(text, "No space left on device") != NULL) {
        return mr_fail(err, MR_E_FULL, MR_RETRY, "DuckDB: %.*s", length, text);
    }
    const bool may_pass = type == DUCKDB_ERROR_INTERRUPT || type == DUCKDB_ERROR_TRANSACTION ||
                          type == DUCKDB_ERROR_IO;
    return mr_fail(err, MR_E_SINK, may_pass ? MR_RETRY : MR_STOP, "DuckDB: %.*s", length, text);
}

static bool set_option(duckdb_config config, const char *name, const char *value,
                       struct mr_error *err)
{
    if (duckdb_set_config(config, name, value) == DuckDBError) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "DuckDB knows no setting \"%s\" with the value \"%s\"; mend \"properties\"",
                       name, value);
    }
    return true;
}

static bool set_properties(duckdb_config config, const struct mr_string_map *properties,
                           struct mr_error *err)
{
    for (size_t i = 0; properties != NULL && i < properties->count; i++) {
        for (size_t k = 0; k < RESERVED_COUNT; k++) {
            if (strcmp(properties->keys[i], reserved_settings[k]) == 0) {
                return mr_fail(err, MR_E_CONFIG, MR_STOP,
                               "the setting \"%s\" is the sink's own; remove it from "
                               "\"properties\"",
                               properties->keys[i]);
            }
        }
        if (!set_option(config, properties->keys[i], properties->values[i], err)) {
            return false;
        }
    }
    return true;
}

static bool set_bytes(duckdb_config config, const char *name, uint64_t bytes, struct mr_error *err)
{
    char text[SETTING_BYTES_MAX];
    (void)snprintf(text, sizeof(text), "%" PRIu64 "B", bytes);
    return set_option(config, name, text, err);
}

static bool set_all(const struct mr_warehouse *warehouse, duckdb_config config,
                    struct mr_error *err)
{
    char threads[SETTING_BYTES_MAX];

    (void)snprintf(threads, sizeof(threads), "%" PRIu64, warehouse->config.threads);
    return set_bytes(config, "memory_limit", warehouse->config.memory_bytes, err) &&
           set_bytes(config, "max_temp_directory_size", warehouse->config.temp_bytes_max, err) &&
           set_option(config, "threads", threads, err) &&
           set_properties(config, warehouse->config.properties, err) &&
           set_option(config, "temp_directory", warehouse->temp_path, err) &&
           set_option(config, "checkpoint_threshold", CHECKPOINT_NEVER, err) &&
           set_option(config, "max_vacuum_tasks", VACUUM_TASKS_MAX, err) &&
           set_option(config, "autoinstall_known_extensions", "false", err) &&
           set_option(config, "autoload_known_extensions", "false", err) &&
           set_option(config, "enable_external_access", "false", err);
}

static bool fail_open(const struct mr_warehouse *warehouse, const char *message,
                      struct mr_error *err)
{
    const char *text = message == NULL ? "no message" : message;
    const int length = mr_duckdb_first_line(text);

    if (strstr(text, "Could not set lock on file") != NULL) {
        return mr_fail(err, MR_E_LOCKED, MR_STOP,
                       "the warehouse \"%s\" is open in another process; stop that one first",
                       warehouse->path);
    }
    if (strstr(text, "unrecognized") != NULL || strncmp(text, "Invalid Input", 13) == 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "DuckDB refuses a setting: %.*s; mend \"properties\"", length, text);
    }
    if (strstr(text, "Cannot open file") != NULL || strstr(text, "IO Error") != NULL) {
        return mr_fail(err, MR_E_IO, MR_STOP, "open the warehouse \"%s\": %.*s", warehouse->path,
                       length, text);
    }
    return mr_fail(err, MR_E_SINK, MR_STOP, "open the warehouse \"%s\": %.*s", warehouse->path,
                   length, text);
}

static bool open_database(struct mr_warehouse *warehouse, struct mr_error *err)
{
    duckdb_config config = NULL;
    char *message = NULL;
    bool opened = false;

    MR_ASSERT(warehouse->database == NULL && warehouse->writer == NULL);
    if (duckdb_create_config(&config) == DuckDBError) {
        mr_fail(err, MR_E_SINK, MR_STOP, "DuckDB gives no configuration");
        goto out;
    }
    if (!set_all(warehouse, config, err)) {
        goto out;
    }
    if (duckdb_open_ext(warehouse->path, &warehouse->database, config, &message) == DuckDBError) {
        fail_open(warehouse, message, err);
        goto out;
    }
    if (duckdb_connect(warehouse->database, &warehouse->writer) == DuckDBError) {
        mr_fail(err, MR_E_SINK, MR_STOP, "the warehouse \"%s\" gives no connection",
                warehouse->path);
        goto out;
    }
    warehouse->rows = mr_rows_registry_open(warehouse->writer, err);
    if (warehouse->rows == NULL) {
        goto out;
    }
    if (!mr_warehouse_exec(warehouse, "SET GLOBAL TimeZone = 'UTC'", err) ||
        !mr_warehouse_exec(warehouse, "SET GLOBAL lock_configuration = true", err)) {
        goto out;
    }
    warehouse->broken = false;
    warehouse->generation++;
    mr_gate_open(warehouse->gate, warehouse->database);
    opened = true;

out:
    duckdb_destroy_config(&config);
    duckdb_free(message);
    return opened;
}

static void close_database(struct mr_warehouse *warehouse)
{
    if (warehouse->writer != NULL) {
        duckdb_disconnect(&warehouse->writer);
    }
    if (warehouse->database != NULL) {
        duckdb_close(&warehouse->database);
    }
    mr_rows_registry_close(warehouse->rows);
    warehouse->rows = NULL;
    MR_ASSERT(warehouse->writer == NULL && warehouse->database == NULL);
}

struct mr_warehouse *mr_warehouse_open(const struct mr_warehouse_config *config,
                                       struct mr_error *err)
{
    struct mr_warehouse *warehouse = mr_memory_new(1, sizeof(*warehouse));
    char temp_path[PATH_BYTES_MAX];

    MR_ASSERT(config->memory_bytes > 0 && config->threads > 0);
    warehouse->config = *config;
    warehouse->path = mr_memory_copy_text(config->path, strlen(config->path));
    const int length = snprintf(temp_path, sizeof(temp_path), "%s.tmp", config->path);
    if (length < 0 || (size_t)length >= sizeof(temp_path)) {
        mr_fail(err, MR_E_CONFIG, MR_STOP, "the path of the warehouse is too long");
        goto out;
    }
    warehouse->temp_path = mr_memory_copy_text(temp_path, (size_t)length);
    warehouse->gate = mr_gate_new(config->env, (uint32_t)config->queries_max);
    if (open_database(warehouse, err)) {
        return warehouse;
    }

out:
    mr_warehouse_close(warehouse);
    return NULL;
}

void mr_warehouse_close(struct mr_warehouse *warehouse)
{
    if (warehouse == NULL) {
        return;
    }
    if (warehouse->gate != NULL) {
        /* Whoever runs queries has stopped before. One that still sits in a long string function
         * keeps its database: the process ends anyway, and all that is committed is in the log. */
        if (!mr_gate_shut(warehouse->gate, CLOSE_WAIT_MS)) {
            return;
        }
        close_database(warehouse);
        mr_gate_free(warehouse->gate);
    }
    free(warehouse->path);
    free(warehouse->temp_path);
    free(warehouse);
}

bool mr_warehouse_reopen(struct mr_warehouse *warehouse, struct mr_error *err)
{
    if (!mr_gate_shut(warehouse->gate, REOPEN_WAIT_MS)) {
        return mr_fail(err, MR_E_SINK, MR_RETRY,
                       "the warehouse waits for a query to end before it can be opened again");
    }
    close_database(warehouse);
    return open_database(warehouse, err);
}

bool mr_warehouse_is_broken(const struct mr_warehouse *warehouse)
{
    return warehouse->broken || warehouse->database == NULL;
}

bool mr_warehouse_was_alone(const struct mr_warehouse *warehouse)
{
    return warehouse->was_alone;
}

void mr_warehouse_break(struct mr_warehouse *warehouse)
{
    warehouse->broken = true;
}

bool mr_warehouse_is_closed(const struct mr_warehouse *warehouse)
{
    return warehouse->database == NULL || warehouse->rows == NULL;
}

uint32_t mr_warehouse_generation(const struct mr_warehouse *warehouse)
{
    return warehouse->generation;
}

struct mr_gate *mr_warehouse_gate(struct mr_warehouse *warehouse)
{
    return warehouse->gate;
}

struct mr_rows_registry *mr_warehouse_rows(struct mr_warehouse *warehouse)
{
    MR_ASSERT(warehouse->rows != NULL);
    return warehouse->rows;
}

const char *mr_warehouse_path(const struct mr_warehouse *warehouse)
{
    return warehouse->path;
}

bool mr_warehouse_exec_keep(struct mr_warehouse *warehouse, const char *sql, duckdb_result *result,
                            struct mr_error *err)
{
    MR_ASSERT(warehouse->writer != NULL);
    if (duckdb_query(warehouse->writer, sql, result) == DuckDBError) {
        fail_engine(warehouse, duckdb_result_error_type(result), duckdb_result_error(result), err);
        duckdb_destroy_result(result);
        return false;
    }
    return true;
}

bool mr_warehouse_exec(struct mr_warehouse *warehouse, const char *sql, struct mr_error *err)
{
    duckdb_result result;
    if (!mr_warehouse_exec_keep(warehouse, sql, &result, err)) {
        return false;
    }
    duckdb_destroy_result(&result);
    return true;
}

void mr_warehouse_rollback(struct mr_warehouse *warehouse)
{
    duckdb_result result;

    if (!mr_warehouse_is_broken(warehouse)) {
        (void)duckdb_query(warehouse->writer, "ROLLBACK", &result);
        duckdb_destroy_result(&result);
    }
}

bool mr_warehouse_prepare(struct mr_warehouse *warehouse, const char *sql,
                          duckdb_prepared_statement *statement, struct mr_error *err)
{
    MR_ASSERT(warehouse->writer != NULL && *statement == NULL);
    if (duckdb_prepare(warehouse->writer, sql, statement) == DuckDBError) {
        fail_engine(warehouse, DUCKDB_ERROR_INVALID, duckdb_prepare_error(*statement), err);
        duckdb_destroy_prepare(statement);
        *statement = NULL;
        return false;
    }
    return true;
}

bool mr_warehouse_run_keep(struct mr_warehouse *warehouse, duckdb_prepared_statement statement,
                           duckdb_result *result, struct mr_error *err)
{
    MR_ASSERT(statement != NULL);
    if (duckdb_execute_prepared(statement, result) == DuckDBError) {
        fail_engine(warehouse, duckdb_result_error_type(result), duckdb_result_error(result), err);
        duckdb_destroy_result(result);
        return false;
    }
    return true;
}

bool mr_warehouse_run(struct mr_warehouse *warehouse, duckdb_prepared_statement statement,
                      uint64_t *changed, struct mr_error *err)
{
    duckdb_result result;
    if (!mr_warehouse_run_keep(warehouse, statement, &result, err)) {
        return false;
    }
    if (changed != NULL) {
        *changed = duckdb_rows_changed(&result);
    }
    duckdb_destroy_result(&result);
    return true;
}

uint64_t mr_warehouse_wal_bytes(const struct mr_warehouse *warehouse)
{
    const struct mr_env *env = warehouse->config.env;
    char path[PATH_BYTES_MAX];

    (void)snprintf(path, sizeof(path), "%s.wal", warehouse->path);
    /* The log only, never the database: closing a second handle of a file drops the POSIX lock that
     * DuckDB holds on it, and it locks the database file alone. */
    const int fd = env->open(env, MR_ENV_CWD, path, O_RDONLY, 0);
    if (fd < 0) {
        return 0;
    }
    const int64_t size = env->file_size(env, fd);
    (void)env->close(env, fd);
    return size < 0 ? 0 : (uint64_t)size;
}
