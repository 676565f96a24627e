// SPDX-License-Identifier: MIT
/*
 * mysql_lab.c - see mysql_lab.h.
 */
#include "mysql_lab.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern const struct mr_source_ops mr_source_mysql;

#define BATCH_COUNT     8
#define BATCH_BYTES     (192u << 20) /* address space: room for a 20 MiB value, twice */
#define BATCH_KEPT      (1u << 20)
#define TARGET_BYTES    (1u << 20)
#define VALUE_BYTES_MAX (64u << 20)
#define WAIT_MS_MAX     10000
#define SQL_BYTES_MAX   65536
#define COMMAND_BYTES   2048

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    abort();
}

static int server(const struct lab *lab, const char *verb, const char *more, char *answer,
                  size_t size)
{
    char command[COMMAND_BYTES];
    (void)snprintf(command, sizeof(command), "%s %s %s --name %s %s", LAB_SERVER_SH, verb,
                   lab->kind, lab->name, more);
    FILE *pipe = popen(command, "re");
    if (pipe == NULL) {
        die(command, "cannot be run");
    }
    size_t length = fread(answer, 1, size - 1, pipe);
    answer[length] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/** The value of KEY=VALUE in the script's answer. */
static void take_value(const char *answer, const char *key, char *value, size_t size)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "%s=", key);
    const char *found = answer;
    while ((found = strstr(found, wanted)) != NULL && found != answer && found[-1] != '\n') {
        found++;
    }
    if (found == NULL) {
        die("server.sh does not say", key);
    }
    found += strlen(wanted);
    (void)snprintf(value, size, "%.*s", (int)strcspn(found, "\n"), found);
}

static const char *server_options(const struct lab *lab)
{
    if (lab->is_maria) {
        return "-- --max-allowed-packet=128M";
    }
    if (lab->has_gtids) {
        return "-- --gtid-mode=ON --enforce-gtid-consistency=ON --max-allowed-packet=128M";
    }
    if (strcmp(lab->kind, "mysql80") == 0) {
        return "-- --default-authentication-plugin=mysql_native_password "
               "--max-allowed-packet=128M";
    }
    /* MySQL 9.7 turns GTIDs on by itself. */
    return "-- --gtid-mode=OFF --enforce-gtid-consistency=OFF --max-allowed-packet=128M";
}

static void come_up(struct lab *lab)
{
    char answer[4096];
    char text[64];
    int code = server(lab, "start", server_options(lab), answer, sizeof(answer));
    if (code == LAB_SKIPPED) {
        (void)printf("1..0 # SKIP %s cannot be had here\n", lab->kind);
        exit(LAB_SKIPPED);
    }
    if (code != 0) {
        die("server.sh start", "failed");
    }
    take_value(answer, "PORT", text, sizeof(text));
    lab->port = (unsigned)strtoul(text, NULL, 10);
    take_value(answer, "PID", text, sizeof(text));
    lab->pid = strtol(text, NULL, 10);
    take_value(answer, "ROOT_PASSWORD", lab->root_password, sizeof(lab->root_password));
    take_value(answer, "DIR", lab->dir, sizeof(lab->dir));
    lab->root = lab_session(lab);
}

void lab_start(struct lab *lab, const char *kind, const char *mode, const char *tag)
{
    char answer[4096];
    *lab = (struct lab){.kind = kind};
    lab->is_maria = strcmp(kind, "mariadb") == 0;
    lab->has_gtids = lab->is_maria || strcmp(mode, "gtid") == 0;
    lab->runs_slow_tests = strcmp(mode, "plain") == 0 && strcmp(kind, "mysql9") != 0;
    (void)snprintf(lab->name, sizeof(lab->name), "e2e-%s-%s", tag, mode);
    (void)server(lab, "wipe", "", answer, sizeof(answer)); /* what an earlier run left */
    come_up(lab);
}

void lab_stop(struct lab *lab)
{
    char answer[4096];
    mysql_close(lab->root);
    lab->root = NULL;
    (void)server(lab, "wipe", "", answer, sizeof(answer));
}

void lab_restart(struct lab *lab)
{
    char answer[4096];
    mysql_close(lab->root);
    lab->root = NULL;
    (void)server(lab, "stop", "", answer, sizeof(answer));
    come_up(lab);
}

MYSQL *lab_session(const struct lab *lab)
{
    MYSQL *session = mysql_init(NULL);
    unsigned tcp = MYSQL_PROTOCOL_TCP;
    (void)mysql_options(session, MYSQL_OPT_PROTOCOL, &tcp);
    (void)mysql_options(session, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (mysql_real_connect(session, "127.0.0.1", "root", lab->root_password, NULL, lab->port, NULL,
                           0) == NULL) {
        die("connect as root", mysql_error(session));
    }
    return session;
}

void lab_sql(struct lab *lab, const char *format, ...)
{
    char *sql = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&sql, format, arguments);
    va_end(arguments);
    if (length < 0) {
        die("statement", "no memory");
    }
    if (mysql_query(lab->root, sql) != 0) {
        (void)fprintf(stderr, "%.200s\n", sql);
        die("statement", mysql_error(lab->root));
    }
    free(sql);
    mysql_free_result(mysql_store_result(lab->root));
}

uint64_t lab_number(struct lab *lab, const char *sql)
{
    if (mysql_query(lab->root, sql) != 0) {
        die(sql, mysql_error(lab->root));
    }
    MYSQL_RES *result = mysql_store_result(lab->root);
    MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
    uint64_t number = row == NULL || row[0] == NULL ? 0 : strtoull(row[0], NULL, 10);
    mysql_free_result(result);
    return number;
}

void capture_open(struct capture *capture, const struct lab *lab, const char *user,
                  const char *password, const char *const *options)
{
    struct mr_error err = {0};
    char port[16];
    *capture = (struct capture){0};
    (void)snprintf(port, sizeof(port), "%u", lab->port);
    const char *const account[] = {"host=127.0.0.1", "port=", "user=", "password=", NULL};
    const char *const values[] = {NULL, port, user, password};

    bool set = mr_options_defaults(mr_mysql_options, &capture->config, &capture->memory, &err);
    for (size_t i = 0; set && account[i] != NULL; i++) {
        char name[32];
        size_t length = strcspn(account[i], "=");
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, account[i]);
        set = mr_options_set(mr_mysql_options, &capture->config, &capture->memory, name, NULL,
                             values[i] == NULL ? account[i] + length + 1 : values[i], &err);
    }
    for (size_t i = 0; set && options != NULL && options[i] != NULL; i++) {
        char name[64];
        size_t length = strcspn(options[i], "=");
        (void)snprintf(name, sizeof(name), "%.*s", (int)length, options[i]);
        set = mr_options_set(mr_mysql_options, &capture->config, &capture->memory, name, NULL,
                             options[i] + length + 1, &err);
    }
    if (!set || !mr_source_mysql.check_config(&capture->config, &capture->memory, &err)) {
        die("configuration", err.message);
    }
    capture->context = (struct mr_source_context){
        .pipeline = "lab",
        .name = "src",
        .config = &capture->config,
        .env = &mr_env_posix,
        .catalog = mr_catalog_open(),
        .target_bytes = TARGET_BYTES,
        .value_bytes_max = VALUE_BYTES_MAX,
        .wait_ms_max = WAIT_MS_MAX,
    };
    capture->pool = mr_batch_pool_open(BATCH_COUNT, BATCH_BYTES, BATCH_KEPT, &err);
    if (capture->pool == NULL) {
        die("batch pool", err.message);
    }
}

void capture_close(struct capture *capture)
{
    mr_batch_pool_close(capture->pool);
    mr_catalog_close(capture->context.catalog);
    mr_position_done(&capture->position);
    mr_options_free(&capture->memory);
}

struct mr_source *capture_follow(struct capture *capture)
{
    struct mr_error err = {0};
    struct mr_snapshot *snapshot =
        mr_source_mysql.snapshot_open(&capture->context, false, NULL, &capture->position, &err);
    if (snapshot == NULL) {
        die("snapshot_open", err.message);
    }
    mr_source_mysql.snapshot_close(snapshot);
    return capture_resume(capture);
}

struct mr_source *capture_resume(struct capture *capture)
{
    struct mr_error err = {0};
    struct mr_source *source = mr_source_mysql.open(&capture->context, &capture->position, &err);
    if (source == NULL) {
        die("open", err.message);
    }
    return source;
}

static uint64_t now_ms(void)
{
    return mr_env_posix.monotonic_ns(&mr_env_posix) / 1000000;
}

static uint64_t take_batch(struct capture *capture, const struct mr_batch *batch,
                           capture_row_fn take, void *context)
{
    struct mr_error err = {0};
    uint64_t rows = 0;
    capture->abort_count += batch->aborts ? 1 : 0;
    for (uint32_t e = 0; e < batch->event_count; e++) {
        const struct mr_event *event = &batch->events[e];
        for (uint16_t i = 0; event->kind != MR_EVENT_TRUNCATE && i < event->count; i++) {
            rows++;
            if (take != NULL) {
                take(context, batch, event, i);
            }
        }
    }
    if (batch->position.length > 0 &&
        !mr_position_set(&capture->position, batch->epoch, batch->position, batch->native, &err)) {
        die("position", err.message);
    }
    return rows;
}

uint64_t capture_rows(struct capture *capture, struct mr_source *source, uint64_t rows,
                      uint32_t wait_ms, capture_row_fn take, void *context)
{
    uint64_t taken = 0;
    uint64_t deadline_ms = now_ms() + wait_ms;
    while (taken < rows && now_ms() < deadline_ms) {
        struct mr_error err = {0};
        struct mr_batch *batch = mr_batch_take(capture->pool, 1000);
        if (batch == NULL) {
            die("batch pool", "is empty");
        }
        switch (mr_source_mysql.next(source, batch, 100, &err)) {
        case MR_NEXT_BATCH:
            taken += take_batch(capture, batch, take, context);
            break;
        case MR_NEXT_IDLE:
            break;
        case MR_NEXT_END:
            die("next", "ended");
            break;
        case MR_NEXT_ERROR:
            die("next", err.message);
            break;
        }
        mr_batch_release(batch);
    }
    return taken;
}

struct mr_error capture_failure(struct capture *capture, struct mr_source *source, uint32_t wait_ms)
{
    uint64_t deadline_ms = now_ms() + wait_ms;
    struct mr_error err = {0};
    while (now_ms() < deadline_ms) {
        struct mr_batch *batch = mr_batch_take(capture->pool, 1000);
        if (batch == NULL) {
            die("batch pool", "is empty");
        }
        enum mr_next next = mr_source_mysql.next(source, batch, 100, &err);
        if (next == MR_NEXT_BATCH) {
            (void)take_batch(capture, batch, NULL, NULL);
        }
        mr_batch_release(batch);
        if (next == MR_NEXT_ERROR) {
            return err;
        }
    }
    return (struct mr_error){0};
}

int64_t row_integer(const struct mr_chunk *chunk, uint32_t row, const char *column)
{
    int index = mr_schema_find_column(chunk->schema, column);
    if (index < 0) {
        die("no such column", column);
    }
    if (chunk->image == MR_IMAGE_KEY) {
        index = chunk->schema->columns[index].key_index;
    }
    const struct mr_column_chunk *cells = &chunk->columns[index];
    struct mr_slice cell = mr_cell(cells, row);
    int64_t number = 0;
    if (cell.length == 4) {
        int32_t narrow = 0;
        memcpy(&narrow, cell.bytes, sizeof(narrow));
        return narrow;
    }
    if (cell.length != sizeof(number)) {
        die("not an int or bigint", column);
    }
    memcpy(&number, cell.bytes, sizeof(number));
    return number;
}

void row_print(const struct mr_chunk *chunk, uint32_t row, uint16_t skipped, char *text,
               size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (uint16_t i = skipped; i < chunk->column_count && at + 8 < size; i++) {
        const struct mr_column_chunk *cells = &chunk->columns[i];
        at += (size_t)snprintf(text + at, size - at, "%s%s=", i == skipped ? "" : " | ",
                               mr_chunk_column(chunk, i)->name);
        if (at + 8 >= size) {
            break;
        }
        if (mr_cell_state(cells, row) != MR_CELL_VALUE) {
            at += (size_t)snprintf(text + at, size - at, "NULL");
            continue;
        }
        size_t length = mr_cell_print(mr_chunk_column(chunk, i), cells, row, text + at, size - at);
        at += length < size - at ? length : size - at - 1;
    }
}
