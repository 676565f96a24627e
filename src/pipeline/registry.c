// SPDX-License-Identifier: MIT
/*
 * registry.c - every plug-in of the program, by stage. To add one: write it, add its line here.
 */
#include "registry.h"

#include <string.h>

extern const struct mr_source_ops mr_source_mysql;
extern const struct mr_source_ops mr_source_postgres;
extern const struct mr_stream_ops mr_stream_log;
extern const struct mr_sink_ops mr_sink_duckdb;
extern const struct mr_sink_ops mr_sink_discard;

static const struct mr_source_ops *const sources[] = {
    &mr_source_mysql,
    &mr_source_postgres,
};

static const struct mr_stream_ops *const streams[] = {
    &mr_stream_log,
};

static const struct mr_sink_ops *const sinks[] = {
    &mr_sink_duckdb,
    &mr_sink_discard,
};

const struct mr_source_ops *mr_registry_find_source(const char *name)
{
    MR_ASSERT(name != NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(sources); i++) {
        if (strcmp(sources[i]->name, name) == 0) {
            return sources[i];
        }
    }
    return NULL;
}

const struct mr_stream_ops *mr_registry_find_stream(const char *name)
{
    MR_ASSERT(name != NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(streams); i++) {
        if (strcmp(streams[i]->name, name) == 0) {
            return streams[i];
        }
    }
    return NULL;
}

const struct mr_sink_ops *mr_registry_find_sink(const char *name)
{
    MR_ASSERT(name != NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(sinks); i++) {
        if (strcmp(sinks[i]->name, name) == 0) {
            return sinks[i];
        }
    }
    return NULL;
}

const struct mr_source_ops *mr_registry_source_at(size_t index)
{
    return index < MR_ARRAY_LEN(sources) ? sources[index] : NULL;
}

const struct mr_stream_ops *mr_registry_stream_at(size_t index)
{
    return index < MR_ARRAY_LEN(streams) ? streams[index] : NULL;
}

const struct mr_sink_ops *mr_registry_sink_at(size_t index)
{
    return index < MR_ARRAY_LEN(sinks) ? sinks[index] : NULL;
}
