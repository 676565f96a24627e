// SPDX-License-Identifier: MIT
/*
 * schema.h - one version of one table's shape, and the catalog that numbers them.
 *
 * A schema is immutable once the catalog has interned it, and lives as long as it does: batches,
 * log and sinks hold plain pointers to it. The log writes a schema before its first use and again
 * at each segment's start (stream/log/FORMAT.md), so the catalog is rebuilt from the log alone.
 *
 * Threads: any may intern (the source's, and those that copy tables), ask by name and look one up
 * by its id. Restoring from a log comes before all that.
 */
#ifndef MR_CORE_SCHEMA_H
#define MR_CORE_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "reader.h"
#include "type.h"
#include "writer.h"

#define MR_COLUMN_COUNT_MAX  4096
#define MR_CATALOG_COUNT_MAX 65536 /* schema versions in one catalog */
#define MR_NOT_IN_KEY        UINT16_MAX

struct mr_column {
    const char *name;
    const char *source_type; /* as the server names it: "numeric(12,2)", "bigint unsigned" */
    const char *fallback;    /* default expression as the server prints it; NULL when none */
    const char *labels;      /* enum and set: labels joined by '\x1f' (unit separator); else NULL */
    const char *charset;     /* source character set of text; NULL where it does not apply */
    enum mr_type type;
    uint8_t precision;  /* DECIMAL: digits; times: fractional digits */
    uint8_t scale;      /* DECIMAL */
    uint16_t key_index; /* place in the key, from 0; MR_NOT_IN_KEY otherwise */
    bool nullable;
};

struct mr_schema {
    uint32_t table_id;  /* numbers tables of one catalog, from 1; stable over versions */
    uint32_t version;   /* numbers the versions of a table, from 1 */
    uint32_t schema_id; /* numbers all versions of the catalog, from 1; the log's reference */
    uint16_t column_count;
    uint16_t key_count; /* 0: a table without a key */
    const char *space;  /* database (MySQL) or schema (PostgreSQL) */
    const char *table;
    const struct mr_column *columns;
    const uint16_t *key; /* key_count column indexes, in key order */
    bool full_before;    /* updates and deletes carry every column of the old row */
};

/** Stands for all tables of a source where a sink is told how far its copy is; has no columns. */
extern const struct mr_schema mr_schema_whole_source;

struct mr_catalog;

struct mr_catalog *mr_catalog_open(void);
void mr_catalog_close(struct mr_catalog *catalog); /* accepts NULL */

/**
 * Finds the schema equal to *draft (ids ignored) among the table's versions, or copies it in as the
 * table's next version. key and key_count of the draft are derived from key_index.
 * Errors: MR_E_LIMIT past MR_CATALOG_COUNT_MAX or MR_COLUMN_COUNT_MAX.
 */
const struct mr_schema *mr_catalog_intern(struct mr_catalog *catalog, const struct mr_schema *draft,
                                          struct mr_error *err);

/**
 * The version that the table has from here on, in the order of the source's log: `current` itself
 * where nothing changed; else a version with a higher number, made unless there is an equal one.
 * So the newest version of a table is its current one whenever the catalog is read from a log, also
 * for a table that was altered back to what it had been. `current` NULL: as mr_catalog_intern().
 */
const struct mr_schema *mr_catalog_follow(struct mr_catalog *catalog,
                                          const struct mr_schema *current,
                                          const struct mr_schema *draft, struct mr_error *err);

/** Notes that this version is a table's current one; lasts as long as the catalog. */
void mr_catalog_set_current(struct mr_catalog *catalog, const struct mr_schema *schema);

/** What was set last, or else the newest version; NULL when the table is not known. */
const struct mr_schema *mr_catalog_current(const struct mr_catalog *catalog, const char *space,
                                           const char *table);

/** The version before this one among all of its table, newest first; NULL: it is the oldest. */
const struct mr_schema *mr_catalog_older(const struct mr_catalog *catalog,
                                         const struct mr_schema *schema);

/** By schema_id; NULL when there is none. */
const struct mr_schema *mr_catalog_find(const struct mr_catalog *catalog, uint32_t schema_id);

/** The newest version of a table; NULL when it is not known. */
const struct mr_schema *mr_catalog_latest(const struct mr_catalog *catalog, const char *space,
                                          const char *table);

/** Number of schema versions; ids run from 1 to this. */
uint32_t mr_catalog_count(const struct mr_catalog *catalog);

/** Column index by name, or -1. */
int mr_schema_find_column(const struct mr_schema *schema, const char *name);

/** Serialises a schema, ids included (layout: stream/log/FORMAT.md, "schema"). */
void mr_schema_write(const struct mr_schema *schema, struct mr_writer *writer);

/**
 * Reads what mr_schema_write() wrote and places it in the catalog under its own ids; a schema that
 * is there already must be equal. MR_E_CORRUPT otherwise. Returns NULL on failure.
 */
const struct mr_schema *mr_catalog_restore(struct mr_catalog *catalog, struct mr_reader *reader,
                                           struct mr_error *err);

#endif
