// SPDX-License-Identifier: MIT
/*
 * bench_latency.c - from COMMIT's return at the source to the first warehouse query that sees the
 * row.
 *
 *   bench_latency mysql|postgres URL CONSOLE_URL SQL_TABLE WAREHOUSE_TABLE COMMITS_A_SECOND SECONDS
 *
 * One thread commits single rows with rising ids at a fixed rate and notes the clock when each
 * COMMIT returns. The other asks the warehouse for the greatest id, again and again over one kept
 * connection; a row counts as seen when the answer that first contains it has arrived, so a reading
 * is late by up to one poll. The cost of polling is printed beside. Both clocks are this process's.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <mysql.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S    UINT64_C(1000000000)
#define COMMITS_MAX 2000000
#define ANSWER_MAX  4096
#define SETTLE_S    10

struct run {
    bool is_mysql;
    const char *url;
    const char *console;
    const char *source_table;
    const char *warehouse_table;
    uint64_t rate;
    uint64_t seconds;
    uint64_t *committed_ns; /* by id - 1 */
    uint64_t *seen_ns;
    atomic_uint_fast64_t committed;
    atomic_bool writer_done;
    uint64_t polls;
    uint64_t poll_ns_total;
    uint64_t first_id;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sleep_until(uint64_t due_ns)
{
    const struct timespec due = {.tv_sec = (time_t)(due_ns / NS_PER_S),
                                 .tv_nsec = (long)(due_ns % NS_PER_S)};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static void die(const char *what, const char *detail)
{
    (void)fprintf(stderr, "bench_latency: %s: %s\n", what, detail);
    exit(1);
}

/* ---- One connection to either kind of server. ---- */

struct server {
    MYSQL *mysql;
    PGconn *postgres;
};

static struct server connect_to(const struct run *run)
{
    struct server server = {0};
    if (!run->is_mysql) {
        server.postgres = PQconnectdb(run->url);
        if (PQstatus(server.postgres) != CONNECTION_OK) {
            die("connect", PQerrorMessage(server.postgres));
        }
        return server;
    }
    CURLU *url = curl_url();
    char *host = NULL;
    char *port = NULL;
    char *user = NULL;
    char *password = NULL;
    if (curl_url_set(url, CURLUPART_URL, run->url, CURLU_NON_SUPPORT_SCHEME) != 0 ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != 0 ||
        curl_url_get(url, CURLUPART_PORT, &port, 0) != 0 ||
        curl_url_get(url, CURLUPART_USER, &user, 0) != 0 ||
        curl_url_get(url, CURLUPART_PASSWORD, &password, 0) != 0) {
        die("URL", run->url);
    }
    server.mysql = mysql_init(NULL);
    if (mysql_real_connect(server.mysql, host, user, password, NULL,
                           (unsigned)strtoul(port, NULL, 10), NULL, 0) == NULL) {
        die("connect", mysql_error(server.mysql));
    }
    curl_free(host);
    curl_free(port);
    curl_free(user);
    curl_free(password);
    curl_url_cleanup(url);
    return server;
}

static void execute(const struct server *server, const char *sql)
{
    if (server->mysql != NULL) {
        if (mysql_query(server->mysql, sql) != 0) {
            die(sql, mysql_error(server->mysql));
        }
        return;
    }
    PGresult *result = PQexec(server->postgres, sql);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        die(sql, PQerrorMessage(server->postgres));
    }
    PQclear(result);
}

static void *write_rows(void *argument)
{
    struct run *run = argument;
    const struct server server = connect_to(run);
    const uint64_t count = run->rate * run->seconds;
    const uint64_t start_ns = now_ns();
    for (uint64_t i = 0; i < count; i++) {
        char sql[256];
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO %s VALUES (%" PRIu64 ", 'B-%06" PRIu64 "', 2, %" PRIu64
                       ", '2026-01-02 03:04:05', '2026-01-02 04:05:06', 'card', 12.50, 'closed')",
                       run->source_table, run->first_id + i, i % 1000000, i % 50);
        sleep_until(start_ns + i * NS_PER_S / run->rate);
        execute(&server, sql);
        run->committed_ns[i] = now_ns();
        atomic_store_explicit(&run->committed, i + 1, memory_order_release);
    }
    atomic_store(&run->writer_done, true);
    return NULL;
}

/* ---- Asking the warehouse. ---- */

struct answer {
    char text[ANSWER_MAX];
    size_t length;
};

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    const size_t length = size * count;
    if (answer->length + length >= sizeof(answer->text)) {
        return 0;
    }
    memcpy(answer->text + answer->length, bytes, length);
    answer->length += length;
    answer->text[answer->length] = '\0';
    return length;
}

static CURL *open_console(const struct run *run, struct curl_slist *headers, const char *body)
{
    CURL *curl = curl_easy_init();
    char url[512];
    (void)snprintf(url, sizeof(url), "%s/api/v1/query", run->console);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    (void)curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    return curl;
}

/* The greatest id in the warehouse, 0 when there is none (or no table yet). */
static uint64_t greatest_id(CURL *curl)
{
    struct answer answer = {0};
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
    if (curl_easy_perform(curl) != CURLE_OK) {
        die("query", "the console does not answer");
    }
    json_t *json = json_loads(answer.text, 0, NULL);
    json_t *cell = json_array_get(json_array_get(json_object_get(json, "rows"), 0), 0);
    uint64_t id = 0;
    if (json_is_integer(cell)) {
        id = (uint64_t)json_integer_value(cell);
    } else if (json_is_string(cell)) {
        id = strtoull(json_string_value(cell), NULL, 10);
    }
    json_decref(json);
    return id;
}

static uint64_t poll_rows(struct run *run)
{
    char body[512];
    (void)snprintf(body, sizeof(body),
                   "{\"sql\":\"SELECT max(id) FROM %s WHERE id >= %" PRIu64 "\"}",
                   run->warehouse_table, run->first_id);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    CURL *curl = open_console(run, headers, body);
    const uint64_t count = run->rate * run->seconds;
    uint64_t seen = 0;
    uint64_t give_up_ns = UINT64_MAX;
    while (seen < count && now_ns() < give_up_ns) {
        const uint64_t before_ns = now_ns();
        const uint64_t id = greatest_id(curl);
        const uint64_t after_ns = now_ns();
        run->polls++;
        run->poll_ns_total += after_ns - before_ns;
        for (; id >= run->first_id && seen < id - run->first_id + 1; seen++) {
            run->seen_ns[seen] = after_ns;
        }
        if (atomic_load(&run->writer_done) && give_up_ns == UINT64_MAX) {
            give_up_ns = after_ns + SETTLE_S * NS_PER_S;
        }
    }
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return seen;
}

static int compare(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void report(const struct run *run, uint64_t seen)
{
    const uint64_t count = run->rate * run->seconds;
    for (uint64_t i = 0; i < seen; i++) {
        const uint64_t committed_ns = run->committed_ns[i];
        run->seen_ns[i] = run->seen_ns[i] > committed_ns ? run->seen_ns[i] - committed_ns : 0;
    }
    qsort(run->seen_ns, seen, sizeof(*run->seen_ns), compare);
    const double per_mille[] = {500, 950, 990, 999};
    const char *const names[] = {"p50", "p95", "p99", "p99.9"};
    (void)printf("commits %" PRIu64 " seen %" PRIu64, count, seen);
    for (size_t p = 0; seen > 0 && p < 4; p++) {
        const uint64_t at = (uint64_t)((double)(seen - 1) * per_mille[p] / 1000);
        (void)printf(" %s %.2f ms", names[p], (double)run->seen_ns[at] / 1e6);
    }
    if (seen > 0) {
        (void)printf(" max %.2f ms", (double)run->seen_ns[seen - 1] / 1e6);
    }
    (void)printf(" poll %.2f ms (%" PRIu64 " polls)\n",
                 (double)run->poll_ns_total / 1e6 / (double)run->polls, run->polls);
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        die("usage", "mysql|postgres URL CONSOLE_URL TABLE WAREHOUSE_TABLE RATE SECONDS");
    }
    struct run run = {
        .is_mysql = strcmp(argv[1], "mysql") == 0,
        .url = argv[2],
        .console = argv[3],
        .source_table = argv[4],
        .warehouse_table = argv[5],
        .rate = strtoull(argv[6], NULL, 10),
        .seconds = strtoull(argv[7], NULL, 10),
        .first_id = 1000000000,
    };
    if (run.rate == 0 || run.seconds == 0 || run.rate * run.seconds > COMMITS_MAX) {
        die("usage", "a rate and seconds above 0, at most 2,000,000 commits");
    }
    run.committed_ns = calloc(run.rate * run.seconds, sizeof(uint64_t));
    run.seen_ns = calloc(run.rate * run.seconds, sizeof(uint64_t));
    if (run.committed_ns == NULL || run.seen_ns == NULL) {
        die("memory", "none left");
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_t writer;
    if (pthread_create(&writer, NULL, write_rows, &run) != 0) {
        die("thread", "cannot start");
    }
    const uint64_t seen = poll_rows(&run);
    (void)pthread_join(writer, NULL);
    report(&run, seen);
    free(run.committed_ns);
    free(run.seen_ns);
    return seen == run.rate * run.seconds ? 0 : 1;
}
