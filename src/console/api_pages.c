// SPDX-License-Identifier: MIT
/*
 * api_pages.c - the embedded files: the web UI and the OpenAPI document.
 *
 * They hold nothing secret, so they are answered without a token: the page asks for it. A browser
 * keeps them and asks each time whether its copy is still the one (ETag), so a new program never
 * meets an old page.
 */
#include <string.h>

#include "asset.h"
#include "console_internal.h"

/* The UI needs its own scripts and styles, and this server, and nothing else. */
static const char page_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const struct mr_asset *mr_asset_find(const char *name)
{
    MR_ASSERT(name != NULL);
    for (size_t i = 0; i < mr_asset_count; i++) {
        if (strcmp(mr_assets[i].name, name) == 0) {
            return &mr_assets[i];
        }
    }
    return NULL;
}

static void answer_asset(const struct mr_asset *asset, const struct mr_http_request *request,
                         struct mr_http_response *response)
{
    MR_ASSERT(asset->size > 0 && asset->packed_size > 0);
    response->etag = asset->etag;
    response->content_policy = page_policy;
    if (request->if_none_match != NULL && strcmp(request->if_none_match, asset->etag) == 0) {
        response->status = 304;
        response->content_type = asset->content_type;
        return;
    }
    if (request->takes_gzip) {
        response->content_encoding = "gzip";
        mr_http_bytes(response, asset->content_type, asset->packed, asset->packed_size);
    } else {
        mr_http_bytes(response, asset->content_type, asset->bytes, asset->size);
    }
}

void mr_api_index(struct mr_console *console, const struct mr_http_request *request,
                  struct mr_http_response *response)
{
    (void)console;
    answer_asset(mr_asset_find("index.html"), request, response);
}

void mr_api_asset(struct mr_console *console, const struct mr_http_request *request,
                  struct mr_http_response *response)
{
    const struct mr_asset *asset = mr_asset_find(request->topic);

    (void)console;
    if (asset == NULL) {
        mr_http_problem(response, 404, "there is no such file");
        return;
    }
    answer_asset(asset, request, response);
}

void mr_api_openapi(struct mr_console *console, const struct mr_http_request *request,
                    struct mr_http_response *response)
{
    (void)console;
    answer_asset(mr_asset_find("openapi.json"), request, response);
}
