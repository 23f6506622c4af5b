/* A lab's exercises timed, with a learner's library of which most functions fail. */
#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/facts.h"

// Runs a program with these options, its output dropped, and returns its exit status.
static int run_program(const char *program, const char *options)
{
    char command[2048];
    snprintf(command, sizeof command, "'%s' --quick --threads 1 %s >/dev/null 2>&1", program,
             options);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int run(const char *options)
{
    return run_program(PROGRAM, options);
}

// The report of a program whose name is `name`; NULL when it fails.
static cJSON *report_of(const char *program, const char *name, const char *options)
{
    static char text[1 << 18];
    char folder[] = "/tmp/exercises-XXXXXX", path[64], all[1024];
    if (mkdtemp(folder) == NULL) return NULL;
    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    snprintf(all, sizeof all, "%s --json %s", options, folder);
    int status = run_program(program, all);
    FILE *file = fopen(path, "r");
    size_t bytes = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[bytes] = '\0';
    if (file != NULL) fclose(file);
    remove(path);
    rmdir(folder);
    return status == 0 ? cJSON_Parse(text) : NULL;
}

static cJSON *report;    // of all exercises, with the library that fails

static int measure(void **state)
{
    (void)state;
    report =
        report_of(PROGRAM, "autoencoder", "--mine '" FAILING "' --left-out 'kl=not written yet'");
    return report == NULL ? -1 : 0;
}

static int forget(void **state)
{
    (void)state;
    cJSON_Delete(report);
    return 0;
}

static const cJSON *row_of(const char *exercise)
{
    const cJSON *row;
    cJSON_ArrayForEach(
        row, cJSON_GetObjectItem(
                 report, "results")) if (strcmp(cJSON_GetObjectItem(row, "exercise")->valuestring,
                                                exercise) == 0) return row;
    fail_msg("no row of %s", exercise);
    return NULL;
}

static void assert_left_out(const char *exercise, const char *why)
{
    const cJSON *row = row_of(exercise);
    const char *got = cJSON_GetStringValue(cJSON_GetObjectItem(row, "mine_left_out"));
    if (got == NULL) fail_msg("%s was timed", exercise);
    assert_string_equal(got, why);
    assert_null(cJSON_GetObjectItem(row, "mine"));
    assert_non_null(cJSON_GetObjectItem(row, "reference"));
}

static void an_exercise_that_fails_at_the_timed_size_is_left_out_with_the_reason(void **state)
{
    (void)state;
    assert_left_out("linear_forward", "crashes at this size");
    assert_left_out("relu_backward", "wrong at this size");
    assert_left_out("corrupt", "ends the program");
    assert_left_out("sample", "prints, and printing takes time");
    assert_left_out("loss", "function is missing");
}

static void an_exercise_that_the_grader_rejects_is_not_run(void **state)
{
    (void)state;
    assert_left_out("kl", "not written yet");
}

static void a_correct_exercise_is_timed_beside_the_reference(void **state)
{
    (void)state;
    const cJSON *row = row_of("sample_backward");
    assert_null(cJSON_GetObjectItem(row, "mine_left_out"));
    assert_true(cJSON_GetObjectItem(cJSON_GetObjectItem(row, "mine"), "seconds")->valuedouble > 0);
}

static void flops_and_bytes_match_a_hand_computation(void **state)
{
    (void)state;
    const cJSON *forward = row_of("linear_forward"), *backward = row_of("linear_backward");
    assert_close(cJSON_GetObjectItem(forward, "flop")->valuedouble, 51380224,
                 0);    // 2 x 128 x 784 x 256
    assert_close(cJSON_GetObjectItem(backward, "flop")->valuedouble, 102760448, 0);
    // y, x, w, bias once: 4 (128 x 256 + 128 x 784 + 256 x 784 + 256)
    assert_close(cJSON_GetObjectItem(forward, "bytes")->valuedouble, 1336320, 0);
    // dx, dw, dbias twice: 4 (2 (100352 + 200704 + 256) + 32768 + 100352 + 200704)
    assert_close(cJSON_GetObjectItem(backward, "bytes")->valuedouble, 3745792, 0);
}

static void products_are_compared_with_openblas_and_kernels_with_the_plain_ones(void **state)
{
    (void)state;
    assert_non_null(cJSON_GetObjectItem(row_of("tied_backward"), "OpenBLAS"));
    assert_non_null(cJSON_GetObjectItem(row_of("tied_backward"), "plain kernels"));
    assert_null(cJSON_GetObjectItem(row_of("loss"), "OpenBLAS"));
    assert_null(cJSON_GetObjectItem(row_of("corrupt"), "plain kernels"));
}

static void another_library_is_timed_beside_the_reference(void **state)
{
    (void)state;
    cJSON *lu = report_of(RIVALS, "linear_algebra", "--only lu");
    assert_non_null(lu);
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItem(lu, "results"), 0);
    assert_non_null(cJSON_GetObjectItem(row, "reference"));
    assert_true(cJSON_GetObjectItem(cJSON_GetObjectItem(row, "LAPACK"), "seconds")->valuedouble >
                0);
    cJSON_Delete(lu);
}

static void one_exercise_alone_is_measured_and_an_unknown_one_refused(void **state)
{
    (void)state;
    assert_int_equal(run("--only kl"), 0);
    assert_int_equal(run("--only k"), 1);
}

static void a_missing_library_ends_with_status_1(void **state)
{
    (void)state;
    assert_int_equal(run("--mine /no/such/library.so"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exercise_that_fails_at_the_timed_size_is_left_out_with_the_reason),
        cmocka_unit_test(an_exercise_that_the_grader_rejects_is_not_run),
        cmocka_unit_test(a_correct_exercise_is_timed_beside_the_reference),
        cmocka_unit_test(flops_and_bytes_match_a_hand_computation),
        cmocka_unit_test(products_are_compared_with_openblas_and_kernels_with_the_plain_ones),
        cmocka_unit_test(another_library_is_timed_beside_the_reference),
        cmocka_unit_test(one_exercise_alone_is_measured_and_an_unknown_one_refused),
        cmocka_unit_test(a_missing_library_ends_with_status_1),
    };
    return cmocka_run_group_tests(tests, measure, forget);
}
