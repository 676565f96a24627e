// SPDX-License-Identifier: MIT
/*
 * gtid.h - the two kinds of global transaction ids: MySQL's sets and MariaDB's positions.
 *
 * MySQL: a set of (server UUID, optional tag, number) kept as intervals, printed as the server does
 * in @@gtid_executed: "uuid:1-5:7,uuid:tag:1-3". A resume position is the whole set.
 * MariaDB: one (domain, server, sequence) a domain, "0-1-100,1-2-5"; the last one wins.
 *
 * INVARIANTS
 *   - sources are ordered by (uuid, tag), their intervals by number; intervals neither touch nor
 *     overlap, so equal sets have equal forms;
 *   - 1 <= first <= last <= INT64_MAX - 1: numbers are what a server may assign.
 *
 * FAILURE: bad text is MR_E_PROTOCOL, MR_STOP; a set past its bound is MR_E_LIMIT, MR_STOP.
 *
 * Source: MySQL manual, "GTID Format and Storage"; MariaDB manual, "Global Transaction ID".
 */
#ifndef MR_SOURCE_MYSQL_GTID_H
#define MR_SOURCE_MYSQL_GTID_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"
#include "writer.h"

#define MR_GTID_TAG_BYTES_MAX    32
#define MR_GTID_SOURCES_MAX      4096
#define MR_GTID_INTERVALS_MAX    65536 /* of one source */
#define MR_MARIA_GTID_COUNT_MAX  1024  /* domains of one position */
#define MR_GTID_NUMBER_MAX       (INT64_MAX - 1)
#define MR_GTID_TEXT_BYTES_MAX   ((size_t)16 << 20)
#define MR_GTID_UUID_BYTES       16
#define MR_GTID_UUID_TEXT_BYTES  36
#define MR_GTID_ORIGIN_BYTES_MAX (MR_GTID_UUID_TEXT_BYTES + 1 + MR_GTID_TAG_BYTES_MAX + 1)

/** Who assigned a number: a server UUID and a tag, "" for none. */
struct mr_gtid_origin {
    uint8_t uuid[MR_GTID_UUID_BYTES];
    char tag[MR_GTID_TAG_BYTES_MAX + 1]; /* lower case, NUL-terminated, zeros after it */
};

struct mr_gtid_interval {
    uint64_t first;
    uint64_t last; /* inclusive */
};

struct mr_gtid_source {
    struct mr_gtid_origin origin;
    struct mr_gtid_interval *intervals;
    uint32_t interval_count;
    uint32_t interval_capacity;
};

/** A zeroed set is empty and valid. */
struct mr_gtid_set {
    struct mr_gtid_source *sources;
    uint32_t source_count;
    uint32_t source_capacity;
};

void mr_gtid_set_done(struct mr_gtid_set *set); /* accepts a zeroed set; leaves it empty */

/** Adds what the text names; white space and newlines between parts are fine, "" adds nothing. */
bool mr_gtid_set_parse(struct mr_gtid_set *set, struct mr_slice text,
                       struct mr_error *err) MR_MUST_CHECK;

/** Adds first..last of an origin. */
bool mr_gtid_set_add(struct mr_gtid_set *set, const struct mr_gtid_origin *origin,
                     struct mr_gtid_interval interval, struct mr_error *err) MR_MUST_CHECK;

bool mr_gtid_set_contains(const struct mr_gtid_set *set, const struct mr_gtid_origin *origin,
                          uint64_t number);

/** True when every member of `part` is in `set`. */
bool mr_gtid_set_includes(const struct mr_gtid_set *set, const struct mr_gtid_set *part);

static inline bool mr_gtid_set_is_empty(const struct mr_gtid_set *set)
{
    return set->source_count == 0;
}

/** Appends the set as text, without a NUL; check writer->failed. */
void mr_gtid_set_print(const struct mr_gtid_set *set, struct mr_writer *writer);

/**
 * Appends the set as COM_BINLOG_DUMP_GTID wants it (without its length). The tagged form, which
 * servers before 8.3 refuse, is used only when a tag exists.
 */
void mr_gtid_set_encode(const struct mr_gtid_set *set, struct mr_writer *writer);

/** Adds a set in the wire form: the mirror of encode, and the body of PREVIOUS_GTIDS. */
bool mr_gtid_set_decode(struct mr_gtid_set *set, struct mr_slice bytes,
                        struct mr_error *err) MR_MUST_CHECK;

/** Prints "uuid" or "uuid:tag", NUL-terminated; returns the length. */
size_t mr_gtid_origin_print(const struct mr_gtid_origin *origin,
                            char text[MR_GTID_ORIGIN_BYTES_MAX]);

/** Parses the 36 characters of a UUID (32 without hyphens are fine too). */
bool mr_gtid_uuid_parse(struct mr_slice text, uint8_t uuid[MR_GTID_UUID_BYTES]);

struct mr_maria_gtid {
    uint32_t domain;
    uint32_t server;
    uint64_t sequence;
};

/** One GTID a domain, ordered by domain. A zeroed position is empty and valid. */
struct mr_maria_position {
    struct mr_maria_gtid *gtids;
    uint32_t count;
    uint32_t capacity;
};

void mr_maria_position_done(struct mr_maria_position *position);

/** Replaces the position by what the text says: "0-1-100,1-2-5"; a domain twice is an error. */
bool mr_maria_position_parse(struct mr_maria_position *position, struct mr_slice text,
                             struct mr_error *err) MR_MUST_CHECK;

/** Sets the domain's GTID, whether it grows or not: the log's order decides, not the number's. */
bool mr_maria_position_advance(struct mr_maria_position *position, struct mr_maria_gtid gtid,
                               struct mr_error *err) MR_MUST_CHECK;

/** Appends the position as text, without a NUL. */
void mr_maria_position_print(const struct mr_maria_position *position, struct mr_writer *writer);

#endif
