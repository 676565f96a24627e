// SPDX-License-Identifier: MIT
/* Decoding of paths, parameters, places, addresses: the parts without a socket. */
#include "check.h"

#include <string.h>

#include "console_internal.h"
#include "http_message.h"
#include "listen_address.h"

static void escapes_decode_strictly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"ops.parking.payment", "ops.parking.payment"},
        {"a%20b%2Fc", "a b/c"},
        {"%e2%82%ac", "\xe2\x82\xac"},
        {"%", NULL},
        {"%4", NULL},
        {"%4g", NULL},
        {"%00", NULL},
        {"a%0ab", NULL},
        {"%7f", NULL},
        {"%ff", NULL},
        {"%c0%80", NULL},       /* overlong NUL */
        {"%e0%80%af", NULL},    /* overlong slash */
        {"%ed%a0%80", NULL},    /* surrogate */
        {"%f4%90%80%80", NULL}, /* beyond U+10FFFF */
        {"%e2%82", NULL},       /* cut short */
        {"0123456789abcdef", NULL},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        char decoded[16 + 4] = "";
        const size_t size = cases[i].text[0] == '0' ? 16 : sizeof(decoded);
        print_message("    %s\n", cases[i].text);
        const bool done = mr_http_decode(cases[i].text, strlen(cases[i].text), decoded, size);
        assert_int_equal(done, cases[i].wanted != NULL);
        if (done) {
            assert_string_equal(decoded, cases[i].wanted);
        }
    }
}

static void numbers_have_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t max;
        bool is_taken;
        uint64_t wanted;
    } cases[] = {
        {"0", 10, true, 0},
        {"10", 10, true, 10},
        {"11", 10, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"9", 5, false, 0},
        {"", 10, false, 0},
        {"-1", 10, false, 0},
        {"+1", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"0x1", 10, false, 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        uint64_t number = 0;
        print_message("    \"%s\"\n", cases[i].text);
        assert_int_equal(mr_http_parse_uint(cases[i].text, cases[i].max, &number),
                         cases[i].is_taken);
        assert_true(number == cases[i].wanted);
    }
}

static void places_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_taken;
        int from;
        uint64_t sequence;
        uint32_t index;
    } cases[] = {
        {"", true, MR_CONSOLE_FROM_LATEST, 0, 0},
        {"earliest", true, MR_CONSOLE_FROM_EARLIEST, 0, 0},
        {"latest", true, MR_CONSOLE_FROM_LATEST, 0, 0},
        {"12", true, MR_CONSOLE_FROM_SEQUENCE, 12, 0},
        {"12-3", true, MR_CONSOLE_FROM_SEQUENCE, 12, 3},
        {"12-", false, 0, 0, 0},
        {"-3", false, 0, 0, 0},
        {"12-3-4", false, 0, 0, 0},
        {"12-4294967296", false, 0, 0, 0},
        {"Latest", false, 0, 0, 0},
        {"99999999999999999999999999999999999999999999999999999999999999999999999", false, 0, 0, 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        const struct mr_console_cursor fallback = {.from = MR_CONSOLE_FROM_LATEST};
        struct mr_console_cursor cursor = {0};
        print_message("    \"%s\"\n", cases[i].text);
        assert_int_equal(mr_cursor_parse(cases[i].text, fallback, &cursor), cases[i].is_taken);
        assert_int_equal(cursor.from, cases[i].from);
        assert_int_equal(cursor.sequence, cases[i].sequence);
        assert_int_equal(cursor.index, cases[i].index);
    }
}

static void addresses_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_taken;
        bool is_loopback;
    } cases[] = {
        {"127.0.0.1:8989", true, true},    {"127.1.2.3:1", true, true},
        {"localhost:0", true, true},       {"[::1]:80", true, true},
        {"0.0.0.0:80", true, false},       {"[::]:80", true, false},
        {"10.0.0.1:80", true, false},      {"127.0.0.1", false, false},
        {"127.0.0.1:", false, false},      {":80", false, false},
        {"127.0.0.1:65536", false, false}, {"127.0.0.1:8a", false, false},
        {"::1:80", false, false},          {"[127.0.0.1]:80", false, false},
        {"example.org:80", false, false},  {"[::1:80", false, false},
        {"[::1]80", false, false},         {"", false, false},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_listen_address address = {.is_loopback = false};
        struct mr_error err = {0};
        print_message("    \"%s\"\n", cases[i].text);
        assert_int_equal(mr_listen_address_parse(cases[i].text, &address, &err), cases[i].is_taken);
        assert_int_equal(address.is_loopback, cases[i].is_loopback);
        assert_int_equal(err.code, cases[i].is_taken ? MR_OK : MR_E_CONFIG);
    }
}

static void only_the_token_opens_to_the_network(void **state)
{
    (void)state;
    static const struct {
        const char *listen;
        const char *token;
        bool open_to_network;
        bool is_taken;
    } cases[] = {
        {"127.0.0.1:0", NULL, false, true},
        {"[::1]:0", NULL, false, true},
        {"0.0.0.0:0", NULL, false, false},
        {"[::]:0", NULL, false, false},
        {"0.0.0.0:0", "0123456789abcdef", false, true},
        {"0.0.0.0:0", NULL, true, true},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        const struct mr_console_settings settings = {
            .listen = cases[i].listen,
            .token = cases[i].token,
            .open_to_network = cases[i].open_to_network,
        };
        struct mr_error err = {0};
        print_message("    %s\n", cases[i].listen);
        assert_int_equal(mr_console_check_settings(&settings, &err), cases[i].is_taken);
        assert_int_equal(err.code, cases[i].is_taken ? MR_OK : MR_E_CONFIG);
    }
}

static void host_headers_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool is_numeric;
    } cases[] = {
        {"127.0.0.1", true},
        {"127.0.0.1:8989", true},
        {"localhost", true},
        {"LOCALHOST:80", true},
        {"[::1]:80", true},
        {"[::1]", true},
        {"192.168.1.1:80", true},
        {"evil.example", false},
        {"evil.example:80", false},
        {"127.0.0.1.nip.io", false},
        {"", false},
        {":80", false},
        {"127.0.0.1:x", false},
        {"localhost.evil", false},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        print_message("    \"%s\"\n", cases[i].host);
        assert_int_equal(mr_listen_address_is_host_numeric(cases[i].host), cases[i].is_numeric);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_decode_strictly),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(places_parse),
        cmocka_unit_test(addresses_parse),
        cmocka_unit_test(only_the_token_opens_to_the_network),
        cmocka_unit_test(host_headers_are_told_apart),
    };
    return cmocka_run_group_tests_name("http_message", tests, NULL, NULL);
}
