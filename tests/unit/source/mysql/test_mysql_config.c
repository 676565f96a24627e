// SPDX-License-Identifier: MIT
/*
 * The MySQL source's configuration: URLs, hosts, contradictions, the derived server id.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "mysql_config.h"

struct setting {
    const char *name;
    const char *value;
};

static const struct config_case {
    const char *label;
    struct setting settings[6];
    enum mr_errc expect;
    const char *says; /* of the message, when it fails */
    const char *user;
    const char *password;
    const char *database;
    const char *shown; /* the url afterwards */
    const char *endpoints;
} config_cases[] = {
    {"url in full",
     {{"url", "mysql://cdc:s3c@db.example:3310/shop"}},
     MR_OK,
     NULL,
     "cdc",
     "s3c",
     "shop",
     "mysql://cdc@db.example:3310/shop",
     "db.example:3310"},
    {"url without port and password",
     {{"url", "mysql://cdc@127.0.0.1/"}, {"password", "x"}},
     MR_OK,
     NULL,
     "cdc",
     "x",
     NULL,
     "mysql://cdc@127.0.0.1/",
     "127.0.0.1:3306"},
    {"several hosts",
     {{"url", "mysql://cdc@a:1,b,[::1]:3,[fe80::2]/"}},
     MR_OK,
     NULL,
     "cdc",
     NULL,
     NULL,
     "mysql://cdc@a:1,b,[::1]:3,[fe80::2]/",
     "a:1 b:3306 ::1:3 fe80::2:3306"},
    {"encoded password, and an @ in it",
     {{"url", "mysql://c%40d:p%2Fw@x@h/"}},
     MR_OK,
     NULL,
     "c@d",
     "p/w@x",
     NULL,
     "mysql://c%40d@h/",
     "h:3306"},
    {"host, hosts and port",
     {{"host", "one"}, {"hosts", "two:7"}, {"hosts", "::1"}, {"port", "9"}, {"user", "u"}},
     MR_OK,
     NULL,
     "u",
     NULL,
     NULL,
     NULL,
     "one:9 two:7 ::1:9"},
    {"a local socket",
     {{"host", "/run/mysqld/mysqld.sock"}, {"user", "u"}},
     MR_OK,
     NULL,
     "u",
     NULL,
     NULL,
     NULL,
     "/run/mysqld/mysqld.sock:3306"},
    {"nothing but a user", {{"user", "u"}}, MR_OK, NULL, "u", NULL, NULL, NULL, "127.0.0.1:3306"},
    {.label = "no user", .settings = {{"host", "h"}}, .expect = MR_E_CONFIG, .says = "user"},
    {.label = "another scheme",
     .settings = {{"url", "postgres://u@h/"}},
     .expect = MR_E_CONFIG,
     .says = "mysql://"},
    {.label = "url and host",
     .settings = {{"url", "mysql://u@h/"}, {"host", "h"}},
     .expect = MR_E_CONFIG,
     .says = "give one of them"},
    {.label = "port 0",
     .settings = {{"url", "mysql://u@h:0/"}},
     .expect = MR_E_CONFIG,
     .says = "not a port"},
    {.label = "port too large",
     .settings = {{"url", "mysql://u@h:65536/"}},
     .expect = MR_E_CONFIG,
     .says = "not a port"},
    {.label = "port with letters",
     .settings = {{"url", "mysql://u@h:33o6/"}},
     .expect = MR_E_CONFIG,
     .says = "not a port"},
    {.label = "empty host",
     .settings = {{"url", "mysql://u@a,,b/"}},
     .expect = MR_E_CONFIG,
     .says = "host is empty"},
    {.label = "unclosed bracket",
     .settings = {{"url", "mysql://u@[::1/"}},
     .expect = MR_E_CONFIG,
     .says = "IPv6"},
    {.label = "more than a database",
     .settings = {{"url", "mysql://u@h/db?ssl=1"}},
     .expect = MR_E_CONFIG,
     .says = "after the database"},
    {.label = "broken encoding",
     .settings = {{"url", "mysql://u:%2@h/"}},
     .expect = MR_E_CONFIG,
     .says = "encoded"},
    {.label = "encoded NUL",
     .settings = {{"url", "mysql://u:%00@h/"}},
     .expect = MR_E_CONFIG,
     .says = "encoded"},
    {.label = "password twice",
     .settings = {{"user", "u"}, {"password", "a"}, {"password_file", "/b"}},
     .expect = MR_E_CONFIG,
     .says = "exclude each other"},
    {.label = "verify without authorities",
     .settings = {{"user", "u"}, {"tls.mode", "verify-ca"}},
     .expect = MR_E_CONFIG,
     .says = "tls.ca"},
    {.label = "certificate without key",
     .settings = {{"user", "u"}, {"tls.cert", "/c"}},
     .expect = MR_E_CONFIG,
     .says = "go together"},
    {.label = "17 hosts",
     .settings = {{"user", "u"}, {"host", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"}},
     .expect = MR_E_CONFIG,
     .says = "more than 16"},
};

static void print_endpoints(const struct mr_mysql_config *config, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < config->endpoint_count; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s:%u", i == 0 ? "" : " ",
                               config->endpoints[i].host, config->endpoints[i].port);
    }
}

static void assert_text(const char *is, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(is);
    } else {
        assert_non_null(is);
        assert_string_equal(is, wanted);
    }
}

static void configurations_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(config_cases); i++) {
        const struct config_case *c = &config_cases[i];
        struct mr_mysql_config config = {0};
        struct mr_option_memory memory = {0};
        struct mr_error err = {0};
        char endpoints[256];

        print_message("    %s\n", c->label);
        assert_true(mr_options_defaults(mr_mysql_options, &config, &memory, &err));
        for (size_t s = 0; s < MR_ARRAY_LEN(c->settings) && c->settings[s].name != NULL; s++) {
            assert_true(mr_options_set(mr_mysql_options, &config, &memory, c->settings[s].name,
                                       NULL, c->settings[s].value, &err));
        }
        bool valid = mr_mysql_config_check(&config, &memory, &err);
        assert_int_equal(valid, c->expect == MR_OK);
        assert_int_equal(err.code, c->expect);
        if (valid) {
            print_endpoints(&config, endpoints, sizeof(endpoints));
            assert_text(config.user, c->user);
            assert_text(config.password, c->password);
            assert_text(config.database, c->database);
            assert_text(config.url, c->shown);
            assert_string_equal(endpoints, c->endpoints);
        } else {
            assert_int_equal(err.recovery, MR_STOP);
            assert_non_null(strstr(err.message, c->says));
            assert_null(strstr(err.message, "s3c"));
        }
        mr_options_free(&memory);
    }
}

static void a_database_in_the_url_names_the_tables(void **state)
{
    (void)state;
    struct mr_mysql_config config = {0};
    struct mr_option_memory memory = {0};
    struct mr_error err = {0};
    assert_true(mr_options_defaults(mr_mysql_options, &config, &memory, &err));
    assert_true(mr_options_set(mr_mysql_options, &config, &memory, "url", NULL,
                               "mysql://u@h/parking", &err));
    assert_true(mr_mysql_config_check(&config, &memory, &err));
    assert_int_equal(config.tables.count, 1);
    assert_string_equal(config.tables.items[0], "parking.*");
    mr_options_free(&memory);
}

static void server_ids_are_stable_and_apart(void **state)
{
    (void)state;
    struct mr_mysql_config config = {0};
    uint32_t ops = mr_mysql_config_server_id(&config, "parking", "ops");
    uint32_t crm = mr_mysql_config_server_id(&config, "parking", "crm");
    assert_true(ops >= 1000000000 && ops < 4000000000);
    assert_int_equal(ops, mr_mysql_config_server_id(&config, "parking", "ops"));
    assert_int_not_equal(ops, crm);
    assert_int_not_equal(ops, mr_mysql_config_server_id(&config, "parking2", "ops"));
    config.server_id = 42;
    assert_int_equal(mr_mysql_config_server_id(&config, "parking", "ops"), 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_are_taken_apart),
        cmocka_unit_test(a_database_in_the_url_names_the_tables),
        cmocka_unit_test(server_ids_are_stable_and_apart),
    };
    return cmocka_run_group_tests_name("mysql_config", tests, NULL, NULL);
}
