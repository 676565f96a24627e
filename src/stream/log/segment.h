// SPDX-License-Identifier: MIT
/*
 * segment.h - one file of the log, while it is written: create, append, sync, seal.
 */
#ifndef MR_STREAM_LOG_SEGMENT_H
#define MR_STREAM_LOG_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"
#include "env.h"
#include "error.h"
#include "frame.h"

#define MR_SEGMENT_NAME_SIZE  48 /* "<sequence, 20 digits>-<frame, 20 digits>.seg" and a NUL */
#define MR_SEGMENT_TEMPORARY  "new.tmp"
#define MR_SEGMENT_STEP_BYTES (INT64_C(4) << 20) /* preallocated at a time */

/* What an operator can do about damage. */
#define MR_SEGMENT_CURE                                                                            \
    "restore the file from a copy, or remove the stream's directory and have the source's tables " \
    "copied anew"

struct mr_segment {
    const struct mr_env *env;
    int dir_fd; /* borrowed */
    int fd;     /* -1: not open */
    struct mr_segment_header header;
    int64_t end;       /* behind the last whole frame */
    int64_t allocated; /* size of the file: zeros from `end` on */
    int64_t step;      /* bytes by which it is preallocated; 0: not at all */
};

void mr_segment_name(uint64_t first_sequence, uint64_t first_frame,
                     char name[MR_SEGMENT_NAME_SIZE]);

/** Whether it is a segment's name; then what is in it. */
bool mr_segment_parse_name(const char *name, uint64_t *first_sequence, uint64_t *first_frame);

/**
 * Opens a segment of the directory by its name (flags as for open) and reads its header, which must
 * agree with the name. *segment is untouched on failure; on success `end` is behind the header.
 */
bool mr_segment_open(struct mr_segment *segment, const struct mr_env *env, int dir_fd,
                     const char *name, int flags, struct mr_error *err) MR_MUST_CHECK;

/** Makes a segment under its temporary name, with its header and room for `step` bytes. */
bool mr_segment_create(struct mr_segment *segment, const struct mr_env *env, int dir_fd,
                       const struct mr_segment_header *header, int64_t step,
                       struct mr_error *err) MR_MUST_CHECK;

/**
 * Makes what was written durable and gives the file its name. *is_named tells after a failure
 * whether the name may have come into being; if not, the temporary file is gone.
 */
bool mr_segment_publish(struct mr_segment *segment, bool *is_named,
                        struct mr_error *err) MR_MUST_CHECK;

/**
 * Writes a frame at the end: bytes holds MR_FRAME_HEADER_SIZE bytes that are filled in here, then
 * payload and padding. After a failure the file ends where it did; MR_E_FULL, MR_RETRY: try again
 * when there is room.
 */
bool mr_segment_append(struct mr_segment *segment, struct mr_frame *frame, uint8_t *bytes,
                       struct mr_error *err) MR_MUST_CHECK;

bool mr_segment_sync(struct mr_segment *segment, struct mr_error *err) MR_MUST_CHECK;

/** Gives the unused room back and syncs: nothing is appended any more. */
bool mr_segment_seal(struct mr_segment *segment, struct mr_error *err) MR_MUST_CHECK;

/** Accepts a segment that is not open. */
void mr_segment_close(struct mr_segment *segment);

#endif
