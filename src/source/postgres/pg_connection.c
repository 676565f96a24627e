// SPDX-License-Identifier: MIT
/*
 * pg_connection.c - connecting, asking and failing.
 *
 * Hosts are tried one after the other by ourselves rather than by libpq, so that each has its own
 * time limit; as with libpq, a server that refuses the password ends the search.
 *
 * Every session sets search_path to nothing, so that names in answers are always qualified and no
 * object of a user is called by accident, and switches off the time limits that an administrator
 * may have set for sessions that idle in a transaction: a snapshot does just that. With
 * row_security off a policy that would hide rows from us is an error instead. Where the server
 * prints values for us (pg_tree.h, foreign types), it does so the same way in every session.
 */
#include "pg_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PASSWORD_BYTES_MAX 1024
#define NS_PER_MS          UINT64_C(1000000)
#define US_PER_MS          UINT64_C(1000)
#define SQLSTATE_BYTES     6
#define DRAIN_RESULTS_MAX  64
#define KEEPALIVES         4 /* one after silence_max / 4, three more until it is over */

static const char session_settings[] =
    "SELECT pg_catalog.set_config(s.name, s.value, false) FROM (VALUES ('search_path', ''), "
    "('statement_timeout', '0'), ('lock_timeout', '0'), "
    "('datestyle', 'ISO, YMD'), ('intervalstyle', 'postgres'), ('timezone', 'UTC'), "
    "('bytea_output', 'hex'), ('extra_float_digits', '1'), "
    "('row_security', 'off'), ('idle_in_transaction_session_timeout', '0')) AS s(name, value)";

/* ---- Failures. ---- */

/* By SQLSTATE, the longest prefix first; see the manual's appendix "PostgreSQL Error Codes". */
static const struct failure {
    const char *sqlstate;
    enum mr_errc code;
    enum mr_recovery recovery;
    const char *cure; /* NULL: nothing to add to the server's words */
} failures[] = {
    {"28P01", MR_E_CONFIG, MR_STOP, "set password or password_file to the role's password"},
    {"28000", MR_E_CONFIG, MR_STOP,
     "create the role, and allow it in pg_hba.conf for the database and for replication"},
    {"3D000", MR_E_CONFIG, MR_STOP, "create the database, or correct \"database\""},
    {"42501", MR_E_CONFIG, MR_STOP, NULL},
    {"42P01", MR_E_SOURCE, MR_RETRY, NULL},
    {"53300", MR_E_NET, MR_RETRY,
     "raise max_connections or max_wal_senders, and restart the server"},
    {"53400", MR_E_CONFIG, MR_STOP,
     "drop a slot that nobody needs (SELECT pg_drop_replication_slot('NAME')), or raise "
     "max_replication_slots and restart the server"},
    {"55006", MR_E_SOURCE, MR_RETRY, NULL},
    {"57014", MR_E_SOURCE, MR_RETRY, NULL},
    {"08", MR_E_NET, MR_RETRY, NULL},
    {"40", MR_E_SOURCE, MR_RETRY, NULL},
    {"53", MR_E_SOURCE, MR_RETRY, NULL},
    {"57", MR_E_NET, MR_RETRY, NULL},
    {"", MR_E_SOURCE, MR_STOP, NULL},
};

static const struct failure *find_failure(const char *sqlstate)
{
    size_t i = 0;
    while (strncmp(failures[i].sqlstate, sqlstate, strlen(failures[i].sqlstate)) != 0) {
        i++;
        MR_ASSERT(i < MR_ARRAY_LEN(failures)); /* the last one fits everything */
    }
    return &failures[i];
}

const char *mr_pg_sqlstate(const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    return sqlstate == NULL ? "" : sqlstate;
}

/* libpq's message up to the first line's end. */
static int first_line(const char *message)
{
    return (int)strcspn(message, "\n");
}

bool mr_pg_fail_result(const struct mr_pg_connection *connection, const PGresult *result,
                       const char *what, struct mr_error *err)
{
    MR_ASSERT(connection->endpoint != NULL);
    const char *sqlstate = mr_pg_sqlstate(result);
    if (sqlstate[0] == '\0') {
        const char *message = PQerrorMessage(connection->pg);
        return mr_fail(err, MR_E_NET, MR_RETRY, "%s: the connection to \"%s\" port %u ended: %.*s",
                       what, connection->endpoint->host, connection->endpoint->port,
                       first_line(message), message);
    }
    const struct failure *failure = find_failure(sqlstate);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    const char *cure = failure->cure != NULL ? failure->cure : hint;
    return mr_fail(err, failure->code, failure->recovery, "%s: the server says: %s (%s)%s%s%s%s",
                   what, message == NULL ? "?" : message, sqlstate, detail == NULL ? "" : "; ",
                   detail == NULL ? "" : detail, cure == NULL ? "" : "; ",
                   cure == NULL ? "" : cure);
}

/*
 * libpq keeps no SQLSTATE of a refused connection but prints it when asked to be verbose:
 * "...: FATAL:  28P01: password authentication failed". Finds the last one; "" when there is none.
 */
static void find_sqlstate(const char *message, char sqlstate[SQLSTATE_BYTES], size_t *offset)
{
    MR_ASSERT(message != NULL);
    static const char code_characters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    sqlstate[0] = '\0';
    for (const char *at = strstr(message, ":  "); at != NULL; at = strstr(at + 3, ":  ")) {
        const char *code = at + 3;
        if (strspn(code, code_characters) == SQLSTATE_BYTES - 1 &&
            strncmp(code + SQLSTATE_BYTES - 1, ": ", 2) == 0) {
            memcpy(sqlstate, code, SQLSTATE_BYTES - 1);
            sqlstate[SQLSTATE_BYTES - 1] = '\0';
            *offset = (size_t)(code - message) + SQLSTATE_BYTES + 1;
        }
    }
}

/* Certificates that do not fit: trying again would not make them fit. */
static bool is_tls_refusal(const char *message)
{
    static const char *const words[] = {
        "certificate verify failed",
        "does not match host name",
        "does not support SSL",
        "root certificate",
        "could not load",
        "certificate file",
        "private key file",
        "alert unknown ca",
        "alert certificate",
        "alert bad certificate",
        "IP address",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++) {
        if (strstr(message, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool fail_connect(const struct mr_pg_connection *connection, struct mr_error *err)
{
    MR_ASSERT(connection->endpoint != NULL);
    const struct mr_pg_endpoint *endpoint = connection->endpoint;
    const struct mr_pg_config *config = connection->config;
    const char *message = PQerrorMessage(connection->pg);
    char sqlstate[SQLSTATE_BYTES];
    size_t offset = 0;
    find_sqlstate(message, sqlstate, &offset);
    if (sqlstate[0] == '\0' && is_tls_refusal(message)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "\"%s\" port %u: tls.mode %s: %.*s; a certificate counts when it has not "
                       "expired, tls.ca has signed it, and (verify-full) it is made out to this "
                       "host; ours is tls.cert with tls.key",
                       endpoint->host, endpoint->port, mr_pg_config_tls_mode(config),
                       first_line(message), message);
    }
    if (sqlstate[0] == '\0') {
        return mr_fail(err, MR_E_NET, MR_RETRY, "cannot connect to \"%s\" port %u: %.*s",
                       endpoint->host, endpoint->port, first_line(message), message);
    }
    const struct failure *failure = find_failure(sqlstate);
    char cure[160] = "";
    if (strcmp(sqlstate, "42501") == 0 && connection->kind == MR_PG_CONNECTION_REPLICATION) {
        (void)snprintf(cure, sizeof(cure), "; run: ALTER ROLE \"%s\" REPLICATION", config->user);
    } else if (failure->cure != NULL) {
        (void)snprintf(cure, sizeof(cure), "; %s", failure->cure);
    }
    return mr_fail(err, failure->code, failure->recovery,
                   "\"%s\" port %u refused user \"%s\" for database \"%s\": %.*s (%s)%s",
                   endpoint->host, endpoint->port, config->user, config->database,
                   first_line(message + offset), message + offset, sqlstate, cure);
}

/* ---- Waiting. ---- */

bool mr_pg_connection_wait(const struct mr_pg_connection *connection, bool writable,
                           uint64_t wait_us)
{
    struct pollfd socket = {
        .fd = PQsocket(connection->pg),
        .events = (short)(writable ? POLLIN | POLLOUT : POLLIN),
    };
    const struct timespec wait = {
        .tv_sec = (time_t)(wait_us / 1000000),
        .tv_nsec = (long)(wait_us % 1000000 * 1000),
    };
    int ready = 0;
    MR_ASSERT(socket.fd >= 0);
    do {
        ready = ppoll(&socket, 1, &wait, NULL);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

static uint64_t deadline_ns(const struct mr_pg_connection *connection)
{
    MR_ASSERT(connection->wait_ms_max > 0);
    return connection->env->monotonic_ns(connection->env) + connection->wait_ms_max * NS_PER_MS;
}

/* Waits for the socket until the deadline. */
static bool wait_until(const struct mr_pg_connection *connection, bool writable, uint64_t until_ns)
{
    const uint64_t now_ns = connection->env->monotonic_ns(connection->env);
    return now_ns < until_ns &&
           mr_pg_connection_wait(connection, writable, (until_ns - now_ns) / 1000 + 1);
}

/* ---- Connecting. ---- */

static bool read_password(const struct mr_pg_connection *connection, char *password, size_t size,
                          struct mr_error *err)
{
    MR_ASSERT(size > 1);
    const struct mr_env *env = connection->env;
    const char *file = connection->config->password_file;
    size_t length = 0;
    const int fd = env->open(env, MR_ENV_CWD, file, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        (void)mr_fail_errno(err, "open password_file \"%s\"", file);
        err->code = MR_E_CONFIG;
        err->recovery = MR_STOP;
        return false;
    }
    const bool ok = mr_env_read_fully(env, fd, password, size - 1, 0, &length, err);
    (void)env->close(env, fd);
    if (!ok) {
        return mr_error_context(err, "read password_file \"%s\"", file);
    }
    password[length] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    return true;
}

static PGconn *start(const struct mr_pg_connection *connection, const char *password,
                     const char *application)
{
    MR_ASSERT(connection->endpoint != NULL && connection->pg == NULL);
    const struct mr_pg_config *config = connection->config;
    const bool is_replication = connection->kind == MR_PG_CONNECTION_REPLICATION;
    char port[8];
    char silence_ms[24];
    char probe_s[24];
    const uint64_t probe_ms = config->silence_ms_max / KEEPALIVES;
    (void)snprintf(port, sizeof(port), "%u", connection->endpoint->port);
    (void)snprintf(silence_ms, sizeof(silence_ms), "%llu",
                   (unsigned long long)config->silence_ms_max);
    (void)snprintf(probe_s, sizeof(probe_s), "%llu",
                   (unsigned long long)(probe_ms < 1000 ? 1 : probe_ms / 1000));
    const char *const names[] = {"host",
                                 "port",
                                 "user",
                                 "password",
                                 "dbname",
                                 "sslmode",
                                 "sslrootcert",
                                 "sslcert",
                                 "sslkey",
                                 "client_encoding",
                                 "application_name",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 is_replication ? "replication" : NULL,
                                 NULL};
    const char *const values[] = {connection->endpoint->host,
                                  port,
                                  config->user,
                                  password,
                                  config->database,
                                  mr_pg_config_tls_mode(config),
                                  config->tls_ca,
                                  config->tls_cert,
                                  config->tls_key,
                                  "UTF8",
                                  application,
                                  probe_s,
                                  probe_s,
                                  "3",
                                  silence_ms,
                                  is_replication ? "database" : NULL,
                                  NULL};
    return PQconnectStartParams(names, values, 0);
}

/* Drives the hand-shake to its end, within the time limit. */
static bool complete(struct mr_pg_connection *connection, struct mr_error *err)
{
    const uint64_t until_ns = deadline_ns(connection);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    if (connection->pg == NULL || PQstatus(connection->pg) == CONNECTION_BAD) {
        return fail_connect(connection, err);
    }
    (void)PQsetErrorVerbosity(connection->pg, PQERRORS_VERBOSE);
    while (status != PGRES_POLLING_OK) {
        if (status == PGRES_POLLING_FAILED) {
            return fail_connect(connection, err);
        }
        if (!wait_until(connection, status == PGRES_POLLING_WRITING, until_ns)) {
            return mr_fail(err, MR_E_NET, MR_RETRY,
                           "cannot connect to \"%s\" port %u: no answer within %llu ms",
                           connection->endpoint->host, connection->endpoint->port,
                           (unsigned long long)connection->wait_ms_max);
        }
        status = PQconnectPoll(connection->pg);
    }
    (void)PQsetErrorVerbosity(connection->pg, PQERRORS_DEFAULT);
    return true;
}

static bool check_primary(struct mr_pg_connection *connection, struct mr_error *err)
{
    MR_ASSERT(connection->config->endpoint_count > 1);
    PGresult *result = mr_pg_command(connection, "SELECT pg_catalog.pg_is_in_recovery()", err);
    if (result == NULL) {
        return false;
    }
    const bool is_standby = strcmp(mr_pg_field(result, 0, 0), "t") == 0;
    PQclear(result);
    if (is_standby) {
        return mr_fail(err, MR_E_NET, MR_RETRY,
                       "\"%s\" port %u is a standby; waiting for a primary",
                       connection->endpoint->host, connection->endpoint->port);
    }
    return true;
}

static bool open_endpoint(struct mr_pg_connection *connection, const char *password,
                          const char *application, struct mr_error *err)
{
    MR_ASSERT(connection->pg == NULL);
    connection->pg = start(connection, password, application);
    if (!complete(connection, err) ||
        (connection->config->endpoint_count > 1 && !check_primary(connection, err)) ||
        !mr_pg_run(connection, session_settings, err)) {
        mr_pg_connection_close(connection);
        return false;
    }
    return true;
}

bool mr_pg_connection_open(struct mr_pg_connection *connection,
                           const struct mr_source_context *context, enum mr_pg_connection_kind kind,
                           struct mr_error *err)
{
    char password[PASSWORD_BYTES_MAX];
    char application[MR_PG_NAME_BYTES_MAX];
    const struct mr_pg_config *config = context->config;
    MR_ASSERT(config->endpoint_count > 0 && context->wait_ms_max > 0);
    *connection = (struct mr_pg_connection){
        .env = context->env,
        .config = config,
        .wait_ms_max = context->wait_ms_max,
        .kind = kind,
    };
    if (config->password_file != NULL &&
        !read_password(connection, password, sizeof(password), err)) {
        return false;
    }
    (void)snprintf(application, sizeof(application), "millrace %s/%s", context->pipeline,
                   context->name);
    const char *secret = config->password_file != NULL ? password : config->password;
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        *err = (struct mr_error){0};
        connection->endpoint = &config->endpoints[i];
        if (open_endpoint(connection, secret, application, err)) {
            return true;
        }
        if (err->recovery == MR_STOP) {
            return false;
        }
    }
    return false;
}

void mr_pg_connection_close(struct mr_pg_connection *connection)
{
    if (connection->pg != NULL) {
        PQfinish(connection->pg);
        connection->pg = NULL;
    }
}

/* ---- Asking. ---- */

static bool is_success(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_COPY_OUT ||
           status == PGRES_COPY_BOTH;
}

static bool is_copy(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

static void cancel(const struct mr_pg_connection *connection)
{
    char ignored[256];
    PGcancel *cancel = PQgetCancel(connection->pg);
    if (cancel != NULL) {
        (void)PQcancel(cancel, ignored, sizeof(ignored));
        PQfreeCancel(cancel);
    }
}

/* The next result, NULL when there is none; false when the time is over or the link broke. */
static bool next_result(struct mr_pg_connection *connection, uint64_t until_ns, PGresult **result,
                        struct mr_error *err)
{
    MR_ASSERT(connection->pg != NULL);
    for (;;) {
        const int unsent = PQflush(connection->pg);
        if (unsent < 0 || PQconsumeInput(connection->pg) == 0) {
            return mr_pg_fail_result(connection, NULL, "query", err);
        }
        if (unsent == 0 && PQisBusy(connection->pg) == 0) {
            *result = PQgetResult(connection->pg);
            return true;
        }
        if (!wait_until(connection, unsent > 0, until_ns)) {
            cancel(connection);
            return mr_fail(err, MR_E_NET, MR_RETRY,
                           "\"%s\" port %u: no answer to a query within %llu ms",
                           connection->endpoint->host, connection->endpoint->port,
                           (unsigned long long)connection->wait_ms_max);
        }
    }
}

PGresult *mr_pg_collect(struct mr_pg_connection *connection, struct mr_error *err)
{
    const uint64_t until_ns = deadline_ns(connection);
    PGresult *last = NULL;
    for (int i = 0; i < DRAIN_RESULTS_MAX; i++) {
        PGresult *result = NULL;
        if (!next_result(connection, until_ns, &result, err)) {
            PQclear(last);
            return NULL;
        }
        if (result == NULL) {
            break;
        }
        if (last != NULL && !is_success(last)) {
            PQclear(result);
            continue;
        }
        PQclear(last);
        last = result;
        if (is_copy(result)) {
            break;
        }
    }
    if (last == NULL || !is_success(last)) {
        (void)mr_pg_fail_result(connection, last, "query", err);
        PQclear(last);
        return NULL;
    }
    return last;
}

PGresult *mr_pg_query(struct mr_pg_connection *connection, const char *sql,
                      const char *const *parameters, int parameter_count, struct mr_error *err)
{
    MR_ASSERT(connection->pg != NULL && connection->kind == MR_PG_CONNECTION_SQL);
    if (PQsendQueryParams(connection->pg, sql, parameter_count, NULL, parameters, NULL, NULL, 0) ==
        0) {
        (void)mr_pg_fail_result(connection, NULL, "query", err);
        return NULL;
    }
    return mr_pg_collect(connection, err);
}

PGresult *mr_pg_query_binary(struct mr_pg_connection *connection, const char *sql, uint32_t type,
                             struct mr_slice value, struct mr_error *err)
{
    const Oid types[] = {type};
    const char *const values[] = {value.length == 0 ? "" : (const char *)value.bytes};
    const int lengths[] = {(int)value.length};
    const int formats[] = {1};
    MR_ASSERT(connection->pg != NULL && value.length <= INT32_MAX);
    if (PQsendQueryParams(connection->pg, sql, 1, types, values, lengths, formats, 0) == 0) {
        (void)mr_pg_fail_result(connection, NULL, "query", err);
        return NULL;
    }
    return mr_pg_collect(connection, err);
}

PGresult *mr_pg_command(struct mr_pg_connection *connection, const char *sql, struct mr_error *err)
{
    MR_ASSERT(connection->pg != NULL);
    if (PQsendQuery(connection->pg, sql) == 0) {
        (void)mr_pg_fail_result(connection, NULL, "query", err);
        return NULL;
    }
    return mr_pg_collect(connection, err);
}

bool mr_pg_run(struct mr_pg_connection *connection, const char *sql, struct mr_error *err)
{
    PGresult *result = mr_pg_command(connection, sql, err);
    PQclear(result);
    return result != NULL;
}

bool mr_pg_connection_widen(struct mr_pg_connection *connection, struct mr_error *err)
{
    return mr_pg_run(connection, "SELECT pg_catalog.repeat(' ', 250000)", err);
}

bool mr_pg_connection_is_local_tcp(const struct mr_pg_connection *connection)
{
    struct sockaddr_storage ours = {0};
    struct sockaddr_storage theirs = {0};
    socklen_t ours_size = sizeof(ours);
    socklen_t theirs_size = sizeof(theirs);
    char our_host[NI_MAXHOST];
    char their_host[NI_MAXHOST];
    const int socket = PQsocket(connection->pg);
    MR_ASSERT(socket >= 0);
    return getsockname(socket, (struct sockaddr *)&ours, &ours_size) == 0 &&
           getpeername(socket, (struct sockaddr *)&theirs, &theirs_size) == 0 &&
           (ours.ss_family == AF_INET || ours.ss_family == AF_INET6) &&
           getnameinfo((struct sockaddr *)&ours, ours_size, our_host, sizeof(our_host), NULL, 0,
                       NI_NUMERICHOST) == 0 &&
           getnameinfo((struct sockaddr *)&theirs, theirs_size, their_host, sizeof(their_host),
                       NULL, 0, NI_NUMERICHOST) == 0 &&
           strcmp(our_host, their_host) == 0;
}

bool mr_pg_connection_is_standby(const struct mr_pg_connection *connection)
{
    const char *standby = PQparameterStatus(connection->pg, "in_hot_standby"); /* from 14 on */
    return standby != NULL && strcmp(standby, "on") == 0;
}

uint64_t mr_pg_connection_silent_ms(const struct mr_pg_connection *connection)
{
    struct tcp_info tcp = {0};
    socklen_t size = sizeof(tcp);
    const bool is_known =
        getsockopt(PQsocket(connection->pg), IPPROTO_TCP, TCP_INFO, &tcp, &size) == 0;
    return is_known ? tcp.tcpi_last_data_recv : 0;
}

bool mr_pg_connection_set_buffer(const struct mr_pg_connection *connection, int bytes)
{
    MR_ASSERT(bytes > 0);
    return setsockopt(PQsocket(connection->pg), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) == 0;
}

const char *mr_pg_field(const PGresult *result, int row, int column)
{
    MR_ASSERT(row < PQntuples(result) && column < PQnfields(result));
    return PQgetvalue(result, row, column);
}

static void quote(const char *text, char mark, char *quoted, size_t size)
{
    size_t length = 0;
    MR_ASSERT(strlen(text) * 2 + 3 <= size);
    quoted[length++] = mark;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == mark) {
            quoted[length++] = mark;
        }
        quoted[length++] = *c;
    }
    quoted[length++] = mark;
    quoted[length] = '\0';
}

void mr_pg_quote_identifier(const char *name, char *quoted, size_t size)
{
    quote(name, '"', quoted, size);
}

/* For names of objects, slots and snapshots: standard_conforming_strings leaves backslashes
 * alone. */
void mr_pg_quote_literal(const char *text, char *quoted, size_t size)
{
    quote(text, '\'', quoted, size);
}
