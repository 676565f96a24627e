// SPDX-License-Identifier: MIT
/*
 * query_time.h - DuckDB's times as ISO 8601 text.
 */
#ifndef MR_SINK_DUCKDB_QUERY_TIME_H
#define MR_SINK_DUCKDB_QUERY_TIME_H

#include <duckdb.h>
#include <stddef.h>
#include <stdint.h>

#define MR_QUERY_TIME_BYTES 80

/** days since 1970-01-01. */
void mr_query_time_date(int32_t days, char text[MR_QUERY_TIME_BYTES]);

/** A time of day: count of units of `per_second` since midnight. */
void mr_query_time_of_day(int64_t count, int64_t per_second, char text[MR_QUERY_TIME_BYTES]);

/** A point in time: count of units of `per_second` since 1970; `zone` is "" or "Z". */
void mr_query_time_stamp(int64_t count, int64_t per_second, const char *zone,
                         char text[MR_QUERY_TIME_BYTES]);

/** "02:03:04+01:30". */
void mr_query_time_with_zone(duckdb_time_tz time, char text[MR_QUERY_TIME_BYTES]);

/** "P1Y2M3DT4H5M6.7S"; "PT0S" for nothing. Each part has its own sign. */
void mr_query_time_interval(duckdb_interval interval, char text[MR_QUERY_TIME_BYTES]);

#endif
