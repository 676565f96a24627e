// SPDX-License-Identifier: MIT
/*
 * error.c - filling in errors, and the end of the road for broken invariants.
 *
 * Invariants:
 *   - a message is one line (control characters become spaces) and always NUL-terminated; what is
 *     too long is cut at the end, so that the outermost context survives;
 *   - arguments may point into the error being filled in: texts are built beside it.
 */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mr_assert_failed(const char *condition, const char *file, int line)
{
    (void)fprintf(stderr, "millrace: %s:%d: invariant broken: %s\n", file, line, condition);
    (void)fflush(stderr);
    abort();
}

/* Messages come from servers and files too: nothing in them may break a log line or a terminal. */
static void set_message(struct mr_error *err, const char *text)
{
    size_t i = 0;
    for (; text[i] != '\0' && i < sizeof(err->message) - 1; i++) {
        const unsigned char c = (unsigned char)text[i];
        err->message[i] = text[i];
        if (c < 0x20 || c == 0x7f) {
            err->message[i] = ' ';
        }
    }
    /* A cut inside a UTF-8 sequence takes the whole sequence away. */
    if (text[i] != '\0' && ((unsigned char)text[i] & 0xc0) == 0x80) {
        while (i > 0 && ((unsigned char)err->message[i - 1] & 0xc0) == 0x80) {
            i--;
        }
        i -= i > 0 ? 1 : 0;
    }
    err->message[i] = '\0';
}

bool mr_fail(struct mr_error *err, enum mr_errc code, enum mr_recovery recovery, const char *format,
             ...)
{
    MR_ASSERT(err != NULL);
    MR_ASSERT(code != MR_OK);
    char text[2 * MR_ERROR_MESSAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err->code = code;
    err->recovery = recovery;
    err->sys_errno = 0;
    set_message(err, text);
    return false;
}

bool mr_fail_errno(struct mr_error *err, const char *format, ...)
{
    MR_ASSERT(err != NULL);
    const int sys_errno = errno;
    const bool is_full = sys_errno == ENOSPC || sys_errno == EDQUOT;
    char what[MR_ERROR_MESSAGE_BYTES_MAX];
    char why[128] = "";
    char text[sizeof(what) + sizeof(why) + 3];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    (void)snprintf(text, sizeof(text), "%s: %s", what, strerror_r(sys_errno, why, sizeof(why)));
    err->code = is_full ? MR_E_FULL : MR_E_IO;
    err->recovery = is_full ? MR_RETRY : MR_STOP;
    err->sys_errno = sys_errno;
    set_message(err, text);
    errno = sys_errno;
    return false;
}

bool mr_error_context(struct mr_error *err, const char *format, ...)
{
    MR_ASSERT(err != NULL);
    MR_ASSERT(err->code != MR_OK);
    char context[MR_ERROR_MESSAGE_BYTES_MAX];
    char text[2 * MR_ERROR_MESSAGE_BYTES_MAX + 2];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(context, sizeof(context), format, args);
    va_end(args);
    (void)snprintf(text, sizeof(text), "%s: %s", context, err->message);
    set_message(err, text);
    return false;
}

const char *mr_errc_name(enum mr_errc code)
{
    switch (code) {
    case MR_OK:
        return "ok";
    case MR_E_CONFIG:
        return "config";
    case MR_E_IO:
        return "io";
    case MR_E_NET:
        return "net";
    case MR_E_PROTOCOL:
        return "protocol";
    case MR_E_CORRUPT:
        return "corrupt";
    case MR_E_LIMIT:
        return "limit";
    case MR_E_TYPE:
        return "type";
    case MR_E_SOURCE:
        return "source";
    case MR_E_LOST:
        return "lost";
    case MR_E_SINK:
        return "sink";
    case MR_E_LOCKED:
        return "locked";
    case MR_E_FULL:
        return "full";
    case MR_E_CANCELLED:
        return "cancelled";
    }
    return "unknown";
}
