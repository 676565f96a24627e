// SPDX-License-Identifier: MIT
/*
 * exposition.c - see exposition.h.
 */
#include "exposition.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_BYTES_MAX 64

static void put(struct mr_writer *out, const char *text)
{
    mr_write_bytes(out, text, strlen(text));
}

/* A label's value escapes backslash, quote and line feed; a help text the first and the last. */
static void put_escaped(struct mr_writer *out, const char *text, bool quotes_too)
{
    MR_ASSERT(text != NULL);

    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\n') {
            put(out, "\\n");
        } else if (*at == '\\' || (*at == '"' && quotes_too)) {
            mr_write_u8(out, '\\');
            mr_write_u8(out, (uint8_t)*at);
        } else {
            mr_write_u8(out, (uint8_t)*at);
        }
    }
}

static void put_sample(struct mr_writer *out, const char *name, const struct mr_label *labels,
                       const char *number)
{
    MR_ASSERT(name != NULL && name[0] != '\0');

    put(out, name);
    if (labels != NULL && labels->name != NULL) {
        for (const struct mr_label *label = labels; label->name != NULL; label++) {
            mr_write_u8(out, label == labels ? '{' : ',');
            put(out, label->name);
            put(out, "=\"");
            put_escaped(out, label->value != NULL ? label->value : "", true);
            mr_write_u8(out, '"');
        }
        mr_write_u8(out, '}');
    }
    mr_write_u8(out, ' ');
    put(out, number);
    mr_write_u8(out, '\n');
}

void mr_exposition_family(struct mr_writer *out, const char *name, const char *type,
                          const char *help)
{
    MR_ASSERT(name != NULL && type != NULL && help != NULL);

    put(out, "# HELP ");
    put(out, name);
    mr_write_u8(out, ' ');
    put_escaped(out, help, false);
    put(out, "\n# TYPE ");
    put(out, name);
    mr_write_u8(out, ' ');
    put(out, type);
    mr_write_u8(out, '\n');
}

void mr_exposition_uint(struct mr_writer *out, const char *name, const struct mr_label *labels,
                        uint64_t value)
{
    char number[NUMBER_BYTES_MAX];

    (void)snprintf(number, sizeof(number), "%" PRIu64, value);
    put_sample(out, name, labels, number);
}

void mr_exposition_double(struct mr_writer *out, const char *name, const struct mr_label *labels,
                          double value)
{
    MR_ASSERT(name != NULL);

    char number[NUMBER_BYTES_MAX];

    if (isnan(value)) {
        (void)snprintf(number, sizeof(number), "NaN");
    } else if (isinf(value)) {
        (void)snprintf(number, sizeof(number), value > 0 ? "+Inf" : "-Inf");
    } else {
        (void)snprintf(number, sizeof(number), "%.9g", value);
    }
    put_sample(out, name, labels, number);
}
