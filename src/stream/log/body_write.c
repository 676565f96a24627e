// SPDX-License-Identifier: MIT
/*
 * body_write.c - gathers a batch into one run of bytes.
 *
 *   body := head epoch position | transactions | events | truncated | origins | notes |
 *           chunk table | column table | sections
 *
 * Every part begins at a multiple of 8 (values of 16 bytes: 16). Transactions and events are
 * written as they lie in memory: the assertions below pin their layout, so that a change of a
 * struct is a compile error and not a silent change of the format.
 *
 * INVARIANTS, asserted here because a log that cannot be read again is worse than a stop:
 *   - the bits of a column's `valid` beyond its rows are zero, and null_count agrees with it;
 *   - the last offset of a variable column lies within its heap;
 *   - events belong to transactions without gaps.
 */
#include "body.h"

#include <stddef.h>

#include "frame.h"

_Static_assert(sizeof(struct mr_transaction) == 48, "part of the format");
_Static_assert(offsetof(struct mr_transaction, end) == 0, "part of the format");
_Static_assert(offsetof(struct mr_transaction, number) == 16, "part of the format");
_Static_assert(offsetof(struct mr_transaction, commit_us) == 24, "part of the format");
_Static_assert(offsetof(struct mr_transaction, first_event) == 32, "part of the format");
_Static_assert(offsetof(struct mr_transaction, event_count) == 36, "part of the format");
_Static_assert(offsetof(struct mr_transaction, row_count) == 40, "part of the format");
_Static_assert(offsetof(struct mr_transaction, origin) == 44, "part of the format");
_Static_assert(offsetof(struct mr_transaction, flags) == 46, "part of the format");
_Static_assert(sizeof(struct mr_event) == 12, "part of the format");
_Static_assert(offsetof(struct mr_event, kind) == 0, "part of the format");
_Static_assert(offsetof(struct mr_event, flags) == 1, "part of the format");
_Static_assert(offsetof(struct mr_event, count) == 2, "part of the format");
_Static_assert(offsetof(struct mr_event, chunk) == 4, "part of the format");
_Static_assert(offsetof(struct mr_event, row) == 6, "part of the format");
_Static_assert(offsetof(struct mr_event, before_chunk) == 8, "part of the format");
_Static_assert(offsetof(struct mr_event, before_row) == 10, "part of the format");

/* `out` begins aligned (asserted by the entry points), so its length tells the alignment. */
static void pad(struct mr_writer *out, size_t align)
{
    static const uint8_t zeros[MR_BODY_ALIGN_WIDE];
    MR_ASSERT(align <= sizeof(zeros));
    mr_write_bytes(out, zeros, (align - out->length % align) % align);
}

static void write_section(struct mr_writer *out, const void *bytes, size_t size, size_t align)
{
    pad(out, align);
    if (size > 0) {
        mr_write_bytes(out, bytes, size);
    }
}

static void write_head(struct mr_writer *out, const struct mr_body_head *head)
{
    const size_t start = out->length;
    mr_write_u32_le(out, head->chunk_count);
    mr_write_u32_le(out, head->event_count);
    mr_write_u32_le(out, head->transaction_count);
    mr_write_u32_le(out, head->row_count);
    mr_write_u16_le(out, head->truncated_count);
    mr_write_u16_le(out, head->origin_count);
    mr_write_u32_le(out, head->epoch_length);
    mr_write_u32_le(out, head->position_length);
    mr_write_u32_le(out, head->column_count);
    mr_write_u64_le(out, head->native.major);
    mr_write_u64_le(out, head->native.minor);
    mr_write_u64_le(out, (uint64_t)head->clock_skew_us);
    mr_write_u32_le(out, head->note_count);
    mr_write_u32_le(out, 0);
    MR_ASSERT(out->failed || out->length - start == MR_BODY_HEAD_SIZE);
}

/* The log's own bound, in words that say what to change. */
static bool check_written(const struct mr_writer *out, struct mr_error *err)
{
    if (!out->failed) {
        return true;
    }
    return mr_fail(err, MR_E_LIMIT, MR_STOP,
                   "a batch needs more than %u bytes in the log; lower value_max or memory_max",
                   MR_FRAME_BODY_BYTES_MAX);
}

static void check_transactions(const struct mr_batch *batch)
{
    uint32_t events = 0;
    for (uint32_t i = 0; i < batch->transaction_count; i++) {
        MR_ASSERT(batch->transactions[i].first_event == events);
        MR_ASSERT(batch->transactions[i].event_count <= batch->event_count - events);
        MR_ASSERT(batch->transactions[i].origin < batch->origin_count);
        events += batch->transactions[i].event_count;
    }
    MR_ASSERT(events == batch->event_count);
}

static void write_truncated(struct mr_writer *out, const struct mr_batch *batch)
{
    pad(out, MR_BODY_ALIGN);
    for (uint16_t i = 0; i < batch->truncated_count; i++) {
        mr_write_u32_le(out, batch->truncated[i]->schema_id);
    }
}

static void write_origins(struct mr_writer *out, const struct mr_batch *batch)
{
    MR_ASSERT(batch->origin_count > 0 && batch->origins[0].length == 0);
    pad(out, MR_BODY_ALIGN);
    for (uint16_t i = 1; i < batch->origin_count; i++) {
        mr_write_slice_u32(out, batch->origins[i]);
    }
}

static uint32_t id_of(const struct mr_schema *schema)
{
    return schema != NULL ? schema->schema_id : 0;
}

static void write_notes(struct mr_writer *out, const struct mr_batch *batch)
{
    pad(out, MR_BODY_ALIGN);
    for (uint16_t i = 0; i < batch->note_count; i++) {
        const struct mr_note *note = &batch->notes[i];
        MR_ASSERT(note->kind >= MR_NOTE_MESSAGE && note->kind <= MR_NOTE_STATEMENT);
        MR_ASSERT(note->text.length <= UINT32_MAX && note->renamed.length <= UINT32_MAX);
        mr_write_u8(out, note->kind);
        mr_write_u8(out, note->flags);
        mr_write_u16_le(out, 0);
        mr_write_u32_le(out, id_of(note->before));
        mr_write_u32_le(out, id_of(note->after));
        mr_write_u32_le(out, (uint32_t)note->name.length);
        mr_write_u32_le(out, (uint32_t)note->text.length);
        mr_write_u32_le(out, (uint32_t)note->renamed.length);
        mr_write_bytes(out, note->name.bytes, note->name.length);
        mr_write_bytes(out, note->text.bytes, note->text.length);
        mr_write_bytes(out, note->renamed.bytes, note->renamed.length);
    }
}

static void write_chunk_table(struct mr_writer *out, const struct mr_batch *batch)
{
    pad(out, MR_BODY_ALIGN);
    for (uint32_t i = 0; i < batch->chunk_count; i++) {
        const struct mr_chunk *chunk = batch->chunks[i];
        MR_ASSERT(chunk->row_count <= chunk->capacity && chunk->row_count <= MR_CHUNK_ROWS_MAX);
        mr_write_u32_le(out, chunk->schema->schema_id);
        mr_write_u32_le(out, chunk->row_count);
        mr_write_u16_le(out, chunk->column_count);
        mr_write_u16_le(out, chunk->image);
        mr_write_u32_le(out, 0);
    }
}

static uint32_t heap_size(const struct mr_column_chunk *column, uint32_t row_count)
{
    const uint32_t size = column->width == 0 ? column->offsets[row_count] : 0;
    MR_ASSERT(size <= column->heap_size);
    return size;
}

static void check_column(const struct mr_column_chunk *column, uint32_t row_count)
{
    const size_t words = mr_chunk_words(row_count);
    uint32_t values = 0;
    for (size_t i = 0; i < words; i++) {
        values += (uint32_t)__builtin_popcountll(column->valid[i]);
    }
    MR_ASSERT(values <= row_count && row_count - values == column->null_count);
    MR_ASSERT(row_count % 64 == 0 || column->valid[words - 1] >> (row_count % 64) == 0);
}

static void write_column_entry(struct mr_writer *out, const struct mr_column_chunk *column,
                               uint32_t row_count)
{
    check_column(column, row_count);
    const uint8_t flags = (uint8_t)((column->unchanged != NULL ? MR_BODY_HAS_UNCHANGED : 0) |
                                    (column->absent != NULL ? MR_BODY_HAS_ABSENT : 0));
    mr_write_u8(out, column->type);
    mr_write_u8(out, column->width);
    mr_write_u8(out, flags);
    mr_write_u8(out, 0);
    mr_write_u32_le(out, column->null_count);
    mr_write_u32_le(out, heap_size(column, row_count));
    mr_write_u32_le(out, 0);
}

static void write_column(struct mr_writer *out, const struct mr_column_chunk *column,
                         uint32_t row_count)
{
    const size_t bitmap_size = mr_chunk_words(row_count) * sizeof(uint64_t);
    write_section(out, column->valid, bitmap_size, MR_BODY_ALIGN);
    if (column->unchanged != NULL) {
        write_section(out, column->unchanged, bitmap_size, MR_BODY_ALIGN);
    }
    if (column->absent != NULL) {
        write_section(out, column->absent, bitmap_size, MR_BODY_ALIGN);
    }
    if (column->width != 0) {
        write_section(out, column->values, (size_t)row_count * column->width,
                      column->width == 16 ? MR_BODY_ALIGN_WIDE : MR_BODY_ALIGN);
        return;
    }
    write_section(out, column->offsets, ((size_t)row_count + 1) * sizeof(uint32_t), MR_BODY_ALIGN);
    write_section(out, column->heap, heap_size(column, row_count), MR_BODY_ALIGN);
}

static void write_chunks(struct mr_writer *out, const struct mr_batch *batch)
{
    write_chunk_table(out, batch);
    for (uint32_t i = 0; i < batch->chunk_count; i++) {
        const struct mr_chunk *chunk = batch->chunks[i];
        for (uint16_t column = 0; column < chunk->column_count; column++) {
            write_column_entry(out, &chunk->columns[column], chunk->row_count);
        }
    }
    for (uint32_t i = 0; i < batch->chunk_count; i++) {
        const struct mr_chunk *chunk = batch->chunks[i];
        for (uint16_t column = 0; column < chunk->column_count; column++) {
            write_column(out, &chunk->columns[column], chunk->row_count);
        }
    }
}

bool mr_body_write(const struct mr_batch *batch, struct mr_writer *out, struct mr_error *err)
{
    MR_ASSERT(out->length % MR_BODY_ALIGN_WIDE == 0);
    MR_ASSERT(batch->snapshot_table == 0 && !batch->aborts && !batch->transaction_open);
    struct mr_body_head head = {
        .chunk_count = batch->chunk_count,
        .event_count = batch->event_count,
        .transaction_count = batch->transaction_count,
        .row_count = batch->row_count,
        .truncated_count = batch->truncated_count,
        .origin_count = batch->origin_count,
        .epoch_length = (uint32_t)batch->epoch.length,
        .position_length = (uint32_t)batch->position.length,
        .native = batch->native,
        .clock_skew_us = batch->clock_skew_us,
        .note_count = batch->note_count,
    };
    for (uint32_t i = 0; i < batch->chunk_count; i++) {
        head.column_count += batch->chunks[i]->column_count;
    }
    check_transactions(batch);
    write_head(out, &head);
    mr_write_bytes(out, batch->epoch.bytes, batch->epoch.length);
    mr_write_bytes(out, batch->position.bytes, batch->position.length);
    write_section(out, batch->transactions, batch->transaction_count * sizeof(*batch->transactions),
                  MR_BODY_ALIGN);
    write_section(out, batch->events, batch->event_count * sizeof(*batch->events), MR_BODY_ALIGN);
    write_truncated(out, batch);
    write_origins(out, batch);
    write_notes(out, batch);
    write_chunks(out, batch);
    return check_written(out, err);
}

bool mr_body_write_position(const struct mr_position *position, struct mr_writer *out,
                            struct mr_error *err)
{
    MR_ASSERT(out->length % MR_BODY_ALIGN_WIDE == 0);
    struct mr_body_head head = {.origin_count = 1};
    struct mr_slice text = {0};
    struct mr_slice epoch = {0};
    if (mr_position_is_set(position)) {
        text = mr_slice_of(position->text);
        epoch = mr_slice_of(position->epoch);
        head.native = position->native;
    }
    head.position_length = (uint32_t)text.length;
    head.epoch_length = (uint32_t)epoch.length;
    write_head(out, &head);
    mr_write_bytes(out, epoch.bytes, epoch.length);
    mr_write_bytes(out, text.bytes, text.length);
    return check_written(out, err);
}
