// SPDX-License-Identifier: MIT
/*
 * query_memory.h - a bound on what queries allocate past the engine's memory_limit.
 *
 * The engine counts its buffers, hash tables and sorts, and stops or spills at memory_limit. It
 * does not count what functions make of values: repeat('x', 2000000000) is 2 GB of its plain
 * allocator, list_resize and range() of large numbers likewise, and lpad or format take them from
 * operator new. So large blocks (1 MiB and more) are counted here, where they are allocated: the
 * linker puts these functions between the engine and its allocator (-Wl,--wrap,
 * third_party/meson.build). When all large blocks together would pass the limit, a query's next one
 * is refused, which the engine reports as out of memory: the query fails, nothing else does.
 *
 * The sink's own thread is never refused: it is bounded by its batches.
 *
 * Any thread. Without the bundled engine (-Dduckdb=system) there is no such bound.
 */
#ifndef MR_SINK_DUCKDB_QUERY_MEMORY_H
#define MR_SINK_DUCKDB_QUERY_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of large blocks above which queries get none; UINT64_MAX: no limit. The process's. */
void mr_query_memory_limit(uint64_t bytes);

/** This thread is the sink's: its blocks are counted, never refused. */
void mr_query_memory_exempt(bool is_exempt);

/** Has the engine's allocator return what is free within a tenth of a second instead of ten: what
 *  it keeps is memory of the process that no limit counts. */
void mr_query_memory_give_back_soon(void);

/** Bytes of large blocks now. */
uint64_t mr_query_memory_used(void);

#endif
