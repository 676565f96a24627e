// SPDX-License-Identifier: MIT
/* Bounds, percentiles and Prometheus text of the latency histogram. */
#include "check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "compiler.h"
#include "histogram.h"

#define TEXT_BYTES_MAX (1 << 16)

static void percentile_stays_within_its_bucket(void **state)
{
    (void)state;
    static const struct {
        const char *label;
        int64_t from_us, to_us, step_us;
        double percent, wanted_us, error_max; /* relative */
    } cases[] = {
        {"even spread, median", 1000, 100000, 100, 50.0, 50500.0, 0.07},
        {"even spread, p99", 1000, 100000, 100, 99.0, 99010.0, 0.07},
        {"even spread, 0", 1000, 100000, 100, 0.0, 1000.0, 0.13},
        {"one value", 4000, 4000, 1, 50.0, 4000.0, 0.13},
        {"below the first bound", 0, 50, 1, 100.0, 50.0, 0.0},
        {"above the last bound", 250000000, 250000000, 1, 99.0, 250000000.0, 0.0},
        {"negative counts as zero", -5000, -5000, 1, 99.0, 0.0, 0.0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct mr_histogram *histogram = calloc(1, sizeof(*histogram));
        uint64_t count = 0;
        print_message("    %s\n", cases[i].label);
        for (int64_t us = cases[i].from_us; us <= cases[i].to_us; us += cases[i].step_us) {
            mr_histogram_record(histogram, us);
            count++;
        }
        const double found = mr_histogram_percentile_us(histogram, cases[i].percent);
        const double slack = cases[i].wanted_us * cases[i].error_max;
        assert_true(found >= cases[i].wanted_us - slack && found <= cases[i].wanted_us + slack);
        assert_int_equal(mr_histogram_count(histogram), count);
        free(histogram);
    }
}

static void empty_has_no_percentile(void **state)
{
    (void)state;
    struct mr_histogram *histogram = calloc(1, sizeof(*histogram));
    assert_true(mr_histogram_percentile_us(histogram, 99.0) <= 0.0);
    assert_int_equal(mr_histogram_max_us(histogram), 0);
    free(histogram);
}

static char *expose(const struct mr_histogram *histogram, const struct mr_label *labels)
{
    struct mr_writer out;
    mr_writer_init(&out, TEXT_BYTES_MAX);
    mr_exposition_family(&out, "x_seconds", "histogram", "back\\slash\nline");
    mr_histogram_expose(histogram, "x_seconds", labels, &out);
    mr_write_u8(&out, '\0');
    assert_false(out.failed);
    char *text = strdup((const char *)out.bytes);
    mr_writer_done(&out);
    return text;
}

static void exposition_is_cumulative_and_escaped(void **state)
{
    (void)state;
    struct mr_histogram *histogram = calloc(1, sizeof(*histogram));
    const int64_t values_us[] = {100, 101, 250, 999, 1000, 2500000, 100000000, 100000001};
    for (size_t i = 0; i < MR_ARRAY_LEN(values_us); i++) {
        mr_histogram_record(histogram, values_us[i]);
    }
    char *text = expose(histogram, (const struct mr_label[]){{"sink", "a\"b\\c\nd"}, {0}});
    static const char *const lines[] = {
        "# HELP x_seconds back\\\\slash\\nline\n# TYPE x_seconds histogram\n",
        "x_seconds_bucket{sink=\"a\\\"b\\\\c\\nd\",le=\"0.0001\"} 1\n",
        ",le=\"0.00025\"} 3\n",
        ",le=\"0.0005\"} 3\n",
        ",le=\"0.001\"} 5\n",
        ",le=\"2.5\"} 6\n",
        ",le=\"100\"} 7\n",
        ",le=\"+Inf\"} 8\n",
        "x_seconds_sum{sink=\"a\\\"b\\\\c\\nd\"} 202.502451\n",
        "x_seconds_count{sink=\"a\\\"b\\\\c\\nd\"} 8\n",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(lines); i++) {
        if (strstr(text, lines[i]) == NULL) {
            fail_msg("no line %s in\n%s", lines[i], text);
        }
    }
    free(text);
    free(histogram);
}

static void *record_many(void *argument)
{
    for (int i = 0; i < 100000; i++) {
        mr_histogram_record(argument, i);
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    struct mr_histogram *histogram = calloc(1, sizeof(*histogram));
    pthread_t threads[4];
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, record_many, histogram), 0);
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(mr_histogram_count(histogram), 400000);
    assert_int_equal(mr_histogram_max_us(histogram), 99999);
    free(histogram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentile_stays_within_its_bucket),
        cmocka_unit_test(empty_has_no_percentile),
        cmocka_unit_test(exposition_is_cumulative_and_escaped),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
