// SPDX-License-Identifier: MIT
/*
 * log.h - structured log: one JSON object a line on stderr or in a file.
 *
 * Only pipeline/, console/, feed/ and cli/ may include this; libraries return errors. Event names
 * are stable ("source.connected"): noun.verb-ed. Secrets never reach a field.
 *
 *   mr_log(MR_LOG_INFO, "segment.sealed", MR_LOG_S("source", "ops"), MR_LOG_I("bytes", n));
 */
#ifndef MR_BASE_LOG_H
#define MR_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"

enum mr_log_level { MR_LOG_DEBUG, MR_LOG_INFO, MR_LOG_WARN, MR_LOG_ERROR };

struct mr_log_field {
    const char *key; /* NULL ends a list */
    enum { MR_LOG_FIELD_STRING, MR_LOG_FIELD_INT, MR_LOG_FIELD_DOUBLE } type;
    const char *string;
    int64_t integer;
    double real;
};

#define MR_LOG_S(k, v)                                                                             \
    ((struct mr_log_field){.key = (k), .type = MR_LOG_FIELD_STRING, .string = (v)})
#define MR_LOG_I(k, v)                                                                             \
    ((struct mr_log_field){.key = (k), .type = MR_LOG_FIELD_INT, .integer = (int64_t)(v)})
#define MR_LOG_D(k, v) ((struct mr_log_field){.key = (k), .type = MR_LOG_FIELD_DOUBLE, .real = (v)})

/** mr_log(MR_LOG_INFO, "sink.opened", MR_LOG_S("sink", name), MR_LOG_I("sequence", n)); */
// NOLINTNEXTLINE(readability-identifier-naming): called like a function
#define mr_log(level, event, ...)                                                                  \
    mr_log_write((level), (event), (const struct mr_log_field[]){__VA_ARGS__, {.key = NULL}})

void mr_log_write(enum mr_log_level level, const char *event, const struct mr_log_field *fields);

/** Where lines go (default: descriptor 2) and the least level that is written (default: info). */
void mr_log_configure(int fd, enum mr_log_level least);

#endif
