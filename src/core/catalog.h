// SPDX-License-Identifier: MIT
/*
 * catalog.h - what schema.c (numbers and names) and schema_codec.c (bytes) share of the catalog.
 * Nobody else includes this.
 */
#ifndef MR_CORE_CATALOG_H
#define MR_CORE_CATALOG_H

#include "schema.h"

/** Equal in everything but the ids. */
bool mr_schema_equals(const struct mr_schema *left, const struct mr_schema *right);

/** Column count, types and key places: MR_E_LIMIT, MR_E_TYPE or MR_E_PROTOCOL, MR_STOP. */
bool mr_schema_check(const struct mr_schema *schema, struct mr_error *err) MR_MUST_CHECK;

/** Copies a checked draft in under the ids it carries, which must be free. */
const struct mr_schema *mr_catalog_place(struct mr_catalog *catalog, const struct mr_schema *draft);

/** Walks the versions of a table: first, then next until NULL. */
const struct mr_schema *mr_catalog_first_version(const struct mr_catalog *catalog,
                                                 uint32_t table_id);
const struct mr_schema *mr_catalog_next_version(const struct mr_catalog *catalog,
                                                const struct mr_schema *schema);

#endif
