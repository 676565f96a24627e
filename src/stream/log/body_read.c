// SPDX-License-Identifier: MIT
/*
 * body_read.c - the body of a frame back into a batch, without copying a column.
 *
 * The checksums say that the bytes are those that were written; the checks here say that they make
 * a batch, so that even a forged file can make nobody read outside of it: every count is compared
 * with the bytes left before it drives a loop, every index with what it points into.
 *
 * Frames that are read one after the other may be joined in one batch (a reader that is behind gets
 * its many small frames together): then indexes are moved by what the batch holds already.
 *
 * Invariant: the batch changes only after everything was checked.
 */
#include <string.h>

#include "body.h"
#include "reader.h"

#define POINTER_SIZE sizeof(void *)

/* What one body holds, not yet part of the batch. */
struct part {
    struct mr_body_head head;
    struct mr_slice epoch;
    struct mr_slice position;
    struct mr_transaction *transactions;
    struct mr_event *events;
    const struct mr_schema **truncated;
    struct mr_slice *origins;
    struct mr_note *notes;
    struct mr_chunk **chunks;
};

struct decoder {
    struct mr_reader in;
    uint8_t *body; /* the bytes of `in`, to be handed out */
    struct mr_batch *batch;
    mr_body_schema_fn schema;
    void *context;
    struct part part;
};

static bool fail_corrupt(struct mr_error *err, const char *what)
{
    return mr_fail(err, MR_E_CORRUPT, MR_STOP, "the frame's body is malformed: %s", what);
}

static bool fail_room(const struct decoder *decoder, struct mr_error *err)
{
    return mr_fail(err, MR_E_LIMIT, MR_STOP,
                   "a frame does not fit into a batch of %zu bytes; raise memory_max",
                   decoder->batch->arena.capacity);
}

/* The next `size` bytes at a multiple of `align`; NULL past the end. */
static void *section(struct decoder *decoder, size_t size, size_t align)
{
    struct mr_reader *in = &decoder->in;
    MR_ASSERT(align <= MR_BODY_ALIGN_WIDE);
    mr_read_skip(in, (align - in->offset % align) % align);
    const size_t offset = in->offset;
    mr_read_skip(in, size);
    MR_ASSERT(in->offset <= in->length);
    return mr_reader_ok(in) ? decoder->body + offset : NULL;
}

bool mr_body_read_head(struct mr_reader *in, struct mr_body_head *head, struct mr_error *err)
{
    struct mr_body_head found = {.chunk_count = mr_read_u32_le(in)};
    found.event_count = mr_read_u32_le(in);
    found.transaction_count = mr_read_u32_le(in);
    found.row_count = mr_read_u32_le(in);
    found.truncated_count = mr_read_u16_le(in);
    found.origin_count = mr_read_u16_le(in);
    found.epoch_length = mr_read_u32_le(in);
    found.position_length = mr_read_u32_le(in);
    found.column_count = mr_read_u32_le(in);
    found.native.major = mr_read_u64_le(in);
    found.native.minor = mr_read_u64_le(in);
    found.clock_skew_us = (int64_t)mr_read_u64_le(in);
    found.note_count = mr_read_u32_le(in);
    const uint32_t reserved = mr_read_u32_le(in);
    if (!mr_reader_ok(in) || reserved != 0 || found.origin_count == 0) {
        return fail_corrupt(err, "head");
    }
    if (found.chunk_count > MR_BATCH_CHUNKS_MAX || found.event_count > MR_BATCH_EVENTS_MAX ||
        found.transaction_count > MR_BATCH_TRANSACTIONS_MAX || found.note_count >= MR_NO_CHUNK) {
        return fail_corrupt(err, "counts");
    }
    *head = found;
    return true;
}

static bool read_transactions(struct decoder *decoder, struct mr_error *err)
{
    struct part *part = &decoder->part;
    const uint32_t count = part->head.transaction_count;
    part->transactions = section(decoder, count * sizeof(*part->transactions), MR_BODY_ALIGN);
    if (part->transactions == NULL) {
        return fail_corrupt(err, "transactions");
    }
    uint32_t events = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct mr_transaction *transaction = &part->transactions[i];
        if (transaction->first_event != events || transaction->flags != 0 ||
            transaction->event_count > part->head.event_count - events ||
            transaction->origin >= part->head.origin_count) {
            return fail_corrupt(err, "a transaction");
        }
        events += transaction->event_count;
    }
    return events == part->head.event_count || fail_corrupt(err, "events without a transaction");
}

static bool read_truncated(struct decoder *decoder, struct mr_error *err)
{
    struct part *part = &decoder->part;
    const size_t count = part->head.truncated_count;
    const uint32_t *ids = section(decoder, count * sizeof(uint32_t), MR_BODY_ALIGN);
    if (ids == NULL) {
        return fail_corrupt(err, "truncated tables");
    }
    part->truncated = MR_ARENA_NEW(&decoder->batch->arena, const struct mr_schema *, count);
    if (part->truncated == NULL) {
        return fail_room(decoder, err);
    }
    for (size_t i = 0; i < count; i++) {
        part->truncated[i] = decoder->schema(decoder->context, ids[i]);
        if (part->truncated[i] == NULL) {
            return fail_corrupt(err, "a truncated table that is not known");
        }
    }
    return true;
}

/* The builder grows this array when the count is a power of two: so much room it must have. */
static uint32_t origins_room(uint32_t count)
{
    uint32_t room = 4;
    while (room < count) {
        room *= 2;
    }
    return room;
}

static bool read_origins(struct decoder *decoder, struct mr_error *err)
{
    struct part *part = &decoder->part;
    const uint16_t count = part->head.origin_count;
    MR_ASSERT(count > 0);
    if (section(decoder, 0, MR_BODY_ALIGN) == NULL ||
        (size_t)count - 1 > mr_reader_left(&decoder->in) / sizeof(uint32_t)) {
        return fail_corrupt(err, "origins");
    }
    part->origins = MR_ARENA_NEW(&decoder->batch->arena, struct mr_slice, origins_room(count));
    if (part->origins == NULL) {
        return fail_room(decoder, err);
    }
    for (uint16_t i = 1; i < count; i++) {
        const uint32_t length = mr_read_u32_le(&decoder->in);
        part->origins[i] = mr_read_slice(&decoder->in, length);
    }
    return mr_reader_ok(&decoder->in) || fail_corrupt(err, "an origin");
}

/* A schema that a note names; 0 stands for none. */
static bool read_note_schema(struct decoder *decoder, const struct mr_schema **schema)
{
    const uint32_t id = mr_read_u32_le(&decoder->in);
    *schema = id == 0 ? NULL : decoder->schema(decoder->context, id);
    return id == 0 || *schema != NULL;
}

static bool read_note(struct decoder *decoder, struct mr_note *note)
{
    struct mr_reader *in = &decoder->in;
    note->kind = mr_read_u8(in);
    note->flags = mr_read_u8(in);
    const uint16_t reserved = mr_read_u16_le(in);
    if (!read_note_schema(decoder, &note->before) || !read_note_schema(decoder, &note->after)) {
        return false;
    }
    const uint32_t name_length = mr_read_u32_le(in);
    const uint32_t text_length = mr_read_u32_le(in);
    const uint32_t renamed_length = mr_read_u32_le(in);
    note->name = mr_read_slice(in, name_length);
    note->text = mr_read_slice(in, text_length);
    note->renamed = mr_read_slice(in, renamed_length);
    return mr_reader_ok(in) && reserved == 0 && (note->flags & ~MR_NOTE_TRANSACTIONAL) == 0 &&
           note->kind >= MR_NOTE_MESSAGE && note->kind <= MR_NOTE_STATEMENT;
}

static bool read_notes(struct decoder *decoder, struct mr_error *err)
{
    struct part *part = &decoder->part;
    const size_t count = part->head.note_count;
    if (section(decoder, 0, MR_BODY_ALIGN) == NULL ||
        count > mr_reader_left(&decoder->in) / MR_BODY_NOTE_SIZE) {
        return fail_corrupt(err, "notes");
    }
    part->notes = MR_ARENA_NEW(&decoder->batch->arena, struct mr_note, count);
    if (part->notes == NULL) {
        return fail_room(decoder, err);
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_note(decoder, &part->notes[i])) {
            return fail_corrupt(err, "a note");
        }
    }
    return true;
}

/* Whether `count` rows from `row` on are rows of a chunk of that image (any, if image < 0). */
static bool has_rows(const struct part *part, uint16_t chunk, uint32_t row, uint32_t count,
                     int image)
{
    return chunk < part->head.chunk_count && row + count <= part->chunks[chunk]->row_count &&
           (image < 0 || part->chunks[chunk]->image == image);
}

static bool event_is_sound(const struct part *part, const struct mr_event *event)
{
    if (event->flags != 0) {
        return false;
    }
    const bool has_before =
        event->before_chunk != MR_NO_CHUNK &&
        has_rows(part, event->before_chunk, event->before_row, event->count, -1);
    const bool has_after = event->chunk != MR_NO_CHUNK && event->kind != MR_EVENT_TRUNCATE &&
                           event->kind != MR_EVENT_NOTE &&
                           has_rows(part, event->chunk, event->row, event->count, MR_IMAGE_FULL);
    switch ((enum mr_event_kind)event->kind) {
    case MR_EVENT_INSERT:
    case MR_EVENT_READ:
        return event->count > 0 && has_after && event->before_chunk == MR_NO_CHUNK;
    case MR_EVENT_UPDATE:
        return event->count > 0 && has_after && (event->before_chunk == MR_NO_CHUNK || has_before);
    case MR_EVENT_DELETE:
        return event->count > 0 && has_before && event->chunk == MR_NO_CHUNK;
    case MR_EVENT_TRUNCATE:
        return event->chunk < part->head.truncated_count && event->before_chunk == MR_NO_CHUNK;
    case MR_EVENT_NOTE:
        return event->chunk < part->head.note_count && event->before_chunk == MR_NO_CHUNK &&
               event->count == 0;
    }
    return false;
}

static bool check_events(const struct part *part, struct mr_error *err)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < part->head.event_count; i++) {
        if (!event_is_sound(part, &part->events[i])) {
            return fail_corrupt(err, "an event");
        }
        rows += part->events[i].count;
    }
    return rows == part->head.row_count || fail_corrupt(err, "the row count");
}

/* Whether offsets begin at 0, never fall and end at the heap's size. Vectorised by compilers. */
static bool offsets_rise(const uint32_t *offsets, uint32_t row_count, uint32_t size)
{
    bool falls = false;
    for (uint32_t i = 0; i < row_count; i++) {
        falls |= offsets[i] > offsets[i + 1];
    }
    return !falls && offsets[0] == 0 && offsets[row_count] == size;
}

static bool bitmap_is_sound(const uint64_t *words, uint32_t row_count, uint32_t *bits)
{
    const size_t count = mr_chunk_words(row_count);
    MR_ASSERT(row_count <= MR_CHUNK_ROWS_MAX);
    uint32_t set = 0;
    for (size_t i = 0; i < count; i++) {
        set += (uint32_t)__builtin_popcountll(words[i]);
    }
    *bits = set;
    return row_count % 64 == 0 || words[count - 1] >> (row_count % 64) == 0;
}

static bool read_bitmap(struct decoder *decoder, uint32_t row_count, uint64_t **words,
                        uint32_t *bits)
{
    *words = section(decoder, mr_chunk_words(row_count) * sizeof(uint64_t), MR_BODY_ALIGN);
    return *words != NULL && bitmap_is_sound(*words, row_count, bits);
}

/* The column's sections; the entry of the column table has filled in its sizes. */
static bool read_column(struct decoder *decoder, struct mr_column_chunk *column, uint8_t flags,
                        uint32_t row_count)
{
    uint32_t values = 0;
    uint32_t unchanged = 0;
    uint32_t absent = 0;
    if (!read_bitmap(decoder, row_count, &column->valid, &values) ||
        ((flags & MR_BODY_HAS_UNCHANGED) != 0 &&
         !read_bitmap(decoder, row_count, &column->unchanged, &unchanged)) ||
        ((flags & MR_BODY_HAS_ABSENT) != 0 &&
         !read_bitmap(decoder, row_count, &column->absent, &absent)) ||
        row_count - values != column->null_count) {
        return false;
    }
    if (column->width != 0) {
        column->values = section(decoder, (size_t)row_count * column->width,
                                 column->width == 16 ? MR_BODY_ALIGN_WIDE : MR_BODY_ALIGN);
        return column->values != NULL;
    }
    column->offsets = section(decoder, ((size_t)row_count + 1) * sizeof(uint32_t), MR_BODY_ALIGN);
    column->heap = section(decoder, column->heap_size, MR_BODY_ALIGN);
    return column->offsets != NULL && column->heap != NULL &&
           offsets_rise(column->offsets, row_count, column->heap_size);
}

/* One entry of the chunk table. */
static struct mr_chunk *read_chunk(struct decoder *decoder, struct mr_error *err)
{
    struct mr_reader *in = &decoder->in;
    const uint32_t schema_id = mr_read_u32_le(in);
    const uint32_t row_count = mr_read_u32_le(in);
    const size_t column_count = mr_read_u16_le(in);
    const uint16_t image = mr_read_u16_le(in);
    const uint32_t reserved = mr_read_u32_le(in);
    const struct mr_schema *schema =
        mr_reader_ok(in) ? decoder->schema(decoder->context, schema_id) : NULL;
    if (schema == NULL || reserved != 0 || row_count > MR_CHUNK_ROWS_MAX || image > MR_IMAGE_KEY ||
        column_count !=
            (size_t)(image == MR_IMAGE_KEY ? schema->key_count : schema->column_count)) {
        (void)fail_corrupt(err, schema == NULL ? "a schema that is not known" : "a chunk");
        return NULL;
    }
    struct mr_chunk *chunk = MR_ARENA_NEW(&decoder->batch->arena, struct mr_chunk, 1);
    struct mr_column_chunk *columns =
        MR_ARENA_NEW(&decoder->batch->arena, struct mr_column_chunk, column_count);
    if (chunk == NULL || columns == NULL) {
        (void)fail_room(decoder, err);
        return NULL;
    }
    *chunk = (struct mr_chunk){
        .schema = schema,
        .columns = columns,
        .row_count = row_count,
        .capacity = row_count,
        .column_count = (uint16_t)column_count,
        .image = (uint8_t)image,
    };
    return chunk;
}

static bool read_chunk_table(struct decoder *decoder, struct mr_error *err)
{
    struct part *part = &decoder->part;
    uint64_t columns = 0;
    if (section(decoder, 0, MR_BODY_ALIGN) == NULL ||
        part->head.chunk_count > mr_reader_left(&decoder->in) / MR_BODY_CHUNK_SIZE) {
        return fail_corrupt(err, "chunk table");
    }
    part->chunks = MR_ARENA_NEW(&decoder->batch->arena, struct mr_chunk *, part->head.chunk_count);
    if (part->chunks == NULL) {
        return fail_room(decoder, err);
    }
    for (uint32_t i = 0; i < part->head.chunk_count; i++) {
        part->chunks[i] = read_chunk(decoder, err);
        if (part->chunks[i] == NULL) {
            return false;
        }
        columns += part->chunks[i]->column_count;
    }
    return columns == part->head.column_count || fail_corrupt(err, "the column count");
}

/* One entry of the column table, compared with what the schema says of the column. */
static bool read_column_entry(struct mr_reader *table, const struct mr_column *of,
                              struct mr_column_chunk *column, uint8_t *flags)
{
    column->type = mr_read_u8(table);
    column->width = mr_read_u8(table);
    *flags = mr_read_u8(table);
    const uint8_t reserved = mr_read_u8(table);
    column->null_count = mr_read_u32_le(table);
    column->heap_size = mr_read_u32_le(table);
    column->heap_capacity = column->heap_size;
    const uint32_t reserved_word = mr_read_u32_le(table);
    return mr_reader_ok(table) && reserved == 0 && reserved_word == 0 &&
           (*flags & ~(MR_BODY_HAS_UNCHANGED | MR_BODY_HAS_ABSENT)) == 0 &&
           column->type == (uint8_t)of->type &&
           column->width == mr_type_width(of->type, of->precision);
}

static bool read_columns(struct decoder *decoder, struct mr_error *err)
{
    struct part *part = &decoder->part;
    const uint8_t *entries =
        section(decoder, (size_t)part->head.column_count * MR_BODY_COLUMN_SIZE, MR_BODY_ALIGN);
    if (entries == NULL) {
        return fail_corrupt(err, "column table");
    }
    struct mr_reader table =
        mr_reader_init(entries, (size_t)part->head.column_count * MR_BODY_COLUMN_SIZE);
    for (uint32_t i = 0; i < part->head.chunk_count; i++) {
        struct mr_chunk *chunk = part->chunks[i];
        for (uint16_t c = 0; c < chunk->column_count; c++) {
            uint8_t flags = 0;
            if (!read_column_entry(&table, mr_chunk_column(chunk, c), &chunk->columns[c], &flags) ||
                !read_column(decoder, &chunk->columns[c], flags, chunk->row_count)) {
                return fail_corrupt(err, "a column");
            }
        }
    }
    return true;
}

static bool read_part(struct decoder *decoder, struct mr_error *err)
{
    struct part *part = &decoder->part;
    if (!mr_body_read_head(&decoder->in, &part->head, err)) {
        return false;
    }
    part->epoch = mr_read_slice(&decoder->in, part->head.epoch_length);
    part->position = mr_read_slice(&decoder->in, part->head.position_length);
    if (!mr_reader_ok(&decoder->in)) {
        return fail_corrupt(err, "position");
    }
    if (!read_transactions(decoder, err)) {
        return false;
    }
    part->events = section(decoder, part->head.event_count * sizeof(*part->events), MR_BODY_ALIGN);
    if (part->events == NULL) {
        return fail_corrupt(err, "events");
    }
    if (!read_truncated(decoder, err) || !read_origins(decoder, err) || !read_notes(decoder, err) ||
        !read_chunk_table(decoder, err) || !read_columns(decoder, err)) {
        return false;
    }
    if (mr_reader_left(&decoder->in) != 0) {
        return fail_corrupt(err, "bytes left over");
    }
    return check_events(part, err);
}

/* A copy of `items` behind the batch's own `before` ones; `items` itself if there are none. */
static void *append_items(struct mr_arena *arena, void *own, uint32_t before, void *items,
                          uint32_t count, size_t item_size)
{
    if (before == 0) {
        return items;
    }
    uint8_t *joined = mr_arena_alloc(arena, ((size_t)before + count) * item_size, MR_BODY_ALIGN);
    if (joined == NULL) {
        return NULL;
    }
    memcpy(joined, own, before * item_size);
    if (count > 0) {
        memcpy(joined + before * item_size, items, count * item_size);
    }
    return joined;
}

/* How many the batch holds of what an event's `chunk` points into. */
static uint32_t base_of(const struct mr_batch *batch, const struct mr_event *event)
{
    switch ((enum mr_event_kind)event->kind) {
    case MR_EVENT_TRUNCATE:
        return batch->truncated_count;
    case MR_EVENT_NOTE:
        return batch->note_count;
    case MR_EVENT_INSERT:
    case MR_EVENT_UPDATE:
    case MR_EVENT_DELETE:
    case MR_EVENT_READ:
        break;
    }
    return batch->chunk_count;
}

/* Moves the part's indexes by what the batch holds. */
static bool move_indexes(struct mr_batch *batch, struct part *part, struct mr_error *err)
{
    for (uint32_t i = 0; i < part->head.event_count; i++) {
        struct mr_event *event = &part->events[i];
        if (event->chunk != MR_NO_CHUNK) {
            event->chunk = (uint16_t)(event->chunk + base_of(batch, event));
        }
        if (event->before_chunk != MR_NO_CHUNK) {
            event->before_chunk = (uint16_t)(event->before_chunk + batch->chunk_count);
        }
    }
    for (uint32_t i = 0; i < part->head.transaction_count; i++) {
        struct mr_transaction *transaction = &part->transactions[i];
        MR_ASSERT(transaction->origin < part->head.origin_count);
        transaction->first_event += batch->event_count;
        if (!mr_batch_origin(batch, part->origins[transaction->origin], &transaction->origin,
                             err)) {
            return false;
        }
    }
    return true;
}

static bool join_part(struct decoder *decoder, struct mr_error *err)
{
    struct mr_batch *batch = decoder->batch;
    struct part *part = &decoder->part;
    const struct mr_body_head *head = &part->head;
    MR_ASSERT(batch->chunk_count <= MR_BATCH_CHUNKS_MAX);
    MR_ASSERT(batch->event_count <= MR_BATCH_EVENTS_MAX);
    MR_ASSERT(batch->transaction_count <= MR_BATCH_TRANSACTIONS_MAX);
    if (head->chunk_count > MR_BATCH_CHUNKS_MAX - batch->chunk_count ||
        head->event_count > MR_BATCH_EVENTS_MAX - batch->event_count ||
        head->transaction_count > MR_BATCH_TRANSACTIONS_MAX - batch->transaction_count ||
        head->truncated_count >= MR_NO_CHUNK - batch->truncated_count ||
        head->note_count >= (uint32_t)MR_NO_CHUNK - batch->note_count) {
        return fail_room(decoder, err);
    }
    if (!move_indexes(batch, part, err)) {
        return false;
    }
    struct mr_arena *arena = &batch->arena;
    void *transactions =
        append_items(arena, batch->transactions, batch->transaction_count, part->transactions,
                     head->transaction_count, sizeof(*part->transactions));
    void *events = append_items(arena, batch->events, batch->event_count, part->events,
                                head->event_count, sizeof(*part->events));
    void *chunks = append_items(arena, batch->chunks, batch->chunk_count, part->chunks,
                                head->chunk_count, POINTER_SIZE);
    void *truncated = append_items(arena, batch->truncated, batch->truncated_count, part->truncated,
                                   head->truncated_count, POINTER_SIZE);
    void *notes = append_items(arena, batch->notes, batch->note_count, part->notes,
                               head->note_count, sizeof(*part->notes));
    if (transactions == NULL || events == NULL || chunks == NULL || truncated == NULL ||
        notes == NULL) {
        return fail_room(decoder, err);
    }
    batch->transactions = transactions;
    batch->events = events;
    batch->chunks = chunks;
    batch->truncated = truncated;
    batch->notes = notes;
    return true;
}

/* The batch was empty: it takes the part's arrays over as they are. */
static void adopt_part(struct mr_batch *batch, struct part *part)
{
    MR_ASSERT(batch->event_count == 0 && batch->chunk_count == 0 && batch->origin_count == 1);
    batch->transactions = part->transactions;
    batch->events = part->events;
    batch->chunks = part->chunks;
    batch->truncated = part->truncated;
    batch->notes = part->notes;
    batch->origins = part->origins;
    batch->origin_count = part->head.origin_count;
}

bool mr_body_read(uint8_t *body, size_t size, struct mr_batch *batch, mr_body_schema_fn schema,
                  void *context, struct mr_error *err)
{
    MR_ASSERT((uintptr_t)body % MR_BODY_ALIGN_WIDE == 0);
    MR_ASSERT(body >= batch->arena.base && body + size <= batch->arena.base + batch->arena.used);
    MR_ASSERT(!batch->continued && !batch->transaction_open);
    struct decoder decoder = {
        .in = mr_reader_init(body, size),
        .body = body,
        .batch = batch,
        .schema = schema,
        .context = context,
    };
    if (!read_part(&decoder, err)) {
        return false;
    }
    struct part *part = &decoder.part;
    if (batch->transaction_count == 0 && batch->chunk_count == 0 && batch->origin_count == 1) {
        adopt_part(batch, part);
    } else if (!join_part(&decoder, err)) {
        return false;
    }
    batch->transaction_count += part->head.transaction_count;
    batch->event_count += part->head.event_count;
    batch->chunk_count += part->head.chunk_count;
    batch->truncated_count = (uint16_t)(batch->truncated_count + part->head.truncated_count);
    batch->note_count = (uint16_t)(batch->note_count + part->head.note_count);
    batch->row_count += part->head.row_count;
    batch->transactions_capacity = batch->transaction_count;
    batch->events_capacity = batch->event_count;
    batch->chunks_capacity = batch->chunk_count;
    batch->clock_skew_us = part->head.clock_skew_us;
    if (part->head.position_length > 0) {
        batch->epoch = part->epoch;
        batch->position = part->position;
        batch->native = part->head.native;
    }
    return true;
}

bool mr_body_read_position(struct mr_slice body, struct mr_position *position, struct mr_error *err)
{
    struct mr_reader in = mr_reader_init(body.bytes, body.length);
    struct mr_body_head head = {0};
    if (!mr_body_read_head(&in, &head, err)) {
        return false;
    }
    const struct mr_slice epoch = mr_read_slice(&in, head.epoch_length);
    const struct mr_slice text = mr_read_slice(&in, head.position_length);
    if (!mr_reader_ok(&in)) {
        return fail_corrupt(err, "position");
    }
    if (text.length == 0) {
        return true;
    }
    if (!mr_position_set(position, epoch, text, head.native, err)) {
        err->code = MR_E_CORRUPT; /* it was within the limits when it was written */
        return false;
    }
    return true;
}
