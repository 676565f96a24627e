// SPDX-License-Identifier: MIT
/*
 * findings_json.h - what a preflight found, as JSON: one form for `millrace check --format json`
 * and for the console.
 */
#ifndef MR_PIPELINE_FINDINGS_JSON_H
#define MR_PIPELINE_FINDINGS_JSON_H

#include "error.h"
#include "json.h"
#include "source.h"

struct mr_pipeline;

/** Writes [{"level", "what", "detail", "cure"}, ...]. */
void mr_findings_put(struct mr_json *json, const struct mr_findings *findings);

/**
 * Looks at a running pipeline's source now and writes {"source", "findings"}. False: *status is the
 * HTTP status that says why. From any thread; it takes as long as the server does.
 */
bool mr_pipeline_findings(struct mr_pipeline *pipeline, const char *source, struct mr_json *json,
                          unsigned *status, struct mr_error *err);

#endif
