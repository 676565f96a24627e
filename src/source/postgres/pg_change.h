// SPDX-License-Identifier: MIT
/*
 * pg_change.h - what happened to a table between two descriptions of it.
 *
 * The stream tells how a table looks, never what was done to it; that follows from two rules of the
 * server: columns keep their order, and new ones come last. So a new name before a column that was
 * there already is a column that was renamed. At the end a rename looks like a column that went and
 * another that came: it is taken for a rename when as many went as came, of the same types. (A last
 * column that is dropped, and another of its type added before the next row, is so mistaken.)
 */
#ifndef MR_SOURCE_POSTGRES_PG_CHANGE_H
#define MR_SOURCE_POSTGRES_PG_CHANGE_H

#include "pg_relation.h"
#include "pgoutput.h"
#include "schema.h"
#include "writer.h"

/** Appends old and new names of columns that were renamed, as struct mr_note has them. */
void mr_pg_change_infer(const struct mr_schema *before, const struct mr_schema *after,
                        struct mr_writer *names);

/** The schema that a relation had before the description at hand; NULL: none is known. */
const struct mr_schema *mr_pg_change_before(struct mr_pgoutput *decoder, uint32_t oid,
                                            const char *space, const char *table);

/** Tells of a relation's change, before the first row that has it. The transaction is begun. */
enum mr_pg_decoded mr_pg_change_tell(struct mr_pg_relation *relation, struct mr_batch *batch,
                                     struct mr_error *err);

/** A batch is handed on: what relations look like becomes current in the catalog. */
void mr_pg_change_publish(struct mr_pgoutput *decoder);

#endif
