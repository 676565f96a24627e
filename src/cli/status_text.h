// SPDX-License-Identifier: MIT
/*
 * status_text.h - GET /api/v1/status for people: a page for `millrace status`, and the one line
 * that `millrace run --status-line` keeps moving. Members that are missing are shown as "-".
 */
#ifndef MR_CLI_STATUS_TEXT_H
#define MR_CLI_STATUS_TEXT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** The whole page: pipeline, sources, streams, sinks, tables. */
void mr_status_text_page(FILE *out, const json_t *status);

/** What the line before was made from; zero it at first. */
struct mr_status_line {
    uint64_t at_ms;
    uint64_t source_rows;
    uint64_t sink_rows;
};

/** The line, without a line feed, at most size - 1 bytes. now_ms is monotonic. */
void mr_status_text_line(struct mr_status_line *previous, const json_t *status, uint64_t now_ms,
                         char *line, size_t size);

/** 1234567 as "1,234,567". */
void mr_status_text_count(uint64_t number, char *text, size_t size);

/** 1536 as "1.5 KiB". */
void mr_status_text_bytes(uint64_t bytes, char *text, size_t size);

#endif
