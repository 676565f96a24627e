// SPDX-License-Identifier: MIT
/*
 * api_pages.c - the embedded files: a page that lists the paths, and the OpenAPI document.
 */
#include "console_internal.h"

void mr_api_index(struct mr_console *console, const struct mr_http_request *request,
                  struct mr_http_response *response)
{
    (void)console;
    (void)request;
    MR_ASSERT(mr_asset_index_html_size > 0);
    mr_http_bytes(response, "text/html; charset=utf-8", mr_asset_index_html,
                  mr_asset_index_html_size);
}

void mr_api_openapi(struct mr_console *console, const struct mr_http_request *request,
                    struct mr_http_response *response)
{
    (void)console;
    (void)request;
    MR_ASSERT(mr_asset_openapi_json_size > 0);
    mr_http_bytes(response, "application/json", mr_asset_openapi_json, mr_asset_openapi_json_size);
}
