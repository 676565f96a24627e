// SPDX-License-Identifier: MIT
/*
 * registry.h - every plug-in of the program, by stage: what `type:` in a configuration may name.
 */
#ifndef MR_PIPELINE_REGISTRY_H
#define MR_PIPELINE_REGISTRY_H

#include <stddef.h>

#include "sink.h"
#include "source.h"
#include "stream.h"

/** The plug-in by its name in a configuration, or NULL. */
const struct mr_source_ops *mr_registry_find_source(const char *name);
const struct mr_stream_ops *mr_registry_find_stream(const char *name);
const struct mr_sink_ops *mr_registry_find_sink(const char *name);

/** The plug-in at an index from 0, in the order of the documentation; NULL past the last. */
const struct mr_source_ops *mr_registry_source_at(size_t index);
const struct mr_stream_ops *mr_registry_stream_at(size_t index);
const struct mr_sink_ops *mr_registry_sink_at(size_t index);

#endif
