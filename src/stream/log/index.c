// SPDX-License-Identifier: MIT
/*
 * index.c - arrays of segments and, a segment, of entries; searched by halving.
 *
 * Invariants:
 *   - first_frame rises strictly from segment to segment, first_sequence never falls;
 *   - the same holds for the entries of a segment, whose offsets lie `spacing` or more apart;
 *   - `size` is the sum of the segments' sizes.
 */
#include "index.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define SEGMENTS_MIN 16
#define ENTRIES_MIN  16

void mr_index_add(struct mr_index *index, const struct mr_segment_header *header, int64_t size)
{
    MR_ASSERT(size >= MR_SEGMENT_HEADER_SIZE);
    MR_ASSERT(index->spacing > 0);
    if (index->count > 0) {
        const struct mr_index_segment *last = &index->segments[index->count - 1];
        MR_ASSERT(last->first_frame < header->first_frame);
        MR_ASSERT(last->first_sequence <= header->first_sequence);
    }
    if (index->count == index->capacity) {
        index->capacity = index->capacity < SEGMENTS_MIN ? SEGMENTS_MIN : index->capacity * 2;
        index->segments =
            mr_memory_resize(index->segments, index->capacity, sizeof(*index->segments));
    }
    index->segments[index->count++] = (struct mr_index_segment){
        .first_sequence = header->first_sequence,
        .first_frame = header->first_frame,
        .created_us = header->created_us,
        .size = size,
        .inside = header->inside,
    };
    index->size += size;
}

void mr_index_note(struct mr_index_segment *segment, int64_t spacing, const struct mr_frame *frame,
                   int64_t offset)
{
    MR_ASSERT(spacing > 0 && offset >= MR_SEGMENT_HEADER_SIZE);
    segment->commit_us_last = frame->commit_us != 0 ? frame->commit_us : segment->commit_us_last;
    if (segment->entry_count > 0) {
        const struct mr_index_entry *last = &segment->entries[segment->entry_count - 1];
        MR_ASSERT(last->number < frame->number && last->offset < offset);
        if (offset - last->offset < spacing || segment->entry_count == MR_INDEX_ENTRIES_MAX) {
            return;
        }
    }
    if (segment->entry_count == segment->entry_capacity) {
        segment->entry_capacity =
            segment->entry_capacity < ENTRIES_MIN ? ENTRIES_MIN : segment->entry_capacity * 2;
        segment->entries =
            mr_memory_resize(segment->entries, segment->entry_capacity, sizeof(*segment->entries));
    }
    segment->entries[segment->entry_count++] = (struct mr_index_entry){
        .number = frame->number,
        .sequence = frame->first_sequence,
        .offset = offset,
        .commit_us = segment->commit_us_last,
    };
}

void mr_index_append(struct mr_index *index, const struct mr_frame *frame, int64_t offset)
{
    MR_ASSERT(index->count > 0);
    struct mr_index_segment *last = &index->segments[index->count - 1];
    MR_ASSERT(offset == last->size);
    mr_index_note(last, index->spacing, frame, offset);
    last->is_indexed = true;
    last->size += (int64_t)mr_frame_size(frame);
    index->size += (int64_t)mr_frame_size(frame);
}

void mr_index_drop_first(struct mr_index *index)
{
    MR_ASSERT(index->count > 1);
    index->size -= index->segments[0].size;
    MR_ASSERT(index->size > 0);
    free(index->segments[0].entries);
    index->count--;
    memmove(index->segments, index->segments + 1, index->count * sizeof(*index->segments));
}

struct mr_index_segment *mr_index_by_frame(const struct mr_index *index, uint64_t number)
{
    MR_ASSERT(index->count > 0);
    if (number < index->segments[0].first_frame) {
        return NULL;
    }
    uint32_t low = 0;
    uint32_t high = index->count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (index->segments[middle].first_frame <= number) {
            low = middle;
        } else {
            high = middle;
        }
    }
    MR_ASSERT(index->segments[low].first_frame <= number);
    return &index->segments[low];
}

struct mr_index_segment *mr_index_by_sequence(const struct mr_index *index, uint64_t sequence)
{
    MR_ASSERT(index->count > 0);
    uint32_t low = 0;
    uint32_t high = index->count;
    while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        if (index->segments[middle].first_sequence < sequence) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &index->segments[low];
}

struct mr_index_segment *mr_index_by_time(const struct mr_index *index, int64_t unix_us)
{
    MR_ASSERT(index->count > 0);
    /* The clock may have been set back between segments: the first later one ends the search. */
    uint32_t found = 0;
    for (uint32_t i = 1; i < index->count && index->segments[i].created_us <= unix_us; i++) {
        found = i;
    }
    MR_ASSERT(found < index->count);
    return &index->segments[found];
}

const struct mr_index_entry *mr_index_entry_by_frame(const struct mr_index_segment *segment,
                                                     uint64_t number)
{
    MR_ASSERT(segment->entry_count > 0 && segment->entries[0].number <= number);
    uint32_t found = segment->entry_count - 1;
    while (segment->entries[found].number > number) {
        found--;
    }
    return &segment->entries[found];
}

const struct mr_index_entry *mr_index_entry_by_sequence(const struct mr_index_segment *segment,
                                                        uint64_t sequence)
{
    MR_ASSERT(segment->entry_count > 0);
    uint32_t found = segment->entry_count - 1;
    while (found > 0 && segment->entries[found].sequence >= sequence) {
        found--;
    }
    return &segment->entries[found];
}

const struct mr_index_entry *mr_index_entry_by_time(const struct mr_index_segment *segment,
                                                    int64_t commit_us)
{
    MR_ASSERT(segment->entry_count > 0);
    uint32_t found = 0;
    while (found + 1 < segment->entry_count && segment->entries[found + 1].commit_us < commit_us) {
        found++;
    }
    return &segment->entries[found];
}

uint64_t mr_index_first_sequence(const struct mr_index *index)
{
    MR_ASSERT(index->count > 0);
    const struct mr_index_segment *first = &index->segments[0];
    MR_ASSERT(first->first_sequence > 0);
    /* The beginning of the transaction that it begins inside of is gone. */
    return first->first_sequence + (first->inside ? 1 : 0);
}

void mr_index_done(struct mr_index *index)
{
    for (uint32_t i = 0; i < index->count; i++) {
        free(index->segments[i].entries);
    }
    free(index->segments);
    *index = (struct mr_index){0};
}
