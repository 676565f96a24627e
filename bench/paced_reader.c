// SPDX-License-Identifier: MIT
/*
 * paced_reader.c - a bare libpq reader of a logical slot, to measure beside: reads until the WAL
 * position END, decodes nothing, lets bytes gather for PAUSE_US before each read.
 *
 *   paced_reader CONNINFO SLOT PUBLICATION END_LSN PAUSE_US
 */
#include <inttypes.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t read_u64(const char *bytes)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++) {
        value = value << 8 | (unsigned char)bytes[i];
    }
    return value;
}

static uint64_t parse_lsn(const char *text)
{
    char *slash = NULL;
    const uint64_t high = strtoull(text, &slash, 16);
    return high << 32 | strtoull(slash + 1, NULL, 16);
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        (void)fprintf(stderr, "usage: paced_reader CONNINFO SLOT PUBLICATION END_LSN PAUSE_US\n");
        return 2;
    }
    PGconn *conn = PQconnectdb(argv[1]);
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "START_REPLICATION SLOT %s LOGICAL 0/0 (proto_version '1', "
                   "publication_names '%s', binary 'true')",
                   argv[2], argv[3]);
    PGresult *result = PQexec(conn, sql);
    if (PQresultStatus(result) != PGRES_COPY_BOTH) {
        (void)fprintf(stderr, "%s", PQerrorMessage(conn));
        return 1;
    }
    PQclear(result);
    const uint64_t end_lsn = parse_lsn(argv[4]);
    const useconds_t pause_us = (useconds_t)strtoul(argv[5], NULL, 10);
    uint64_t reached = 0;
    uint64_t messages = 0;
    while (reached < end_lsn) {
        struct pollfd wait = {.fd = PQsocket(conn), .events = POLLIN};
        (void)poll(&wait, 1, 1000);
        if (pause_us > 0) {
            (void)usleep(pause_us);
        }
        if (PQconsumeInput(conn) == 0) {
            (void)fprintf(stderr, "%s", PQerrorMessage(conn));
            return 1;
        }
        char *message = NULL;
        for (int length; (length = PQgetCopyData(conn, &message, 1)) > 0;) {
            messages++;
            if (message[0] == 'w' && length > 25 && message[25] == 'C') {
                reached = read_u64(message + 1 + 8 + 8 + 8 + 1 + 1 + 8);
            } else if (message[0] == 'k') {
                const uint64_t at = read_u64(message + 1);
                reached = at > reached ? at : reached;
            }
            PQfreemem(message);
        }
    }
    (void)printf("%" PRIu64 " messages\n", messages);
    PQfinish(conn);
    return 0;
}
