// SPDX-License-Identifier: MIT
/*
 * binlog_xa.h - XA transactions that are prepared and not finished.
 *
 * The binlog has the rows of a two-phase XA transaction when it is prepared, and much later, in a
 * group of its own, whether it committed. Rows become visible with XA COMMIT alone, so what is
 * prepared must be remembered, also over restarts of millrace.
 *
 * WHAT IS DURABLE: the resume position names every prepared transaction and where in the binlog its
 * group starts, so it is as durable as the position and moves with it. Rows are read again from
 * there at XA COMMIT. Small transactions keep their events in memory too (MR_XA_KEPT_BYTES each,
 * MR_XA_KEPT_BYTES_ALL together), which spares the second reading unless we were restarted.
 *
 *   position := place [";" gtids] ("#" prepared)*
 *   prepared := hex gtrid "." hex bqual "." format ["@" file ":" offset]
 *
 * Without "@" the transaction changed no captured table. At most MR_XA_COUNT_MAX at a time.
 *
 * Source: MySQL, libs/mysql/binlog/event/control_events.h, XA_prepare_event; MariaDB,
 * sql/log_event.h, Gtid_log_event and XA_prepare_log_event.
 */
#ifndef MR_SOURCE_MYSQL_BINLOG_XA_H
#define MR_SOURCE_MYSQL_BINLOG_XA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "error.h"
#include "slice.h"
#include "writer.h"

#define MR_XA_COUNT_MAX      512
#define MR_XA_PART_BYTES_MAX 64 /* of gtrid, and of bqual */
#define MR_XA_NAME_BYTES_MAX (4 * MR_XA_PART_BYTES_MAX + 2 + 10 + 1)
#define MR_XA_KEPT_BYTES     ((size_t)256 << 10)
#define MR_XA_KEPT_BYTES_ALL ((size_t)8 << 20)

/** An XID as text: hex gtrid, hex bqual and format, joined by dots. */
struct mr_xa_name {
    char text[MR_XA_NAME_BYTES_MAX];
};

struct mr_xa_prepared {
    struct mr_xa_name name;
    char *file; /* where its group starts; NULL: it has no captured rows */
    uint64_t offset;
    uint8_t *events; /* kept: whole events without checksums; NULL when they are not */
    size_t event_bytes;
};

/** Zeroed: nothing is prepared. */
struct mr_xa {
    struct mr_xa_prepared *prepared;
    uint32_t count;
    size_t kept_bytes;          /* of all that are prepared */
    struct mr_writer gathering; /* events of the group that is being read */
};

void mr_xa_done(struct mr_xa *xa);

enum mr_xa_statement { MR_XA_NOTHING, MR_XA_START, MR_XA_COMMIT, MR_XA_ROLLBACK, MR_XA_UNREADABLE };

/** "XA START X'61',X'',1", and COMMIT and ROLLBACK likewise. */
enum mr_xa_statement mr_xa_read_statement(struct mr_slice text, struct mr_xa_name *name);

/** Makes a name of an XID's parts; false when they are too long. */
bool mr_xa_make_name(struct mr_slice gtrid, struct mr_slice bqual, uint32_t format,
                     struct mr_xa_name *name);

/** Starts to gather events for the group that begins. */
void mr_xa_gather_begin(struct mr_xa *xa);

/** Adds an event (header and body, no checksum); too many are let go of as a whole. */
void mr_xa_gather(struct mr_xa *xa, struct mr_slice event);

/** Remembers a prepared transaction; file NULL when it has no captured rows. */
bool mr_xa_prepare(struct mr_xa *xa, const struct mr_xa_name *name, const char *file,
                   uint64_t offset, struct mr_error *err) MR_MUST_CHECK;

/** NULL when it is not known. Valid until the list changes. */
struct mr_xa_prepared *mr_xa_find(struct mr_xa *xa, const struct mr_xa_name *name);

/** It has been finished. */
void mr_xa_forget(struct mr_xa *xa, struct mr_xa_prepared *prepared);

/** Appends ("#" prepared)*. */
void mr_xa_print(const struct mr_xa *xa, struct mr_writer *to);

/** Reads what mr_xa_print() wrote. MR_E_PROTOCOL, MR_STOP. */
bool mr_xa_parse(struct mr_xa *xa, struct mr_slice text, struct mr_error *err) MR_MUST_CHECK;

#endif
