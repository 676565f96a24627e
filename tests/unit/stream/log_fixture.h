// SPDX-License-Identifier: MIT
/*
 * log_fixture.h - a stream log over a fake disk, transactions drawn from seeds, and a model of what
 * readers must see.
 *
 * A transaction is a function of its seed, so a test says what it writes with a number, and the
 * model keeps one checksum a transaction: over its commit record and every cell of its events. A
 * reader that shows a transaction with any cell wrong, missing or doubled is found out.
 */
#ifndef MR_TESTS_UNIT_STREAM_LOG_FIXTURE_H
#define MR_TESTS_UNIT_STREAM_LOG_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch.h"
#include "fake_env.h"
#include "schema.h"
#include "stream.h"
#include "stream_log.h"

#define FIXTURE_MODEL_MAX 2048
#define LOG_ANY           UINT64_MAX

struct log_fixture {
    const struct mr_stream_ops *ops;
    struct mr_fake_env *fake; /* NULL: a directory on the real disk */
    const struct mr_env *env;
    int data_dir_fd;
    struct mr_catalog *catalog;
    struct mr_batch_pool *pool;
    struct mr_stream_log_config config;
    uint64_t tail_bytes_max;
    uint16_t source_index; /* that batches which are read back say; 3 unless set before opening */
    struct mr_stream *stream; /* NULL: closed */
    char directory[64];       /* of the real disk */

    /* The model: checksums of transactions by sequence - 1, as appended. */
    uint32_t model[FIXTURE_MODEL_MAX];
    uint64_t seeds[FIXTURE_MODEL_MAX]; /* which transaction it was */
    uint32_t appended;                 /* whole transactions appended */
    uint32_t attempted; /* an append that failed may all the same be found after a crash */
    uint32_t synced;    /* of them, synced: what a crash must keep */
    bool is_open;       /* the last batch appended was `continued` */
    uint32_t open_sum;  /* checksum of its last transaction so far */
};

/** A fresh fake disk. Segments of 64 KiB, LZ4, tail of 1 MiB; change config before opening. */
void log_fixture_init(struct log_fixture *fixture, uint64_t seed);

/** A directory below the working directory on the real disk, removed by done(). */
void log_fixture_init_real(struct log_fixture *fixture);
void log_fixture_done(struct log_fixture *fixture);

/** Opens the stream with a catalog of its own; false with *err set. */
bool log_fixture_open(struct log_fixture *fixture, struct mr_error *err);
void log_fixture_close(struct log_fixture *fixture);

/** The schemas that transactions use (they are interned on first use). */
const struct mr_schema *log_fixture_schema(struct log_fixture *fixture, uint32_t which);

enum log_part { LOG_WHOLE, LOG_BEGIN, LOG_MIDDLE, LOG_END };

/** Adds a transaction, or a part of one, of `rows` rows to a batch; contents come from the seed. */
void log_fixture_fill(struct log_fixture *fixture, struct mr_batch *batch, uint64_t seed,
                      uint32_t rows, enum log_part part);

/** Appends a batch of `transactions` whole transactions; the model follows if it succeeds. */
bool log_fixture_append(struct log_fixture *fixture, uint64_t seed, uint32_t transactions,
                        uint32_t rows, struct mr_error *err);

/** Appends a batch that is one part of a transaction. */
bool log_fixture_append_part(struct log_fixture *fixture, uint64_t seed, uint32_t rows,
                             enum log_part part, struct mr_error *err);

bool log_fixture_abort(struct log_fixture *fixture, struct mr_error *err);
bool log_fixture_sync(struct log_fixture *fixture, struct mr_error *err);

/** A batch from the fixture's pool. */
struct mr_batch *log_fixture_take(struct log_fixture *fixture);

/** The model's checksum of a whole transaction of a batch. No check fails in here. */
uint32_t log_fixture_sum(const struct mr_batch *batch, uint32_t transaction);

/** Checks the transactions of what a reader gives, one batch after the other. */
struct log_check {
    struct log_fixture *fixture;
    uint64_t next; /* sequence expected */
    uint32_t sum;  /* of the transaction that is open so far */
    bool is_open;
    uint32_t batches;
};

void log_check_batch(struct log_check *check, const struct mr_batch *batch);

/**
 * Reads everything from a sequence on and checks it against the model: transactions [first, last]
 * and nothing else. With LOG_ANY: at least everything synced, at most everything appended.
 * Returns the number of the last transaction seen.
 */
uint64_t log_fixture_read_all(struct log_fixture *fixture, uint64_t first, uint64_t last);

/**
 * After a crash or a failure: opens the log and checks that it holds what was synced, nothing that
 * is wrong, and the position behind its last transaction; then that it can go on. The model then is
 * what survived. False with *err set if it does not open.
 */
bool log_fixture_survives(struct log_fixture *fixture, struct mr_error *err);

/** Name and size of the only (or newest) segment file, as seen on the fake disk. */
void log_fixture_newest(struct log_fixture *fixture, char path[128]);

#endif
