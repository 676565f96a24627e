// SPDX-License-Identifier: MIT
/*
 * feed_mysql.c - runs the live business (parking_live.h) against a MySQL or MariaDB server at a
 * steady rate. Takes up the sessions that are open, so it can be stopped and started again.
 */
#include <curl/curl.h>
#include <inttypes.h>
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "env.h"
#include "feed.h"
#include "parking_live.h"

#define RATE_DEFAULT          200
#define TRANSACTION_ROWS_MIN  3
#define TRANSACTION_ROWS_MAX  1000
#define TRANSACTIONS_A_SECOND 200
#define SQL_BYTES_MAX         (1u << 20)
#define NS_PER_S              UINT64_C(1000000000)
#define PORT_DEFAULT          3306

struct url_parts {
    char *host;
    char *port;
    char *user;
    char *password;
    char *path;
};

static void url_parts_done(struct url_parts *parts)
{
    curl_free(parts->host);
    curl_free(parts->port);
    curl_free(parts->user);
    curl_free(parts->password);
    curl_free(parts->path);
}

static bool url_parts_parse(struct url_parts *parts, const char *url, struct mr_error *err)
{
    CURLU *parsed = curl_url();
    const bool ok = parsed != NULL &&
                    curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == 0 &&
                    curl_url_get(parsed, CURLUPART_HOST, &parts->host, 0) == 0 &&
                    curl_url_get(parsed, CURLUPART_USER, &parts->user, CURLU_URLDECODE) == 0 &&
                    curl_url_get(parsed, CURLUPART_PATH, &parts->path, CURLU_URLDECODE) == 0;
    if (ok) {
        (void)curl_url_get(parsed, CURLUPART_PORT, &parts->port, 0);
        (void)curl_url_get(parsed, CURLUPART_PASSWORD, &parts->password, CURLU_URLDECODE);
    }
    curl_url_cleanup(parsed);
    return ok || mr_fail(err, MR_E_CONFIG, MR_STOP,
                         "the URL is not of the form mysql://user:password@host:port/database");
}

static bool fail_mysql(MYSQL *mysql, const char *what, struct mr_error *err)
{
    return mr_fail(err, MR_E_NET, MR_STOP, "%s: %s", what, mysql_error(mysql));
}

static bool connect_to(MYSQL *mysql, const char *url, struct mr_error *err)
{
    struct url_parts parts = {0};
    bool connected = false;
    if (url_parts_parse(&parts, url, err)) {
        MR_ASSERT(parts.path != NULL);
        const char *database = parts.path[0] == '/' ? parts.path + 1 : parts.path;
        const unsigned port =
            parts.port != NULL ? (unsigned)strtoul(parts.port, NULL, 10) : PORT_DEFAULT;
        connected = mysql_real_connect(mysql, parts.host, parts.user, parts.password,
                                       database[0] != '\0' ? database : "parking", port, NULL,
                                       CLIENT_MULTI_STATEMENTS) != NULL ||
                    fail_mysql(mysql, "connect", err);
    }
    url_parts_done(&parts);
    return connected;
}

/* Runs statements and throws their results away. */
static bool run(MYSQL *mysql, const char *sql, size_t length, struct mr_error *err)
{
    if (mysql_real_query(mysql, sql, (unsigned long)length) != 0) {
        return fail_mysql(mysql, "statement", err);
    }
    for (;;) {
        MYSQL_RES *result = mysql_store_result(mysql);
        mysql_free_result(result);
        const int next = mysql_next_result(mysql);
        if (next > 0) {
            return fail_mysql(mysql, "transaction", err);
        }
        if (next < 0) {
            return true;
        }
    }
}

static uint64_t number(const char *text)
{
    return text == NULL ? 0 : strtoull(text, NULL, 10);
}

static bool read_number(MYSQL *mysql, const char *sql, uint64_t *value, struct mr_error *err)
{
    if (mysql_query(mysql, sql) != 0) {
        return fail_mysql(mysql, "look at the tables (is the parking schema loaded?)", err);
    }
    MYSQL_RES *result = mysql_store_result(mysql);
    MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
    if (row == NULL) {
        mysql_free_result(result);
        return fail_mysql(mysql, "look at the tables", err);
    }
    *value = number(row[0]);
    mysql_free_result(result);
    return true;
}

/* Sessions that are open now, oldest first, and the next free ids. */
static bool take_up(MYSQL *mysql, struct mr_parking_live *live, struct mr_error *err)
{
    uint64_t last_session = 0;
    uint64_t last_payment = 0;
    if (!read_number(mysql, "SELECT COALESCE(MAX(id), 0) FROM parking_session", &last_session,
                     err) ||
        !read_number(mysql, "SELECT COALESCE(MAX(id), 0) FROM payment", &last_payment, err)) {
        return false;
    }
    live->next_session = last_session + 1;
    live->next_payment = last_payment + 1;
    if (mysql_query(mysql, "SELECT id, location_id, vehicle_type_id, COALESCE(member_id, 0), "
                           "CAST(UNIX_TIMESTAMP(entry_at) * 1000 AS SIGNED) FROM parking_session "
                           "WHERE status = 'open' ORDER BY id") != 0) {
        return fail_mysql(mysql, "read open sessions", err);
    }
    MYSQL_RES *result = mysql_store_result(mysql);
    if (result == NULL) {
        return fail_mysql(mysql, "read open sessions", err);
    }
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        const struct mr_parking_visit visit = {
            .id = number(row[0]),
            .location = (uint32_t)number(row[1]),
            .vehicle = (uint32_t)number(row[2]),
            .member = (uint32_t)number(row[3]),
            .entry_ms = (int64_t)number(row[4]),
        };
        mr_parking_live_take(live, &visit);
    }
    mysql_free_result(result);
    return true;
}

static uint32_t rows_per_transaction(uint64_t rate)
{
    const uint64_t rows = rate / TRANSACTIONS_A_SECOND;
    if (rows < TRANSACTION_ROWS_MIN) {
        return TRANSACTION_ROWS_MIN;
    }
    return rows > TRANSACTION_ROWS_MAX ? TRANSACTION_ROWS_MAX : (uint32_t)rows;
}

struct pace {
    const struct mr_env *env;
    uint64_t started_ns;
    uint64_t shown_ns;
    uint64_t rate;
    uint64_t rows;
    uint64_t transactions;
    bool is_shown;
};

static void show(struct pace *pace, uint64_t now_ns)
{
    if (!pace->is_shown || now_ns - pace->shown_ns < NS_PER_S) {
        return;
    }
    pace->shown_ns = now_ns;
    const double seconds = (double)(now_ns - pace->started_ns) / (double)NS_PER_S;
    (void)fprintf(stderr, "\r%" PRIu64 " rows, %" PRIu64 " transactions, %.0f rows/s   ",
                  pace->rows, pace->transactions, seconds > 0 ? (double)pace->rows / seconds : 0.0);
}

/* Waits until the next transaction is due. */
static void keep_pace(struct pace *pace)
{
    const uint64_t due_ns = pace->started_ns + pace->rows * NS_PER_S / pace->rate;
    for (;;) {
        const uint64_t now_ns = pace->env->monotonic_ns(pace->env);
        show(pace, now_ns);
        if (mr_feed_stop || now_ns >= due_ns) {
            return;
        }
        const uint64_t left_us = (due_ns - now_ns) / 1000;
        pace->env->sleep_us(pace->env, left_us < 50000 ? left_us + 1 : 50000);
    }
}

static bool is_over(const struct mr_feed_options *options, const struct pace *pace)
{
    const uint64_t elapsed_ns = pace->env->monotonic_ns(pace->env) - pace->started_ns;
    return mr_feed_stop || (options->rows != 0 && pace->rows >= options->rows) ||
           (options->seconds != 0 && elapsed_ns >= options->seconds * NS_PER_S);
}

static bool feed(MYSQL *mysql, const struct mr_feed_options *options, struct mr_parking_live *live,
                 struct mr_error *err)
{
    struct pace pace = {
        .env = &mr_env_posix,
        .rate = options->rate != 0 ? options->rate : RATE_DEFAULT,
        .is_shown = !options->quiet && isatty(STDERR_FILENO) == 1,
    };
    pace.started_ns = pace.env->monotonic_ns(pace.env);
    struct mr_writer sql;
    mr_writer_init(&sql, SQL_BYTES_MAX);
    bool fed = true;
    while (fed && !is_over(options, &pace)) {
        mr_writer_reset(&sql);
        const int64_t now_ms = pace.env->unix_us(pace.env) / 1000;
        const uint32_t rows =
            mr_parking_live_transaction(live, now_ms, rows_per_transaction(pace.rate), &sql);
        MR_ASSERT(!sql.failed);
        fed = run(mysql, (const char *)sql.bytes, sql.length, err);
        pace.rows += rows;
        pace.transactions++;
        keep_pace(&pace);
    }
    mr_writer_done(&sql);
    if (!options->quiet) {
        const double seconds =
            (double)(pace.env->monotonic_ns(pace.env) - pace.started_ns) / (double)NS_PER_S;
        (void)fprintf(stderr, "%sfed %" PRIu64 " rows in %" PRIu64 " transactions, %.1f s\n",
                      pace.is_shown ? "\r" : "", pace.rows, pace.transactions, seconds);
    }
    return fed;
}

bool mr_feed_mysql(const struct mr_feed_options *options, struct mr_error *err)
{
    MYSQL *mysql = mysql_init(NULL);
    MR_ASSERT(mysql != NULL);
    struct mr_parking_live live;
    mr_parking_live_init(&live, options->seed);
    static const char settings[] = "SET time_zone = '+00:00'";
    const bool fed = connect_to(mysql, options->url, err) &&
                     run(mysql, settings, sizeof(settings) - 1, err) &&
                     take_up(mysql, &live, err) && feed(mysql, options, &live, err);
    mr_parking_live_done(&live);
    mysql_close(mysql);
    return fed;
}
