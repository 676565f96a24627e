// SPDX-License-Identifier: MIT
/*
 * postgres_config.c - the option table, and what the table alone cannot check.
 *
 *   url  := ("postgres" | "postgresql") "://" [user [":" password] "@"] host [":" port]
 *           {"," host [":" port]} ["/" [database]] ["?" name "=" value {"&" name "=" value}]
 *   host := name | IPv4 address | "[" IPv6 address "]" | percent-encoded directory of a socket
 *
 * Each part may be percent-encoded (RFC 3986, 2.1). After the "?" go sslmode, sslrootcert, sslcert
 * and sslkey, as in libpq's URIs; other parameters are refused rather than ignored. A password in
 * the URL is moved to `password` and taken out of `url`, so that the URL can be shown.
 */
#include "postgres_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "url_text.h"

#define URL_BYTES_MAX   2048
#define CHECKSUM_DIGITS 8

static const char *const tls_modes[] = {"disable",   "prefer",      "require",
                                        "verify-ca", "verify-full", NULL};
#define TLS_VERIFY_CA 3

static const char *const snapshot_modes[] = {"initial",     "initial_only", "no_data",
                                             "when_needed", "never",        NULL};

static const char *const origins[] = {"any", "none", NULL};

#define AT(field) .offset = offsetof(struct mr_pg_config, field)

const struct mr_option mr_pg_options[] = {
    {.name = "url",
     .type = MR_OPT_STRING,
     AT(url),
     .help = "postgres://user@host:port/database, hosts separated by commas; instead of the parts"},
    {.name = "host",
     .type = MR_OPT_STRING,
     AT(host),
     .help = "server to follow (default 127.0.0.1); a path names the directory of a local socket"},
    {.name = "hosts",
     .type = MR_OPT_LIST,
     AT(hosts),
     .help = "servers of one cluster, as host or host:port; the first primary is taken"},
    {.name = "port",
     .type = MR_OPT_UINT,
     AT(port),
     .fallback = "5432",
     .min = 1,
     .max = MR_URL_PORT_MAX,
     .help = "TCP port"},
    {.name = "user",
     .type = MR_OPT_STRING,
     AT(user),
     .help = "role with LOGIN and REPLICATION, and SELECT on the captured tables"},
    {.name = "password", .type = MR_OPT_SECRET, AT(password), .help = "its password"},
    {.name = "password_file",
     .type = MR_OPT_STRING,
     AT(password_file),
     .help = "file whose first line is the password; read at each connect"},
    {.name = "database",
     .type = MR_OPT_STRING,
     AT(database),
     .help = "database to capture; a slot belongs to one"},
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
     .help = "tables to capture, as globs over schema.table (default: all)"},
    {.name = "exclude", .type = MR_OPT_LIST, AT(exclude), .help = "tables to leave out, likewise"},
    {.name = "slot",
     .type = MR_OPT_STRING,
     AT(slot),
     .help = "replication slot (default: millrace_<pipeline>_<source>); created when missing"},
    {.name = "publication",
     .type = MR_OPT_STRING,
     AT(publication),
     .help = "publication (default: as the slot); created when missing, tables added when new"},
    {.name = "snapshot",
     .type = MR_OPT_CHOICE,
     AT(snapshot),
     .fallback = "initial",
     .choices = snapshot_modes,
     .help = "what to copy before following: initial, initial_only, no_data, when_needed, never"},
    {.name = "snapshot_piece",
     .type = MR_OPT_SIZE,
     AT(snapshot_piece_bytes),
     .fallback = "96MiB",
     .min = UINT64_C(1) << 20,
     .max = UINT64_C(64) << 30,
     .help = "part of a table's file that is copied by one reader in one go"},
    {.name = "status_interval",
     .type = MR_OPT_DURATION_MS,
     AT(status_interval_ms),
     .fallback = "10s",
     .min = 100,
     .max = 600000,
     .help = "how often an idle source confirms its position; keep below wal_sender_timeout"},
    {.name = "silence_max",
     .type = MR_OPT_DURATION_MS,
     AT(silence_ms_max),
     .fallback = "60s",
     .min = 1000,
     .max = 3600000,
     .help = "how long the server may be silent, though asked for a sign of life, before the "
             "connection counts as broken"},
    {.name = "slot_failover",
     .type = MR_OPT_BOOL,
     AT(slot_failover),
     .fallback = "true",
     .help = "make the slot a failover slot, which a standby keeps in step, where the server is a "
             "primary that has them (PostgreSQL 17)"},
    {.name = "heartbeat_interval",
     .type = MR_OPT_DURATION_MS,
     AT(heartbeat_ms),
     .fallback = "0s",
     .max = 86400000,
     .help = "write a marker into the server's log this often; 0 for never, which is right unless "
             "wal_sender_timeout is 0"},
    {.name = "messages",
     .type = MR_OPT_LIST,
     AT(messages),
     .help =
         "prefixes of logical messages (pg_logical_emit_message) to take, as globs (default: all)"},
    {.name = "streaming",
     .type = MR_OPT_BOOL,
     AT(streaming),
     .fallback = "true",
     .help = "take large transactions while they go on (kept in data_dir/spool until they commit); "
             "false: the server keeps them"},
    {.name = "two_phase",
     .type = MR_OPT_BOOL,
     AT(two_phase),
     .fallback = "false",
     .help =
         "take prepared transactions at PREPARE TRANSACTION instead of at COMMIT PREPARED, when "
         "they become visible in any case (PostgreSQL 15 and later)"},
    {.name = "origin",
     .type = MR_OPT_CHOICE,
     AT(origin),
     .fallback = "any",
     .choices = origins,
     .help = "any, or none: leave out what was replicated to the server, so that two systems that "
             "copy each other do not loop"},
    {0},
};

#undef AT

static bool fail_config(struct mr_error *err, const char *what, const char *value)
{
    return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s: \"%s\"", what, value);
}

/* Where the host ends and its port begins, cut apart in place; NULL when there is no port. */
static bool cut_port(char **host, char **port, struct mr_error *err)
{
    char *colon = strchr(*host, ':');
    *port = NULL;
    if ((*host)[0] == '[') {
        char *closing = strchr(*host, ']');
        if (closing == NULL || (closing[1] != '\0' && closing[1] != ':')) {
            return fail_config(err, "not a host; an IPv6 address is written [::1]:5432", *host);
        }
        colon = closing[1] == ':' ? closing + 1 : NULL;
        *closing = '\0';
        (*host)++;
    } else if ((*host)[0] == '/' || (colon != NULL && strchr(colon + 1, ':') != NULL)) {
        return true; /* a directory, or a bare IPv6 address */
    }
    if (colon != NULL) {
        *colon = '\0';
        *port = colon + 1;
    }
    return true;
}

static bool add_endpoint(struct mr_pg_config *config, struct mr_option_memory *memory, char *text,
                         struct mr_error *err)
{
    MR_ASSERT(config->endpoint_count <= MR_PG_HOSTS_MAX);
    char *host = text;
    char *port_text = NULL;
    unsigned port = (unsigned)config->port;
    if (!cut_port(&host, &port_text, err)) {
        return false;
    }
    if (port_text != NULL && !mr_url_parse_port(port_text, &port)) {
        return fail_config(err, "not a port (1 to 65535)", port_text);
    }
    if (host[0] == '\0' || !mr_url_decode(host)) {
        return fail_config(err, "not a host", host);
    }
    if (config->endpoint_count == MR_PG_HOSTS_MAX) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "more than %d hosts", MR_PG_HOSTS_MAX);
    }
    config->endpoints[config->endpoint_count++] =
        (struct mr_pg_endpoint){.host = mr_options_keep(memory, host), .port = port};
    return true;
}

static bool add_endpoints(struct mr_pg_config *config, struct mr_option_memory *memory,
                          const char *list, struct mr_error *err)
{
    char text[URL_BYTES_MAX];
    if (strlen(list) >= sizeof(text)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "the list of hosts is too long");
    }
    (void)snprintf(text, sizeof(text), "%s", list);
    char *next = text;
    for (char *host = strsep(&next, ","); host != NULL; host = strsep(&next, ",")) {
        if (!add_endpoint(config, memory, host, err)) {
            return false;
        }
    }
    return true;
}

/* A part of the URL that may not contradict an option of its own. */
static bool take_part(const char **option, struct mr_option_memory *memory, const char *name,
                      char *value, struct mr_error *err)
{
    if (!mr_url_decode(value)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "the %s in url is not well encoded; write %% as %%25", name);
    }
    if (*option != NULL && strcmp(*option, value) != 0) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "url and %s contradict each other", name);
    }
    *option = mr_options_keep(memory, value);
    return true;
}

static bool take_account(struct mr_pg_config *config, struct mr_option_memory *memory,
                         char *account, struct mr_error *err)
{
    char *password = strchr(account, ':');
    if (password != NULL) {
        *password++ = '\0';
        if (!take_part(&config->password, memory, "password", password, err)) {
            return false;
        }
    }
    return account[0] == '\0' || take_part(&config->user, memory, "user", account, err);
}

static bool take_parameter(struct mr_pg_config *config, struct mr_option_memory *memory,
                           char *parameter, struct mr_error *err)
{
    MR_ASSERT(parameter != NULL);
    static const struct {
        const char *name;
        const char *option;
    } known[] = {
        {"sslmode", "tls.mode"},
        {"sslrootcert", "tls.ca"},
        {"sslcert", "tls.cert"},
        {"sslkey", "tls.key"},
    };
    char *value = strchr(parameter, '=');
    if (value == NULL || !mr_url_decode(value + 1)) {
        return fail_config(err, "url: not a parameter", parameter);
    }
    *value++ = '\0';
    for (size_t i = 0; i < MR_ARRAY_LEN(known); i++) {
        if (strcmp(parameter, known[i].name) == 0) {
            return mr_options_set(mr_pg_options, config, memory, known[i].option, NULL, value, err);
        }
    }
    return fail_config(err, "url: only sslmode, sslrootcert, sslcert and sslkey may follow the ?",
                       parameter);
}

/* The URL without its password. */
static void keep_shown_url(struct mr_pg_config *config, struct mr_option_memory *memory,
                           const char *rest)
{
    char shown[URL_BYTES_MAX + 16];
    const char *at = strrchr(rest, '@');
    const char *colon = at == NULL ? NULL : memchr(rest, ':', (size_t)(at - rest));
    const int head = colon == NULL ? 0 : (int)(colon - rest);
    (void)snprintf(shown, sizeof(shown), "postgres://%.*s%s", head, rest,
                   colon == NULL ? rest : at);
    config->url = mr_options_keep(memory, shown);
}

static bool take_url(struct mr_pg_config *config, struct mr_option_memory *memory,
                     struct mr_error *err)
{
    MR_ASSERT(config->url != NULL);
    char text[URL_BYTES_MAX];
    const char *rest = strstr(config->url, "://");
    const size_t scheme = rest == NULL ? 0 : (size_t)(rest - config->url);
    const bool is_ours = (scheme == 8 && memcmp(config->url, "postgres", 8) == 0) ||
                         (scheme == 10 && memcmp(config->url, "postgresql", 10) == 0);
    if (!is_ours || strlen(config->url) >= sizeof(text)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "url must look like postgres://user@host:5432/database");
    }
    rest += 3;
    (void)snprintf(text, sizeof(text), "%s", rest);
    keep_shown_url(config, memory, rest);
    char *parameters = strchr(text, '?');
    if (parameters != NULL) {
        *parameters++ = '\0';
    }
    char *hosts = text;
    char *at = strrchr(text, '@');
    if (at != NULL) {
        *at = '\0';
        hosts = at + 1;
        if (!take_account(config, memory, text, err)) {
            return false;
        }
    }
    char *path = strchr(hosts, '/');
    if (path != NULL) {
        *path++ = '\0';
        if (path[0] != '\0' && !take_part(&config->database, memory, "database", path, err)) {
            return false;
        }
    }
    for (char *one = strsep(&parameters, "&"); one != NULL; one = strsep(&parameters, "&")) {
        if (!take_parameter(config, memory, one, err)) {
            return false;
        }
    }
    return hosts[0] == '\0' || add_endpoints(config, memory, hosts, err);
}

static bool check_name(const char *option, const char *name, bool is_slot, struct mr_error *err)
{
    if (name == NULL) {
        return true;
    }
    bool ok = name[0] != '\0' && strlen(name) < MR_PG_NAME_BYTES_MAX;
    for (const char *c = name; is_slot && *c != '\0'; c++) {
        ok = ok && (islower((unsigned char)*c) || isdigit((unsigned char)*c) || *c == '_');
    }
    if (!ok) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s cannot be \"%s\"; it takes 1 to 63 %s",
                       option, name,
                       is_slot ? "lower-case letters, digits and underscores" : "bytes");
    }
    return true;
}

static bool check_tls(const struct mr_pg_config *config, struct mr_error *err)
{
    MR_ASSERT(config->tls_mode + 1 < MR_ARRAY_LEN(tls_modes));
    if (config->tls_mode >= TLS_VERIFY_CA && config->tls_ca == NULL) {
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

bool mr_pg_config_check(void *config_bytes, struct mr_option_memory *memory, struct mr_error *err)
{
    struct mr_pg_config *config = config_bytes;
    MR_ASSERT(config != NULL && memory != NULL);
    config->endpoint_count = 0;
    if (config->url != NULL && (config->host != NULL || config->hosts.count != 0)) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "url and host both name servers; give one of them");
    }
    if ((config->url != NULL && !take_url(config, memory, err)) ||
        (config->host != NULL && !add_endpoints(config, memory, config->host, err))) {
        return false;
    }
    for (size_t i = 0; i < config->hosts.count; i++) {
        if (!add_endpoints(config, memory, config->hosts.items[i], err)) {
            return false;
        }
    }
    if (config->endpoint_count == 0) {
        config->endpoints[config->endpoint_count++] =
            (struct mr_pg_endpoint){.host = "127.0.0.1", .port = (unsigned)config->port};
    }
    if (config->user == NULL || config->database == NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "%s is missing; give it in url or as %s",
                       config->user == NULL ? "the user" : "the database",
                       config->user == NULL ? "user" : "database");
    }
    if (config->password != NULL && config->password_file != NULL) {
        return mr_fail(err, MR_E_CONFIG, MR_STOP,
                       "password and password_file exclude each other; give one of them");
    }
    return check_name("slot", config->slot, true, err) &&
           check_name("publication", config->publication, false, err) && check_tls(config, err);
}

const char *mr_pg_config_tls_mode(const struct mr_pg_config *config)
{
    MR_ASSERT(config->tls_mode + 1 < MR_ARRAY_LEN(tls_modes));
    return tls_modes[config->tls_mode];
}

/* A slot's name has small letters, digits and underscores only. */
static char slot_character(char character)
{
    const int lower = tolower((unsigned char)character);
    return islower(lower) || isdigit(lower) ? (char)lower : '_';
}

void mr_pg_config_slot(const struct mr_pg_config *config, const char *pipeline, const char *source,
                       char name[MR_PG_NAME_BYTES_MAX])
{
    MR_ASSERT(pipeline != NULL && source != NULL);
    char wanted[2 * URL_BYTES_MAX];
    if (config->slot != NULL) {
        (void)snprintf(name, MR_PG_NAME_BYTES_MAX, "%s", config->slot);
        return;
    }
    (void)snprintf(wanted, sizeof(wanted), "millrace_%s_%s", pipeline, source);
    const uint32_t checksum = mr_crc32c(0, wanted, strlen(wanted));
    for (char *c = wanted; *c != '\0'; c++) {
        *c = slot_character(*c);
    }
    if (strlen(wanted) < MR_PG_NAME_BYTES_MAX) {
        memcpy(name, wanted, strlen(wanted) + 1);
        return;
    }
    (void)snprintf(name, MR_PG_NAME_BYTES_MAX, "%.*s_%08x",
                   MR_PG_NAME_BYTES_MAX - 1 - 1 - CHECKSUM_DIGITS, wanted, checksum);
}

void mr_pg_config_publication(const struct mr_pg_config *config, const char *pipeline,
                              const char *source, char name[MR_PG_NAME_BYTES_MAX])
{
    if (config->publication != NULL) {
        (void)snprintf(name, MR_PG_NAME_BYTES_MAX, "%s", config->publication);
        return;
    }
    mr_pg_config_slot(config, pipeline, source, name);
}
