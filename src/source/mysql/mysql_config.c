// SPDX-License-Identifier: MIT
/*
 * mysql_config.c - the option table, and what the table alone cannot check.
 *
 *   url   := "mysql://" [user [":" password] "@"] place {"," place} ["/" [database]]
 *   place := host [":" port]
 *   host  := name | IPv4 address | "[" IPv6 address "]"
 *
 * User, password and database may be percent-encoded (RFC 3986, 2.1). A password in the URL is
 * moved to `password` and taken out of `url`, so that the URL can be shown.
 */
#include "mysql_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "url_text.h"

#define URL_SCHEME       "mysql://"
#define URL_BYTES_MAX    2048
#define SERVER_ID_FIRST  UINT32_C(1000000000)
#define SERVER_ID_COUNT  UINT32_C(3000000000)
#define HEARTBEAT_MS_MIN 100
#define HEARTBEAT_MS_MAX 60000
#define PIECE_ROWS_MIN   1000
#define PIECE_ROWS_MAX   100000000

static const char *const tls_modes[] = {
    [MR_MYSQL_TLS_DISABLE] = "disable",         [MR_MYSQL_TLS_PREFER] = "prefer",
    [MR_MYSQL_TLS_REQUIRE] = "require",         [MR_MYSQL_TLS_VERIFY_CA] = "verify-ca",
    [MR_MYSQL_TLS_VERIFY_FULL] = "verify-full", NULL,
};

static const char *const snapshot_modes[] = {
    "initial", "initial_only", "no_data", "when_needed", "never", NULL,
};

static const char *const statement_policies[] = {
    [MR_MYSQL_STATEMENT_STOP] = "stop",
    [MR_MYSQL_STATEMENT_WARN] = "warn",
    NULL,
};

#define AT(field) .offset = offsetof(struct mr_mysql_config, field)

const struct mr_option mr_mysql_options[] = {
    {.name = "url",
     .type = MR_OPT_STRING,
     AT(url),
     .help = "mysql://user@host:port/, hosts separated by commas; instead of host, port and user"},
    {.name = "host",
     .type = MR_OPT_STRING,
     AT(host),
     .help = "server to follow (default 127.0.0.1); a path names a local socket"},
    {.name = "hosts",
     .type = MR_OPT_LIST,
     AT(hosts),
     .help = "several servers of one topology, as host or host:port, tried in order"},
    {.name = "port",
     .type = MR_OPT_UINT,
     AT(port),
     .fallback = "3306",
     .min = 1,
     .max = MR_URL_PORT_MAX,
     .help = "TCP port"},
    {.name = "user",
     .type = MR_OPT_STRING,
     AT(user),
     .help = "account with the REPLICATION SLAVE privilege"},
    {.name = "password", .type = MR_OPT_SECRET, AT(password), .help = "its password"},
    {.name = "password_file",
     .type = MR_OPT_STRING,
     AT(password_file),
     .help = "file whose first line is the password; read at each connect"},
    {.name = "tls.mode",
     .type = MR_OPT_CHOICE,
     AT(tls_mode),
     .fallback = "prefer",
     .choices = tls_modes,
     .help = "disable, prefer, require, verify-ca or verify-full"},
    {.name = "tls.ca",
     .type = MR_OPT_STRING,
     AT(tls_ca),
     .help = "PEM file of the authorities that verify-ca and verify-full trust"},
    {.name = "tls.cert",
     .type = MR_OPT_STRING,
     AT(tls_cert),
     .help = "PEM file of our certificate"},
    {.name = "tls.key", .type = MR_OPT_STRING, AT(tls_key), .help = "PEM file of its key"},
    {.name = "tables",
     .type = MR_OPT_LIST,
     AT(tables),
     .help = "tables to capture, as globs over database.table (default: all)"},
    {.name = "exclude", .type = MR_OPT_LIST, AT(exclude), .help = "tables to leave out, likewise"},
    {.name = "snapshot",
     .type = MR_OPT_CHOICE,
     AT(snapshot),
     .fallback = "initial",
     .choices = snapshot_modes,
     .help = "what to copy before following: initial, initial_only, no_data, when_needed, never"},
    {.name = "server_id",
     .type = MR_OPT_UINT,
     AT(server_id),
     .max = UINT32_MAX,
     .help = "our number among the server's replicas (default: derived from pipeline and source)"},
    {.name = "heartbeat",
     .type = MR_OPT_DURATION_MS,
     AT(heartbeat_ms),
     .fallback = "1s",
     .min = HEARTBEAT_MS_MIN,
     .max = HEARTBEAT_MS_MAX,
     .help = "how often an idle server says that it lives"},
    {.name = "silence_max",
     .type = MR_OPT_DURATION_MS,
     AT(silence_ms_max),
     .fallback = "10s",
     .min = 1000,
     .max = 3600000,
     .help = "how long the server may be silent, heartbeats included, before the connection counts "
             "as broken; at least two heartbeats"},
    {.name = "on_statement",
     .type = MR_OPT_CHOICE,
     AT(on_statement),
     .fallback = "stop",
     .choices = statement_policies,
     .help =
         "a change of a captured table logged as a statement: stop, or warn (a note) and lose it"},
    {.name = "snapshot_piece_rows",
     .type = MR_OPT_UINT,
     AT(piece_rows),
     .fallback = "250000",
     .min = PIECE_ROWS_MIN,
     .max = PIECE_ROWS_MAX,
     .help = "rows of a table that are copied by one reader in one go"},
    {0},
};

#undef AT

static bool fail_config(struct mr_error *err, const char *what, const char *value)
{
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s: \"%s\"", what, value);
}

/** Adds one "host", "host:port", "[address]:port" or "/path"; text is taken apart in place. */
static bool add_endpoint(struct mr_mysql_config *config, struct mr_option_memory *memory,
                         char *text, struct mr_error *err)
{
    MR_ASSERT(config->endpoint_count <= MR_MYSQL_HOSTS_MAX);
    char *host = text;
    unsigned port = (unsigned)config->port;
    char *colon = strchr(text, ':');

    if (text[0] == '[') {
        char *closing = strchr(text, ']');
        if (closing == NULL || (closing[1] != '\0' && closing[1] != ':')) {
            return fail_config(err, "not a host; an IPv6 address is written [::1]:3306", text);
        }
        host = text + 1;
        *closing = '\0';
        colon = closing[1] == ':' ? closing + 1 : NULL;
    } else if (text[0] == '/' || (colon != NULL && strchr(colon + 1, ':') != NULL)) {
        colon = NULL; /* a socket's path, or a bare IPv6 address */
    }
    if (colon != NULL) {
        *colon = '\0';
        if (!mr_url_parse_port(colon + 1, &port)) {
            return fail_config(err, "not a port (1 to 65535)", colon + 1);
        }
    }
    if (host[0] == '\0') {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "a host is empty; write host or host:port");
    }
    if (config->endpoint_count == MR_MYSQL_HOSTS_MAX) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "more than %d hosts", MR_MYSQL_HOSTS_MAX);
    }
    config->endpoints[config->endpoint_count++] =
        (struct mr_mysql_endpoint){.host = mr_options_keep(memory, host), .port = port};
    return true;
}

static bool add_endpoints(struct mr_mysql_config *config, struct mr_option_memory *memory,
                          const char *list, struct mr_error *err)
{
    char text[URL_BYTES_MAX];
    if (strlen(list) >= sizeof(text)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the list of hosts is too long");
    }
    (void)snprintf(text, sizeof(text), "%s", list);
    for (char *next = text, *host; (host = strsep(&next, ",")) != NULL;) {
        if (!add_endpoint(config, memory, host, err)) {
            return false;
        }
    }
    return true;
}

/** Splits user and password off; what is left of the URL for showing goes to `url`. */
static bool take_account(struct mr_mysql_config *config, struct mr_option_memory *memory,
                         char *account, const char *rest, struct mr_error *err)
{
    MR_ASSERT(account != NULL && rest != NULL);
    char shown[URL_BYTES_MAX + 16];
    char *password = strchr(account, ':');
    if (password != NULL) {
        *password++ = '\0';
    }
    (void)snprintf(shown, sizeof(shown), URL_SCHEME "%s@%s", account, rest);
    config->url = mr_options_keep(memory, shown);
    if (!mr_url_decode(account) || (password != NULL && !mr_url_decode(password))) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "user or password of the url is not well encoded; write %% as %%25");
    }
    if (account[0] != '\0') {
        config->user = mr_options_keep(memory, account);
    }
    if (password != NULL) {
        config->password = mr_options_keep(memory, password);
    }
    return true;
}

static bool take_url(struct mr_mysql_config *config, struct mr_option_memory *memory,
                     struct mr_error *err)
{
    MR_ASSERT(config->url != NULL && config->endpoint_count == 0);
    char text[URL_BYTES_MAX];
    size_t scheme = strlen(URL_SCHEME);

    if (strncmp(config->url, URL_SCHEME, scheme) != 0 || strlen(config->url) >= sizeof(text)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "url must look like mysql://user@host:3306/");
    }
    (void)snprintf(text, sizeof(text), "%s", config->url + scheme);
    char *hosts = text;
    char *at = strrchr(text, '@');
    if (at != NULL) {
        *at = '\0';
        hosts = at + 1;
        if (!take_account(config, memory, text, hosts, err)) {
            return false;
        }
    }
    char *path = strchr(hosts, '/');
    if (path != NULL) {
        *path++ = '\0';
        if (strpbrk(path, "/?#") != NULL) {
            return fail_config(err, "url takes nothing after the database", path);
        }
        if (!mr_url_decode(path)) {
            return fail_config(err, "not a database name", path);
        }
        config->database = path[0] == '\0' ? NULL : mr_options_keep(memory, path);
    }
    return add_endpoints(config, memory, hosts, err);
}

static bool check_tls(const struct mr_mysql_config *config, struct mr_error *err)
{
    MR_ASSERT(config->tls_mode <= MR_MYSQL_TLS_VERIFY_FULL);
    bool verifies =
        config->tls_mode == MR_MYSQL_TLS_VERIFY_CA || config->tls_mode == MR_MYSQL_TLS_VERIFY_FULL;
    if (verifies && config->tls_ca == NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "tls.mode %s needs tls.ca; the system's authorities are usually in "
                       "/etc/ssl/certs/ca-certificates.crt",
                       tls_modes[config->tls_mode]);
    }
    if ((config->tls_cert == NULL) != (config->tls_key == NULL)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "tls.cert and tls.key go together; one is missing");
    }
    return true;
}

/** With a database in the URL and no list of tables, the database's tables are meant. */
static bool default_tables(struct mr_mysql_config *config, struct mr_option_memory *memory,
                           struct mr_error *err)
{
    MR_ASSERT(config->endpoint_count > 0);
    if (config->database == NULL || config->tables.count != 0) {
        return true;
    }
    char pattern[URL_BYTES_MAX + 4];
    (void)snprintf(pattern, sizeof(pattern), "%s.*", config->database);
    return mr_options_set(mr_mysql_options, config, memory, "tables", NULL, pattern, err);
}

bool mr_mysql_config_check(void *config_bytes, struct mr_option_memory *memory,
                           struct mr_error *err)
{
    struct mr_mysql_config *config = config_bytes;
    MR_ASSERT(config != NULL && memory != NULL);
    config->endpoint_count = 0;
    config->database = NULL;

    if (config->url != NULL && (config->host != NULL || config->hosts.count != 0)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "url and host both name servers; give one of them");
    }
    if (config->url != NULL && !take_url(config, memory, err)) {
        return false;
    }
    if (config->host != NULL && !add_endpoints(config, memory, config->host, err)) {
        return false;
    }
    for (size_t i = 0; i < config->hosts.count; i++) {
        if (!add_endpoints(config, memory, config->hosts.items[i], err)) {
            return false;
        }
    }
    if (config->endpoint_count == 0) {
        config->endpoints[config->endpoint_count++] =
            (struct mr_mysql_endpoint){.host = "127.0.0.1", .port = (unsigned)config->port};
    }
    if (config->user == NULL || config->user[0] == '\0') {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "user is missing; give it in url or as user");
    }
    if (config->password != NULL && config->password_file != NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "password and password_file exclude each other; give one of them");
    }
    return check_tls(config, err) && default_tables(config, memory, err);
}

uint32_t mr_mysql_config_server_id(const struct mr_mysql_config *config, const char *pipeline,
                                   const char *source)
{
    MR_ASSERT(pipeline != NULL && source != NULL);
    if (config->server_id != 0) {
        MR_ASSERT(config->server_id <= UINT32_MAX);
        return (uint32_t)config->server_id;
    }
    uint32_t crc = mr_crc32c(0, pipeline, strlen(pipeline));
    crc = mr_crc32c(crc, "/", 1);
    crc = mr_crc32c(crc, source, strlen(source));
    return SERVER_ID_FIRST + crc % SERVER_ID_COUNT;
}
