// SPDX-License-Identifier: MIT
/*
 * mysql_grants.h - what SHOW GRANTS says of an account, for privileges that cannot be tried out.
 *
 * Only whole-server (*.*) and whole-database (`db`.*) grants are understood, which is where the
 * privileges asked for can be granted. Wildcards in a database's name are not expanded, so a grant
 * on `shop\_%` is not seen: the preflight then names a grant that is harmless to add.
 */
#ifndef MR_SOURCE_MYSQL_MYSQL_GRANTS_H
#define MR_SOURCE_MYSQL_MYSQL_GRANTS_H

#include <stdbool.h>

#include "compiler.h"
#include "error.h"
#include "mysql_connection.h"
#include "slice.h"
#include "writer.h"

/** Appends the account's grants, those of its active roles included, a line each. */
bool mr_mysql_grants_read(struct mr_mysql_connection *connection, struct mr_writer *lines,
                          struct mr_error *err) MR_MUST_CHECK;

/** Whether `privilege` ("LOCK TABLES") is granted on *.* or (unless NULL) on `space`.* */
bool mr_mysql_grants_has(struct mr_slice lines, const char *privilege, const char *space);

#endif
