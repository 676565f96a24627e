// SPDX-License-Identifier: MIT
/*
 * The configuration's reader, with plug-ins of its own: what it takes, and what it says to every
 * kind of mistake. (The real plug-ins' options are checked by tests/unit/cli.)
 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "registry.h"

/* ---- Two sources, a stream and a sink, as a registry. ---- */

struct test_source {
    const char *url;
    const char *password;
    struct mr_string_list tables;
    uint64_t port;
    unsigned tls_mode;
    struct mr_string_map properties;
};

static const char *const tls_choices[] = {"disable", "require", NULL};

static const struct mr_option source_options[] = {
    {.name = "url",
     .type = MR_OPT_STRING,
     .offset = offsetof(struct test_source, url),
     .required = true,
     .help = "server"},
    {.name = "password", .type = MR_OPT_SECRET, .offset = offsetof(struct test_source, password)},
    {.name = "tables", .type = MR_OPT_LIST, .offset = offsetof(struct test_source, tables)},
    {.name = "port",
     .type = MR_OPT_UINT,
     .offset = offsetof(struct test_source, port),
     .fallback = "3306",
     .max = 65535},
    {.name = "tls.mode",
     .type = MR_OPT_CHOICE,
     .offset = offsetof(struct test_source, tls_mode),
     .fallback = "disable",
     .choices = tls_choices},
    {.name = "properties", .type = MR_OPT_MAP, .offset = offsetof(struct test_source, properties)},
    {0},
};

static bool check_source(void *config, struct mr_option_memory *memory, struct mr_error *err)
{
    const struct test_source *source = config;
    (void)memory;
    return strcmp(source->url, "bad") != 0 || mr_fail(err, MR_E_CONFIG, MR_STOP, "the url is bad");
}

static const struct mr_source_ops test_source = {
    .name = "mysql",
    .options = source_options,
    .config_size = sizeof(struct test_source),
    .check_config = check_source,
};

struct test_stream {
    uint64_t retention_ms;
};

static const struct mr_option stream_options[] = {
    {.name = "retention",
     .type = MR_OPT_DURATION_MS,
     .offset = offsetof(struct test_stream, retention_ms),
     .fallback = "7d"},
    {0},
};

static const struct mr_stream_ops test_stream = {
    .name = "log", .options = stream_options, .config_size = sizeof(struct test_stream)};

static const struct mr_option no_options[] = {{0}};

static const struct mr_sink_ops test_sink = {
    .name = "discard", .options = no_options, .config_size = 1};

const struct mr_source_ops *mr_registry_find_source(const char *name)
{
    return strcmp(name, test_source.name) == 0 ? &test_source : NULL;
}

const struct mr_stream_ops *mr_registry_find_stream(const char *name)
{
    return strcmp(name, test_stream.name) == 0 ? &test_stream : NULL;
}

const struct mr_sink_ops *mr_registry_find_sink(const char *name)
{
    return strcmp(name, test_sink.name) == 0 ? &test_sink : NULL;
}

const struct mr_source_ops *mr_registry_source_at(size_t index)
{
    return index == 0 ? &test_source : NULL;
}

const struct mr_stream_ops *mr_registry_stream_at(size_t index)
{
    return index == 0 ? &test_stream : NULL;
}

const struct mr_sink_ops *mr_registry_sink_at(size_t index)
{
    return index == 0 ? &test_sink : NULL;
}

/* ---- Helpers. ---- */

static const char *variable(const char *name)
{
    if (strcmp(name, "SECRET") == 0) {
        return "hunter2";
    }
    if (strcmp(name, "NESTED") == 0) {
        return "${SECRET}";
    }
    return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static const struct mr_config_surroundings around = {.env = &mr_env_posix, .variable = variable};

#define HEAD    "version: 1\npipeline: parking\n"
#define SOURCES "sources:\n  - name: ops\n    type: mysql\n    url: u\n"
#define SINKS   "sinks:\n  - name: w\n    type: discard\n"

static bool parse(struct mr_pipeline_config *config, const char *text, struct mr_error *err)
{
    return mr_pipeline_config_parse(config, "p.yaml", mr_slice_of(text), &around, err);
}

/* ---- What is taken. ---- */

static void smallest_file_gets_defaults(void **state)
{
    (void)state;
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    if (!parse(&config, HEAD SOURCES SINKS, &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(config.version, 1);
    assert_string_equal(config.pipeline, "parking");
    assert_string_equal(config.data_dir, "./data");
    assert_int_equal(config.memory_bytes_max, 256 << 20);
    assert_int_equal(config.value_bytes_max, 64 << 20);
    assert_string_equal(config.console.listen, "127.0.0.1:8989");
    assert_null(config.console.token);
    assert_int_equal(config.source_count, 1);
    assert_int_equal(config.sources[0].snapshot, MR_SNAPSHOT_INITIAL);
    assert_int_equal(config.sinks[0].batch_rows_max, 50000);
    assert_true(config.sinks[0].flush_interval_ms == MR_DURATION_AUTO);
    assert_ptr_equal(config.stream.ops, &test_stream);
    assert_int_equal(((const struct test_stream *)config.stream.config)->retention_ms,
                     7 * 86400000);
    mr_pipeline_config_done(&config);
}

static void every_section_is_read(void **state)
{
    (void)state;
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    static const char text[] =
        HEAD "data_dir: '/var/lib/x'\n"
             "memory_max: 1GiB\n"
             "sources:\n"
             "  - name: ops\n"
             "    type: mysql\n"
             "    url: a${EMPTY}b$${c}${NESTED}\n"
             "    password: ${SECRET}\n"
             "    tables: [parking.*, 'x.y']\n"
             "    tls: {mode: require}\n"
             "    properties: {a: 1, b.c: two}\n"
             "    snapshot: never\n"
             "  - {name: crm, type: mysql, url: v, port: 1, snapshot: initial_only}\n"
             "tables:\n"
             "  - match: ops.parking.*\n"
             "  - match: '*'\n"
             "    mode: current\n"
             "stream: {type: log, retention: 12h}\n"
             "transforms: []\n"
             "connect:\n"
             "sinks:\n"
             "  - {name: w, type: discard, batch_rows_max: 7, flush_interval: 500ms}\n"
             "console: {listen: '[::1]:0', token: 0123456789abcdef, query_time_max: 1m}\n";
    if (!parse(&config, text, &err)) {
        fail_msg("%s", err.message);
    }
    const struct test_source *ops = config.sources[0].config;
    const struct test_source *crm = config.sources[1].config;
    assert_string_equal(config.data_dir, "/var/lib/x");
    assert_int_equal(config.memory_bytes_max, UINT64_C(1) << 30);
    assert_string_equal(ops->url, "ab${c}${SECRET}"); /* what is put in is not looked at again */
    assert_string_equal(ops->password, "hunter2");
    assert_int_equal(ops->tables.count, 2);
    assert_string_equal(ops->tables.items[1], "x.y");
    assert_int_equal(ops->tls_mode, 1);
    assert_int_equal(ops->properties.count, 2);
    assert_string_equal(ops->properties.keys[1], "b.c");
    assert_string_equal(ops->properties.values[1], "two");
    assert_int_equal(config.sources[0].snapshot, MR_SNAPSHOT_NO_DATA);
    assert_int_equal(config.sources[1].snapshot, MR_SNAPSHOT_INITIAL_ONLY);
    assert_int_equal(crm->port, 1);
    assert_int_equal(config.policies.table_count, 2);
    assert_int_equal(config.sinks[0].batch_rows_max, 7);
    assert_int_equal(config.sinks[0].flush_interval_ms, 500);
    assert_int_equal(config.console.query_time_ms_max, 60000);
    mr_pipeline_config_done(&config);
}

static void first_matching_policy_holds(void **state)
{
    (void)state;
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    assert_true(parse(
        &config, HEAD SOURCES SINKS "tables:\n  - match: ops.a.b\n  - match: ops.a.*\n", &err));
    assert_string_equal(mr_policies_find(&config.policies, "ops", "a", "b")->match, "ops.a.b");
    assert_string_equal(mr_policies_find(&config.policies, "ops", "a", "c")->match, "ops.a.*");
    assert_string_equal(mr_policies_find(&config.policies, "crm", "a", "b")->match, "*");
    mr_pipeline_config_done(&config);
}

static void column_policies_are_read(void **state)
{
    (void)state;
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    static const char text[] = HEAD "on_type_error: text\n" SOURCES SINKS "tables:\n"
                                    "  - match: ops.a.*\n"
                                    "    on_type_error: null\n"
                                    "    columns:\n"
                                    "      - {match: price_*, on_type_error: stop}\n"
                                    "      - match: '*'\n"
                                    "  - match: '*'\n";
    if (!parse(&config, text, &err)) {
        fail_msg("%s", err.message);
    }
    const struct mr_table_policy *policy = mr_policies_find(&config.policies, "ops", "a", "b");
    assert_int_equal(policy->column_count, 2);
    assert_string_equal(policy->columns[0].match, "price_*");
    assert_int_equal(mr_table_policy_on_type_error(policy, "price_net"), MR_ON_TYPE_ERROR_STOP);
    /* Nothing says inherit any more. */
    assert_int_equal(policy->columns[1].on_type_error, MR_ON_TYPE_ERROR_NULL);
    assert_int_equal(config.policies.tables[1].on_type_error, MR_ON_TYPE_ERROR_TEXT);
    assert_int_equal(config.policies.fallback.on_type_error, MR_ON_TYPE_ERROR_TEXT);
    mr_pipeline_config_done(&config);
}

/* A policy for tables of another source asks nothing of this one. */
static void quarantine_is_for_sources_that_have_it(void **state)
{
    (void)state;
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    if (!parse(&config,
               HEAD SOURCES SINKS "tables: [{match: crm.ops.*, on_type_error: quarantine}]\n",
               &err)) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(config.policies.tables[0].on_type_error, MR_ON_TYPE_ERROR_QUARANTINE);
    mr_pipeline_config_done(&config);
}

static void file_reference_is_put_in(void **state)
{
    (void)state;
    char path[] = "/tmp/mr-config-XXXXXX";
    char text[512];
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "s3cret\r\n", 8), 8);
    (void)close(fd);
    (void)snprintf(text, sizeof(text),
                   HEAD "sources: [{name: o, type: mysql, url: u, password: '${file:%s}'}]\n" SINKS,
                   path);
    if (!parse(&config, text, &err)) {
        fail_msg("%s", err.message);
    }
    assert_string_equal(((const struct test_source *)config.sources[0].config)->password, "s3cret");
    mr_pipeline_config_done(&config);
    (void)unlink(path);
}

/* ---- What is refused, and how. ---- */

static const struct refusal_case {
    const char *label;
    const char *text;
    const char *message; /* a part of it */
} refusal_cases[] = {
    {"empty file", "", "p.yaml:1: \"version\" is missing"},
    {"not YAML", HEAD "sources: [", "p.yaml:"},
    {"a list at the top", "- a\n", "p.yaml:1: expected a mapping"},
    {"a second document", HEAD SOURCES SINKS "---\na: 1\n", "only one document"},
    {"an alias", HEAD "data_dir: *x\n" SOURCES SINKS, "aliases (*)"},
    {"an anchor", HEAD "data_dir: &x y\n" SOURCES SINKS, "anchors (&)"},
    {"a tag", HEAD "data_dir: !!str y\n" SOURCES SINKS, "tags (!)"},
    {"too deep", HEAD "sources: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", "too deeply"},
    {"a key twice", HEAD "data_dir: a\ndata_dir: b\n" SOURCES SINKS,
     "p.yaml:4: key \"data_dir\" is there twice, first in line 3"},
    {"a zero byte", HEAD "data_dir: \"a\\0b\"\n" SOURCES SINKS, "zero byte"},
    {"wrong version", "version: 2\npipeline: p\n" SOURCES SINKS, "version 2 is not known"},
    {"no pipeline", "version: 1\n" SOURCES SINKS, "\"pipeline\" is missing"},
    {"bad pipeline name", "version: 1\npipeline: a.b\n" SOURCES SINKS, "\"pipeline\" must be"},
    {"no source", HEAD SINKS, "there is no source"},
    {"no sink", HEAD SOURCES, "there is no sink"},
    {"sources no list", HEAD "sources: {a: b}\n" SINKS, "p.yaml:3: \"sources\" needs a list"},
    {"unknown key at the top", HEAD "data_dri: x\n" SOURCES SINKS,
     "p.yaml:3: unknown key \"data_dri\"; did you mean \"data_dir\"?"},
    {"unknown section", HEAD "sink: x\n" SOURCES SINKS, "did you mean \"sinks\"?"},
    {"unknown key of a source",
     HEAD "sources:\n  - name: ops\n    type: mysql\n    url: u\n    tabels: [a.b]\n" SINKS,
     "p.yaml:7: unknown key \"tabels\" in sources[0]; did you mean \"tables\"?"},
    {"unknown nested key", HEAD "sources: [{name: o, type: mysql, url: u, tls: {moed: x}}]\n" SINKS,
     "unknown key \"tls.moed\" in sources[0]; did you mean \"tls.mode\"?"},
    {"misspelt group", HEAD "sources: [{name: o, type: mysql, url: u, tlss: {mode: x}}]\n" SINKS,
     "did you mean \"tls\"?"},
    {"nothing near", HEAD "quux_of_the_day: x\n" SOURCES SINKS, "millrace help options"},
    {"missing url", HEAD "sources:\n  - name: o\n    type: mysql\n" SINKS,
     "p.yaml:4: \"url\" is missing in sources[0]"},
    {"missing type", HEAD "sources: [{name: o}]\n" SINKS, "\"type\" is missing in sources[0]"},
    {"unknown type", HEAD "sources: [{name: o, type: oracle}]\n" SINKS,
     "\"type\" in sources[0] is \"oracle\"; known are: mysql"},
    {"unknown stream", HEAD "stream: {type: kafka}\n" SOURCES SINKS, "known are: log"},
    {"unknown sink", HEAD SOURCES "sinks: [{name: w, type: kafka}]\n", "known are: discard"},
    {"bad source name", HEAD "sources: [{name: a.b, type: mysql, url: u}]\n" SINKS,
     "\"name\" in sources[0] must be"},
    {"wrong number", HEAD "sources: [{name: o, type: mysql, url: u, port: x1}]\n" SINKS,
     "p.yaml:3: sources[0]: option \"port\" cannot be \"x1\""},
    {"number too large", HEAD "sources: [{name: o, type: mysql, url: u, port: 70000}]\n" SINKS,
     "65535"},
    {"wrong choice", HEAD "sources: [{name: o, type: mysql, url: u, snapshot: sometimes}]\n" SINKS,
     "\"snapshot\" cannot be \"sometimes\""},
    {"wrong size", HEAD "memory_max: lots\n" SOURCES SINKS, "p.yaml:3: option \"memory_max\""},
    {"memory too small", HEAD "memory_max: 1MiB\n" SOURCES SINKS, "\"memory_max\""},
    {"value_max above memory_max", HEAD "memory_max: 64MiB\nvalue_max: 65MiB\n" SOURCES SINKS,
     "\"value_max\" is larger"},
    {"scalar for a list", HEAD "sources: [{name: o, type: mysql, url: u, tables: a.b}]\n" SINKS,
     "\"tables\" needs a list"},
    {"list for a scalar", HEAD "sources: [{name: o, type: mysql, url: [u]}]\n" SINKS,
     "\"url\" in sources[0] needs a plain value"},
    {"empty value", HEAD "sources:\n  - name: o\n    type: mysql\n    url:\n" SINKS, "it is empty"},
    {"scalar for a map", HEAD "sources: [{name: o, type: mysql, url: u, properties: 1}]\n" SINKS,
     "\"properties\" needs a mapping"},
    {"scalar for a group", HEAD "sources: [{name: o, type: mysql, url: u, tls: require}]\n" SINKS,
     "\"tls\" needs a mapping"},
    {"plug-in's own check", HEAD "sources: [{name: o, type: mysql, url: bad}]\n" SINKS,
     "p.yaml:3: source \"o\": the url is bad"},
    {"variable not set", HEAD "sources: [{name: o, type: mysql, url: '${GONE}'}]\n" SINKS,
     "p.yaml:3: \"url\" in sources[0]: environment variable \"GONE\" is not set"},
    {"no closing brace", HEAD "data_dir: '${SECRET'\n" SOURCES SINKS, "without a closing brace"},
    {"not a name", HEAD "data_dir: '${a b}'\n" SOURCES SINKS, "is not a reference"},
    {"file not there", HEAD "data_dir: '${file:/nonexistent/x}'\n" SOURCES SINKS,
     "read \"/nonexistent/x\""},
    {"sources of one name",
     HEAD "sources: [{name: Ops, type: mysql, url: u}, "
          "{name: ops, type: mysql, url: u}]\n" SINKS,
     "two sources are named \"ops\""},
    {"sinks of one name",
     HEAD SOURCES "sinks: [{name: w, type: discard}, {name: W, type: discard}]\n",
     "two sinks are named \"W\""},
    {"two sources, one target",
     HEAD "sources: [{name: a, type: mysql, url: u, tables: [b_c.t]}, "
          "{name: a_b, type: mysql, url: u, tables: ['x.*', C.T]}]\n" SINKS,
     "meet in one target, \"a_b_C.T\""},
    {"one source, one target",
     HEAD "sources: [{name: a, type: mysql, url: u, tables: [d.T, d.t]}]\n" SINKS,
     "meet in one target"},
    {"mode append", HEAD SOURCES SINKS "tables:\n  - match: x\n    mode: append\n",
     "p.yaml:12: this value of \"mode\" (table policy \"x\") is not available"},
    {"mode history", HEAD SOURCES SINKS "tables: [{match: x, mode: history}]\n", "not available"},
    {"quarantine where the source has none",
     HEAD SOURCES SINKS "tables: [{match: o?s.a.b, on_type_error: quarantine}]\n",
     "\"on_type_error\" is quarantine for \"o?s.a.b\", which source \"ops\""},
    {"quarantine for a column",
     HEAD SOURCES SINKS
     "tables:\n  - match: '*'\n    columns:\n      - {match: c, on_type_error: quarantine}\n",
     "which source \"ops\" of type mysql does not have"},
    {"quarantine for all", HEAD "on_type_error: quarantine\n" SOURCES SINKS, "\"on_type_error\""},
    {"unknown key of a column",
     HEAD SOURCES SINKS "tables: [{match: x, columns: [{match: c, on_typ_error: stop}]}]\n",
     "in tables[0].columns[0]; did you mean \"on_type_error\"?"},
    {"columns no list", HEAD SOURCES SINKS "tables: [{match: x, columns: c}]\n",
     "\"columns\" needs a list"},
    {"column without match",
     HEAD SOURCES SINKS "tables: [{match: x, columns: [{on_type_error: stop}]}]\n",
     "\"match\" is missing in tables[0].columns[0]"},
    {"history", HEAD SOURCES SINKS "tables: [{match: x, mode: history}]\n", "not available"},
    {"retention", HEAD SOURCES SINKS "tables: [{match: x, retention: {column: c, keep: 3d}}]\n",
     "\"retention.column\""},
    {"key", HEAD SOURCES SINKS "tables: [{match: x, key: [id]}]\n", "\"key\""},
    {"policy without match", HEAD SOURCES SINKS "tables: [{mode: current}]\n",
     "\"match\" is missing in tables[0]"},
    {"large values to quarantine", HEAD "on_large_value: quarantine\n" SOURCES SINKS,
     "this value of \"on_large_value\""},
    {"nothing for a choice", HEAD "on_large_value:\n" SOURCES SINKS, "it is empty"},
    {"null for another text", HEAD "data_dir: null\n" SOURCES SINKS, "it is empty"},
    {"transforms", HEAD SOURCES SINKS "transforms: [{type: mask}]\n",
     "\"transforms\" is not available"},
    {"connect", HEAD SOURCES SINKS "connect: {listen: 127.0.0.1:8083}\n",
     "\"connect\" is not available"},
    {"listen without a port", HEAD SOURCES SINKS "console: {listen: 127.0.0.1}\n",
     "\"console.listen\" is"},
    {"listen on a bare IPv6 address", HEAD SOURCES SINKS "console: {listen: '::1:80'}\n",
     "\"console.listen\" is"},
    {"listen on no port", HEAD SOURCES SINKS "console: {listen: '127.0.0.1:99999'}\n",
     "\"console.listen\" is"},
    {"short token", HEAD SOURCES SINKS "console: {token: short}\n", "\"console.token\" is shorter"},
};

static void mistakes_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < MR_ARRAY_LEN(refusal_cases); i++) {
        const struct refusal_case *c = &refusal_cases[i];
        struct mr_pipeline_config config;
        struct mr_error err = {0};
        print_message("    %s\n", c->label);
        assert_false(parse(&config, c->text, &err));
        assert_int_equal(err.code, MR_E_CONFIG);
        if (strstr(err.message, c->message) == NULL ||
            strncmp(err.message, "p.yaml:", strlen("p.yaml:")) != 0) {
            fail_msg("wanted: %s\n   got: %s", c->message, err.message);
        }
        assert_int_equal(config.source_count, 0); /* nothing is left behind */
    }
}

static void secrets_are_never_shown(void **state)
{
    (void)state;
    static const char *const texts[] = {
        HEAD "sources: [{name: o, type: mysql, url: u, port: '${SECRET}'}]\n" SINKS,
        HEAD "sources: [{name: o, type: mysql, url: u, snapshot: '${SECRET}'}]\n" SINKS,
        HEAD "memory_max: '${SECRET}'\n" SOURCES SINKS,
        HEAD SOURCES SINKS "console: {token: '${SECRET}'}\n",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++) {
        struct mr_pipeline_config config;
        struct mr_error err = {0};
        assert_false(parse(&config, texts[i], &err));
        assert_null(strstr(err.message, "hunter2"));
    }
}

static void unreadable_file_is_named(void **state)
{
    (void)state;
    struct mr_pipeline_config config;
    struct mr_error err = {0};
    assert_false(mr_pipeline_config_load(&config, "/nonexistent/p.yaml", &around, &err));
    assert_int_equal(err.code, MR_E_CONFIG);
    assert_non_null(strstr(err.message, "/nonexistent/p.yaml"));
}

/* Every prefix and every single-byte damage of a good file: an error or a configuration, no
 * crash. */
static void damage_never_crashes(void **state)
{
    (void)state;
    static const char good[] =
        HEAD "sources:\n  - {name: ops, type: mysql, url: 'x${SECRET}', tables: [a.*], tls: {mode: "
             "disable}}\nsinks:\n  - name: w\n    type: discard\nconsole: {listen: \"off\"}\n";
    static const char damages[] = {'\0', '\n', '"', '{', ']', ':', '\xff', '-', '&', ' '};
    char text[sizeof(good)];
    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        struct mr_pipeline_config config;
        struct mr_error err = {0};
        if (mr_pipeline_config_parse(&config, "p.yaml",
                                     (struct mr_slice){(const uint8_t *)good, at}, &around, &err)) {
            mr_pipeline_config_done(&config);
        }
        for (size_t d = 0; d < sizeof(damages); d++) {
            memcpy(text, good, sizeof(good));
            text[at] = damages[d];
            const struct mr_slice slice = {(const uint8_t *)text, sizeof(good) - 1};
            if (mr_pipeline_config_parse(&config, "p.yaml", slice, &around, &err)) {
                mr_pipeline_config_done(&config);
            } else {
                assert_int_equal(err.code, MR_E_CONFIG);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smallest_file_gets_defaults),
        cmocka_unit_test(every_section_is_read),
        cmocka_unit_test(first_matching_policy_holds),
        cmocka_unit_test(column_policies_are_read),
        cmocka_unit_test(quarantine_is_for_sources_that_have_it),
        cmocka_unit_test(file_reference_is_put_in),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(secrets_are_never_shown),
        cmocka_unit_test(unreadable_file_is_named),
        cmocka_unit_test(damage_never_crashes),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
