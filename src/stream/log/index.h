// SPDX-License-Identifier: MIT
/*
 * index.h - which segments there are, and where in them to start looking for a frame.
 *
 * The index is sparse: of a segment it knows the first frame and then one in so many bytes. The
 * segments written since the start are indexed as they are written; older ones when a reader first
 * needs them, by reading their frame headers alone.
 */
#ifndef MR_STREAM_LOG_INDEX_H
#define MR_STREAM_LOG_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "frame.h"

#define MR_INDEX_ENTRIES_MAX 256 /* a segment */

/** A frame of a segment. */
struct mr_index_entry {
    uint64_t number;
    uint64_t sequence; /* first_sequence of the frame */
    int64_t offset;
    int64_t commit_us; /* of the last transaction up to it, as far as known; 0 unknown */
};

struct mr_index_segment {
    uint64_t first_sequence;
    uint64_t first_frame;
    int64_t created_us;
    int64_t size; /* bytes of header and frames */
    bool inside;  /* begins inside a transaction */
    bool is_indexed;
    int64_t commit_us_last;         /* of the frames looked at; 0 unknown */
    struct mr_index_entry *entries; /* ascending; NULL until indexed */
    uint32_t entry_count;
    uint32_t entry_capacity;
};

/** Ascending, without gaps; the last one is being written. */
struct mr_index {
    struct mr_index_segment *segments;
    uint32_t count;
    uint32_t capacity;
    int64_t size; /* bytes of all */
    int64_t spacing;
};

void mr_index_add(struct mr_index *index, const struct mr_segment_header *header, int64_t size);

/** The last segment has grown by a frame that lies at `offset`. */
void mr_index_append(struct mr_index *index, const struct mr_frame *frame, int64_t offset);

/** Notes a frame in a segment's entries if the last one noted is far enough away. */
void mr_index_note(struct mr_index_segment *segment, int64_t spacing, const struct mr_frame *frame,
                   int64_t offset);

/** Forgets the oldest segment. */
void mr_index_drop_first(struct mr_index *index);

/** The segment that holds (or will hold) a frame; NULL when it is deleted. */
struct mr_index_segment *mr_index_by_frame(const struct mr_index *index, uint64_t number);

/** The last segment that begins below a sequence, or the first of all. */
struct mr_index_segment *mr_index_by_sequence(const struct mr_index *index, uint64_t sequence);

/** The last segment created at or before a time, or the first of all. */
struct mr_index_segment *mr_index_by_time(const struct mr_index *index, int64_t unix_us);

/** The last entry of a segment at or before a frame; an indexed segment always has one. */
const struct mr_index_entry *mr_index_entry_by_frame(const struct mr_index_segment *segment,
                                                     uint64_t number);
/** The last entry that begins below a sequence, or the first. */
const struct mr_index_entry *mr_index_entry_by_sequence(const struct mr_index_segment *segment,
                                                        uint64_t sequence);
/** The last entry before which nothing was committed at or after a time, or the first. */
const struct mr_index_entry *mr_index_entry_by_time(const struct mr_index_segment *segment,
                                                    int64_t commit_us);

/** The oldest sequence that can be read whole. */
uint64_t mr_index_first_sequence(const struct mr_index *index);

void mr_index_done(struct mr_index *index);

#endif
