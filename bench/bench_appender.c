// SPDX-License-Identifier: MIT
/*
 * bench_appender.c - the limit to measure the warehouse beside: a bare DuckDB appender loop over
 * the rows of bench.py, in commits of 50,000, into a file, with nothing before it.
 *
 *   bench_appender ROWS
 */
#include <duckdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMIT_ROWS 50000
#define CHUNK_ROWS  2048
#define COLUMNS     9

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_appender: %s\n", what);
    exit(1);
}

static void query(duckdb_connection connection, const char *sql)
{
    if (duckdb_query(connection, sql, NULL) == DuckDBError) {
        die(sql);
    }
}

static void fill_text(duckdb_data_chunk chunk, idx_t column, idx_t rows, int64_t first)
{
    static const char *const methods[] = {"cash", "card", "qr"};
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, column);
    for (idx_t i = 0; i < rows; i++) {
        char plate[16];
        const int64_t id = first + (int64_t)i;
        const char *text = column == 8 ? "closed" : methods[id % 3];
        if (column == 1) {
            (void)snprintf(plate, sizeof(plate), "B-%07d", (int)id);
            text = plate;
        }
        duckdb_unsafe_vector_assign_string_element_len(vector, i, text, strlen(text));
    }
}

static void fill(duckdb_data_chunk chunk, idx_t rows, int64_t first)
{
    int64_t *ids = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 0));
    int16_t *types = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 2));
    int32_t *locations = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 3));
    int64_t *entries = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 4));
    int64_t *exits = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 5));
    int64_t *amounts = duckdb_vector_get_data(duckdb_data_chunk_get_vector(chunk, 7));
    for (idx_t i = 0; i < rows; i++) {
        const int64_t id = first + (int64_t)i;
        ids[i] = id;
        types[i] = (int16_t)(id % 6);
        locations[i] = (int32_t)(id % 50);
        entries[i] = INT64_C(1767225600000000) + id * 1000000;
        exits[i] = entries[i] + INT64_C(3600000000);
        amounts[i] = id % 10000;
    }
    fill_text(chunk, 1, rows, first);
    fill_text(chunk, 6, rows, first);
    fill_text(chunk, 8, rows, first);
    duckdb_data_chunk_set_size(chunk, rows);
}

static duckdb_data_chunk new_chunk(void)
{
    static const duckdb_type types[COLUMNS] = {
        DUCKDB_TYPE_BIGINT,  DUCKDB_TYPE_VARCHAR,   DUCKDB_TYPE_SMALLINT,
        DUCKDB_TYPE_INTEGER, DUCKDB_TYPE_TIMESTAMP, DUCKDB_TYPE_TIMESTAMP,
        DUCKDB_TYPE_VARCHAR, DUCKDB_TYPE_INVALID,   DUCKDB_TYPE_VARCHAR};
    duckdb_logical_type logical[COLUMNS];
    for (int i = 0; i < COLUMNS; i++) {
        logical[i] = types[i] == DUCKDB_TYPE_INVALID ? duckdb_create_decimal_type(12, 2)
                                                     : duckdb_create_logical_type(types[i]);
    }
    duckdb_data_chunk chunk = duckdb_create_data_chunk(logical, COLUMNS);
    for (int i = 0; i < COLUMNS; i++) {
        duckdb_destroy_logical_type(&logical[i]);
    }
    return chunk;
}

static void append(duckdb_connection connection, duckdb_data_chunk chunk, int64_t first,
                   int64_t rows)
{
    duckdb_appender appender;
    query(connection, "BEGIN");
    if (duckdb_appender_create(connection, NULL, "ticket", &appender) == DuckDBError) {
        die("appender");
    }
    for (int64_t at = 0; at < rows; at += CHUNK_ROWS) {
        const int64_t left = rows - at;
        duckdb_data_chunk_reset(chunk);
        fill(chunk, (idx_t)(left < CHUNK_ROWS ? left : CHUNK_ROWS), first + at);
        if (duckdb_append_data_chunk(appender, chunk) == DuckDBError) {
            die("append");
        }
    }
    if (duckdb_appender_destroy(&appender) == DuckDBError) {
        die("flush");
    }
    query(connection, "COMMIT");
}

int main(int argc, char **argv)
{
    const int64_t rows = argc == 2 ? strtoll(argv[1], NULL, 10) : 0;
    char path[] = "/tmp/bench_appender.XXXXXX";
    duckdb_database database = NULL;
    duckdb_connection connection = NULL;
    if (rows <= 0 || mkdtemp(path) == NULL) {
        die("usage: bench_appender ROWS");
    }
    char file[64];
    (void)snprintf(file, sizeof(file), "%s/t.duckdb", path);
    if (duckdb_open(file, &database) == DuckDBError ||
        duckdb_connect(database, &connection) == DuckDBError) {
        die("open");
    }
    query(connection, "CREATE TABLE ticket (id BIGINT, plate VARCHAR, vehicle_type SMALLINT, "
                      "location_id INTEGER, entry_at TIMESTAMP, exit_at TIMESTAMP, method VARCHAR, "
                      "amount DECIMAL(12,2), status VARCHAR)");
    duckdb_data_chunk chunk = new_chunk();
    for (int64_t at = 0; at < rows; at += COMMIT_ROWS) {
        append(connection, chunk, at + 1, rows - at < COMMIT_ROWS ? rows - at : COMMIT_ROWS);
    }
    duckdb_destroy_data_chunk(&chunk);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    (void)unlink(file);
    (void)rmdir(path);
    return 0;
}
