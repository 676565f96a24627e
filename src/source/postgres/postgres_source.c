// SPDX-License-Identifier: MIT
/*
 * postgres_source.c - PostgreSQL as a source: the table of its functions.
 *
 * README.md here is the map: what each file does, and the measurements behind the choices.
 */
#include "postgres_source.h"
#include "pg_preflight.h"
#include "pg_snapshot.h"
#include "pg_stream.h"
#include "postgres_config.h"

const struct mr_source_ops mr_source_postgres = {
    .name = "postgres",
    .summary = "PostgreSQL 14 or later, by logical replication (pgoutput)",
    .options = mr_pg_options,
    .config_size = sizeof(struct mr_pg_config),
    .sets_aside = true,
    .check_config = mr_pg_config_check,
    .preflight = mr_pg_preflight,
    .open = mr_pg_stream_open,
    .next = mr_pg_stream_next,
    .ack = mr_pg_stream_ack,
    .observe = mr_pg_stream_observe,
    .close = mr_pg_stream_close,
    .snapshot_open = mr_pg_snapshot_open,
    .snapshot_tables = mr_pg_snapshot_tables,
    .reader_open = mr_pg_reader_open,
    .snapshot_release = mr_pg_snapshot_release,
    .reader_begin = mr_pg_reader_begin,
    .reader_next = mr_pg_reader_next,
    .reader_close = mr_pg_reader_close,
    .snapshot_high = mr_pg_snapshot_high,
    .snapshot_close = mr_pg_snapshot_close,
};
