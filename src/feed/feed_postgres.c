// SPDX-License-Identifier: MIT
/*
 * feed_postgres.c - writes N days of parking history into PostgreSQL by COPY, with a progress bar.
 *
 * The days end at the last midnight (UTC). Visits are spread over the days and, within a day, over
 * the hours as busy as each is. Both tables are written in one transaction: there is all of the
 * history or none. Nothing is written when the history is there already.
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "env.h"
#include "feed.h"
#include "feed_random.h"
#include "parking.h"

#define DAYS_DEFAULT    30
#define ROWS_DEFAULT    60000
#define LINE_BYTES_MAX  512
#define BUFFER_BYTES    (1u << 16)
#define MS_PER_MINUTE   INT64_C(60000)
#define MS_PER_HOUR     INT64_C(3600000)
#define MS_PER_DAY      INT64_C(86400000)
#define LOCAL_OFFSET_MS MS_PER_HOUR
#define PROGRESS_WIDTH  40

struct visit {
    int64_t entry_ms;
    int64_t exit_ms; /* 0: still inside when the history ends */
    uint32_t location;
    uint32_t vehicle;
    uint32_t member;
    uint32_t minutes;
};

struct history {
    PGconn *conn;
    uint64_t random;
    uint64_t rows;
    int64_t start_ms;
    int64_t end_ms;
    uint32_t hour_total;
    bool is_shown;
    char buffer[BUFFER_BYTES];
    size_t length;
};

static bool fail_pg(PGconn *conn, const char *what, struct mr_error *err)
{
    return mr_fail(err, MR_E_NET, MR_STOP, "%s: %s", what, PQerrorMessage(conn));
}

static bool run(PGconn *conn, const char *sql, struct mr_error *err)
{
    PGresult *result = PQexec(conn, sql);
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_IN ||
           fail_pg(conn, sql, err);
}

static bool flush(struct history *history, struct mr_error *err)
{
    if (history->length > 0 &&
        PQputCopyData(history->conn, history->buffer, (int)history->length) != 1) {
        return fail_pg(history->conn, "COPY", err);
    }
    history->length = 0;
    return true;
}

static bool put_line(struct history *history, const char *line, int length, struct mr_error *err)
{
    MR_ASSERT(length > 0 && length < LINE_BYTES_MAX);
    if (history->length + (size_t)length > sizeof(history->buffer) && !flush(history, err)) {
        return false;
    }
    memcpy(history->buffer + history->length, line, (size_t)length);
    history->length += (size_t)length;
    return true;
}

/* The n-th visit: drawn from a generator of its own, so that both tables see the same one. */
static struct visit draw_visit(const struct history *history, uint64_t n, uint64_t *random)
{
    *random = history->random ^ (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
    const int64_t days = (history->end_ms - history->start_ms) / MS_PER_DAY;
    const int64_t day = (int64_t)(n * (uint64_t)days / history->rows);
    uint32_t at = mr_feed_below(random, history->hour_total);
    uint32_t hour = 0;
    while (at >= mr_parking_hour_percent[hour]) {
        at -= mr_parking_hour_percent[hour++];
    }
    struct visit visit = {
        .entry_ms = history->start_ms + day * MS_PER_DAY + hour * MS_PER_HOUR +
                    mr_feed_below(random, (uint32_t)MS_PER_HOUR),
        .location = mr_parking_draw_location(random),
        .vehicle = mr_parking_draw_vehicle(random),
        .member = mr_feed_chance(random, 15) ? 1 + mr_feed_below(random, PARKING_MEMBER_COUNT) : 0,
        .minutes = mr_parking_draw_stay_minutes(random),
    };
    visit.exit_ms = visit.entry_ms + visit.minutes * MS_PER_MINUTE + mr_feed_below(random, 60000);
    if (visit.exit_ms >= history->end_ms) {
        visit.exit_ms = 0;
    }
    return visit;
}

static bool put_session(struct history *history, uint64_t n, struct mr_error *err)
{
    uint64_t random;
    const struct visit visit = draw_visit(history, n, &random);
    char line[LINE_BYTES_MAX];
    char plate[PARKING_PLATE_BYTES];
    char entry[PARKING_TIME_BYTES];
    char local[PARKING_TIME_BYTES];
    char exit_at[PARKING_TIME_BYTES + 4] = "\\N";
    char exit_gate[8] = "\\N";
    char member[16] = "\\N";
    mr_parking_draw_plate(&random, plate);
    mr_parking_print_time(visit.entry_ms, entry);
    mr_parking_print_time(visit.entry_ms + LOCAL_OFFSET_MS, local);
    if (visit.exit_ms != 0) {
        mr_parking_print_time(visit.exit_ms, exit_at);
        memcpy(exit_at + strlen(exit_at), "+00", 4);
        (void)snprintf(exit_gate, sizeof(exit_gate), "X%u", 1 + mr_feed_below(&random, 2));
    }
    if (visit.member != 0) {
        (void)snprintf(member, sizeof(member), "%u", visit.member);
    }
    const int length = snprintf(
        line, sizeof(line), "%" PRIu64 "\t%u\tE%u\t%s\t%u\t%s\t%s\t%s+00\t%s\t%s\t%.10s\t%s\t%c\n",
        n + 1, visit.location, 1 + mr_feed_below(&random, 2), exit_gate, visit.vehicle, member,
        plate, entry, exit_at, local, local, visit.exit_ms != 0 ? "closed" : "open",
        mr_feed_chance(&random, 1) ? 't' : 'f');
    return put_line(history, line, length, err);
}

static bool put_payment(struct history *history, uint64_t n, struct mr_error *err)
{
    uint64_t random;
    const struct visit visit = draw_visit(history, n, &random);
    if (visit.exit_ms == 0) {
        return true;
    }
    const int64_t cents = mr_parking_price_cents(visit.location, visit.vehicle, visit.minutes);
    const int64_t discount = visit.member != 0 ? cents / 10 : 0;
    const int64_t paid = cents - discount;
    const uint32_t method =
        visit.member != 0 ? PARKING_METHOD_MEMBER : mr_parking_draw_method(&random);
    const uint32_t fate = mr_feed_below(&random, 100);
    char line[LINE_BYTES_MAX];
    char time[PARKING_TIME_BYTES];
    mr_parking_print_time(visit.exit_ms, time);
    const int length = snprintf(line, sizeof(line),
                                "%" PRIu64 "\t%" PRIu64 "\t%u\t%" PRId64 ".%02d\t%" PRId64
                                ".%02d\t%" PRId64 ".%02d\t%s\tR%08" PRIx64 "\t%s+00\n",
                                n + 1, n + 1, method, paid / 100, (int)(paid % 100), discount / 100,
                                (int)(discount % 100), paid / 6 / 100, (int)(paid / 6 % 100),
                                fate < 97   ? "captured"
                                : fate < 99 ? "refunded"
                                            : "voided",
                                mr_feed_draw(&random) & UINT64_C(0xffffffff), time);
    return put_line(history, line, length, err);
}

static void show(const struct history *history, const char *table, uint64_t done)
{
    if (!history->is_shown || (done % 1000 != 0 && done != history->rows)) {
        return;
    }
    char bar[PROGRESS_WIDTH + 1];
    const int filled = (int)(done * PROGRESS_WIDTH / history->rows);
    for (int i = 0; i < PROGRESS_WIDTH; i++) {
        bar[i] = i < filled ? '#' : '.';
    }
    bar[PROGRESS_WIDTH] = '\0';
    (void)fprintf(stderr, "\r%-16s [%s] %3" PRIu64 "%%%s", table, bar, done * 100 / history->rows,
                  done == history->rows ? "\n" : "");
}

static bool copy_table(struct history *history, const char *table,
                       bool (*put)(struct history *, uint64_t, struct mr_error *),
                       struct mr_error *err)
{
    char sql[64];
    (void)snprintf(sql, sizeof(sql), "COPY %s FROM STDIN", table);
    if (!run(history->conn, sql, err)) {
        return false;
    }
    for (uint64_t n = 0; n < history->rows; n++) {
        if (mr_feed_stop) {
            return mr_fail(err, MR_E_CANCELLED, MR_STOP, "stopped; nothing was written");
        }
        if (!put(history, n, err)) {
            return false;
        }
        show(history, table, n + 1);
    }
    if (!flush(history, err)) {
        return false;
    }
    if (PQputCopyEnd(history->conn, NULL) != 1) {
        return fail_pg(history->conn, "end of COPY", err);
    }
    PGresult *result = PQgetResult(history->conn);
    const bool copied = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    while ((result = PQgetResult(history->conn)) != NULL) {
        PQclear(result);
    }
    return copied || fail_pg(history->conn, table, err);
}

static bool is_there(PGconn *conn, bool *there, struct mr_error *err)
{
    PGresult *result = PQexec(conn, "SELECT EXISTS (SELECT FROM parking_history)");
    const bool read = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1;
    if (read) {
        *there = PQgetvalue(result, 0, 0)[0] == 't';
    }
    PQclear(result);
    return read || fail_pg(conn, "look at parking_history (is the schema loaded?)", err);
}

static bool write_history(struct history *history, const struct mr_feed_options *options,
                          struct mr_error *err)
{
    const struct mr_env *env = &mr_env_posix;
    const uint64_t days = options->days != 0 ? options->days : DAYS_DEFAULT;
    history->random = options->seed;
    history->rows = options->rows != 0 ? options->rows : ROWS_DEFAULT;
    history->end_ms = env->unix_us(env) / 1000 / MS_PER_DAY * MS_PER_DAY;
    history->start_ms = history->end_ms - (int64_t)days * MS_PER_DAY;
    history->is_shown = !options->quiet && isatty(STDERR_FILENO) == 1;
    for (size_t hour = 0; hour < 24; hour++) {
        history->hour_total += mr_parking_hour_percent[hour];
    }
    return run(history->conn, "BEGIN", err) &&
           copy_table(history, "parking_history", put_session, err) &&
           copy_table(history, "payment_history", put_payment, err) &&
           run(history->conn, "COMMIT", err) &&
           run(history->conn, "ANALYZE parking_history, payment_history", err);
}

bool mr_feed_postgres(const struct mr_feed_options *options, struct mr_error *err)
{
    struct history *history = calloc(1, sizeof(*history));
    MR_ASSERT(history != NULL);
    history->conn = PQconnectdb(options->url);
    bool fed = PQstatus(history->conn) == CONNECTION_OK || fail_pg(history->conn, "connect", err);
    bool there = false;
    fed = fed && is_there(history->conn, &there, err);
    if (fed && there) {
        (void)fprintf(stderr, "the history is there already\n");
    } else if (fed) {
        fed = write_history(history, options, err);
    }
    if (fed && !there && !options->quiet) {
        (void)fprintf(stderr, "fed %" PRIu64 " visits and their payments\n", history->rows);
    }
    PQfinish(history->conn);
    free(history);
    return fed;
}
