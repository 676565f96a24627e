// SPDX-License-Identifier: MIT
/*
 * mysql_connection.c - see mysql_connection.h.
 *
 * TLS modes on top of the library's switches (Connector/C 3.3 and later):
 *
 *   disable      no switch set
 *   prefer       as require; when the server cannot, once more as disable
 *   require      SSL_ENFORCE, no verification
 *   verify-ca    SSL_ENFORCE and a CA: the library then checks the chain and nothing else
 *   verify-full  and SSL_VERIFY_SERVER_CERT: the host's name too
 */
#include "mysql_connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errmsg.h>
#include <ma_pvio.h>
#include <mysqld_error.h>
#include <openssl/ssl.h>

#include "memory.h"

/* What the library keeps of a TLS connection: its header does not come whole with version 3.4, and
 * these first members are the same in all. */
struct tls_handle {
    void *library_data;
    MARIADB_PVIO *pvio;
    SSL *ssl;
};

/* Packets are bounded: a hostile server may announce any length. */
#define CONTROL_PACKET_BYTES_MAX (64u << 20)
#define PACKET_SLACK_BYTES       (16u << 20)
#define PASSWORD_BYTES_MAX       1024
#define SKEW_ROUND_TRIPS         3

/* The methods that never send the password in the clear. */
#define AUTH_METHODS                                                                               \
    "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519,parsec"

/* Server errors that mysqld_error.h of Connector/C does not name. */
#define ER_MARIA_SLAVE_SAME_ID 4052
#define ER_QUERY_TIMEOUT_MYSQL 3024

static const char *tls_hint(const struct mr_mysql_connection *connection)
{
    return connection->is_encrypted
               ? ""
               : "; an account that demands TLS needs tls.mode require as well";
}

unsigned mr_mysql_error_number(const struct mr_mysql_connection *connection)
{
    MR_ASSERT(connection->mysql != NULL);
    return mysql_errno(connection->mysql);
}

/** What a server's or the library's error number means to the pipeline. */
static void classify(unsigned number, enum mr_errc *code, enum mr_recovery *recovery)
{
    *code = MR_E_SOURCE;
    *recovery = MR_STOP;
    switch (number) {
    case CR_SSL_CONNECTION_ERROR:
    case CR_AUTH_PLUGIN_CANNOT_LOAD:
    case CR_UNKNOWN_HOST: /* retried: a name server may be away for a while */
        *code = number == CR_UNKNOWN_HOST ? MR_E_NET : MR_E_CONFIG;
        *recovery = number == CR_UNKNOWN_HOST ? MR_RETRY : MR_STOP;
        return;
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_BAD_DB_ERROR:
    case ER_HOST_NOT_PRIVILEGED:
    case ER_TABLEACCESS_DENIED_ERROR:
    case ER_COLUMNACCESS_DENIED_ERROR:
    case ER_SPECIFIC_ACCESS_DENIED_ERROR:
    case ER_MARIA_SLAVE_SAME_ID:
        *code = MR_E_CONFIG;
        return;
    case ER_CON_COUNT_ERROR:
    case ER_SERVER_SHUTDOWN:
    case ER_NEW_ABORTING_CONNECTION:
    case ER_TOO_MANY_USER_CONNECTIONS:
        *code = MR_E_NET;
        *recovery = MR_RETRY;
        return;
    case ER_LOCK_WAIT_TIMEOUT:
    case ER_LOCK_DEADLOCK:
    case ER_QUERY_INTERRUPTED:
    case ER_QUERY_TIMEOUT_MYSQL:
        *recovery = MR_RETRY;
        return;
    case ER_NET_PACKET_TOO_LARGE:
        *code = MR_E_LIMIT;
        return;
    default: /* numbers from outside: client errors are the network's, the rest the server's */
        if (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) {
            *code = MR_E_NET;
            *recovery = MR_RETRY;
        }
        return;
    }
}

/** The library calls it an error of TLS, too, when the connection under it went away. */
static bool is_cut(const char *message)
{
    static const char *const words[] = {"eof", "reset", "syscall", "closed", "broken pipe"};
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++) {
        if (strcasestr(message, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

bool mr_mysql_fail(const struct mr_mysql_connection *connection, const char *what,
                   struct mr_error *err)
{
    MR_ASSERT(connection->mysql != NULL && what != NULL);
    unsigned number = mysql_errno(connection->mysql);
    enum mr_errc code;
    enum mr_recovery recovery;
    const char *cure = "";

    classify(number, &code, &recovery);
    if (number == CR_SSL_CONNECTION_ERROR && is_cut(mysql_error(connection->mysql))) {
        code = MR_E_NET;
        recovery = MR_RETRY;
    }
    if (number == ER_ACCESS_DENIED_ERROR) {
        cure = "; check user and password";
    } else if (number == ER_NET_PACKET_TOO_LARGE) {
        cure = "; a value is larger than value_max allows: raise it";
    } else if (number == ER_MARIA_SLAVE_SAME_ID) {
        cure = "; give this source a server_id of its own";
    } else if (number == ER_BAD_DB_ERROR) {
        cure = "; check the database in url";
    }
    return mr_fail(err, code, recovery, "%s: %s:%u: %s (error %u)%s%s", what,
                   connection->endpoint->host, connection->endpoint->port,
                   mysql_error(connection->mysql), number, cure,
                   number == ER_ACCESS_DENIED_ERROR ? tls_hint(connection) : "");
}

/** The first line of password_file. */
static bool read_password_file(const struct mr_env *env, const char *path,
                               char password[PASSWORD_BYTES_MAX], struct mr_error *err)
{
    MR_ASSERT(env != NULL && path != NULL);
    size_t length = 0;
    int fd = env->open(env, MR_ENV_CWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0) {
        (void)mr_fail_errno(err, "open password_file \"%s\"", path);
        err->code = MR_E_CONFIG;
        err->recovery = MR_STOP;
        return false;
    }
    bool read = mr_env_read_fully(env, fd, password, PASSWORD_BYTES_MAX - 1, 0, &length, err);
    (void)env->close(env, fd);
    if (!read) {
        return mr_error_context(err, "password_file \"%s\"", path);
    }
    password[length] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    return true;
}

static void set_tls(MYSQL *mysql, const struct mr_mysql_config *config, bool encrypt)
{
    my_bool on = 1;
    my_bool off = 0;

    if (!encrypt) {
        (void)mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &off);
        (void)mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
        return;
    }
    bool verifies =
        config->tls_mode == MR_MYSQL_TLS_VERIFY_CA || config->tls_mode == MR_MYSQL_TLS_VERIFY_FULL;
    (void)mysql_ssl_set(mysql, config->tls_key, config->tls_cert, verifies ? config->tls_ca : NULL,
                        NULL, NULL);
    (void)mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &on);
    (void)mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT,
                        config->tls_mode == MR_MYSQL_TLS_VERIFY_FULL ? &on : &off);
    if (config->tls_mode != MR_MYSQL_TLS_PREFER) {
        /* Whoever strips TLS off could ask for the password under an RSA key of his own. */
        (void)mysql_options(mysql, MYSQL_SERVER_PUBLIC_KEY, "/dev/null");
    }
}

static void set_limits(MYSQL *mysql, const struct mr_source_context *context,
                       enum mr_mysql_purpose purpose)
{
    MR_ASSERT(context->value_bytes_max > 0);
    unsigned seconds = (unsigned)((context->wait_ms_max + 999) / 1000);
    unsigned wait_s = seconds == 0 ? 1 : seconds;
    /* An update carries the old and the new value in one packet. */
    size_t packet_bytes = purpose == MR_MYSQL_CONTROL
                              ? CONTROL_PACKET_BYTES_MAX
                              : (size_t)context->value_bytes_max * 2 + PACKET_SLACK_BYTES;

    (void)mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &wait_s);
    (void)mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &wait_s);
    (void)mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &wait_s);
    (void)mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_bytes);
}

static void set_session(MYSQL *mysql)
{
    unsigned no_files = 0;
    unsigned tcp = MYSQL_PROTOCOL_TCP;
    (void)mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &no_files);
    (void)mysql_options(mysql, MYSQL_OPT_PROTOCOL, &tcp);
    (void)mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options(mysql, MARIADB_OPT_RESTRICTED_AUTH, AUTH_METHODS);
    (void)mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "millrace");
}

/** One attempt at one endpoint. The handle is closed again on failure. */
static bool connect_once(struct mr_mysql_connection *connection,
                         const struct mr_source_context *context, enum mr_mysql_purpose purpose,
                         const char *password, bool encrypt, struct mr_error *err)
{
    const struct mr_mysql_config *config = context->config;
    const struct mr_mysql_endpoint *endpoint = connection->endpoint;
    bool is_socket = endpoint->host[0] == '/';
    unsigned socket_protocol = MYSQL_PROTOCOL_SOCKET;

    connection->mysql = mysql_init(NULL);
    MR_ASSERT(connection->mysql != NULL); /* out of memory: the process resumes from its log */
    connection->is_encrypted = encrypt;
    set_session(connection->mysql);
    set_limits(connection->mysql, context, purpose);
    set_tls(connection->mysql, config, encrypt);
    if (is_socket) {
        (void)mysql_options(connection->mysql, MYSQL_OPT_PROTOCOL, &socket_protocol);
    }
    bool connected =
        mysql_real_connect(connection->mysql, is_socket ? NULL : endpoint->host, config->user,
                           password, config->database, is_socket ? 0 : endpoint->port,
                           is_socket ? endpoint->host : NULL, CLIENT_REMEMBER_OPTIONS) != NULL;
    (void)mysql_options(connection->mysql, MYSQL_SERVER_PUBLIC_KEY, NULL); /* else never freed */
    if (connected) {
        connection->is_encrypted = mysql_get_ssl_cipher(connection->mysql) != NULL;
        /* The library goes on in plain text with a server that has no TLS. */
        return connection->is_encrypted || !encrypt || config->tls_mode == MR_MYSQL_TLS_PREFER ||
               mr_fail(
                   err, MR_E_CONFIG, MR_STOP,
                   "%s:%u has no TLS, which tls.mode demands; turn it on there, or set tls.mode "
                   "prefer",
                   endpoint->host, endpoint->port);
    }
    return mr_mysql_fail(connection, "connect", err);
}

static bool connect_endpoint(struct mr_mysql_connection *connection,
                             const struct mr_source_context *context, enum mr_mysql_purpose purpose,
                             const char *password, struct mr_error *err)
{
    MR_ASSERT(connection->endpoint != NULL && connection->mysql == NULL);
    const struct mr_mysql_config *config = context->config;
    bool encrypt = config->tls_mode != MR_MYSQL_TLS_DISABLE && connection->endpoint->host[0] != '/';

    if (connect_once(connection, context, purpose, password, encrypt, err)) {
        return true;
    }
    bool cannot_encrypt = encrypt && config->tls_mode == MR_MYSQL_TLS_PREFER &&
                          mysql_errno(connection->mysql) == CR_SSL_CONNECTION_ERROR;
    mysql_close(connection->mysql);
    connection->mysql = NULL;
    if (!cannot_encrypt) {
        return false;
    }
    if (connect_once(connection, context, purpose, password, false, err)) {
        return true;
    }
    mysql_close(connection->mysql);
    connection->mysql = NULL;
    return false;
}

/** Fills in what the server is. Versions before those we know are refused. */
static bool identify(struct mr_mysql_connection *connection, struct mr_error *err)
{
    MR_ASSERT(connection->mysql != NULL);
    connection->is_maria = mariadb_connection(connection->mysql) != 0;
    connection->version = (unsigned)mysql_get_server_version(connection->mysql);
    unsigned version = connection->version;
    (void)snprintf(connection->server, sizeof(connection->server), "%s %u.%u.%u",
                   connection->is_maria ? "MariaDB" : "MySQL", version / 10000, version / 100 % 100,
                   version % 100);
    unsigned oldest = connection->is_maria ? 100600 : 80000;
    if (version < oldest) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "%s:%u is %s; millrace needs MySQL 8.0 or MariaDB 10.6 or later",
                       connection->endpoint->host, connection->endpoint->port, connection->server);
    }
    return true;
}

/** Long silences and long reads are ours to bound, not the server's. */
static bool prepare_session(struct mr_mysql_connection *connection, enum mr_mysql_purpose purpose,
                            struct mr_error *err)
{
    MR_ASSERT(connection->version != 0);
    const char *common = "SET SESSION time_zone = '+00:00', sql_mode = '', wait_timeout = 86400, "
                         "net_write_timeout = 86400, net_read_timeout = 3600";
    if (!mr_mysql_execute(connection, common, err)) {
        return mr_error_context(err, "prepare the session");
    }
    if (purpose == MR_MYSQL_DUMP) {
        return true;
    }
    if (connection->is_maria) {
        return mr_mysql_execute(connection, "SET SESSION max_statement_time = 0", err);
    }
    if (!mr_mysql_execute(connection,
                          "SET SESSION max_execution_time = 0, information_schema_stats_expiry = 0",
                          err)) {
        return mr_error_context(err, "prepare the session");
    }
    /* A primary key that the server invented is in the binlog, so it must be in our columns. */
    return connection->version < 80030 ||
           mr_mysql_execute(connection,
                            "SET SESSION show_gipk_in_create_table_and_information_schema = ON",
                            err);
}

/** Among several hosts one is of use only when its binlog has everything. */
static bool check_binlog(struct mr_mysql_connection *connection, struct mr_error *err)
{
    uint64_t has_all = 0;
    const char *sql = mr_mysql_is_at_least(connection, 80026)
                          ? "SELECT @@global.log_bin AND (@@global.log_replica_updates OR NOT "
                            "@@global.read_only)"
                          : "SELECT @@global.log_bin AND (@@global.log_slave_updates OR NOT "
                            "@@global.read_only)";
    if (!mr_mysql_query_uint(connection, sql, &has_all, err)) {
        return false;
    }
    return has_all != 0 ||
           mr_fail(err, MR_E_CONFIG, MR_STOP,
                   "%s:%u writes no binlog, or is a replica that does not log what it applies "
                   "(log_bin, log_replica_updates)",
                   connection->endpoint->host, connection->endpoint->port);
}

struct mr_mysql_connection *mr_mysql_connect(const struct mr_source_context *context,
                                             enum mr_mysql_purpose purpose,
                                             const struct mr_mysql_endpoint *pinned,
                                             struct mr_error *err)
{
    const struct mr_mysql_config *config = context->config;
    const char *password = config->password;
    char from_file[PASSWORD_BYTES_MAX];
    bool connected = false;

    MR_ASSERT(config->endpoint_count > 0);
    if (config->password_file != NULL) {
        if (!read_password_file(context->env, config->password_file, from_file, err)) {
            return NULL;
        }
        password = from_file;
    }
    struct mr_mysql_connection *connection = mr_memory_new(1, sizeof(*connection));
    connection->user = config->user;
    connection->env = context->env;
    uint32_t count = pinned == NULL ? config->endpoint_count : 1;
    for (uint32_t i = 0; i < count && !connected; i++) {
        *err = (struct mr_error){0};
        connection->endpoint = pinned == NULL ? &config->endpoints[i] : pinned;
        connected = connect_endpoint(connection, context, purpose, password, err) &&
                    identify(connection, err) && prepare_session(connection, purpose, err) &&
                    (count == 1 || check_binlog(connection, err));
        if (!connected && connection->mysql != NULL) {
            mysql_close(connection->mysql);
            connection->mysql = NULL;
        }
    }
    explicit_bzero(from_file, sizeof(from_file));
    if (connected) {
        return connection;
    }
    mr_mysql_disconnect(connection);
    return NULL;
}

void mr_mysql_disconnect(struct mr_mysql_connection *connection)
{
    if (connection == NULL) {
        return;
    }
    if (connection->mysql != NULL) {
        mysql_close(connection->mysql);
    }
    free(connection);
}

static bool take_nothing(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    (void)context;
    (void)row;
    (void)err;
    return true;
}

bool mr_mysql_execute(struct mr_mysql_connection *connection, const char *sql, struct mr_error *err)
{
    return mr_mysql_each_row(connection, sql, UINT64_MAX, take_nothing, NULL, err);
}

/** The statement's first word or two name it in an error. */
static bool fail_statement(const struct mr_mysql_connection *connection, const char *sql,
                           struct mr_error *err)
{
    char what[96];
    (void)snprintf(what, sizeof(what), "%.90s", sql);
    return mr_mysql_fail(connection, what, err);
}

bool mr_mysql_each_row(struct mr_mysql_connection *connection, const char *sql, uint64_t rows_max,
                       mr_mysql_row_fn take, void *context, struct mr_error *err)
{
    MR_ASSERT(connection != NULL && connection->mysql != NULL);
    if (mysql_real_query(connection->mysql, sql, strlen(sql)) != 0) {
        return fail_statement(connection, sql, err);
    }
    MYSQL_RES *result = mysql_use_result(connection->mysql);
    if (result == NULL) {
        return mysql_errno(connection->mysql) == 0 || fail_statement(connection, sql, err);
    }
    bool taken = true;
    uint64_t row_count = 0;
    unsigned columns = mysql_num_fields(result);
    for (MYSQL_ROW cells; taken && (cells = mysql_fetch_row(result)) != NULL;) {
        struct mr_mysql_result_row row = {
            .cells = (const char *const *)cells,
            .lengths = mysql_fetch_lengths(result),
            .count = columns,
        };
        if (row_count++ == rows_max) {
            taken = mr_fail(err, MR_E_LIMIT, MR_STOP, "%.90s: more than %llu rows", sql,
                            (unsigned long long)rows_max);
        } else {
            taken = take(context, &row, err);
        }
    }
    if (taken && mysql_errno(connection->mysql) != 0) {
        taken = fail_statement(connection, sql, err);
    }
    mysql_free_result(result); /* reads what is left, so that the connection can go on */
    return taken;
}

struct first_cell {
    char *text;
    size_t size;
    bool seen;
};

static bool take_first_cell(void *context, const struct mr_mysql_result_row *row,
                            struct mr_error *err)
{
    MR_ASSERT(((const struct first_cell *)context)->size > 0);
    struct first_cell *first = context;
    if (first->seen || row->count == 0) {
        return true;
    }
    first->seen = true;
    const char *cell = row->cells[0] == NULL ? "" : row->cells[0];
    size_t length = row->cells[0] == NULL ? 0 : row->lengths[0];
    if (length >= first->size) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "the server's answer has %zu bytes, %zu fit",
                       length, first->size - 1);
    }
    memcpy(first->text, cell, length);
    first->text[length] = '\0';
    return true;
}

bool mr_mysql_query_text(struct mr_mysql_connection *connection, const char *sql, char *text,
                         size_t size, struct mr_error *err)
{
    MR_ASSERT(size > 0);
    struct first_cell first = {.text = text, .size = size};
    text[0] = '\0';
    return mr_mysql_each_row(connection, sql, UINT64_MAX, take_first_cell, &first, err);
}

bool mr_mysql_query_uint(struct mr_mysql_connection *connection, const char *sql, uint64_t *number,
                         struct mr_error *err)
{
    MR_ASSERT(number != NULL);
    char text[32];
    if (!mr_mysql_query_text(connection, sql, text, sizeof(text), err)) {
        return false;
    }
    *number = strtoull(text, NULL, 10);
    return true;
}

bool mr_mysql_wait_readable(const struct mr_mysql_connection *connection, uint32_t wait_ms)
{
    MR_ASSERT(connection->mysql != NULL);
    /* Bytes may wait in three places: the library's read-ahead, the TLS record, the socket. */
    const MARIADB_PVIO *pvio = connection->mysql->net.pvio;
    if (pvio == NULL) {
        return true; /* closed: the next read says so */
    }
    if (pvio->cache != NULL && pvio->cache_pos < pvio->cache + pvio->cache_size) {
        return true;
    }
    const struct tls_handle *tls = pvio->ctls;
    if (tls != NULL && SSL_pending(tls->ssl) > 0) {
        return true;
    }
    struct pollfd wanted = {
        .fd = (int)mysql_get_socket(connection->mysql),
        .events = POLLIN,
    };
    int ready = poll(&wanted, 1, wait_ms > INT32_MAX ? INT32_MAX : (int)wait_ms);
    return ready > 0; /* an interrupted wait counts as none: the caller comes again */
}

bool mr_mysql_measure_skew(struct mr_mysql_connection *connection, int64_t *skew_us,
                           struct mr_error *err)
{
    const struct mr_env *env = connection->env;
    MR_ASSERT(env != NULL && skew_us != NULL);
    uint64_t best_ns = UINT64_MAX;
    int64_t best_skew_us = 0;

    for (int i = 0; i < SKEW_ROUND_TRIPS; i++) {
        char text[48];
        uint64_t sent_ns = env->monotonic_ns(env);
        if (!mr_mysql_query_text(connection,
                                 "SELECT CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)", text,
                                 sizeof(text), err)) {
            return mr_error_context(err, "read the server's clock");
        }
        uint64_t trip_ns = env->monotonic_ns(env) - sent_ns;
        /* The server looked at its clock about half a round trip ago. */
        int64_t ours_us = env->unix_us(env) - (int64_t)(trip_ns / 2000);
        if (trip_ns < best_ns) {
            best_ns = trip_ns;
            best_skew_us = ours_us - strtoll(text, NULL, 10);
        }
    }
    *skew_us = best_skew_us;
    return true;
}
