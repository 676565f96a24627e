// SPDX-License-Identifier: MIT
/*
 * mysql_hosts.c - which of several hosts to go on with; see mysql_resume.h.
 *
 * Places of two servers do not compare, so the one that we follow is asked first, and the others
 * only when it is away or cannot go on. Each is then tried by GTIDs, in the configured order.
 */
#include <stdio.h>
#include <string.h>

#include "mysql_resume.h"
#include "mysql_server.h"

struct candidate {
    struct mr_mysql_connection *connection; /* NULL: away, or refused */
    char epoch[MR_EPOCH_BYTES_MAX];
    struct mr_error error; /* why it was not taken */
};

struct search {
    const struct mr_source_context *context;
    const struct mr_position *from;
    struct candidate candidates[MR_MYSQL_HOSTS_MAX];
    uint32_t count;
};

static void meet(struct search *search, uint32_t index)
{
    struct candidate *candidate = &search->candidates[index];
    const struct mr_mysql_config *config = search->context->config;
    candidate->connection = mr_mysql_connect(search->context, MR_MYSQL_CONTROL,
                                             &config->endpoints[index], &candidate->error);
    if (candidate->connection != NULL &&
        !mr_mysql_read_epoch(candidate->connection, candidate->epoch, &candidate->error)) {
        mr_mysql_disconnect(candidate->connection);
        candidate->connection = NULL;
    }
}

static bool is_same(const struct search *search, uint32_t index)
{
    const struct candidate *candidate = &search->candidates[index];
    return candidate->connection != NULL && strcmp(candidate->epoch, search->from->epoch) == 0;
}

static bool may_go_on(struct search *search, uint32_t index, struct mr_mysql_resume *resume)
{
    struct candidate *candidate = &search->candidates[index];
    candidate->error = (struct mr_error){0};
    return mr_mysql_resume_plan(candidate->connection, search->from, candidate->epoch, resume,
                                &candidate->error);
}

/* The index of the host to take; count when there is none. */
static uint32_t choose(struct search *search, struct mr_mysql_resume *resume)
{
    for (uint32_t i = 0; i < search->count; i++) {
        meet(search, i);
        if (is_same(search, i) && may_go_on(search, i, resume)) {
            return i;
        }
    }
    for (uint32_t i = 0; i < search->count; i++) {
        if (search->candidates[i].connection != NULL && !is_same(search, i) &&
            may_go_on(search, i, resume)) {
            return i;
        }
    }
    return search->count;
}

/* One host that may still come to it makes it worth to wait; a position is lost only when every
 * host is there and says so. All reasons are told. */
static void explain(const struct search *search, struct mr_error *err)
{
    MR_ASSERT(search->count > 0);
    const struct mr_error *worst = &search->candidates[0].error;
    char reasons[MR_ERROR_MESSAGE_BYTES_MAX] = "";
    size_t length = 0;
    for (uint32_t i = 0; i < search->count; i++) {
        const struct mr_error *error = &search->candidates[i].error;
        MR_ASSERT(error->code != MR_OK);
        const bool is_milder = error->recovery == MR_RETRY && worst->recovery != MR_RETRY;
        const bool is_lost = error->code == MR_E_LOST && worst->recovery == MR_STOP;
        worst = is_milder || is_lost ? error : worst;
        const int more = snprintf(reasons + length, sizeof(reasons) - length, "%s%s",
                                  i == 0 ? "" : "; and ", error->message);
        length += more > 0 ? (size_t)more : 0;
        length = length < sizeof(reasons) ? length : sizeof(reasons) - 1;
    }
    (void)mr_fail(err, worst->code, worst->recovery, "%s", reasons);
}

struct mr_mysql_connection *mr_mysql_resume_connect(const struct mr_source_context *context,
                                                    const struct mr_position *from,
                                                    struct mr_mysql_resume *resume,
                                                    char epoch[MR_EPOCH_BYTES_MAX],
                                                    struct mr_error *err)
{
    const struct mr_mysql_config *config = context->config;
    struct search search = {.context = context, .from = from, .count = config->endpoint_count};
    struct mr_mysql_connection *chosen = NULL;
    const uint32_t index = choose(&search, resume);
    if (index < search.count) {
        chosen = search.candidates[index].connection;
        search.candidates[index].connection = NULL;
        memcpy(epoch, search.candidates[index].epoch, MR_EPOCH_BYTES_MAX);
    } else {
        explain(&search, err);
    }
    for (uint32_t i = 0; i < search.count; i++) {
        mr_mysql_disconnect(search.candidates[i].connection);
    }
    return chosen;
}

struct mr_mysql_connection *mr_mysql_resume_connect_same(const struct mr_source_context *context,
                                                         const struct mr_position *from,
                                                         struct mr_error *err)
{
    const struct mr_mysql_config *config = context->config;
    struct search search = {.context = context, .from = from, .count = config->endpoint_count};
    for (uint32_t i = 0; i < search.count; i++) {
        struct candidate *candidate = &search.candidates[i];
        meet(&search, i);
        if (is_same(&search, i)) {
            return candidate->connection;
        }
        if (candidate->connection != NULL) {
            (void)mr_fail(&candidate->error, MR_E_SOURCE, MR_RETRY,
                          "%s:%u is \"%s\", and the stream comes from \"%s\": tables are copied "
                          "from the server that is streamed",
                          candidate->connection->endpoint->host,
                          candidate->connection->endpoint->port, candidate->epoch, from->epoch);
            mr_mysql_disconnect(candidate->connection);
            candidate->connection = NULL;
        }
    }
    explain(&search, err);
    return NULL;
}
