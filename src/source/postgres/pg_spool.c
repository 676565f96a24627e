// SPDX-License-Identifier: MIT
/*
 * pg_spool.c - raw messages of open transactions, in memory and in files.
 *
 * A record, in the buffer as in the file: u32 length, u8 tag, u32 xid (our byte order), bytes.
 * A buffer is written out whole, so that no record lies across the end of the file.
 *
 * INVARIANTS
 *   - cuts grow strictly in xid (as xids compare, modulo 2^32) and in offset;
 *   - memory_bytes is the sum of all buffers' capacities and at most MR_PG_SPOOL_MEMORY_BYTES_MAX.
 *
 * FAILURE: a write that fails leaves the transaction as it was.
 */
#include "pg_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define FOLDER                "spool"
#define FOLDER_MODE           0700
#define FILE_MODE             0600
#define FILE_NAME_BYTES       16
#define REFUSAL               "whole" /* see mr_pg_spool_refuse() */
#define HEADER_BYTES          9
#define BUFFER_BYTES_MIN      UINT32_C(4096)
#define WINDOW_BYTES          (UINT32_C(256) << 10)
#define CUTS_CAPACITY_MIN     16
#define CUTS_OF_ONE           4096
#define STALE_FILES_A_LISTING 64

struct mr_pg_spool {
    const struct mr_env *env;
    const char *source;
    int dir_fd;
    bool was_refused;
    struct mr_pg_spooled *first;
    uint32_t count;
    uint64_t memory_bytes;

    /* Reading: a part of one transaction's file. */
    const struct mr_pg_spooled *read;
    int read_fd;
    uint8_t *window;
    size_t window_capacity;
    size_t window_bytes;
    uint64_t window_offset;
};

/* Says which file an error is of, and what a full disk asks for. */
static bool name_file(const struct mr_pg_spool *spool, const char *verb, uint32_t xid,
                      struct mr_error *err)
{
    MR_ASSERT(err->code != MR_OK);
    (void)mr_error_context(err, "%s \"" FOLDER "/%s/%u\", the changes of a transaction in progress",
                           verb, spool->source, xid);
    if (err->code == MR_E_FULL) {
        (void)mr_error_context(err, "the disk of data_dir is full; free space, or set "
                                    "\"streaming: false\" so that the server keeps such changes");
    }
    return false;
}

static void file_name(uint32_t xid, char name[FILE_NAME_BYTES])
{
    (void)snprintf(name, FILE_NAME_BYTES, "%u", xid);
}

/* Whether xid `left` is older than `right`; both are of one transaction, so not far apart. */
static bool is_older(uint32_t left, uint32_t right)
{
    return (int32_t)(left - right) < 0;
}

static uint64_t end_offset(const struct mr_pg_spooled *spooled)
{
    return spooled->file_bytes + spooled->buffered;
}

/* ---- Opening and closing. ---- */

struct listing {
    char names[STALE_FILES_A_LISTING][FILE_NAME_BYTES];
    size_t count;
};

static bool note_file(void *context, const char *name)
{
    struct listing *listing = context;
    if (strlen(name) < FILE_NAME_BYTES) {
        (void)snprintf(listing->names[listing->count++], FILE_NAME_BYTES, "%s", name);
    }
    return listing->count < STALE_FILES_A_LISTING;
}

/* Deletes what an earlier run left. */
static bool discard_files(struct mr_pg_spool *spool, struct mr_error *err)
{
    struct listing listing;
    do {
        listing.count = 0;
        if (spool->env->list_dir(spool->env, spool->dir_fd, note_file, &listing) != 0) {
            return mr_fail_errno(err, "list \"" FOLDER "/%s\"", spool->source);
        }
        for (size_t i = 0; i < listing.count; i++) {
            spool->was_refused = spool->was_refused || strcmp(listing.names[i], REFUSAL) == 0;
            if (spool->env->unlink(spool->env, spool->dir_fd, listing.names[i]) != 0) {
                return mr_fail_errno(err, "delete \"" FOLDER "/%s/%s\"", spool->source,
                                     listing.names[i]);
            }
        }
    } while (listing.count > 0);
    return true;
}

static int open_folder(const struct mr_env *env, int parent_fd, const char *name,
                       struct mr_error *err)
{
    int fd = -1;
    if (env->make_dir(env, parent_fd, name, FOLDER_MODE) == 0 || errno == EEXIST) {
        fd = env->open_dir(env, parent_fd, name);
    }
    if (fd < 0) {
        (void)mr_fail_errno(err, "make folder \"%s\" of the spool", name);
    }
    return fd;
}

struct mr_pg_spool *mr_pg_spool_open(const struct mr_env *env, int data_dir_fd, const char *source,
                                     struct mr_error *err)
{
    MR_ASSERT(source[0] != '\0');
    const int folder_fd = open_folder(env, data_dir_fd, FOLDER, err);
    if (folder_fd < 0) {
        return NULL;
    }
    struct mr_pg_spool *spool = mr_memory_new(1, sizeof(*spool));
    spool->env = env;
    spool->source = source;
    spool->read_fd = -1;
    spool->dir_fd = open_folder(env, folder_fd, source, err);
    (void)env->close(env, folder_fd);
    if (spool->dir_fd < 0 || !discard_files(spool, err)) {
        mr_pg_spool_close(spool);
        return NULL;
    }
    return spool;
}

/* Ends reading; the window is kept for the next one unless it had to be large. */
static void end_reading(struct mr_pg_spool *spool)
{
    if (spool->read_fd >= 0) {
        (void)spool->env->close(spool->env, spool->read_fd);
    }
    spool->read_fd = -1;
    spool->read = NULL;
    spool->window_bytes = 0;
    if (spool->window_capacity > WINDOW_BYTES) {
        free(spool->window);
        spool->window = NULL;
        spool->window_capacity = 0;
    }
}

void mr_pg_spool_close(struct mr_pg_spool *spool)
{
    if (spool == NULL) {
        return;
    }
    while (spool->first != NULL) {
        mr_pg_spool_drop(spool, spool->first);
    }
    end_reading(spool);
    if (spool->dir_fd >= 0) {
        (void)spool->env->close(spool->env, spool->dir_fd);
    }
    free(spool->window);
    free(spool);
}

bool mr_pg_spool_refuse(struct mr_pg_spool *spool, struct mr_error *err)
{
    const int fd = spool->env->open(spool->env, spool->dir_fd, REFUSAL,
                                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (fd < 0) {
        return mr_fail_errno(err, "make \"" FOLDER "/%s/" REFUSAL "\"", spool->source);
    }
    (void)spool->env->close(spool->env, fd);
    return true;
}

bool mr_pg_spool_was_refused(const struct mr_pg_spool *spool)
{
    return spool->was_refused;
}

/* ---- Transactions. ---- */

uint32_t mr_pg_spool_count(const struct mr_pg_spool *spool)
{
    return spool->count;
}

uint64_t mr_pg_spool_bytes(const struct mr_pg_spool *spool)
{
    uint64_t bytes = 0;
    for (const struct mr_pg_spooled *at = spool->first; at != NULL; at = at->next) {
        bytes += end_offset(at);
    }
    return bytes;
}

uint64_t mr_pg_spool_prepared_lsn(const struct mr_pg_spool *spool)
{
    uint64_t lsn = UINT64_MAX;
    for (const struct mr_pg_spooled *at = spool->first; at != NULL; at = at->next) {
        if (at->prepare_lsn != 0 && at->prepare_lsn < lsn) {
            lsn = at->prepare_lsn;
        }
    }
    return lsn;
}

struct mr_pg_spooled *mr_pg_spool_find(const struct mr_pg_spool *spool, uint32_t xid)
{
    struct mr_pg_spooled *at = spool->first;
    while (at != NULL && at->xid != xid) {
        at = at->next;
    }
    return at;
}

struct mr_pg_spooled *mr_pg_spool_begin(struct mr_pg_spool *spool, uint32_t xid)
{
    MR_ASSERT(mr_pg_spool_find(spool, xid) == NULL);
    struct mr_pg_spooled *spooled = mr_memory_new(1, sizeof(*spooled));
    spooled->xid = xid;
    spooled->next = spool->first;
    spool->first = spooled;
    spool->count++;
    return spooled;
}

static void free_buffer(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled)
{
    MR_ASSERT(spool->memory_bytes >= spooled->buffer_capacity);
    spool->memory_bytes -= spooled->buffer_capacity;
    free(spooled->buffer);
    spooled->buffer = NULL;
    spooled->buffered = 0;
    spooled->buffer_capacity = 0;
}

void mr_pg_spool_drop(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled)
{
    struct mr_pg_spooled **link = &spool->first;
    while (*link != spooled) {
        MR_ASSERT(*link != NULL);
        link = &(*link)->next;
    }
    *link = spooled->next;
    spool->count--;
    if (spool->read == spooled) {
        end_reading(spool);
    }
    if (spooled->has_file) {
        char name[FILE_NAME_BYTES];
        file_name(spooled->xid, name);
        /* What cannot be deleted now is deleted at the next start. */
        (void)spool->env->unlink(spool->env, spool->dir_fd, name);
    }
    free_buffer(spool, spooled);
    free(spooled->cuts);
    free(spooled);
}

/* ---- Writing. ---- */

static int open_file(struct mr_pg_spool *spool, const struct mr_pg_spooled *spooled, int flags,
                     struct mr_error *err)
{
    char name[FILE_NAME_BYTES];
    file_name(spooled->xid, name);
    const int fd = spool->env->open(spool->env, spool->dir_fd, name, flags | O_CLOEXEC | O_NOFOLLOW,
                                    FILE_MODE);
    if (fd < 0) {
        (void)mr_fail_errno(err, "open");
        (void)name_file(spool, "keep", spooled->xid, err);
    }
    return fd;
}

/* Writes bytes behind the file's end; file_bytes moves only when all are there. */
static bool write_out(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled,
                      const struct mr_slice *parts, size_t count, struct mr_error *err)
{
    MR_ASSERT(spool->read == NULL);
    uint64_t offset = spooled->file_bytes;
    const int fd = open_file(spool, spooled, O_RDWR | O_CREAT, err);
    if (fd < 0) {
        return false;
    }
    spooled->has_file = true;
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = mr_env_write_fully(spool->env, fd, parts[i].bytes, parts[i].length, (int64_t)offset,
                                err) ||
             name_file(spool, "keep", spooled->xid, err);
        offset += parts[i].length;
    }
    (void)spool->env->close(spool->env, fd); /* never synced, so nothing is learned from it */
    if (ok) {
        spooled->file_bytes = offset;
    }
    return ok;
}

static bool flush(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled, struct mr_error *err)
{
    if (spooled->buffered > 0) {
        const struct mr_slice all = {spooled->buffer, spooled->buffered};
        if (!write_out(spool, spooled, &all, 1, err)) {
            return false;
        }
    }
    spooled->buffered = 0;
    return true;
}

/* Writes out, and frees, the largest buffer. */
static bool flush_largest(struct mr_pg_spool *spool, struct mr_error *err)
{
    struct mr_pg_spooled *largest = spool->first;
    for (struct mr_pg_spooled *at = spool->first; at != NULL; at = at->next) {
        largest = at->buffer_capacity > largest->buffer_capacity ? at : largest;
    }
    MR_ASSERT(largest != NULL && largest->buffer_capacity > 0);
    if (!flush(spool, largest, err)) {
        return false;
    }
    free_buffer(spool, largest);
    return true;
}

/* Makes room in the buffer for a record of that size, which is at most a whole buffer's. */
static bool make_room(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled, uint32_t size,
                      struct mr_error *err)
{
    MR_ASSERT(size <= MR_PG_SPOOL_BUFFER_BYTES_MAX);
    if (spooled->buffered + size > MR_PG_SPOOL_BUFFER_BYTES_MAX && !flush(spool, spooled, err)) {
        return false;
    }
    while (spooled->buffered + size > spooled->buffer_capacity) {
        uint32_t capacity = BUFFER_BYTES_MIN;
        while (capacity < spooled->buffered + size) {
            capacity *= 2;
        }
        const uint32_t more = capacity - spooled->buffer_capacity;
        if (spool->memory_bytes + more <= MR_PG_SPOOL_MEMORY_BYTES_MAX) {
            spool->memory_bytes += more;
            spooled->buffer = mr_memory_resize(spooled->buffer, capacity, 1);
            spooled->buffer_capacity = capacity;
        } else if (!flush_largest(spool, err)) { /* which may be this one */
            return false;
        }
    }
    return true;
}

/* ---- Sub-transactions. ---- */

/* Drops every second of the older half of the places. */
static void thin_cuts(struct mr_pg_spooled *spooled)
{
    MR_ASSERT(spooled->cut_count >= MR_PG_SPOOL_CUTS_MIN);
    const uint32_t half = spooled->cut_count / 2;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < spooled->cut_count; i++) {
        if (i < half && i % 2 == 1) {
            continue;
        }
        struct mr_pg_cut cut = spooled->cuts[i];
        cut.has_gap = cut.has_gap || (i > 1 && i <= half && i % 2 == 0);
        spooled->cuts[kept++] = cut;
    }
    spooled->cut_count = kept;
}

static void note_cut(const struct mr_pg_spool *spool, struct mr_pg_spooled *spooled, uint32_t xid)
{
    MR_ASSERT(xid != spooled->xid);
    const uint32_t share = MR_PG_SPOOL_CUTS_MAX / spool->count;
    const uint32_t cuts_max = share > CUTS_OF_ONE            ? CUTS_OF_ONE
                              : share < MR_PG_SPOOL_CUTS_MIN ? MR_PG_SPOOL_CUTS_MIN
                                                             : share;
    /* Older than the last place: whatever rolls it back rolls that back too. */
    if (spooled->cut_count > 0 && !is_older(spooled->cuts[spooled->cut_count - 1].xid, xid)) {
        return;
    }
    if (spooled->cut_count >= cuts_max) {
        thin_cuts(spooled);
    }
    if (spooled->cut_count == spooled->cut_capacity) {
        spooled->cut_capacity =
            spooled->cut_capacity == 0 ? CUTS_CAPACITY_MIN : spooled->cut_capacity * 2;
        spooled->cuts =
            mr_memory_resize(spooled->cuts, spooled->cut_capacity, sizeof(*spooled->cuts));
    }
    spooled->cuts[spooled->cut_count++] = (struct mr_pg_cut){
        .xid = xid, .has_gap = spooled->tail_has_gap, .offset = end_offset(spooled)};
    spooled->tail_has_gap = false;
}

bool mr_pg_spool_append(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled,
                        const struct mr_pg_record *record, struct mr_error *err)
{
    uint8_t header[HEADER_BYTES];
    const size_t size = HEADER_BYTES + record->bytes.length;
    const uint32_t length = (uint32_t)record->bytes.length;
    MR_ASSERT(record->bytes.length <= UINT32_MAX - HEADER_BYTES);
    memcpy(header, &length, sizeof(length));
    header[4] = record->tag;
    memcpy(header + 5, &record->xid, sizeof(record->xid));
    const bool is_direct = size > MR_PG_SPOOL_BUFFER_BYTES_MAX;
    if (is_direct ? !flush(spool, spooled, err) : !make_room(spool, spooled, (uint32_t)size, err)) {
        return false;
    }
    if (record->xid != spooled->xid) {
        note_cut(spool, spooled, record->xid);
    }
    if (is_direct) {
        const struct mr_slice parts[] = {{header, HEADER_BYTES}, record->bytes};
        return write_out(spool, spooled, parts, MR_ARRAY_LEN(parts), err);
    }
    memcpy(spooled->buffer + spooled->buffered, header, HEADER_BYTES);
    if (length > 0) {
        memcpy(spooled->buffer + spooled->buffered + HEADER_BYTES, record->bytes.bytes, length);
    }
    spooled->buffered += (uint32_t)size;
    return true;
}

/* The first record of a sub-transaction not older than subxid in [offset, limit); else limit. */
static bool look_for(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled, uint32_t subxid,
                     uint64_t *offset, uint64_t limit, struct mr_error *err)
{
    MR_ASSERT(*offset <= limit);
    struct mr_pg_record record = {0};
    bool has = true;
    mr_pg_spool_rewind(spool, spooled);
    spooled->read_offset = *offset;
    while (spooled->read_offset < limit) {
        if (!mr_pg_spool_read(spool, spooled, &record, &has, err)) {
            return false;
        }
        MR_ASSERT(has);
        if (record.xid != spooled->xid && !is_older(record.xid, subxid)) {
            break;
        }
        mr_pg_spool_step(spooled, &record);
    }
    *offset = spooled->read_offset;
    end_reading(spool);
    return true;
}

static bool truncate_at(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled, uint64_t offset,
                        struct mr_error *err)
{
    MR_ASSERT(offset <= end_offset(spooled));
    if (offset >= spooled->file_bytes) {
        spooled->buffered = (uint32_t)(offset - spooled->file_bytes);
        return true;
    }
    const int fd = open_file(spool, spooled, O_RDWR, err);
    if (fd < 0) {
        return false;
    }
    const bool ok = spool->env->truncate(spool->env, fd, (int64_t)offset) == 0 ||
                    mr_fail_errno(err, "truncate");
    (void)spool->env->close(spool->env, fd);
    if (!ok) {
        return name_file(spool, "cut", spooled->xid, err);
    }
    spooled->buffered = 0;
    spooled->file_bytes = offset;
    return true;
}

bool mr_pg_spool_cut(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled, uint32_t subxid,
                     struct mr_error *err)
{
    MR_ASSERT(subxid != spooled->xid);
    uint32_t low = 0;
    uint32_t high = spooled->cut_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (is_older(spooled->cuts[middle].xid, subxid)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool is_last = low == spooled->cut_count;
    const bool has_gap = is_last ? spooled->tail_has_gap : spooled->cuts[low].has_gap;
    const uint64_t limit = is_last ? end_offset(spooled) : spooled->cuts[low].offset;
    uint64_t offset = limit;
    if (has_gap) {
        offset = low == 0 ? 0 : spooled->cuts[low - 1].offset;
        if (!look_for(spool, spooled, subxid, &offset, limit, err)) {
            return false;
        }
    }
    if (!truncate_at(spool, spooled, offset, err)) {
        return false;
    }
    spooled->cut_count = low;
    spooled->tail_has_gap = has_gap;
    return true;
}

/* ---- Reading. ---- */

void mr_pg_spool_rewind(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled)
{
    end_reading(spool);
    spool->read = spooled;
    spooled->read_offset = 0;
}

/* Makes `size` bytes of the file at read_offset be in the window; fewer when it ends before. */
static bool fill_window(struct mr_pg_spool *spool, const struct mr_pg_spooled *spooled, size_t size,
                        struct mr_error *err)
{
    MR_ASSERT(spool->read == spooled && spooled->read_offset + size <= spooled->file_bytes);
    if (spooled->read_offset >= spool->window_offset &&
        spooled->read_offset + size <= spool->window_offset + spool->window_bytes) {
        return true;
    }
    if (spool->read_fd < 0) {
        spool->read_fd = open_file(spool, spooled, O_RDONLY, err);
    }
    if (spool->read_fd < 0) {
        return false;
    }
    const size_t wanted = size > WINDOW_BYTES ? size : WINDOW_BYTES;
    if (spool->window_capacity < wanted) {
        free(spool->window);
        spool->window = mr_memory_resize(NULL, wanted, 1);
        spool->window_capacity = wanted;
    }
    size_t count = 0;
    spool->window_bytes = 0;
    const uint64_t left = spooled->file_bytes - spooled->read_offset;
    if (!mr_env_read_fully(spool->env, spool->read_fd, spool->window, left < wanted ? left : wanted,
                           (int64_t)spooled->read_offset, &count, err)) {
        return name_file(spool, "read", spooled->xid, err);
    }
    if (count < size) {
        const uint64_t end = spooled->read_offset + count;
        return mr_fail(err, MR_E_CORRUPT, MR_RETRY,
                       "\"" FOLDER "/%s/%u\" ends at %llu, before its transaction does; leave "
                       "files in data_dir alone",
                       spool->source, spooled->xid, (unsigned long long)end);
    }
    spool->window_offset = spooled->read_offset;
    spool->window_bytes = count;
    return true;
}

/* Where `size` bytes at read_offset lie in memory. */
static bool locate(struct mr_pg_spool *spool, const struct mr_pg_spooled *spooled, size_t size,
                   const uint8_t **bytes, struct mr_error *err)
{
    if (spooled->read_offset >= spooled->file_bytes) {
        MR_ASSERT(spooled->read_offset + size <= end_offset(spooled));
        *bytes = spooled->buffer + (spooled->read_offset - spooled->file_bytes);
        return true;
    }
    if (!fill_window(spool, spooled, size, err)) {
        return false;
    }
    *bytes = spool->window + (spooled->read_offset - spool->window_offset);
    return true;
}

bool mr_pg_spool_read(struct mr_pg_spool *spool, struct mr_pg_spooled *spooled,
                      struct mr_pg_record *record, bool *has, struct mr_error *err)
{
    const uint8_t *bytes = NULL;
    uint32_t length = 0;
    MR_ASSERT(spool->read == spooled);
    *has = spooled->read_offset < end_offset(spooled);
    if (!*has) {
        return true;
    }
    if (!locate(spool, spooled, HEADER_BYTES, &bytes, err)) {
        return false;
    }
    memcpy(&length, bytes, sizeof(length));
    const bool is_in_file = spooled->read_offset < spooled->file_bytes;
    const uint64_t left = (is_in_file ? spooled->file_bytes : end_offset(spooled)) -
                          spooled->read_offset - HEADER_BYTES;
    if (length > left) {
        return mr_fail(err, MR_E_CORRUPT, MR_RETRY, "\"" FOLDER "/%s/%u\" is damaged at %llu",
                       spool->source, spooled->xid, (unsigned long long)spooled->read_offset);
    }
    if (!locate(spool, spooled, (size_t)length + HEADER_BYTES, &bytes, err)) {
        return false;
    }
    record->tag = bytes[4];
    memcpy(&record->xid, bytes + 5, sizeof(record->xid));
    record->bytes = (struct mr_slice){bytes + HEADER_BYTES, length};
    return true;
}

void mr_pg_spool_step(struct mr_pg_spooled *spooled, const struct mr_pg_record *record)
{
    spooled->read_offset += HEADER_BYTES + record->bytes.length;
    MR_ASSERT(spooled->read_offset <= end_offset(spooled));
}
