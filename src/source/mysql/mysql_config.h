// SPDX-License-Identifier: MIT
/*
 * mysql_config.h - options of the MySQL and MariaDB source.
 *
 * A server is named by `url` or by `host`, `port`, `user`, `password`; both may name several hosts,
 * which are tried in order (servers of one topology: resuming on another one needs GTIDs).
 *
 * Every replica of a server needs a number of its own. The default `server_id` is derived from the
 * names of pipeline and source, so that it stays over restarts and differs between sources:
 *
 *   1,000,000,000 + CRC32C("<pipeline>/<source>") mod 3,000,000,000
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_CONFIG_H
#define MR_SOURCE_MYSQL_MYSQL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "options.h"

#define MR_MYSQL_HOSTS_MAX    16
#define MR_MYSQL_PORT_DEFAULT 3306

enum mr_mysql_tls {
    MR_MYSQL_TLS_DISABLE,     /* plain text */
    MR_MYSQL_TLS_PREFER,      /* encrypted where the server can */
    MR_MYSQL_TLS_REQUIRE,     /* encrypted, whoever answers */
    MR_MYSQL_TLS_VERIFY_CA,   /* and the certificate is signed by `tls.ca` */
    MR_MYSQL_TLS_VERIFY_FULL, /* and made out to the host we asked for */
};

/** A change of a captured table that the binlog has as a statement, not as rows. */
enum mr_mysql_on_statement {
    MR_MYSQL_STATEMENT_STOP,
    MR_MYSQL_STATEMENT_WARN, /* it is noted in the stream, and lost */
};

struct mr_mysql_endpoint {
    const char *host; /* starts with '/': a socket's path */
    unsigned port;
};

struct mr_mysql_config {
    const char *url; /* without its password once checked */
    const char *host;
    struct mr_string_list hosts;
    uint64_t port;
    const char *user;
    const char *password;
    const char *password_file; /* read at each connect, so that a rotated secret is picked up */
    unsigned tls_mode;         /* enum mr_mysql_tls */
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    struct mr_string_list tables;
    struct mr_string_list exclude;
    unsigned snapshot;  /* index into initial, initial_only, no_data, when_needed, never */
    uint64_t server_id; /* 0: derived */
    uint64_t heartbeat_ms;
    uint64_t silence_ms_max;
    unsigned on_statement; /* enum mr_mysql_on_statement */
    uint64_t piece_rows;

    /* Set by mr_mysql_config_check(). */
    const char *database; /* of the URL's path; NULL when it has none */
    struct mr_mysql_endpoint endpoints[MR_MYSQL_HOSTS_MAX];
    uint32_t endpoint_count;
};

extern const struct mr_option mr_mysql_options[];

/** Takes the URL apart and cross-checks; as mr_source_ops.check_config. MR_E_CONFIG, MR_STOP. */
bool mr_mysql_config_check(void *config, struct mr_option_memory *memory,
                           struct mr_error *err) MR_MUST_CHECK;

/** The configured server id, or the derived one (see above). Never 0. */
uint32_t mr_mysql_config_server_id(const struct mr_mysql_config *config, const char *pipeline,
                                   const char *source);

#endif
