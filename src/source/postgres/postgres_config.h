// SPDX-License-Identifier: MIT
/*
 * postgres_config.h - options of the PostgreSQL source.
 *
 * A server is named by `url`, or by `host` (or `hosts`), `port`, `user` and `database`. Several
 * hosts are servers of one cluster; they are tried in order, and only a primary is taken.
 */
#ifndef MR_SOURCE_POSTGRES_POSTGRES_CONFIG_H
#define MR_SOURCE_POSTGRES_POSTGRES_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "options.h"

#define MR_PG_HOSTS_MAX      16
#define MR_PG_NAME_BYTES_MAX 64 /* NAMEDATALEN: identifiers have one byte less */

struct mr_pg_endpoint {
    const char *host; /* starts with '/': the directory of a local socket */
    unsigned port;
};

enum mr_pg_origin {
    MR_PG_ORIGIN_ANY,
    MR_PG_ORIGIN_NONE, /* only what was written on the server itself */
};

struct mr_pg_config {
    const char *url; /* without its password once checked */
    const char *host;
    struct mr_string_list hosts;
    uint64_t port;
    const char *user;
    const char *password;
    const char *password_file; /* read at each connect, so that a rotated secret is picked up */
    const char *database;
    unsigned tls_mode; /* index into libpq's words, see postgres_config.c */
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    struct mr_string_list tables;
    struct mr_string_list exclude;
    const char *slot;
    const char *publication;
    unsigned snapshot; /* index into initial, initial_only, no_data, when_needed, never */
    uint64_t snapshot_piece_bytes;
    uint64_t status_interval_ms;
    uint64_t heartbeat_ms; /* 0: none */
    struct mr_string_list messages;
    bool streaming;
    bool two_phase;
    unsigned origin; /* index into any, none: enum mr_pg_origin */
    uint64_t silence_ms_max;
    bool slot_failover;

    /* Set by mr_pg_config_check(). */
    struct mr_pg_endpoint endpoints[MR_PG_HOSTS_MAX];
    uint32_t endpoint_count;
};

extern const struct mr_option mr_pg_options[];

/** Takes the URL apart and cross-checks; as mr_source_ops.check_config. MR_E_CONFIG, MR_STOP. */
bool mr_pg_config_check(void *config, struct mr_option_memory *memory,
                        struct mr_error *err) MR_MUST_CHECK;

/** libpq's word for the TLS mode: "disable", "prefer", ... */
const char *mr_pg_config_tls_mode(const struct mr_pg_config *config);

/**
 * The names of slot and publication: configured, or millrace_<pipeline>_<source> made valid (lower
 * case letters, digits and _; cut to 63 bytes, the end then a checksum so that it stays unique).
 */
void mr_pg_config_slot(const struct mr_pg_config *config, const char *pipeline, const char *source,
                       char name[MR_PG_NAME_BYTES_MAX]);
void mr_pg_config_publication(const struct mr_pg_config *config, const char *pipeline,
                              const char *source, char name[MR_PG_NAME_BYTES_MAX]);

#endif
