// SPDX-License-Identifier: MIT
/*
 * asset.h - the embedded files: the pages of the web UI (ui/), and the OpenAPI document. The table
 * is made at build time by assets/embed.py.
 */
#ifndef MR_CONSOLE_ASSET_H
#define MR_CONSOLE_ASSET_H

#include <stddef.h>

struct mr_asset {
    const char *name; /* "app.js" */
    const char *content_type;
    const char *etag;            /* with its quotes */
    const unsigned char *bytes;  /* size of them */
    const unsigned char *packed; /* the same, as gzip */
    size_t size;
    size_t packed_size;
};

extern const struct mr_asset mr_assets[];
extern const size_t mr_asset_count;

/** By name; NULL when there is none. */
const struct mr_asset *mr_asset_find(const char *name);

#endif
