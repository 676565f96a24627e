// SPDX-License-Identifier: MIT
/*
 * findings_json.c - see findings_json.h.
 */
#include "findings_json.h"

#include <string.h>

#include "pipeline_internal.h"

#define HTTP_NOT_FOUND   404
#define HTTP_UNAVAILABLE 503

static void key_string(struct mr_json *json, const char *key, const char *value)
{
    mr_json_key(json, key);
    mr_json_string(json, value);
}

static void put_finding(struct mr_json *json, const struct mr_finding *finding)
{
    static const char *const levels[] = {
        [MR_FINDING_OK] = "ok",
        [MR_FINDING_WARNING] = "warning",
        [MR_FINDING_ERROR] = "error",
    };
    mr_json_object_begin(json);
    key_string(json, "level", levels[finding->level]);
    key_string(json, "what", finding->what);
    key_string(json, "detail", finding->detail);
    key_string(json, "cure", mr_finding_cure(finding));
    mr_json_object_end(json);
}

void mr_findings_put(struct mr_json *json, const struct mr_findings *findings)
{
    mr_json_array_begin(json);
    for (uint32_t i = 0; i < findings->count; i++) {
        put_finding(json, &findings->items[i]);
    }
    mr_json_array_end(json);
}

bool mr_pipeline_findings(struct mr_pipeline *pipeline, const char *source, struct mr_json *json,
                          unsigned *status, struct mr_error *err)
{
    uint32_t index = 0;
    while (index < pipeline->lane_count &&
           strcmp(pipeline->lanes[index].config->name, source) != 0) {
        index++;
    }
    if (index == pipeline->lane_count) {
        *status = HTTP_NOT_FOUND;
        return mr_fail(err, MR_E_CONFIG, MR_STOP, "there is no source \"%s\"", source);
    }
    const struct mr_link_options *options = &pipeline->lanes[index].link.options;
    struct mr_findings findings = {0};
    if (options->ops->preflight == NULL ||
        !options->ops->preflight(&options->context, &findings, err)) {
        mr_findings_done(&findings);
        *status = HTTP_UNAVAILABLE;
        return false;
    }
    mr_json_object_begin(json);
    key_string(json, "source", source);
    mr_json_key(json, "findings");
    mr_findings_put(json, &findings);
    mr_json_object_end(json);
    mr_findings_done(&findings);
    return true;
}
