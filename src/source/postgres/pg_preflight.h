// SPDX-License-Identifier: MIT
/*
 * pg_preflight.h - looks at everything that capture needs and says what to mend, and how.
 */
#ifndef MR_SOURCE_POSTGRES_PG_PREFLIGHT_H
#define MR_SOURCE_POSTGRES_PG_PREFLIGHT_H

#include "source.h"

/** As mr_source_ops.preflight. Changes nothing on the server. */
bool mr_pg_preflight(const struct mr_source_context *context, struct mr_findings *findings,
                     struct mr_error *err) MR_MUST_CHECK;

#endif
