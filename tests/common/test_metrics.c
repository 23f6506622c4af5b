/* Metrics: valid JSON lines, there at once, and the same file after a resume. */
#include "common/metrics.h"
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/skip.h"

static Arena *arena;
static char folder[] = "/tmp/test_metrics_XXXXXX", path[64];

static int make_folder(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 20);
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/metrics.jsonl", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    arena_free(arena);
    return rmdir(folder);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static const char *content(void)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static Metrics *opened(void)
{
    Error err = {""};
    Metrics *metrics = metrics_open(arena, path, &err);
    if (metrics == NULL) fail_msg("%s", err.message);
    return metrics;
}

static void a_line_is_in_the_file_before_it_is_closed(void **state)
{
    (void)state;
    Metrics *metrics = opened();
    metrics_write(metrics, 100, METRICS({"train_loss", 0.5}, {"rate", 1e-3}));
    assert_string_equal(content(), "{\"step\":100,\"train_loss\":0.5,\"rate\":0.001}\n");
    assert_true(metrics_close(metrics, NULL));
}

static void a_float_comes_back_exact(void **state)
{
    (void)state;
    float values[] = {0.1f, 1.0f / 3.0f, 3.4028234e38f, 1.4e-45f, -16777217.0f};
    Metrics *metrics = opened();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        metrics_write(metrics, (long)i, METRICS({"x", (double)values[i]}));
    assert_true(metrics_close(metrics, NULL));
    const char *line = content();
    for (size_t i = 0; i < sizeof values / sizeof *values; i++, line = strchr(line, '\n') + 1)
        assert_true(strtof(strstr(line, "\"x\":") + 4, NULL) == values[i]);
}

static void what_is_not_finite_is_a_string_in_valid_json(void **state)
{
    (void)state;
    Metrics *metrics = opened();
    metrics_write(
        metrics, 1,
        METRICS({"a", (double)NAN}, {"b", -(double)NAN}, {"c", HUGE_VAL}, {"d", -HUGE_VAL}));
    assert_true(metrics_close(metrics, NULL));
    cJSON *line = cJSON_Parse(content());
    assert_non_null(line);
    const char *expected[] = {"nan", "nan", "inf", "-inf"};
    for (int i = 0; i < 4; i++)
        assert_string_equal(cJSON_GetStringValue(cJSON_GetArrayItem(line, i + 1)), expected[i]);
    cJSON_Delete(line);
}

static void a_run_resumed_writes_the_file_of_one_never_stopped(void **state)
{
    (void)state;
    Metrics *metrics = opened();
    for (long step = 0; step < 10; step++)
        metrics_write(metrics, step, METRICS({"loss", 1.0 / (1.0 + (double)step)}));
    assert_true(metrics_close(metrics, NULL));
    char *whole = strdup(content());
    for (long stop = -1; stop < 10; stop++) {
        metrics = opened();
        assert_true(metrics_rewind(metrics, stop, NULL));
        // It may repeat what came before: all of it, some, or nothing.
        for (long step = stop >= 0 ? stop % 3 : 0; step < 10; step++)
            metrics_write(metrics, step, METRICS({"loss", 1.0 / (1.0 + (double)step)}));
        assert_true(metrics_close(metrics, NULL));
        assert_string_equal(content(), whole);
    }
    free(whole);
}

static void a_restart_drops_what_was_there_with_the_first_line(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"step\":7,\"loss\":1}\n", file);
    fclose(file);
    Metrics *metrics = opened();
    metrics_restart(metrics);
    assert_true(metrics_close(metrics, NULL));
    assert_string_equal(content(), "{\"step\":7,\"loss\":1}\n");
    metrics = opened();
    metrics_restart(metrics);
    metrics_write(metrics, 1, METRICS({"loss", 0.5}));
    metrics_write(metrics, 2, METRICS({"loss", 0.25}));
    assert_true(metrics_close(metrics, NULL));
    assert_string_equal(content(), "{\"step\":1,\"loss\":0.5}\n{\"step\":2,\"loss\":0.25}\n");
}

static void a_line_cut_by_a_crash_is_dropped(void **state)
{
    (void)state;
    const char *ends[] = {"{\"st", "{\"step\":2,\"loss\":0.", "{\"step\":2,\"loss\":0.5}", "\n",
                          "garbage\n{\"step\":2,\"loss\":0.5}\n"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fprintf(file, "{\"step\":1,\"loss\":1}\n%s", ends[i]);
        fclose(file);
        Metrics *metrics = opened();
        assert_true(metrics_rewind(metrics, 5, NULL));
        assert_string_equal(content(), "{\"step\":1,\"loss\":1}\n");
        metrics_write(metrics, 2, METRICS({"loss", 0.25}));
        assert_string_equal(content(), "{\"step\":1,\"loss\":1}\n{\"step\":2,\"loss\":0.25}\n");
        assert_true(metrics_close(metrics, NULL));
    }
}

static void a_full_disk_is_reported_at_the_end(void **state)
{
    (void)state;
    Error err = {""};
    Metrics *metrics = metrics_open(arena, "/dev/full", &err);
    if (metrics == NULL) SKIP("no /dev/full", "run it on Linux");
    metrics_write(metrics, 1, METRICS({"loss", 1.0}));
    assert_false(metrics_close(metrics, &err));
    assert_string_equal(err.message, "/dev/full: lines are missing: No space left on device");
}

static void a_second_run_in_the_same_folder_is_refused(void **state)
{
    (void)state;
    Error err = {""};
    Metrics *first = opened();
    assert_null(metrics_open(arena, path, &err));
    assert_non_null(strstr(err.message, "metrics.jsonl: another run is writing it"));
    metrics_write(first, 1, METRICS({"loss", 1.0}));
    assert_true(metrics_close(first, &err));
    assert_true(metrics_close(opened(), &err));    // after the first has ended
    assert_string_equal(content(), "{\"step\":1,\"loss\":1}\n");
}

static void a_path_that_cannot_be_opened_is_named(void **state)
{
    (void)state;
    Error err = {""};
    assert_null(metrics_open(arena, "/no/such/folder/metrics.jsonl", &err));
    assert_string_equal(
        err.message, "/no/such/folder/metrics.jsonl: cannot be opened: No such file or directory");
    assert_true(metrics_close(NULL, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_line_is_in_the_file_before_it_is_closed, remove_file),
        cmocka_unit_test_teardown(a_float_comes_back_exact, remove_file),
        cmocka_unit_test_teardown(what_is_not_finite_is_a_string_in_valid_json, remove_file),
        cmocka_unit_test_teardown(a_run_resumed_writes_the_file_of_one_never_stopped, remove_file),
        cmocka_unit_test_teardown(a_restart_drops_what_was_there_with_the_first_line, remove_file),
        cmocka_unit_test_teardown(a_line_cut_by_a_crash_is_dropped, remove_file),
        cmocka_unit_test_teardown(a_second_run_in_the_same_folder_is_refused, remove_file),
        cmocka_unit_test(a_full_disk_is_reported_at_the_end),
        cmocka_unit_test(a_path_that_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
