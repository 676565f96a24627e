// SPDX-License-Identifier: MIT
/*
 * postgres_lab.c - see postgres_lab.h.
 */
#include "postgres_lab.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "postgres_source.h"

#define SKIPPED         77
#define BATCH_COUNT     8
#define BATCH_BYTES     (64u << 20)
#define BATCH_KEPT      (1u << 20)
#define TARGET_BYTES    (1u << 20)
#define VALUE_BYTES_MAX (8u << 20)
#define WAIT_MS_MAX     10000
#define COMMAND_BYTES   1024
#define SQL_BYTES       65536
#define NS_PER_MS       UINT64_C(1000000)

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    abort();
}

/* ---- The server. ---- */

static int server_sh(const char *verb, const char *name, const char *options, char *answer,
                     size_t size)
{
    char command[COMMAND_BYTES];
    const char *chosen = getenv("PG_LAB_KIND"); /* "postgres18": not the newest that is installed */
    const char *kind = chosen == NULL ? "postgres" : chosen;
    (void)snprintf(command, sizeof(command), "%s %s %s --name %s %s", LAB_SERVER_SH, verb, kind,
                   name, options);
    FILE *pipe = popen(command, "re");
    if (pipe == NULL) {
        die(command, "cannot be run");
    }
    const size_t length = fread(answer, 1, size - 1, pipe);
    answer[length] = '\0';
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void take_value(const char *answer, const char *key, char *value, size_t size)
{
    const size_t length = strlen(key);
    for (const char *line = answer; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n' ? 1 : 0;
        if (strncmp(line, key, length) == 0 && line[length] == '=') {
            (void)snprintf(value, size, "%.*s", (int)strcspn(line + length + 1, "\n"),
                           line + length + 1);
            return;
        }
    }
    die("server.sh does not say", key);
}

void pg_lab_start(struct pg_lab *lab, const char *name, const char *options)
{
    char answer[4096];
    char text[64];
    *lab = (struct pg_lab){0};
    (void)snprintf(lab->name, sizeof(lab->name), "%s", name);
    (void)server_sh("wipe", lab->name, "", answer, sizeof(answer)); /* what an earlier run left */
    const int code = server_sh("start", lab->name, options, answer, sizeof(answer));
    if (code == SKIPPED) {
        (void)printf("1..0 # SKIP no PostgreSQL server can be had here\n");
        exit(SKIPPED);
    }
    if (code != 0) {
        die("server.sh start postgres", "failed");
    }
    take_value(answer, "PORT", text, sizeof(text));
    lab->port = (unsigned)strtoul(text, NULL, 10);
    take_value(answer, "ROOT_PASSWORD", lab->password, sizeof(lab->password));
    take_value(answer, "SOCKET", lab->socket_dir, sizeof(lab->socket_dir));
    lab->root = pg_lab_connect(lab, "postgres");
}

void pg_lab_wipe(struct pg_lab *lab)
{
    char answer[4096];
    PQfinish(lab->root);
    lab->root = NULL;
    (void)server_sh("wipe", lab->name, "", answer, sizeof(answer));
}

PGconn *pg_lab_connect(const struct pg_lab *lab, const char *database)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", lab->port);
    PGconn *connection =
        PQsetdbLogin("127.0.0.1", port, NULL, NULL, database, "postgres", lab->password);
    if (PQstatus(connection) != CONNECTION_OK) {
        die("connect", PQerrorMessage(connection));
    }
    PQclear(PQexec(connection, "SET client_min_messages = error"));
    return connection;
}

void pg_lab_sql(PGconn *connection, const char *format, ...)
{
    static char sql[SQL_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    PGresult *result = PQexec(connection, sql);
    const ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        die(sql, PQerrorMessage(connection));
    }
    PQclear(result);
}

const char *pg_lab_ask(PGconn *connection, const char *format, ...)
{
    static char answer[SQL_BYTES];
    char sql[COMMAND_BYTES];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(sql, sizeof(sql), format, arguments);
    va_end(arguments);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        die(sql, PQerrorMessage(connection));
    }
    (void)snprintf(answer, sizeof(answer), "%s",
                   PQntuples(result) == 0 ? "" : PQgetvalue(result, 0, 0));
    PQclear(result);
    return answer;
}

PGconn *pg_lab_new_database(const struct pg_lab *lab, const char *name)
{
    pg_lab_sql(lab->root, "CREATE DATABASE %s", name);
    return pg_lab_connect(lab, name);
}

void pg_lab_drop_database(const struct pg_lab *lab, PGconn *connection, const char *name)
{
    PQfinish(connection);
    for (int i = 0; i < 100; i++) {
        if (pg_lab_ask(lab->root,
                       "SELECT 1 FROM pg_replication_slots WHERE active AND database = '%s'",
                       name)[0] == '\0') {
            break;
        }
        mr_env_posix.sleep_us(&mr_env_posix, 50000);
    }
    pg_lab_sql(lab->root,
               "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots "
               "WHERE database = '%s'",
               name);
    pg_lab_sql(lab->root, "DROP DATABASE %s WITH (FORCE)", name);
}

/* ---- The source. ---- */

void pg_capture_set(struct pg_capture *capture, const char *name, const char *value)
{
    void *config = (void *)(uintptr_t)capture->context.config;
    struct mr_error err = {0};
    if (!mr_options_set(mr_source_postgres.options, config, &capture->memory, name, NULL, value,
                        &err)) {
        die(name, err.message);
    }
}

static int open_data_dir(struct pg_capture *capture)
{
    (void)snprintf(capture->data_dir, sizeof(capture->data_dir), "/tmp/mr-postgres-lab-XXXXXX");
    if (mkdtemp(capture->data_dir) == NULL) {
        die("mkdtemp", capture->data_dir);
    }
    return open(capture->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The source leaves no file behind, so its folders are empty. */
static void remove_data_dir(struct pg_capture *capture)
{
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "spool/%s", capture->context.name);
    const int fd = capture->context.data_dir_fd;
    const bool was_used = faccessat(fd, "spool", F_OK, 0) == 0;
    if (was_used &&
        (unlinkat(fd, folder, AT_REMOVEDIR) != 0 || unlinkat(fd, "spool", AT_REMOVEDIR) != 0)) {
        die("the spool was left behind", capture->data_dir);
    }
    (void)close(fd);
    (void)rmdir(capture->data_dir);
}

void pg_capture_open(struct pg_capture *capture, const struct pg_lab *lab, const char *database,
                     const char *const *options)
{
    char port[8];
    struct mr_error err = {0};
    void *config = mr_memory_new(1, mr_source_postgres.config_size);
    *capture = (struct pg_capture){
        .pool = mr_batch_pool_open(BATCH_COUNT, BATCH_BYTES, BATCH_KEPT, &err),
        .lines = mr_memory_new(PG_LAB_LINES_MAX, sizeof(char *)),
    };
    capture->context = (struct mr_source_context){
        .pipeline = "e2e",
        .name = database,
        .config = config,
        .env = &mr_env_posix,
        .catalog = mr_catalog_open(),
        .target_bytes = TARGET_BYTES,
        .value_bytes_max = VALUE_BYTES_MAX,
        .wait_ms_max = WAIT_MS_MAX,
    };
    capture->context.data_dir_fd = open_data_dir(capture);
    if (capture->pool == NULL ||
        !mr_options_defaults(mr_source_postgres.options, config, &capture->memory, &err)) {
        die("defaults", err.message);
    }
    (void)snprintf(port, sizeof(port), "%u", lab->port);
    pg_capture_set(capture, "host", "127.0.0.1");
    pg_capture_set(capture, "port", port);
    pg_capture_set(capture, "user", "postgres");
    pg_capture_set(capture, "password", lab->password);
    pg_capture_set(capture, "database", database);
    for (const char *const *option = options; option != NULL && *option != NULL; option += 2) {
        pg_capture_set(capture, option[0], option[1]);
    }
    if (!mr_source_postgres.check_config(config, &capture->memory, &err)) {
        die("check_config", err.message);
    }
}

void pg_capture_close(struct pg_capture *capture)
{
    pg_capture_stop(capture);
    remove_data_dir(capture);
    pg_capture_forget_lines(capture);
    mr_position_done(&capture->position);
    mr_batch_pool_close(capture->pool);
    mr_catalog_close(capture->context.catalog);
    mr_options_free(&capture->memory);
    free((void *)(uintptr_t)capture->context.config);
    free(capture->lines);
}

bool pg_capture_reopen(struct pg_capture *capture)
{
    capture->err = (struct mr_error){0};
    capture->source = mr_source_postgres.open(&capture->context, &capture->position, &capture->err);
    return capture->source != NULL;
}

void pg_capture_follow(struct pg_capture *capture)
{
    struct mr_error err = {0};
    struct mr_snapshot *point =
        mr_source_postgres.snapshot_open(&capture->context, false, NULL, &capture->position, &err);
    if (point == NULL) {
        die("snapshot_open", err.message);
    }
    mr_source_postgres.snapshot_close(point);
    if (!pg_capture_reopen(capture)) {
        die("open", capture->err.message);
    }
}

void pg_capture_stop(struct pg_capture *capture)
{
    mr_source_postgres.close(capture->source);
    capture->source = NULL;
}

void pg_capture_forget_lines(struct pg_capture *capture)
{
    for (size_t i = 0; i < capture->line_count; i++) {
        free(capture->lines[i]);
    }
    capture->line_count = 0;
}

/* ---- Lines. ---- */

static void add_line(struct pg_capture *capture, const char *line)
{
    if (capture->line_count == PG_LAB_LINES_MAX) {
        die("lines", "too many");
    }
    capture->lines[capture->line_count++] = mr_memory_copy_text(line, strlen(line));
}

static size_t print_row(const struct mr_chunk *chunk, uint32_t row, char *line, size_t size)
{
    size_t length = 0;
    for (uint16_t i = 0; i < chunk->column_count && length < size; i++) {
        const enum mr_cell_state state = mr_cell_state(&chunk->columns[i], row);
        char cell[PG_LAB_LINE_BYTES] = "~";
        if (state == MR_CELL_NULL) {
            cell[0] = '-';
        } else if (state == MR_CELL_VALUE) {
            (void)mr_cell_print(mr_chunk_column(chunk, i), &chunk->columns[i], row, cell,
                                sizeof(cell));
        }
        length += (size_t)snprintf(line + length, size - length, "%s%s", i == 0 ? "" : "|", cell);
    }
    return length < size ? length : size - 1;
}

static void keep_event(struct pg_capture *capture, const struct mr_batch *batch,
                       const struct mr_event *event)
{
    static const char *const kinds[] = {"?", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "READ"};
    char line[2 * PG_LAB_LINE_BYTES];
    const bool has_before = event->before_chunk != MR_NO_CHUNK;
    if (event->kind == MR_EVENT_NOTE) {
        const struct mr_note *note = &batch->notes[event->chunk];
        (void)snprintf(line, sizeof(line), "NOTE %d %.*s %.*s", note->kind, (int)note->name.length,
                       (const char *)note->name.bytes, (int)note->text.length,
                       (const char *)note->text.bytes);
        add_line(capture, line);
        return;
    }
    const struct mr_schema *schema = mr_batch_event_schema(batch, event);
    const unsigned count = event->kind == MR_EVENT_TRUNCATE ? 1 : event->count;
    for (unsigned i = 0; i < count; i++) {
        size_t length = (size_t)snprintf(line, sizeof(line), "%s %s.%s", kinds[event->kind],
                                         schema->space, schema->table);
        if (event->kind != MR_EVENT_TRUNCATE && event->chunk != MR_NO_CHUNK) {
            line[length++] = ' ';
            length += print_row(batch->chunks[event->chunk], event->row + i, line + length,
                                sizeof(line) - length);
        }
        if (has_before) {
            length += (size_t)snprintf(line + length, sizeof(line) - length, " was ");
            length += print_row(batch->chunks[event->before_chunk], event->before_row + i,
                                line + length, sizeof(line) - length);
        }
        line[length] = '\0';
        add_line(capture, line);
    }
}

void pg_capture_keep(struct pg_capture *capture, const struct mr_batch *batch)
{
    uint32_t transaction = 0;
    for (uint32_t i = 0; i < batch->event_count; i++) {
        keep_event(capture, batch, &batch->events[i]);
        if (batch->transaction_count == 0) {
            continue; /* a snapshot's batch */
        }
        const struct mr_transaction *at = &batch->transactions[transaction];
        if (i + 1 == at->first_event + at->event_count) {
            if (at->end.major != 0) {
                add_line(capture, "COMMIT");
            }
            transaction++;
        }
    }
}

enum mr_next pg_capture_next(struct pg_capture *capture, uint32_t wait_ms)
{
    struct mr_batch *batch = mr_batch_take(capture->pool, WAIT_MS_MAX);
    capture->err = (struct mr_error){0};
    const enum mr_next next =
        mr_source_postgres.next(capture->source, batch, wait_ms, &capture->err);
    if (next == MR_NEXT_BATCH) {
        capture->batch_count++;
        capture->continued_count += batch->continued ? 1 : 0;
        capture->last_received_ns = batch->received_ns;
        pg_capture_keep(capture, batch);
        if (batch->position.length > 0 &&
            !mr_position_set(&capture->position, batch->epoch, batch->position, batch->native,
                             &capture->err)) {
            die("position", capture->err.message);
        }
    }
    mr_batch_release(batch);
    return next;
}

static uint64_t now_ns(void)
{
    return mr_env_posix.monotonic_ns(&mr_env_posix);
}

bool pg_capture_lines(struct pg_capture *capture, size_t count, uint32_t wait_ms)
{
    const uint64_t until_ns = now_ns() + wait_ms * NS_PER_MS;
    while (capture->line_count < count && now_ns() < until_ns) {
        if (pg_capture_next(capture, 50) == MR_NEXT_ERROR) {
            (void)fprintf(stderr, "next: %s\n", capture->err.message);
            return false;
        }
    }
    return capture->line_count >= count;
}

bool pg_capture_fails(struct pg_capture *capture, uint32_t wait_ms)
{
    const uint64_t until_ns = now_ns() + wait_ms * NS_PER_MS;
    while (now_ns() < until_ns) {
        if (pg_capture_next(capture, 50) == MR_NEXT_ERROR) {
            return true;
        }
    }
    return false;
}
