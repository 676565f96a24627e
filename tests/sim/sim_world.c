// SPDX-License-Identifier: MIT
/*
 * sim_world.c - see sim_world.h.
 */
#include "sim_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_dir.h"
#include "fake_env.h"
#include "journal.h"
#include "link.h"
#include "loader.h"
#include "memory.h"
#include "sim_orders.h"
#include "sim_sink.h"
#include "sim_source.h"
#include "stream.h"

#define CRASHES_MAX      8
#define CALLS_A_LIFE_MAX 400
#define STEPS_A_LIFE_MAX 1500
#define LAST_STEPS_MAX   20000
#define STEP_ADVANCE_US  20000
#define BATCH_BYTES      (UINT64_C(64) << 10)
#define VALUE_BYTES      (UINT64_C(64) << 10)
#define POOL_BATCHES     8
#define TAIL_BATCHES     3
#define SEGMENT_BYTES    UINT64_C(4096)
#define RETENTION_MS     UINT64_C(1000)

extern const struct mr_stream_ops mr_stream_log;

/* What lives on over crashes. */
struct world {
    uint64_t random;
    struct mr_fake_env *fake;
    struct mr_env env; /* the fake one, with a bug planted */
    struct sim_plan *plan;
    struct sim_server server;
    struct sim_store store;
    struct sim_wishes wishes;
    struct sim_server *server_at; /* what the plug-ins' configs point to */
    struct sim_store *store_at;
    void *log_config;
    struct mr_option_memory log_memory;
};

/* What a process has. */
struct life {
    struct mr_data_dir dir;
    struct mr_catalog *catalog;
    struct mr_stream *stream;
    struct mr_journal journal;
    struct mr_loader *loader;
    struct mr_link link;
    struct sim_orders orders;
    bool orders_are_up;
    bool link_is_up;
    bool journal_is_up;
};

static int skip_sync(const struct mr_env *env, int fd)
{
    (void)env;
    (void)fd;
    return 0;
}

/* Past the option's own bounds: segments must change often in so short a life. */
static void set_log_option(struct world *world, const char *name, uint64_t value)
{
    const struct mr_option *option = mr_options_find(mr_stream_log.options, name);
    MR_ASSERT(option != NULL);
    memcpy((char *)world->log_config + option->offset, &value, sizeof(value));
}

static void world_init(struct world *world, uint64_t seed, enum sim_bug bug)
{
    memset(world, 0, sizeof(*world));
    world->random = seed;
    world->fake = mr_fake_env_open(seed);
    world->env = *mr_fake_env_as_env(world->fake);
    if (bug == SIM_BUG_SYNC_SKIPPED) {
        world->env.fdatasync = skip_sync;
    }
    if (bug == SIM_BUG_DIR_SYNC_SKIPPED) {
        world->env.fsync = skip_sync;
    }
    world->plan = mr_memory_new(1, sizeof(*world->plan));
    sim_plan_make(world->plan, seed);
    world->server = (struct sim_server){.plan = world->plan, .random = seed + 1};
    world->store = (struct sim_store){
        .plan = world->plan,
        .random = seed + 2,
        .position_is_apart = bug == SIM_BUG_POSITION_APART,
        .pin_is_skipped = bug == SIM_BUG_PIN_SKIPPED,
        .piece_is_apart = bug == SIM_BUG_PIECE_APART,
    };
    world->wishes = (struct sim_wishes){.random = seed + 3};
    world->server_at = &world->server;
    world->store_at = &world->store;
    struct mr_error err = {0};
    world->log_config = mr_memory_new(1, mr_stream_log.config_size);
    MR_ASSERT(
        mr_options_defaults(mr_stream_log.options, world->log_config, &world->log_memory, &err));
    set_log_option(world, "segment_size", SEGMENT_BYTES);
    set_log_option(world, "retention", RETENTION_MS);
}

static void world_done(struct world *world)
{
    mr_options_free(&world->log_memory);
    free(world->log_config);
    free(world->plan);
    mr_fake_env_close(world->fake);
}

static bool open_stream(struct world *world, struct life *life, struct mr_error *err)
{
    if (!mr_data_dir_open(&life->dir, &world->env, "data", err)) {
        return false;
    }
    life->catalog = mr_catalog_open();
    const struct mr_stream_context context = {
        .source = "sim",
        .config = world->log_config,
        .env = &world->env,
        .data_dir_fd = life->dir.fd,
        .catalog = life->catalog,
        .tail_bytes_max = BATCH_BYTES,
        .tail_batches_max = TAIL_BATCHES,
        .batch_bytes_max = BATCH_BYTES * 2 + VALUE_BYTES * 3,
    };
    life->stream = mr_stream_log.open(&context, err);
    return life->stream != NULL;
}

static bool open_life(struct world *world, struct life *life, struct mr_error *err)
{
    static const char *const names[] = {"sim"};
    memset(life, 0, sizeof(*life));
    if (!open_stream(world, life, err)) {
        return false;
    }
    life->journal_is_up = true;
    if (!mr_journal_init(&life->journal, &mr_stream_log, life->stream, &world->env, 4, err)) {
        return false;
    }
    const struct mr_sink_context sink_context = {
        .name = "model",
        .config = &world->store_at,
        .env = &world->env,
        .source_names = names,
        .source_count = 1,
        .batch_rows_max = 1 + sim_draw(&world->random, 40),
    };
    life->loader = mr_memory_new(1, sizeof(*life->loader));
    if (!mr_loader_init(life->loader, &sim_sink, &sink_context, 0, err) ||
        !mr_loader_add_source(life->loader, &mr_stream_log, life->stream, err)) {
        return false;
    }
    mr_loader_open_gate(life->loader, 0);
    mr_journal_add_bell(&life->journal, &life->loader->bell);
    sim_orders_init(&life->orders, &world->wishes, &world->server, life->catalog);
    life->orders.loader = life->loader;
    life->orders.stream = life->stream;
    life->orders.stream_ops = &mr_stream_log;
    life->orders_are_up = true;
    const struct mr_link_options options = {
        .ops = &sim_source,
        .context = {.pipeline = "sim",
                    .name = "sim",
                    .config = &world->server_at,
                    .env = &world->env,
                    .catalog = life->catalog,
                    .target_bytes = BATCH_BYTES,
                    .value_bytes_max = VALUE_BYTES},
        .journal = &life->journal,
        .loaders = &life->loader,
        .loader_count = 1,
        .pool_batches = POOL_BATCHES,
        .pool_kept_bytes = BATCH_BYTES,
    };
    life->link_is_up = mr_link_init(&life->link, &options, err);
    return life->link_is_up;
}

static void close_life(struct world *world, struct life *life)
{
    if (life->link_is_up) {
        mr_link_stop(&life->link);
    }
    if (life->loader != NULL) {
        const struct mr_error died = {.code = MR_E_CANCELLED, .message = "the process died"};
        if (life->orders_are_up) {
            mr_loader_shut(life->loader, &died);
        }
        mr_loader_done(life->loader);
        free(life->loader);
    }
    if (life->orders_are_up) {
        sim_orders_done(&life->orders);
    }
    if (life->journal_is_up) {
        mr_journal_done(&life->journal);
    }
    mr_stream_log.close(life->stream);
    if (life->link_is_up) {
        mr_link_done(&life->link);
    }
    mr_catalog_close(life->catalog);
    mr_data_dir_close(&life->dir, &world->env);
}

static bool is_broken(const struct world *world)
{
    return world->server.broken != NULL || world->store.broken != NULL;
}

static bool has_no_wish(const struct world *world)
{
    bool none = true;
    for (int t = 0; t < SIM_TABLES; t++) {
        none = none && world->wishes.wanted[t][0] == '\0';
    }
    return none;
}

/* One part does one step; false when it failed for good. */
static bool step(struct world *world, struct life *life, struct mr_error *err)
{
    mr_fake_env_advance_us(world->fake, sim_draw(&world->random, STEP_ADVANCE_US));
    switch (sim_draw(&world->random, 4)) {
    case 3:
        sim_orders_step(&life->orders);
        return true;
    case 0:
        return mr_link_step(&life->link, 0, err) != MR_STEP_FAILED;
    case 1:
        return mr_journal_step(&life->journal, 0, err) != MR_STEP_FAILED;
    default:
        return mr_loader_step(life->loader, 0, err) != MR_STEP_FAILED;
    }
}

/* Lives until the process dies, a part gives up, or the steps are over. */
static void live(struct world *world, uint64_t steps, const char **gave_up)
{
    static char message[MR_ERROR_MESSAGE_BYTES_MAX];
    struct life life;
    struct mr_error err = {0};
    bool well = open_life(world, &life, &err);
    for (uint64_t i = 0; well && i < steps && !is_broken(world); i++) {
        well = step(world, &life, &err);
        if (mr_fake_env_is_dead(world->fake)) {
            break;
        }
        if (world->store.is_steady && sim_store_is_whole(&world->store) && has_no_wish(world)) {
            break;
        }
    }
    if (!well && !mr_fake_env_is_dead(world->fake)) {
        memcpy(message, err.message, sizeof(message));
        *gave_up = message;
    }
    close_life(world, &life);
}

struct sim_outcome sim_run(uint64_t seed, enum sim_bug bug)
{
    struct world world;
    struct sim_outcome outcome = {0};
    world_init(&world, seed, bug);
    const uint64_t crashes = 1 + sim_draw(&world.random, CRASHES_MAX);
    while (outcome.crashes < crashes && !is_broken(&world) && outcome.broken == NULL) {
        mr_fake_env_crash_at(world.fake, sim_draw(&world.random, CALLS_A_LIFE_MAX));
        live(&world, sim_draw(&world.random, STEPS_A_LIFE_MAX), &outcome.broken);
        mr_fake_env_crash(world.fake);
        outcome.crashes++;
    }
    world.server.is_steady = true;
    world.store.is_steady = true;
    world.wishes.is_steady = true;
    if (!is_broken(&world) && outcome.broken == NULL) {
        live(&world, LAST_STEPS_MAX, &outcome.broken);
    }
    outcome.connections = world.server.connections;
    outcome.commits = world.store.commits;
    outcome.joins = world.store.joins;
    outcome.resumed = world.store.resumed;
    if (is_broken(&world)) {
        outcome.broken = world.server.broken != NULL ? world.server.broken : world.store.broken;
    } else if (outcome.broken == NULL &&
               !(sim_store_is_whole(&world.store) && has_no_wish(&world))) {
        outcome.broken = "faults have stopped, but the target does not become the whole";
    }
    static char kept[MR_ERROR_MESSAGE_BYTES_MAX];
    if (outcome.broken != NULL) {
        (void)snprintf(kept, sizeof(kept), "%s", outcome.broken);
        outcome.broken = kept;
    }
    world_done(&world);
    return outcome;
}
