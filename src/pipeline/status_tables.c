// SPDX-License-Identifier: MIT
/*
 * status_tables.c - the part of GET /api/v1/status about tables that do not simply go with the
 * stream: paused, catching up, being copied anew, dropped, or given up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline_view.h"

static const char *const state_names[] = {
    [MR_SHOWN_PAUSED] = "paused",
    [MR_SHOWN_FOLLOWING] = "catching_up",
    [MR_SHOWN_COPYING] = "copying",
    [MR_SHOWN_DROPPED] = "dropped",
};

static void key_string(struct mr_json *json, const char *key, const char *value)
{
    mr_json_key(json, key);
    mr_json_string(json, value);
}

static void key_uint(struct mr_json *json, const char *key, uint64_t value)
{
    mr_json_key(json, key);
    mr_json_uint(json, value);
}

static void put_name(struct mr_json *json, const char *space, const char *table)
{
    char name[1024];
    (void)snprintf(name, sizeof(name), "%s.%s", space, table);
    key_string(json, "name", name);
}

static void put_seen(struct mr_json *json, struct mr_outlet *outlet,
                     const struct mr_apart_seen *seen)
{
    const struct mr_loader_source *source = &outlet->loader->sources[seen->view.source_index];
    struct mr_lane *lane = &outlet->pipeline->lanes[seen->view.source_index];
    const uint64_t committed = atomic_load(&source->committed_shown);
    struct mr_copy_progress copy = {0};
    mr_json_object_begin(json);
    put_name(json, seen->space, seen->table);
    key_string(json, "sink", outlet->config->name);
    key_string(json, "what", seen->view.is_copy ? "copy" : "table");
    key_string(json, "state", state_names[seen->view.state]);
    if (seen->view.state != MR_SHOWN_DROPPED) {
        key_uint(json, "sequence", seen->view.sequence);
        key_uint(json, "behind",
                 committed > seen->view.sequence ? committed - seen->view.sequence : 0);
    }
    if (seen->view.is_copy && mr_link_wished(&lane->link, seen->space, seen->table, &copy)) {
        key_uint(json, "rows", copy.rows);
        key_uint(json, "rows_estimate", copy.rows_estimate);
    }
    if (seen->error[0] != '\0') {
        key_string(json, "error", seen->error);
    }
    mr_json_object_end(json);
}

/* Copies that no sink knows of yet. */
static void put_wish(void *context, const struct mr_copy_wish *wish)
{
    struct mr_json *json = context;
    mr_json_object_begin(json);
    put_name(json, wish->space, wish->table);
    key_string(json, "what", "copy");
    key_string(json, "state", "wanted");
    if (wish->where != NULL) {
        key_string(json, "where", wish->where);
    }
    mr_json_object_end(json);
}

static void skip_choice(void *context, const char *space, const char *table, enum mr_choice choice)
{
    (void)context;
    (void)space;
    (void)table;
    (void)choice;
}

static void put_failures(struct mr_json *json, struct mr_lane *lane)
{
    (void)pthread_mutex_lock(&lane->pipeline->lock);
    for (const struct mr_table_failure *f = lane->failures; f != NULL; f = f->next) {
        mr_json_object_begin(json);
        put_name(json, f->space, f->table);
        key_string(json, "what", "copy");
        key_string(json, "state", "failed");
        key_string(json, "error", f->message);
        mr_json_object_end(json);
    }
    (void)pthread_mutex_unlock(&lane->pipeline->lock);
}

void mr_status_put_apart(struct mr_json *json, struct mr_lane *lane)
{
    struct mr_pipeline *pipeline = lane->pipeline;
    const uint16_t index = (uint16_t)(lane - pipeline->lanes);
    mr_json_key(json, "tables_apart");
    mr_json_array_begin(json);
    for (uint32_t o = 0; o < pipeline->outlet_count; o++) {
        struct mr_apart_seen seen;
        for (uint32_t i = 0; mr_loader_apart(pipeline->loaders[o], i, &seen); i++) {
            if (seen.view.source_index == index) {
                put_seen(json, &pipeline->outlets[o], &seen);
            }
            free(seen.space);
            free(seen.table);
        }
    }
    mr_table_book_each(pipeline->book, lane->config->name, skip_choice, put_wish, json);
    put_failures(json, lane);
    mr_json_array_end(json);
}
