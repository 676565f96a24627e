// SPDX-License-Identifier: MIT
/*
 * feed_main.c - `millrace feed`: reads the command line, catches signals, runs a feeder.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"

enum { EXIT_USAGE = 2, EXIT_SOURCE = 3 };

volatile sig_atomic_t mr_feed_stop;

static const char usage[] =
    "Usage: millrace feed mysql    --url mysql://user:password@host:port/parking\n"
    "                              [--rate ROWS_PER_SECOND] [--seconds S] [--rows N] [--seed N]\n"
    "       millrace feed postgres --url postgres://user:password@host:port/parking\n"
    "                              [--days N] [--rows VISITS] [--seed N]\n"
    "\n"
    "mysql     live entries, exits, payments and corrections until Ctrl-C (default 200 rows/s)\n"
    "postgres  history of N days (default 30) with VISITS visits (default 60000), by COPY\n"
    "The schema is examples/parking/mysql.sql and postgres.sql. --quiet prints no progress.\n";

static void on_signal(int number)
{
    (void)number;
    mr_feed_stop = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

static bool parse_number(const char *text, uint64_t *value)
{
    char *end = NULL;
    *value = strtoull(text, &end, 10);
    return end != text && *end == '\0' && text[0] != '-';
}

static bool parse(int argc, char **argv, struct mr_feed_options *options)
{
    static const struct option longs[] = {
        {"url", required_argument, NULL, 'u'},     {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'}, {"rows", required_argument, NULL, 'n'},
        {"days", required_argument, NULL, 'd'},    {"seed", required_argument, NULL, 'S'},
        {"quiet", no_argument, NULL, 'q'},         {0},
    };
    bool ok = true;
    optind = 1;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): the command line is read before any thread starts */
    for (int option; ok && (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (option) {
        case 'u':
            options->url = optarg;
            break;
        case 'r':
            ok = parse_number(optarg, &options->rate);
            break;
        case 's':
            ok = parse_number(optarg, &options->seconds);
            break;
        case 'n':
            ok = parse_number(optarg, &options->rows);
            break;
        case 'd':
            ok = parse_number(optarg, &options->days);
            break;
        case 'S':
            ok = parse_number(optarg, &options->seed);
            break;
        case 'q':
            options->quiet = true;
            break;
        default:
            return false;
        }
    }
    return ok && optind == argc && options->url != NULL;
}

int mr_feed_main(int argc, char **argv)
{
    struct mr_feed_options options = {.seed = 1};
    const bool is_help = argc > 1 && strcmp(argv[1], "--help") == 0;
    const bool is_mysql = argc > 0 && strcmp(argv[0], "mysql") == 0;
    const bool is_postgres = argc > 0 && strcmp(argv[0], "postgres") == 0;
    if (is_help || (argc > 0 && strcmp(argv[0], "--help") == 0)) {
        (void)fputs(usage, stdout);
        return EXIT_SUCCESS;
    }
    if ((!is_mysql && !is_postgres) || !parse(argc, argv, &options)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    catch_signals();
    struct mr_error err = {0};
    if (is_mysql ? mr_feed_mysql(&options, &err) : mr_feed_postgres(&options, &err)) {
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "millrace feed: %s\n", err.message);
    return EXIT_SOURCE;
}
