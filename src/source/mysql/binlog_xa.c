// SPDX-License-Identifier: MIT
/*
 * binlog_xa.c - see binlog_xa.h.
 */
#include "binlog_xa.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "event_header.h"
#include "memory.h"

#define ITEM_MARK         '#'
#define EVENT_SIZE_OFFSET 9

static void free_prepared(struct mr_xa_prepared *prepared)
{
    free(prepared->file);
    free(prepared->events);
    *prepared = (struct mr_xa_prepared){0};
}

void mr_xa_done(struct mr_xa *xa)
{
    for (uint32_t i = 0; i < xa->count; i++) {
        free_prepared(&xa->prepared[i]);
    }
    free(xa->prepared);
    mr_writer_done(&xa->gathering);
    *xa = (struct mr_xa){0};
}

/* ---- Names. ---- */

static size_t print_hex(struct mr_slice bytes, char *to)
{
    static const char digits[] = "0123456789abcdef";
    MR_ASSERT(bytes.length <= MR_XA_PART_BYTES_MAX);
    for (size_t i = 0; i < bytes.length; i++) {
        to[2 * i] = digits[bytes.bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes.bytes[i] & 15];
    }
    return 2 * bytes.length;
}

bool mr_xa_make_name(struct mr_slice gtrid, struct mr_slice bqual, uint32_t format,
                     struct mr_xa_name *name)
{
    if (gtrid.length > MR_XA_PART_BYTES_MAX || bqual.length > MR_XA_PART_BYTES_MAX) {
        return false;
    }
    size_t at = print_hex(gtrid, name->text);
    name->text[at++] = '.';
    at += print_hex(bqual, name->text + at);
    const int length = snprintf(name->text + at, sizeof(name->text) - at, ".%u", format);
    MR_ASSERT(length > 0 && (size_t)length < sizeof(name->text) - at);
    return true;
}

/* ---- Statements, as the servers write them: one space, upper case, hex strings. ---- */

static bool take_text(struct mr_slice *text, const char *wanted)
{
    const size_t length = strlen(wanted);
    if (text->length < length || strncasecmp((const char *)text->bytes, wanted, length) != 0) {
        return false;
    }
    text->bytes += length;
    text->length -= length;
    return true;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const uint8_t lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/** X'6162' into bytes. */
static bool take_part(struct mr_slice *text, uint8_t bytes[MR_XA_PART_BYTES_MAX],
                      struct mr_slice *part)
{
    size_t length = 0;
    if (!take_text(text, "X'")) {
        return false;
    }
    while (text->length >= 2 && text->bytes[0] != '\'' && length < MR_XA_PART_BYTES_MAX) {
        const int high = hex_digit(text->bytes[0]);
        const int low = hex_digit(text->bytes[1]);
        if (high < 0 || low < 0) {
            return false;
        }
        bytes[length++] = (uint8_t)(high << 4 | low);
        text->bytes += 2;
        text->length -= 2;
    }
    *part = (struct mr_slice){bytes, length};
    return take_text(text, "'");
}

static bool take_format(struct mr_slice *text, uint32_t *format)
{
    uint64_t number = 0;
    size_t digits = 0;
    for (; digits < text->length && digits < 10 && text->bytes[digits] >= '0' &&
           text->bytes[digits] <= '9';
         digits++) {
        number = number * 10 + (uint64_t)(text->bytes[digits] - '0');
    }
    *format = (uint32_t)number;
    return digits > 0 && number <= UINT32_MAX;
}

enum mr_xa_statement mr_xa_read_statement(struct mr_slice text, struct mr_xa_name *name)
{
    static const struct {
        const char *verb;
        enum mr_xa_statement statement;
    } verbs[] = {
        {"XA START ", MR_XA_START},
        {"XA COMMIT ", MR_XA_COMMIT},
        {"XA ROLLBACK ", MR_XA_ROLLBACK},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(verbs); i++) {
        uint8_t gtrid_bytes[MR_XA_PART_BYTES_MAX];
        uint8_t bqual_bytes[MR_XA_PART_BYTES_MAX];
        struct mr_slice gtrid = {0};
        struct mr_slice bqual = {0};
        uint32_t format = 0;
        if (!take_text(&text, verbs[i].verb)) {
            continue;
        }
        const bool read = take_part(&text, gtrid_bytes, &gtrid) && take_text(&text, ",") &&
                          take_part(&text, bqual_bytes, &bqual) && take_text(&text, ",") &&
                          take_format(&text, &format) &&
                          mr_xa_make_name(gtrid, bqual, format, name);
        return read ? verbs[i].statement : MR_XA_UNREADABLE;
    }
    return MR_XA_NOTHING;
}

/* ---- Gathering. ---- */

void mr_xa_gather_begin(struct mr_xa *xa)
{
    if (xa->gathering.limit == 0) {
        mr_writer_init(&xa->gathering, MR_XA_KEPT_BYTES);
    }
    mr_writer_reset(&xa->gathering);
}

void mr_xa_gather(struct mr_xa *xa, struct mr_slice event)
{
    MR_ASSERT(xa->gathering.limit > 0 && event.length >= MR_BINLOG_HEADER_SIZE);
    const uint32_t size = (uint32_t)event.length;
    mr_write_bytes(&xa->gathering, event.bytes, event.length);
    if (!xa->gathering.failed) { /* past the limit it stays failed */
        memcpy(xa->gathering.bytes + xa->gathering.length - size + EVENT_SIZE_OFFSET, &size,
               sizeof(size));
    }
}

/* ---- The list. ---- */

bool mr_xa_prepare(struct mr_xa *xa, const struct mr_xa_name *name, const char *file,
                   uint64_t offset, struct mr_error *err)
{
    MR_ASSERT(name->text[0] != '\0');
    struct mr_xa_prepared *known = mr_xa_find(xa, name);
    if (known != NULL) {
        mr_xa_forget(xa, known); /* the server lets a name be used again once it is finished */
    }
    if (xa->count == MR_XA_COUNT_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP,
                       "more than %d XA transactions are prepared and not finished; run XA RECOVER "
                       "and finish them",
                       MR_XA_COUNT_MAX);
    }
    if (xa->prepared == NULL) {
        xa->prepared = mr_memory_new(MR_XA_COUNT_MAX, sizeof(*xa->prepared));
    }
    struct mr_xa_prepared *prepared = &xa->prepared[xa->count++];
    *prepared = (struct mr_xa_prepared){.name = *name, .offset = offset};
    if (file == NULL) {
        return true;
    }
    prepared->file = mr_memory_copy_text(file, strlen(file));
    const size_t size = xa->gathering.length;
    if (size > 0 && !xa->gathering.failed && size <= MR_XA_KEPT_BYTES_ALL - xa->kept_bytes) {
        prepared->events = mr_memory_new(size, 1);
        memcpy(prepared->events, xa->gathering.bytes, size);
        prepared->event_bytes = size;
        xa->kept_bytes += size;
    }
    return true;
}

struct mr_xa_prepared *mr_xa_find(struct mr_xa *xa, const struct mr_xa_name *name)
{
    for (uint32_t i = 0; i < xa->count; i++) {
        if (strcmp(xa->prepared[i].name.text, name->text) == 0) {
            return &xa->prepared[i];
        }
    }
    return NULL;
}

void mr_xa_forget(struct mr_xa *xa, struct mr_xa_prepared *prepared)
{
    const size_t index = (size_t)(prepared - xa->prepared);
    MR_ASSERT(index < xa->count && xa->kept_bytes >= prepared->event_bytes);
    xa->kept_bytes -= prepared->event_bytes;
    free_prepared(prepared);
    memmove(prepared, prepared + 1, (xa->count - index - 1) * sizeof(*prepared));
    xa->count--;
}

/* ---- In the position. ---- */

void mr_xa_print(const struct mr_xa *xa, struct mr_writer *to)
{
    for (uint32_t i = 0; i < xa->count; i++) {
        const struct mr_xa_prepared *prepared = &xa->prepared[i];
        char offset[24];
        mr_write_u8(to, ITEM_MARK);
        mr_write_bytes(to, prepared->name.text, strlen(prepared->name.text));
        if (prepared->file != NULL) {
            const int length =
                snprintf(offset, sizeof(offset), ":%llu", (unsigned long long)prepared->offset);
            mr_write_u8(to, '@');
            mr_write_bytes(to, prepared->file, strlen(prepared->file));
            mr_write_bytes(to, offset, (size_t)length);
        }
    }
}

static bool fail_item(struct mr_slice item, struct mr_error *err)
{
    const int shown = item.length > 100 ? 100 : (int)item.length;
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "\"%.*s\" is no prepared XA transaction", shown,
                   shown == 0 ? "" : (const char *)item.bytes);
}

static bool is_name(struct mr_slice text)
{
    unsigned dots = 0;
    for (size_t i = 0; i < text.length; i++) {
        dots += text.bytes[i] == '.';
        if (text.bytes[i] != '.' && hex_digit(text.bytes[i]) < 0) {
            return false;
        }
    }
    return dots == 2 && text.length < MR_XA_NAME_BYTES_MAX;
}

static bool parse_item(struct mr_xa *xa, struct mr_slice item, struct mr_error *err)
{
    MR_ASSERT(item.bytes != NULL);
    struct mr_xa_name name = {{0}};
    const uint8_t *at = item.length == 0 ? NULL : memchr(item.bytes, '@', item.length);
    const size_t name_length = at == NULL ? item.length : (size_t)(at - item.bytes);
    if (!is_name((struct mr_slice){item.bytes, name_length})) {
        return fail_item(item, err);
    }
    memcpy(name.text, item.bytes, name_length);
    if (at == NULL) {
        return mr_xa_prepare(xa, &name, NULL, 0, err);
    }
    char *place = mr_memory_copy_text(at + 1, item.length - name_length - 1);
    char *colon = strrchr(place, ':');
    char *end = NULL;
    const uint64_t offset = colon == NULL ? 0 : strtoull(colon + 1, &end, 10);
    bool good = colon != NULL && colon > place && end != colon + 1 && *end == '\0';
    if (good) {
        *colon = '\0';
        good = mr_xa_prepare(xa, &name, place, offset, err);
    } else {
        (void)fail_item(item, err);
    }
    free(place);
    return good;
}

bool mr_xa_parse(struct mr_xa *xa, struct mr_slice text, struct mr_error *err)
{
    MR_ASSERT(xa->count == 0 && xa->gathering.length == 0);
    while (text.length > 0) {
        if (text.bytes[0] != ITEM_MARK) {
            return fail_item(text, err);
        }
        const uint8_t *next =
            text.length == 1 ? NULL : memchr(text.bytes + 1, ITEM_MARK, text.length - 1);
        const size_t length = next == NULL ? text.length : (size_t)(next - text.bytes);
        if (!parse_item(xa, (struct mr_slice){text.bytes + 1, length - 1}, err)) {
            return false;
        }
        text.bytes += length;
        text.length -= length;
    }
    return true;
}
