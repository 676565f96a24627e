// SPDX-License-Identifier: MIT
/*
 * mysql_grants.c - see mysql_grants.h.
 *
 *   line := "GRANT " privilege {", " privilege} " ON " object " TO " account ...
 *   object := "*.*" | "`" name "`.*" | ...
 */
#include "mysql_grants.h"

#include <stdio.h>
#include <string.h>

#include "mysql_info.h"

#define ROLES_BYTES_MAX  4096
#define TARGET_BYTES_MAX 512

static bool take_grant(void *context, const struct mr_mysql_result_row *row, struct mr_error *err)
{
    struct mr_writer *lines = context;
    if (row->count > 0 && row->cells[0] != NULL) {
        mr_write_bytes(lines, row->cells[0], row->lengths[0]);
        mr_write_u8(lines, '\n');
    }
    return !lines->failed || mr_fail(err, MR_E_LIMIT, MR_STOP,
                                     "the account has more than %zu bytes of grants", lines->limit);
}

bool mr_mysql_grants_read(struct mr_mysql_connection *connection, struct mr_writer *lines,
                          struct mr_error *err)
{
    MR_ASSERT(lines->limit > 0 && !lines->failed);
    char roles[ROLES_BYTES_MAX] = "";
    char sql[ROLES_BYTES_MAX + 64] = "SHOW GRANTS";
    /* MySQL shows what a role brings only when the role is named; MariaDB shows it anyway. */
    if (!connection->is_maria) {
        if (!mr_mysql_query_text(connection, "SELECT CURRENT_ROLE()", roles, sizeof(roles), err)) {
            return false;
        }
        if (roles[0] != '\0' && strcmp(roles, "NONE") != 0) {
            (void)snprintf(sql, sizeof(sql), "SHOW GRANTS FOR CURRENT_USER() USING %s", roles);
        }
    }
    return mr_mysql_each_row(connection, sql, UINT64_MAX, take_grant, lines, err);
}

/** The bytes of `line` before `text`, which is found in it; an empty slice when it is not. */
static struct mr_slice part_before(struct mr_slice line, const char *text)
{
    MR_ASSERT(text[0] != '\0');
    const uint8_t *found = memmem(line.bytes, line.length, text, strlen(text));
    return (struct mr_slice){line.bytes, found == NULL ? 0 : (size_t)(found - line.bytes)};
}

/** Whether a list of privileges names one: whole, not as a part of another's name. */
static bool names_privilege(struct mr_slice list, const char *privilege)
{
    MR_ASSERT(privilege[0] != '\0');
    const uint8_t *end = list.bytes + list.length;
    for (const uint8_t *at = list.bytes; at < end;) {
        const uint8_t *comma = memchr(at, ',', (size_t)(end - at));
        struct mr_slice name = {at, (size_t)((comma == NULL ? end : comma) - at)};
        if (mr_slice_equals(name, mr_slice_of(privilege)) ||
            mr_slice_equals(name, mr_slice_of("ALL PRIVILEGES"))) {
            return true;
        }
        at += name.length + 1;
        at += at < end && *at == ' ' ? 1 : 0;
    }
    return false;
}

static bool line_grants(struct mr_slice line, const char *privilege, const char *target)
{
    static const char grant[] = "GRANT ";
    if (line.length < sizeof(grant) - 1 || memcmp(line.bytes, grant, sizeof(grant) - 1) != 0) {
        return false;
    }
    struct mr_slice rest = {line.bytes + sizeof(grant) - 1, line.length - (sizeof(grant) - 1)};
    return names_privilege(part_before(rest, target), privilege);
}

bool mr_mysql_grants_has(struct mr_slice lines, const char *privilege, const char *space)
{
    MR_ASSERT(privilege != NULL);
    char target[TARGET_BYTES_MAX] = "";
    struct mr_writer quoted = {0};
    if (space != NULL) {
        mr_writer_init(&quoted, TARGET_BYTES_MAX);
        mr_mysql_write_name(&quoted, space);
        (void)snprintf(target, sizeof(target), " ON %.*s.* TO ", (int)quoted.length,
                       (const char *)quoted.bytes);
        mr_writer_done(&quoted);
    }
    const uint8_t *end = lines.bytes + lines.length;
    for (const uint8_t *at = lines.bytes; at < end;) {
        const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
        struct mr_slice line = {at, (size_t)((newline == NULL ? end : newline) - at)};
        if (line_grants(line, privilege, " ON *.* TO ") ||
            (space != NULL && line_grants(line, privilege, target))) {
            return true;
        }
        at += line.length + 1;
    }
    return false;
}
