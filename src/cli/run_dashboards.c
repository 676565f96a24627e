// SPDX-License-Identifier: MIT
/*
 * run_dashboards.c - the console's dashboards: their statements run when the warehouse has changed,
 * and not so often that they take more than a fraction of the time.
 *
 * An answer is made of pieces: its head with the filters, and each panel. After a pass over the
 * pieces that are due the dashboard rests REST_FACTOR times as long as the pass took, and a piece
 * PIECE_REST_FACTOR times as long as it took itself: a slow panel does not hold up the quick ones.
 *
 * Viewers of the same dashboard with the same filters share its answer: whoever finds it outdated
 * makes the next, the others wait for it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "run_backend.h"

#define KEPT_MAX        16 /* answers, by dashboard and filters; the longest unused one goes */
#define ROWS_MAX        2000
#define CHOICES_MAX     1000
#define TIME_MS_MAX     10000
#define INTERVAL_NS_MIN (UINT64_C(150) * 1000000)
#define LOOK_US         UINT64_C(10000)
#define PIECES_MAX      (1 + MR_DASHBOARD_PANELS_MAX)

#define REST_FACTOR       4
#define PIECE_REST_FACTOR 20

struct piece {
    struct mr_json text; /* length 0: never made */
    uint64_t version;    /* of the warehouse before its statements ran */
    uint64_t due_ns;     /* not made anew before this */
};

struct answer {
    char *key;       /* the dashboard's name and its filters' values; NULL: free */
    uint64_t serial; /* grows when a piece was made anew; 0: nothing was made yet */
    uint64_t due_ns;
    uint64_t used;
    struct piece pieces[PIECES_MAX]; /* [0] the head, then the panels */
};

struct mr_dashboards {
    struct mr_pipeline *pipeline;
    const struct mr_pipeline_config *config;
    const struct mr_env *env;
    pthread_mutex_t lock; /* of answers, and held while one is made: dashboards take turns */
    struct answer answers[KEPT_MAX];
    uint64_t uses;
};

struct mr_console_live {
    struct mr_dashboards *dashboards;
    const struct mr_dashboard *dashboard;
    char *values[MR_DASHBOARD_FILTERS_MAX]; /* by the dashboard's filters; NULL: not set */
    char *key;
    uint64_t seen_serial; /* 0: none */
};

struct mr_dashboards *mr_dashboards_open(struct mr_pipeline *pipeline,
                                         const struct mr_pipeline_config *config,
                                         const struct mr_env *env)
{
    struct mr_dashboards *dashboards = mr_memory_new(1, sizeof(*dashboards));
    dashboards->pipeline = pipeline;
    dashboards->config = config;
    dashboards->env = env;
    MR_ASSERT(pthread_mutex_init(&dashboards->lock, NULL) == 0);
    return dashboards;
}

void mr_dashboards_close(struct mr_dashboards *dashboards)
{
    if (dashboards == NULL) {
        return;
    }
    for (size_t i = 0; i < KEPT_MAX; i++) {
        free(dashboards->answers[i].key);
        for (size_t p = 0; p < PIECES_MAX; p++) {
            mr_json_done(&dashboards->answers[i].pieces[p].text);
        }
    }
    (void)pthread_mutex_destroy(&dashboards->lock);
    free(dashboards);
}

static void key_string(struct mr_json *json, const char *key, const char *value)
{
    mr_json_key(json, key);
    mr_json_string(json, value);
}

void mr_dashboards_list(const struct mr_dashboards *dashboards, struct mr_json *out)
{
    mr_json_object_begin(out);
    mr_json_key(out, "dashboards");
    mr_json_array_begin(out);
    for (uint32_t i = 0; i < dashboards->config->dashboard_count; i++) {
        mr_json_object_begin(out);
        key_string(out, "name", dashboards->config->dashboards[i].name);
        key_string(out, "title", dashboards->config->dashboards[i].title);
        mr_json_object_end(out);
    }
    mr_json_array_end(out);
    mr_json_object_end(out);
}

/* ---- Making an answer. ---- */

/* Writes "result": {...}, or "problem": "why there is none". */
static void put_query(const struct mr_console_live *live, const struct mr_console_query *query,
                      struct mr_json *out)
{
    struct mr_json result = {0};
    struct mr_console_problem problem = {0};
    if (mr_run_query(live->dashboards->pipeline, query, &result, &problem)) {
        mr_json_key(out, "result");
        mr_json_raw(out, result.text, result.length);
    } else {
        key_string(out, "problem", problem.detail);
    }
    mr_json_done(&result);
}

static void put_filter(const struct mr_console_live *live, uint32_t index, struct mr_json *out)
{
    const struct mr_dashboard_filter *filter = &live->dashboard->filters[index];
    mr_json_object_begin(out);
    key_string(out, "name", filter->name);
    key_string(out, "title", filter->title);
    key_string(out, "value", live->values[index]);
    mr_json_key(out, "choices");
    mr_json_array_begin(out);
    for (size_t i = 0; i < filter->choices.count; i++) {
        mr_json_string(out, filter->choices.items[i]);
    }
    mr_json_array_end(out);
    if (filter->sql != NULL) {
        put_query(live,
                  &(struct mr_console_query){
                      .sql = filter->sql, .rows_max = CHOICES_MAX, .time_ms_max = TIME_MS_MAX},
                  out);
    }
    mr_json_object_end(out);
}

static void put_panel(const struct mr_console_live *live, const struct mr_dashboard_panel *panel,
                      struct mr_json *out)
{
    struct mr_console_parameter parameters[MR_DASHBOARD_FILTERS_MAX];
    for (uint8_t i = 0; i < panel->filter_count; i++) {
        const char *value = live->values[panel->filters[i]];
        parameters[i] = (struct mr_console_parameter){
            .kind = value == NULL ? MR_CONSOLE_NULL : MR_CONSOLE_TEXT, .text = value};
    }
    mr_json_object_begin(out);
    key_string(out, "title", panel->title);
    key_string(out, "type", mr_panel_type_name(panel->type));
    key_string(out, "unit", panel->unit);
    mr_json_key(out, "width");
    mr_json_uint(out, panel->width);
    put_query(live,
              &(struct mr_console_query){.sql = panel->statement,
                                         .parameters = parameters,
                                         .parameter_count = panel->filter_count,
                                         .rows_max = ROWS_MAX,
                                         .time_ms_max = TIME_MS_MAX},
              out);
    mr_json_object_end(out);
}

/* The members before the panels. */
static void put_head(const struct mr_console_live *live, struct mr_json *out)
{
    const struct mr_dashboard *dashboard = live->dashboard;
    key_string(out, "name", dashboard->name);
    key_string(out, "title", dashboard->title);
    mr_json_key(out, "filters");
    mr_json_array_begin(out);
    for (uint32_t i = 0; i < dashboard->filter_count; i++) {
        put_filter(live, i, out);
    }
    mr_json_array_end(out);
}

/* The kept answer of the key, or the place that one may take; under the lock. */
static struct answer *find_answer(struct mr_dashboards *dashboards, const char *key)
{
    struct answer *oldest = &dashboards->answers[0];
    for (size_t i = 0; i < KEPT_MAX; i++) {
        struct answer *answer = &dashboards->answers[i];
        if (answer->key != NULL && strcmp(answer->key, key) == 0) {
            return answer;
        }
        if (answer->used < oldest->used) {
            oldest = answer;
        }
    }
    free(oldest->key);
    oldest->key = mr_memory_copy_text(key, strlen(key));
    oldest->serial = 0;
    oldest->due_ns = 0;
    for (size_t p = 0; p < PIECES_MAX; p++) {
        mr_json_reset(&oldest->pieces[p].text);
        oldest->pieces[p].due_ns = 0;
    }
    return oldest;
}

/* Makes the pieces that are outdated and due. */
static void refresh(struct mr_console_live *live, struct answer *answer)
{
    const struct mr_env *env = live->dashboards->env;
    const uint64_t began_ns = env->monotonic_ns(env);
    const uint64_t version = mr_pipeline_version(live->dashboards->pipeline);
    uint64_t now_ns = began_ns;
    bool is_changed = false;
    for (uint32_t p = 0; p < 1 + live->dashboard->panel_count; p++) {
        struct piece *piece = &answer->pieces[p];
        if (piece->text.length > 0 && (piece->version == version || began_ns < piece->due_ns)) {
            continue;
        }
        const uint64_t before_ns = now_ns;
        mr_json_reset(&piece->text);
        piece->version = version;
        if (p == 0) {
            put_head(live, &piece->text);
        } else {
            put_panel(live, &live->dashboard->panels[p - 1], &piece->text);
        }
        now_ns = env->monotonic_ns(env);
        piece->due_ns = now_ns + (now_ns - before_ns) * PIECE_REST_FACTOR;
        is_changed = true;
    }
    if (is_changed) {
        const uint64_t rest_ns = (now_ns - began_ns) * REST_FACTOR;
        answer->due_ns = now_ns + (rest_ns > INTERVAL_NS_MIN ? rest_ns : INTERVAL_NS_MIN);
        answer->serial++;
    }
}

static void put_answer(const struct mr_console_live *live, const struct answer *answer,
                       struct mr_json *out)
{
    const struct mr_json *head = &answer->pieces[0].text;
    mr_json_object_begin(out);
    mr_json_raw(out, head->text, head->length);
    mr_json_key(out, "panels");
    mr_json_array_begin(out);
    for (uint32_t p = 1; p <= live->dashboard->panel_count; p++) {
        mr_json_raw(out, answer->pieces[p].text.text, answer->pieces[p].text.length);
    }
    mr_json_array_end(out);
    mr_json_object_end(out);
}

/* Writes the answer when it is one that the viewer has not seen; makes it anew when it is due. */
static bool look(struct mr_console_live *live, struct mr_json *out)
{
    struct mr_dashboards *dashboards = live->dashboards;
    const struct mr_env *env = dashboards->env;
    MR_ASSERT(pthread_mutex_lock(&dashboards->lock) == 0);
    struct answer *answer = find_answer(dashboards, live->key);
    answer->used = ++dashboards->uses;
    if (env->monotonic_ns(env) >= answer->due_ns) {
        refresh(live, answer);
    }
    const bool is_new = answer->serial != live->seen_serial;
    if (is_new) {
        put_answer(live, answer, out);
        live->seen_serial = answer->serial;
    }
    (void)pthread_mutex_unlock(&dashboards->lock);
    return is_new;
}

/* ---- A viewer. ---- */

static const struct mr_dashboard *find_dashboard(const struct mr_dashboards *dashboards,
                                                 const char *name)
{
    for (uint32_t i = 0; i < dashboards->config->dashboard_count; i++) {
        if (strcmp(dashboards->config->dashboards[i].name, name) == 0) {
            return &dashboards->config->dashboards[i];
        }
    }
    return NULL;
}

/* Values that were given, else the filters' own. False: a name that is no filter's. */
static bool take_values(struct mr_console_live *live, const struct mr_console_dashboard *wanted)
{
    const struct mr_dashboard *dashboard = live->dashboard;
    for (uint32_t i = 0; i < dashboard->filter_count; i++) {
        const char *value = dashboard->filters[i].fallback;
        for (size_t w = 0; w < wanted->filter_count; w++) {
            if (strcmp(wanted->filters[w].name, dashboard->filters[i].name) == 0) {
                value = wanted->filters[w].value;
            }
        }
        live->values[i] = value == NULL ? NULL : mr_memory_copy_text(value, strlen(value));
    }
    for (size_t w = 0; w < wanted->filter_count; w++) {
        bool is_known = false;
        for (uint32_t i = 0; i < dashboard->filter_count; i++) {
            is_known = is_known || strcmp(wanted->filters[w].name, dashboard->filters[i].name) == 0;
        }
        if (!is_known) {
            return false;
        }
    }
    return true;
}

static char *key_of(const struct mr_console_live *live)
{
    struct mr_json key = {0};
    mr_json_array_begin(&key);
    mr_json_string(&key, live->dashboard->name);
    for (uint32_t i = 0; i < live->dashboard->filter_count; i++) {
        mr_json_string(&key, live->values[i]);
    }
    mr_json_array_end(&key);
    char *text = mr_memory_copy_text(key.text, key.length);
    mr_json_done(&key);
    return text;
}

struct mr_console_live *mr_dashboards_look(struct mr_dashboards *dashboards,
                                           const struct mr_console_dashboard *wanted,
                                           struct mr_console_problem *problem)
{
    const struct mr_dashboard *dashboard = find_dashboard(dashboards, wanted->name);
    if (dashboard == NULL) {
        (void)mr_run_problem(problem, 404, "there is no dashboard of that name");
        return NULL;
    }
    struct mr_console_live *live = mr_memory_new(1, sizeof(*live));
    live->dashboards = dashboards;
    live->dashboard = dashboard;
    if (!take_values(live, wanted)) {
        (void)mr_run_problem(problem, 400, "dashboard \"%s\" has no filter of one of these names",
                             dashboard->name);
        mr_run_live_close(live);
        return NULL;
    }
    live->key = key_of(live);
    return live;
}

enum mr_console_next mr_run_live_next(struct mr_console_live *live, uint32_t wait_ms,
                                      struct mr_json *out)
{
    const struct mr_env *env = live->dashboards->env;
    const uint64_t until_ns = env->monotonic_ns(env) + (uint64_t)wait_ms * 1000000;
    for (;;) {
        if (look(live, out)) {
            return MR_CONSOLE_NEXT_RECORD;
        }
        if (env->monotonic_ns(env) >= until_ns) {
            return MR_CONSOLE_NEXT_IDLE;
        }
        env->sleep_us(env, LOOK_US);
    }
}

void mr_run_live_close(struct mr_console_live *live)
{
    for (uint32_t i = 0; i < MR_DASHBOARD_FILTERS_MAX; i++) {
        free(live->values[i]);
    }
    free(live->key);
    free(live);
}
