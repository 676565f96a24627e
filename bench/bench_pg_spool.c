// SPDX-License-Identifier: MIT
/*
 * bench_pg_spool.c - what keeping a transaction in progress costs: its messages are appended to the
 * spool and read back.
 *
 *   bench_pg_spool FOLDER [ROWS]     prints CPU and wall seconds of both, and the bytes
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "pg_spool.h"

#define ROWS_DEFAULT  UINT64_C(1000000)
#define MESSAGE_BYTES 130 /* an Insert of a parking payment, binary */

struct clocks {
    double cpu_s;
    double wall_s;
};

static struct clocks now(void)
{
    struct timespec cpu;
    struct timespec wall;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    (void)clock_gettime(CLOCK_MONOTONIC, &wall);
    return (struct clocks){(double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9,
                           (double)wall.tv_sec + (double)wall.tv_nsec / 1e9};
}

static void print(const char *what, struct clocks before)
{
    const struct clocks after = now();
    (void)printf("%-8s %.3f CPU s, %.3f s\n", what, after.cpu_s - before.cpu_s,
                 after.wall_s - before.wall_s);
}

static bool run(struct mr_pg_spool *spool, uint64_t rows, struct mr_error *err)
{
    uint8_t message[MESSAGE_BYTES] = {0};
    struct mr_pg_record record = {'I', 7, {message, sizeof(message)}};
    struct mr_pg_spooled *spooled = mr_pg_spool_begin(spool, 7);
    bool has = true;
    uint64_t seen = 0;
    struct clocks start = now();
    for (uint64_t i = 0; i < rows; i++) {
        message[i % sizeof(message)]++;
        if (!mr_pg_spool_append(spool, spooled, &record, err)) {
            return false;
        }
    }
    print("append", start);
    start = now();
    mr_pg_spool_rewind(spool, spooled);
    while (has) {
        if (!mr_pg_spool_read(spool, spooled, &record, &has, err)) {
            return false;
        }
        if (has) {
            seen++;
            mr_pg_spool_step(spooled, &record);
        }
    }
    print("read", start);
    (void)printf("%" PRIu64 " rows, %" PRIu64 " bytes\n", seen, mr_pg_spool_bytes(spool));
    start = now();
    mr_pg_spool_drop(spool, spooled);
    print("drop", start);
    return seen == rows;
}

int main(int argc, char **argv)
{
    struct mr_error err = {0};
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FOLDER [ROWS]\n", argv[0]);
        return 2;
    }
    const int dir_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct mr_pg_spool *spool =
        dir_fd < 0 ? NULL : mr_pg_spool_open(&mr_env_posix, dir_fd, "bench", &err);
    const bool ok =
        spool != NULL && run(spool, argc > 2 ? strtoull(argv[2], NULL, 10) : ROWS_DEFAULT, &err);
    if (!ok) {
        (void)fprintf(stderr, "%s\n", err.message);
    }
    mr_pg_spool_close(spool);
    (void)close(dir_fd);
    return ok ? 0 : 1;
}
