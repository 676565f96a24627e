// SPDX-License-Identifier: MIT
/*
 * gtid.c - MySQL's GTID sets: ordered sources, each with ordered, disjoint intervals.
 *
 * WIRE FORM (integers little-endian; MySQL, sql/rpl_gtid_set.cc, Gtid_set::encode)
 *   set    := u64 count, source[count]
 *   source := uuid[16], u64 intervals, (u64 first, u64 past_last)[intervals]
 * and, when a tag exists (8.3 and later):
 *   set    := u8 1, u48 count, u8 1, source[count]
 *   source := uuid[16], u8 length << 1, tag[length], u64 intervals, ...
 */
#include "gtid.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "reader.h"

#define TAGGED_MARK (UINT64_C(1) << 56 | 1)

static const char hex_digits[] = "0123456789abcdef";

/* ---- The set itself. ---- */

void mr_gtid_set_done(struct mr_gtid_set *set)
{
    if (set == NULL) {
        return;
    }
    for (uint32_t i = 0; i < set->source_count; i++) {
        free(set->sources[i].intervals);
    }
    free(set->sources);
    *set = (struct mr_gtid_set){0};
}

static int compare_origins(const struct mr_gtid_origin *left, const struct mr_gtid_origin *right)
{
    MR_ASSERT(left->tag[MR_GTID_TAG_BYTES_MAX] == '\0' &&
              right->tag[MR_GTID_TAG_BYTES_MAX] == '\0');
    const int order = memcmp(left->uuid, right->uuid, sizeof(left->uuid));
    return order != 0 ? order : strcmp(left->tag, right->tag);
}

/** First source not less than origin; *found says whether it is equal. */
static uint32_t find_source(const struct mr_gtid_set *set, const struct mr_gtid_origin *origin,
                            bool *found)
{
    uint32_t low = 0;
    uint32_t high = set->source_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (compare_origins(&set->sources[middle].origin, origin) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = low < set->source_count && compare_origins(&set->sources[low].origin, origin) == 0;
    return low;
}

static struct mr_gtid_source *need_source(struct mr_gtid_set *set,
                                          const struct mr_gtid_origin *origin, struct mr_error *err)
{
    MR_ASSERT(set->source_count <= set->source_capacity);
    bool found;
    const uint32_t at = find_source(set, origin, &found);
    if (found) {
        return &set->sources[at];
    }
    if (set->source_count >= MR_GTID_SOURCES_MAX) {
        mr_fail(err, MR_E_LIMIT, MR_STOP, "the GTID set names more than %d servers",
                MR_GTID_SOURCES_MAX);
        return NULL;
    }
    if (set->source_count == set->source_capacity) {
        set->source_capacity = set->source_capacity == 0 ? 4 : set->source_capacity * 2;
        set->sources = mr_memory_resize(set->sources, set->source_capacity, sizeof(*set->sources));
    }
    memmove(&set->sources[at + 1], &set->sources[at],
            (set->source_count - at) * sizeof(*set->sources));
    set->sources[at] = (struct mr_gtid_source){.origin = *origin};
    set->source_count++;
    return &set->sources[at];
}

/** First interval whose last is at or after number - 1: the first that could join it. */
static uint32_t find_interval(const struct mr_gtid_source *source, uint64_t number)
{
    MR_ASSERT(number >= 1);
    uint32_t low = 0;
    uint32_t high = source->interval_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (source->intervals[middle].last + 1 < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool insert_interval(struct mr_gtid_source *source, uint32_t at,
                            struct mr_gtid_interval interval, struct mr_error *err)
{
    MR_ASSERT(at <= source->interval_count && interval.first <= interval.last);
    if (source->interval_count >= MR_GTID_INTERVALS_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "a server's GTIDs have more than %d gaps",
                       MR_GTID_INTERVALS_MAX);
    }
    if (source->interval_count == source->interval_capacity) {
        source->interval_capacity =
            source->interval_capacity == 0 ? 2 : source->interval_capacity * 2;
        source->intervals = mr_memory_resize(source->intervals, source->interval_capacity,
                                             sizeof(*source->intervals));
    }
    memmove(&source->intervals[at + 1], &source->intervals[at],
            (source->interval_count - at) * sizeof(*source->intervals));
    source->intervals[at] = interval;
    source->interval_count++;
    return true;
}

bool mr_gtid_set_add(struct mr_gtid_set *set, const struct mr_gtid_origin *origin,
                     struct mr_gtid_interval interval, struct mr_error *err)
{
    if (interval.first < 1 || interval.first > interval.last ||
        interval.last > MR_GTID_NUMBER_MAX) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "GTID numbers %llu-%llu are out of range",
                       (unsigned long long)interval.first, (unsigned long long)interval.last);
    }
    struct mr_gtid_source *source = need_source(set, origin, err);
    if (source == NULL) {
        return false;
    }
    const uint32_t at = find_interval(source, interval.first);
    uint32_t past = at; /* one past the last interval that joins the new one */
    while (past < source->interval_count && source->intervals[past].first <= interval.last + 1) {
        past++;
    }
    if (past == at) {
        return insert_interval(source, at, interval, err);
    }
    struct mr_gtid_interval *joined = &source->intervals[at];
    const uint64_t last = source->intervals[past - 1].last;
    joined->first = interval.first < joined->first ? interval.first : joined->first;
    joined->last = interval.last > last ? interval.last : last;
    memmove(joined + 1, &source->intervals[past],
            (source->interval_count - past) * sizeof(*joined));
    source->interval_count -= past - at - 1;
    MR_ASSERT(joined->first <= joined->last);
    return true;
}

static bool source_covers(const struct mr_gtid_source *source, struct mr_gtid_interval part)
{
    MR_ASSERT(part.first >= 1 && part.first <= part.last);
    const uint32_t at = find_interval(source, part.first);
    for (uint32_t i = at; i < source->interval_count && i <= at + 1; i++) {
        if (source->intervals[i].first <= part.first && source->intervals[i].last >= part.last) {
            return true;
        }
    }
    return false;
}

bool mr_gtid_set_contains(const struct mr_gtid_set *set, const struct mr_gtid_origin *origin,
                          uint64_t number)
{
    bool found;
    const uint32_t at = find_source(set, origin, &found);
    return found && number >= 1 &&
           source_covers(&set->sources[at], (struct mr_gtid_interval){number, number});
}

bool mr_gtid_set_includes(const struct mr_gtid_set *set, const struct mr_gtid_set *part)
{
    for (uint32_t i = 0; i < part->source_count; i++) {
        const struct mr_gtid_source *wanted = &part->sources[i];
        bool found;
        const uint32_t at = find_source(set, &wanted->origin, &found);
        for (uint32_t j = 0; j < wanted->interval_count; j++) {
            if (!found || !source_covers(&set->sources[at], wanted->intervals[j])) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Text. ---- */

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool mr_gtid_uuid_parse(struct mr_slice text, uint8_t uuid[MR_GTID_UUID_BYTES])
{
    uint8_t parsed[MR_GTID_UUID_BYTES];
    const bool hyphens = text.length == MR_GTID_UUID_TEXT_BYTES;
    if (!hyphens && text.length != (size_t)2 * MR_GTID_UUID_BYTES) {
        return false;
    }
    size_t at = 0;
    for (size_t i = 0; i < MR_GTID_UUID_BYTES; i++) {
        if (hyphens && (i == 4 || i == 6 || i == 8 || i == 10) && text.bytes[at++] != '-') {
            return false;
        }
        const int high = hex_value(text.bytes[at]);
        const int low = hex_value(text.bytes[at + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        parsed[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    MR_ASSERT(at == text.length);
    memcpy(uuid, parsed, sizeof(parsed));
    return true;
}

static size_t print_uuid(const uint8_t uuid[MR_GTID_UUID_BYTES], char *text)
{
    size_t at = 0;
    for (size_t i = 0; i < MR_GTID_UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text[at++] = '-';
        }
        text[at++] = hex_digits[uuid[i] >> 4];
        text[at++] = hex_digits[uuid[i] & 15];
    }
    return at;
}

size_t mr_gtid_origin_print(const struct mr_gtid_origin *origin,
                            char text[MR_GTID_ORIGIN_BYTES_MAX])
{
    size_t at = print_uuid(origin->uuid, text);
    const size_t tag = strlen(origin->tag);
    MR_ASSERT(tag <= MR_GTID_TAG_BYTES_MAX);
    if (tag > 0) {
        text[at++] = ':';
        memcpy(text + at, origin->tag, tag);
        at += tag;
    }
    text[at] = '\0';
    return at;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(struct mr_slice *text)
{
    MR_ASSERT(text->bytes != NULL || text->length == 0);
    while (text->length > 0 && is_space(*text->bytes)) {
        text->bytes++;
        text->length--;
    }
}

/** Takes the next character if it is c, spaces around it included. */
static bool take(struct mr_slice *text, char c)
{
    skip_spaces(text);
    if (text->length == 0 || *text->bytes != (uint8_t)c) {
        return false;
    }
    text->bytes++;
    text->length--;
    skip_spaces(text);
    return true;
}

static bool take_number(struct mr_slice *text, uint64_t max, uint64_t *number)
{
    MR_ASSERT(max >= 9);
    uint64_t value = 0;
    size_t digits = 0;
    while (digits < text->length && text->bytes[digits] >= '0' && text->bytes[digits] <= '9') {
        const uint64_t digit = (uint64_t)(text->bytes[digits] - '0');
        if (value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
        digits++;
    }
    text->bytes += digits;
    text->length -= digits;
    *number = value;
    return digits > 0;
}

static bool is_tag_byte(uint8_t c, bool first)
{
    const uint8_t lower = c | 0x20;
    return (lower >= 'a' && lower <= 'z') || c == '_' || (!first && c >= '0' && c <= '9');
}

/** Takes a tag; false when the text does not start with one, or it is too long. */
static bool take_tag(struct mr_slice *text, struct mr_gtid_origin *origin)
{
    MR_ASSERT(origin != NULL);
    size_t length = 0;
    while (length < text->length && is_tag_byte(text->bytes[length], length == 0)) {
        length++;
    }
    if (length == 0 || length > MR_GTID_TAG_BYTES_MAX) {
        return false;
    }
    memset(origin->tag, 0, sizeof(origin->tag));
    for (size_t i = 0; i < length; i++) {
        const uint8_t c = text->bytes[i];
        origin->tag[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    text->bytes += length;
    text->length -= length;
    return true;
}

static bool fail_text(struct mr_slice rest, struct mr_error *err)
{
    const int shown = rest.length > 40 ? 40 : (int)rest.length;
    return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "this is no GTID set, at \"%.*s\"", shown,
                   shown == 0 ? "" : (const char *)rest.bytes);
}

/** The ":..." parts after a UUID. */
static bool parse_intervals(struct mr_gtid_set *set, struct mr_gtid_origin *origin,
                            struct mr_slice *text, struct mr_error *err)
{
    MR_ASSERT(origin->tag[0] == '\0');
    bool any = false;
    while (take(text, ':')) {
        if (text->length > 0 && is_tag_byte(*text->bytes, true)) {
            if (!take_tag(text, origin)) {
                return fail_text(*text, err);
            }
            continue;
        }
        struct mr_gtid_interval interval;
        if (!take_number(text, MR_GTID_NUMBER_MAX, &interval.first)) {
            return fail_text(*text, err);
        }
        interval.last = interval.first;
        if (take(text, '-') && !take_number(text, MR_GTID_NUMBER_MAX, &interval.last)) {
            return fail_text(*text, err);
        }
        if (!mr_gtid_set_add(set, origin, interval, err)) {
            return false;
        }
        any = true;
    }
    return any || fail_text(*text, err);
}

bool mr_gtid_set_parse(struct mr_gtid_set *set, struct mr_slice text, struct mr_error *err)
{
    if (text.length > MR_GTID_TEXT_BYTES_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "a GTID set of %zu bytes is too long",
                       text.length);
    }
    skip_spaces(&text);
    while (text.length > 0) {
        if (take(&text, ',')) {
            continue;
        }
        struct mr_gtid_origin origin = {0};
        const struct mr_slice uuid = {text.bytes, MR_GTID_UUID_TEXT_BYTES};
        if (text.length < MR_GTID_UUID_TEXT_BYTES || !mr_gtid_uuid_parse(uuid, origin.uuid)) {
            return fail_text(text, err);
        }
        text.bytes += MR_GTID_UUID_TEXT_BYTES;
        text.length -= MR_GTID_UUID_TEXT_BYTES;
        if (!parse_intervals(set, &origin, &text, err)) {
            return false;
        }
        skip_spaces(&text);
        if (text.length > 0 && *text.bytes != ',') {
            return fail_text(text, err);
        }
    }
    return true;
}

static void print_number(uint64_t number, struct mr_writer *writer)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    mr_write_bytes(writer, digits + at, sizeof(digits) - at);
}

void mr_gtid_set_print(const struct mr_gtid_set *set, struct mr_writer *writer)
{
    MR_ASSERT(set->source_count <= set->source_capacity);
    for (uint32_t i = 0; i < set->source_count; i++) {
        const struct mr_gtid_source *source = &set->sources[i];
        const bool same_uuid =
            i > 0 && memcmp(source->origin.uuid, source[-1].origin.uuid, MR_GTID_UUID_BYTES) == 0;
        if (!same_uuid) {
            char uuid[MR_GTID_UUID_TEXT_BYTES + 1];
            const size_t length = print_uuid(source->origin.uuid, uuid);
            mr_write_bytes(writer, ",", i > 0 ? 1 : 0);
            mr_write_bytes(writer, uuid, length);
        }
        if (source->origin.tag[0] != '\0') {
            mr_write_u8(writer, ':');
            mr_write_bytes(writer, source->origin.tag, strlen(source->origin.tag));
        }
        for (uint32_t j = 0; j < source->interval_count; j++) {
            const struct mr_gtid_interval *interval = &source->intervals[j];
            mr_write_u8(writer, ':');
            print_number(interval->first, writer);
            if (interval->last > interval->first) {
                mr_write_u8(writer, '-');
                print_number(interval->last, writer);
            }
        }
    }
}

/* ---- The wire. ---- */

static bool has_tags(const struct mr_gtid_set *set)
{
    for (uint32_t i = 0; i < set->source_count; i++) {
        if (set->sources[i].origin.tag[0] != '\0') {
            return true;
        }
    }
    return false;
}

void mr_gtid_set_encode(const struct mr_gtid_set *set, struct mr_writer *writer)
{
    MR_ASSERT(set->source_count <= MR_GTID_SOURCES_MAX);
    const bool tagged = has_tags(set);
    const uint64_t count = set->source_count;
    mr_write_u64_le(writer, tagged ? TAGGED_MARK | count << 8 : count);
    for (uint32_t i = 0; i < set->source_count; i++) {
        const struct mr_gtid_source *source = &set->sources[i];
        mr_write_bytes(writer, source->origin.uuid, MR_GTID_UUID_BYTES);
        if (tagged) {
            const size_t length = strlen(source->origin.tag);
            MR_ASSERT(length <= MR_GTID_TAG_BYTES_MAX);
            mr_write_u8(writer, (uint8_t)(length << 1));
            mr_write_bytes(writer, source->origin.tag, length);
        }
        mr_write_u64_le(writer, source->interval_count);
        for (uint32_t j = 0; j < source->interval_count; j++) {
            mr_write_u64_le(writer, source->intervals[j].first);
            mr_write_u64_le(writer, source->intervals[j].last + 1);
        }
    }
}

static bool decode_tag(struct mr_reader *in, struct mr_gtid_origin *origin, struct mr_error *err)
{
    MR_ASSERT(origin->tag[0] == '\0');
    const uint8_t length = mr_read_u8(in);
    struct mr_slice text = mr_read_slice(in, length >> 1);
    if (!mr_reader_check(in, "GTID set", err)) {
        return false;
    }
    if ((length & 1) != 0 || length >> 1 > MR_GTID_TAG_BYTES_MAX ||
        (text.length > 0 && (!take_tag(&text, origin) || text.length > 0))) {
        return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "GTID set: this is no tag");
    }
    return true;
}

bool mr_gtid_set_decode(struct mr_gtid_set *set, struct mr_slice bytes, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(bytes.bytes, bytes.length);
    uint64_t count = mr_read_u64_le(&in);
    const bool tagged = count >> 56 == 1;
    count = tagged ? count << 8 >> 16 : count;
    for (uint64_t i = 0; i < count && mr_reader_ok(&in); i++) {
        struct mr_gtid_origin origin = {0};
        const struct mr_slice uuid = mr_read_slice(&in, MR_GTID_UUID_BYTES);
        if (uuid.bytes != NULL) {
            memcpy(origin.uuid, uuid.bytes, sizeof(origin.uuid));
        }
        if (tagged && !decode_tag(&in, &origin, err)) {
            return false;
        }
        const uint64_t intervals = mr_read_u64_le(&in);
        if (mr_reader_ok(&in) && intervals > mr_reader_left(&in) / 16) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "GTID set: %llu intervals in %zu bytes",
                           (unsigned long long)intervals, mr_reader_left(&in));
        }
        for (uint64_t j = 0; j < intervals && mr_reader_ok(&in); j++) {
            const uint64_t first = mr_read_u64_le(&in);
            const uint64_t past = mr_read_u64_le(&in);
            const struct mr_gtid_interval interval = {first, past == 0 ? 0 : past - 1};
            if (mr_reader_ok(&in) && !mr_gtid_set_add(set, &origin, interval, err)) {
                return false;
            }
        }
    }
    return mr_reader_finish(&in, "GTID set", err);
}

/* ---- MariaDB. ---- */

void mr_maria_position_done(struct mr_maria_position *position)
{
    if (position == NULL) {
        return;
    }
    free(position->gtids);
    *position = (struct mr_maria_position){0};
}

static uint32_t find_domain(const struct mr_maria_position *position, uint32_t domain)
{
    MR_ASSERT(position->count <= MR_MARIA_GTID_COUNT_MAX);
    uint32_t at = 0;
    while (at < position->count && position->gtids[at].domain < domain) {
        at++;
    }
    return at;
}

bool mr_maria_position_advance(struct mr_maria_position *position, struct mr_maria_gtid gtid,
                               struct mr_error *err)
{
    MR_ASSERT(position->count <= position->capacity);
    const uint32_t at = find_domain(position, gtid.domain);
    if (at < position->count && position->gtids[at].domain == gtid.domain) {
        position->gtids[at] = gtid;
        return true;
    }
    if (position->count >= MR_MARIA_GTID_COUNT_MAX) {
        return mr_fail(err, MR_E_LIMIT, MR_STOP, "the GTID position has more than %d domains",
                       MR_MARIA_GTID_COUNT_MAX);
    }
    if (position->count == position->capacity) {
        position->capacity = position->capacity == 0 ? 4 : position->capacity * 2;
        position->gtids =
            mr_memory_resize(position->gtids, position->capacity, sizeof(*position->gtids));
    }
    memmove(&position->gtids[at + 1], &position->gtids[at],
            (position->count - at) * sizeof(*position->gtids));
    position->gtids[at] = gtid;
    position->count++;
    return true;
}

static bool take_maria_gtid(struct mr_slice *text, struct mr_maria_gtid *gtid)
{
    uint64_t domain;
    uint64_t server;
    if (!take_number(text, UINT32_MAX, &domain) || !take(text, '-') ||
        !take_number(text, UINT32_MAX, &server) || !take(text, '-') ||
        !take_number(text, UINT64_MAX, &gtid->sequence)) {
        return false;
    }
    gtid->domain = (uint32_t)domain;
    gtid->server = (uint32_t)server;
    return true;
}

static bool parse_maria(struct mr_maria_position *position, struct mr_slice text,
                        struct mr_error *err)
{
    MR_ASSERT(position->count == 0);
    skip_spaces(&text);
    while (text.length > 0) {
        struct mr_maria_gtid gtid;
        const struct mr_slice start = text;
        if (!take_maria_gtid(&text, &gtid)) {
            return fail_text(start, err);
        }
        const uint32_t at = find_domain(position, gtid.domain);
        if (at < position->count && position->gtids[at].domain == gtid.domain) {
            return mr_fail(err, MR_E_PROTOCOL, MR_STOP, "GTID position: domain %u comes twice",
                           gtid.domain);
        }
        if (!mr_maria_position_advance(position, gtid, err)) {
            return false;
        }
        skip_spaces(&text);
        if (text.length > 0 && (!take(&text, ',') || text.length == 0)) {
            return fail_text(text, err);
        }
    }
    return true;
}

bool mr_maria_position_parse(struct mr_maria_position *position, struct mr_slice text,
                             struct mr_error *err)
{
    struct mr_maria_position parsed = {0};
    if (!parse_maria(&parsed, text, err)) {
        mr_maria_position_done(&parsed);
        return false;
    }
    mr_maria_position_done(position);
    *position = parsed;
    return true;
}

void mr_maria_position_print(const struct mr_maria_position *position, struct mr_writer *writer)
{
    MR_ASSERT(position->count <= position->capacity);
    for (uint32_t i = 0; i < position->count; i++) {
        const struct mr_maria_gtid *gtid = &position->gtids[i];
        mr_write_bytes(writer, ",", i > 0 ? 1 : 0);
        print_number(gtid->domain, writer);
        mr_write_u8(writer, '-');
        print_number(gtid->server, writer);
        mr_write_u8(writer, '-');
        print_number(gtid->sequence, writer);
    }
}
