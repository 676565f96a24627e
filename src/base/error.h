// SPDX-License-Identifier: MIT
/*
 * error.h - the one error type of the project.
 *
 * An error answers two questions that callers must not confuse: `code` says what happened (stable:
 * tests, metrics and the console rely on it), `recovery` says what the supervisor may do about it.
 * Library code fills in an error and returns false; it never logs and never exits.
 *
 * Messages follow PostgreSQL's three parts: what happened, with names and values in double quotes;
 * then, after "; ", what the operator can do about it.
 */
#ifndef MR_BASE_ERROR_H
#define MR_BASE_ERROR_H

#include <stdbool.h>

#include "compiler.h"

#define MR_ERROR_MESSAGE_BYTES_MAX 640

enum mr_errc {
    MR_OK = 0,
    MR_E_CONFIG,    /* the operator must change something: configuration, privilege, setting */
    MR_E_IO,        /* a system call failed; sys_errno says which way */
    MR_E_NET,       /* the peer is unreachable, or hung up */
    MR_E_PROTOCOL,  /* the peer broke the wire protocol, or speaks a version we do not know */
    MR_E_CORRUPT,   /* our own file fails its checksum or its format */
    MR_E_LIMIT,     /* a configured bound would be exceeded */
    MR_E_TYPE,      /* a source type or value that cannot be represented */
    MR_E_SOURCE,    /* the source refused: a dropped table, a slot of somebody else */
    MR_E_LOST,      /* what follows our position is gone (purged log, lost slot, retention): only a
                       copy of the tables can go on from there */
    MR_E_SINK,      /* the target refused or failed */
    MR_E_LOCKED,    /* another process holds what we need */
    MR_E_FULL,      /* no space left: intake waits */
    MR_E_CANCELLED, /* we were asked to stop */
};

enum mr_recovery {
    MR_RETRY,      /* transient: back off, reconnect, resume from the last durable position */
    MR_QUARANTINE, /* this event is at fault: write it to the dead-letter log and go on */
    MR_STOP,       /* going on would lose or corrupt data: halt this pipeline and page someone */
};

struct mr_error {
    enum mr_errc code;
    enum mr_recovery recovery;
    int sys_errno;                            /* 0 unless a system call failed */
    char message[MR_ERROR_MESSAGE_BYTES_MAX]; /* one line, outermost context first */
};

/** Fills in *err and returns false, so that a failure reads `return mr_fail(err, ...)`. */
bool mr_fail(struct mr_error *err, enum mr_errc code, enum mr_recovery recovery, const char *format,
             ...) MR_PRINTF(4, 5);

/** As mr_fail() with MR_E_IO (MR_E_FULL for ENOSPC and EDQUOT), taking errno and its text. */
bool mr_fail_errno(struct mr_error *err, const char *format, ...) MR_PRINTF(2, 3);

/** Prepends "context: " to the message of an error already filled in, and returns false. */
bool mr_error_context(struct mr_error *err, const char *format, ...) MR_PRINTF(2, 3);

/** Stable lower-case name of a code, for logs, metrics and JSON: "config", "io", ... */
const char *mr_errc_name(enum mr_errc code);

#endif
