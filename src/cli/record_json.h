// SPDX-License-Identifier: MIT
/*
 * record_json.h - one change as JSON (docs/API.md, "Topics"): what people and scripts see of a
 * stream. Integers beyond 2^53 and decimals are strings, binary is base64.
 */
#ifndef MR_CLI_RECORD_JSON_H
#define MR_CLI_RECORD_JSON_H

#include "json.h"
#include "stream_walk.h"

/* A larger value is shown as {"size": bytes, "head": "its first 1,000 bytes"}. */
#define MR_RECORD_VALUE_BYTES_MAX ((size_t)64 << 10)

void mr_record_json(struct mr_json *json, const char *source, const struct mr_stream_row *row);

#endif
