// SPDX-License-Identifier: MIT
/*
 * test_postgres_config.c - URLs and options that are taken, and those that are refused with a
 * reason.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "postgres_config.h"

static const struct config_case {
    const char *label;
    const char *const options[9]; /* name, value, ..., NULL */
    bool ok;
    const char *shown; /* "host:port,... user database tls password", or a part of the message */
} config_cases[] = {
    {"url",
     {"url", "postgres://cdc@127.0.0.1:5433/parking"},
     true,
     "127.0.0.1:5433 cdc parking prefer -"},
    {"the other scheme", {"url", "postgresql://cdc@db/x"}, true, "db:5432 cdc x prefer -"},
    {"encoded parts",
     {"url", "postgres://a%40b:p%2Fw%25@h/d%20b"},
     true,
     "h:5432 a@b d b prefer p/w%"},
    {"several hosts",
     {"url", "postgres://u@a:1,b,[::1]:3/d"},
     true,
     "a:1,b:5432,::1:3 u d prefer -"},
    {"a socket's directory",
     {"url", "postgres://u@%2Frun%2Fpg:6000/d"},
     true,
     "/run/pg:6000 u d prefer -"},
    {"parameters", {"url", "postgres://u@h/d?sslmode=require"}, true, "h:5432 u d require -"},
    {"parts",
     {"host", "/tmp", "port", "21000", "user", "u", "database", "d"},
     true,
     "/tmp:21000 u d prefer -"},
    {"no host at all", {"user", "u", "database", "d"}, true, "127.0.0.1:5432 u d prefer -"},
    {"url and its own words agree",
     {"url", "postgres://u@h/d", "user", "u"},
     true,
     "h:5432 u d prefer -"},
    {"they do not", {"url", "postgres://u@h/d", "user", "v"}, false, "contradict"},
    {"another scheme", {"url", "mysql://u@h/d"}, false, "postgres://"},
    {"no database", {"url", "postgres://u@h"}, false, "database"},
    {"no user", {"url", "postgres://h/d"}, false, "user"},
    {"port out of range", {"url", "postgres://u@h:70000/d"}, false, "70000"},
    {"port that is none", {"url", "postgres://u@h:x/d"}, false, "port"},
    {"broken escape", {"url", "postgres://u%4@h/d"}, false, "encoded"},
    {"an escaped NUL", {"url", "postgres://u%00@h/d"}, false, "encoded"},
    {"empty host", {"url", "postgres://u@a,,b/d"}, false, "host"},
    {"broken IPv6", {"url", "postgres://u@[::1/d"}, false, "IPv6"},
    {"unknown parameter", {"url", "postgres://u@h/d?target=x"}, false, "target"},
    {"url and host", {"url", "postgres://u@h/d", "host", "h"}, false, "url and host"},
    {"verification without an authority",
     {"url", "postgres://u@h/d", "tls.mode", "verify-full"},
     false,
     "tls.ca"},
    {"half a certificate", {"url", "postgres://u@h/d", "tls.cert", "c.pem"}, false, "tls.key"},
    {"slot with capitals", {"url", "postgres://u@h/d", "slot", "Mine"}, false, "slot"},
    {"two passwords",
     {"url", "postgres://u@h/d", "password", "x", "password_file", "/secret"},
     false,
     "password_file"},
};

static void print_config(const struct mr_pg_config *config, char *text, size_t size)
{
    size_t length = 0;
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        length += (size_t)snprintf(text + length, size - length, "%s%s:%u", i == 0 ? "" : ",",
                                   config->endpoints[i].host, config->endpoints[i].port);
    }
    (void)snprintf(text + length, size - length, " %s %s %s %s", config->user, config->database,
                   mr_pg_config_tls_mode(config),
                   config->password == NULL ? "-" : config->password);
}

static void urls_and_options_are_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(config_cases); i++) {
        const struct config_case *c = &config_cases[i];
        struct mr_pg_config config = {0};
        struct mr_option_memory memory = {0};
        struct mr_error err = {0};
        char text[256];
        print_message("    %s\n", c->label);
        assert_true(mr_options_defaults(mr_pg_options, &config, &memory, &err));
        for (size_t n = 0; c->options[n] != NULL; n += 2) {
            assert_true(mr_options_set(mr_pg_options, &config, &memory, c->options[n], NULL,
                                       c->options[n + 1], &err));
        }
        assert_int_equal(mr_pg_config_check(&config, &memory, &err), c->ok);
        if (c->ok) {
            print_config(&config, text, sizeof(text));
            assert_string_equal(text, c->shown);
        } else {
            assert_int_equal(err.code, MR_E_CONFIG);
            assert_non_null(strstr(err.message, c->shown));
        }
        mr_options_free(&memory);
    }
}

static void the_password_leaves_the_url(void **state)
{
    (void)state;
    struct mr_pg_config config = {.url = "postgres://u:secret@h:5432/d"};
    struct mr_option_memory memory = {0};
    struct mr_error err = {0};
    assert_true(mr_options_defaults(mr_pg_options, &config, &memory, &err));
    config.url = "postgres://u:secret@h:5432/d";
    assert_true(mr_pg_config_check(&config, &memory, &err));
    assert_string_equal(config.url, "postgres://u@h:5432/d");
    assert_string_equal(config.password, "secret");
    mr_options_free(&memory);
}

static void names_of_slots_are_valid_and_stay_apart(void **state)
{
    (void)state;
    const struct mr_pg_config config = {0};
    char name[MR_PG_NAME_BYTES_MAX];
    char other[MR_PG_NAME_BYTES_MAX];
    mr_pg_config_slot(&config, "parking", "crm", name);
    assert_string_equal(name, "millrace_parking_crm");
    mr_pg_config_slot(&config, "Parking-Demo", "crm", name);
    assert_string_equal(name, "millrace_parking_demo_crm");
    static const char longest[] = "a_name_that_is_much_too_long_for_a_slot_of_a_server_a_name_a";
    mr_pg_config_slot(&config, longest, "one", name);
    mr_pg_config_slot(&config, longest, "two", other);
    assert_int_equal(strlen(name), MR_PG_NAME_BYTES_MAX - 1);
    assert_string_not_equal(name, other);
    mr_pg_config_publication(&config, "parking", "crm", name);
    assert_string_equal(name, "millrace_parking_crm");
    const struct mr_pg_config named = {.slot = "mine", .publication = "Ours"};
    mr_pg_config_slot(&named, "parking", "crm", name);
    mr_pg_config_publication(&named, "parking", "crm", other);
    assert_string_equal(name, "mine");
    assert_string_equal(other, "Ours");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_and_options_are_taken_or_refused),
        cmocka_unit_test(the_password_leaves_the_url),
        cmocka_unit_test(names_of_slots_are_valid_and_stay_apart),
    };
    return cmocka_run_group_tests_name("postgres_config", tests, NULL, NULL);
}
