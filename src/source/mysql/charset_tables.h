// SPDX-License-Identifier: MIT
/*
 * charset_tables.h - charset.c's tables.
 */
#ifndef MR_SOURCE_MYSQL_CHARSET_TABLES_H
#define MR_SOURCE_MYSQL_CHARSET_TABLES_H

#include <stdint.h>

#include "charset.h"

struct mr_collation_run {
    uint16_t first;
    uint16_t last;
    uint16_t charset; /* index into mr_charsets */
};

extern const struct mr_charset mr_charsets[]; /* ordered by name */
extern const uint32_t mr_charset_count;
extern const struct mr_collation_run mr_collation_runs[];
extern const uint32_t mr_collation_run_count;

/* charset_runs.c */
extern const struct mr_charset_run mr_charset_big5_runs[30];
extern const struct mr_charset_run mr_charset_eucjpms_runs[2];
extern const struct mr_charset_run mr_charset_gb18030_runs[16];
extern const struct mr_charset_run mr_charset_sjis_runs[3];
extern const struct mr_charset_run mr_charset_ujis_runs[22];

#endif
