// SPDX-License-Identifier: MIT
/*
 * mysql_preflight.h - looks at everything capture needs, before it is needed.
 *
 * Every finding that is not fine carries the statement that mends it, with the account's own name.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_PREFLIGHT_H
#define MR_SOURCE_MYSQL_MYSQL_PREFLIGHT_H

#include "source.h"

/** As mr_source_ops.preflight: false only when the server could not even be looked at. */
bool mr_mysql_preflight(const struct mr_source_context *context, struct mr_findings *findings,
                        struct mr_error *err);

#endif
