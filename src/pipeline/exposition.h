// SPDX-License-Identifier: MIT
/*
 * exposition.h - Prometheus' text format (version 0.0.4), appended to a writer.
 *
 * Source: prometheus.io/docs/instrumenting/exposition_formats, "Text-based format".
 *
 *   mr_exposition_family(out, "millrace_rows_total", "counter", "Rows captured.");
 *   mr_exposition_uint(out, "millrace_rows_total",
 *                      (const struct mr_label[]){{"source", name}, {0}}, n);
 */
#ifndef MR_PIPELINE_EXPOSITION_H
#define MR_PIPELINE_EXPOSITION_H

#include <stdint.h>

#include "writer.h"

/** A list of labels ends with a NULL name. Values may hold any text: they are escaped. */
struct mr_label {
    const char *name;
    const char *value;
};

/** # HELP and # TYPE; once a family, before its samples. */
void mr_exposition_family(struct mr_writer *out, const char *name, const char *type,
                          const char *help);

/** One sample; labels may be NULL. */
void mr_exposition_uint(struct mr_writer *out, const char *name, const struct mr_label *labels,
                        uint64_t value);

/** NaN and infinities are written as NaN, +Inf and -Inf. */
void mr_exposition_double(struct mr_writer *out, const char *name, const struct mr_label *labels,
                          double value);

#endif
