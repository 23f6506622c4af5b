/* The programs as a user starts them: exit status, and a report that a reader can trust. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>
#include "tests/facts.h"
#include <cjson/cJSON.h>

// Runs the command, its output dropped, and returns its exit status.
static int run(const char *format, const char *program, const char *argument)
{
    char command[1024], whole[1100];
    snprintf(command, sizeof command, format, program, argument);
    snprintf(whole, sizeof whole, "%s >/dev/null 2>&1", command);
    int status = system(whole);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static cJSON *read_json(const char *path)
{
    static char text[1 << 20];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    return cJSON_Parse(text);
}

static void assert_finite_timing(const cJSON *row, const char *contender)
{
    const cJSON *timing = cJSON_GetObjectItem(row, contender);
    assert_non_null(timing);
    const char *const fields[] = {"min", "quartile1", "seconds", "quartile3", "max"};
    double last = 0;
    for (int i = 0; i < 5; i++) {
        const cJSON *field = cJSON_GetObjectItem(timing, fields[i]);
        assert_true(cJSON_IsNumber(field) && isfinite(field->valuedouble));
        assert_true(field->valuedouble >= last && field->valuedouble > 0);
        last = field->valuedouble;
    }
    assert_true(cJSON_GetObjectItem(timing, "rounds")->valueint >= 3);
}

// Runs PROGRAM --quick --json FILE and returns the parsed report, the caller's.
static cJSON *quick_report(const char *program)
{
    char path[] = "/tmp/bench-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(run("'%s' --quick --threads 1,2 --json %s", program, path), 0);
    cJSON *report = read_json(path);
    remove(path);
    assert_non_null(report);
    return report;
}

static void assert_describes_the_machine(const cJSON *report, const char *bench)
{
    assert_string_equal(cJSON_GetObjectItem(report, "bench")->valuestring, bench);
    const char *const fields[] = {"cpu", "kernel", "compiler", "libraries", "table"};
    const cJSON *machine = cJSON_GetObjectItem(report, "machine");
    for (int i = 0; i < 5; i++)
        assert_true(strlen(cJSON_GetObjectItem(machine, fields[i])->valuestring) > 0);
    const char *const shares[] = {"busy_before", "busy_after"};
    for (int i = 0; i < 2; i++) {
        double share = cJSON_GetObjectItem(report, shares[i])->valuedouble;
        assert_true(share >= 0 && share <= 1);
    }
    const cJSON *peaks = cJSON_GetObjectItem(report, "peaks"), *peak;
    assert_int_equal(cJSON_GetArraySize(peaks), 2);    // one for each number of threads
    cJSON_ArrayForEach(peak, peaks)
    {
        assert_true(cJSON_GetObjectItem(peak, "gflops")->valuedouble > 0);
        assert_true(cJSON_GetObjectItem(peak, "read_gbs")->valuedouble > 0);
    }
}

static void sgemm_writes_finite_numbers_and_its_machine(void **state)
{
    (void)state;
    cJSON *report = quick_report(SGEMM), *row;
    assert_describes_the_machine(report, "sgemm");
    const cJSON *results = cJSON_GetObjectItem(report, "results");
    assert_true(cJSON_GetArraySize(results) > 0);
    cJSON_ArrayForEach(row, results)
    {
        assert_finite_timing(row, "ours");
        assert_finite_timing(row, "ref");
    }
    cJSON_Delete(report);
}

static void train_autoencoder_writes_finite_numbers_and_its_machine(void **state)
{
    (void)state;
    cJSON *report = quick_report(TRAIN_AUTOENCODER), *row;
    assert_describes_the_machine(report, "train_autoencoder");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(report, "results"))
    {
        assert_finite_timing(row, "ours");
        // 128 images, 2 and 3 products: by hand, 128 (2 x 2 x 200704 + 3 x 2 x 233472).
        assert_close(cJSON_GetObjectItem(row, "flop")->valuedouble, 282066944.0, 0);
    }
    cJSON_Delete(report);
}

// A benchmark of a kernel and its gradients: one shape, forward and training, on one thread and on two.
static void holds_forward_and_training(const char *program, const char *name, double forward,
                                       double training)
{
    cJSON *report = quick_report(program), *row;
    assert_describes_the_machine(report, name);
    const cJSON *results = cJSON_GetObjectItem(report, "results");
    assert_int_equal(cJSON_GetArraySize(results), 4);
    double flop[2] = {0};
    cJSON_ArrayForEach(row, results)
    {
        assert_finite_timing(row, "ours");
        assert_finite_timing(row, "ref");
        const char *work = cJSON_GetObjectItem(row, "work")->valuestring;
        flop[strcmp(work, "training") == 0] += cJSON_GetObjectItem(row, "flop")->valuedouble;
    }
    assert_close(flop[0], 2 * forward, 0);
    assert_close(flop[1], 2 * training, 0);
    cJSON_Delete(report);
}

static void conv2d_writes_finite_numbers_and_its_machine(void **state)
{
    (void)state;
    // 784 pixels, 4 channels, 36 taps: by hand, 2 x 784 x 4 x 36, and three times as much.
    holds_forward_and_training(CONV2D, "conv2d", 225792, 677376);
}

static void attention_writes_finite_numbers_and_its_machine(void **state)
{
    (void)state;
    // 2 heads of 8 numbers, 20 x 21 / 2 pairs of tokens: 2 products, and 5 more backward.
    holds_forward_and_training(ATTENTION, "attention", 13440, 47040);
}

static void row_product_writes_finite_numbers_and_its_machine(void **state)
{
    (void)state;
    cJSON *report = quick_report(ROW_PRODUCT), *row;
    assert_describes_the_machine(report, "row_product");
    const cJSON *results = cJSON_GetObjectItem(report, "results");
    assert_int_equal(cJSON_GetArraySize(results),
                     2 * 8 * 4);    // threads, types, rows of activations
    double flop = 0;
    cJSON_ArrayForEach(row, results)
    {
        assert_finite_timing(row, "float32");
        assert_finite_timing(row, "read");
        flop += cJSON_GetObjectItem(row, "flop")->valuedouble;
        if (strchr(cJSON_GetObjectItem(row, "type")->valuestring, 'Q') == NULL) continue;
        assert_finite_timing(row, "8-bit activations");
        assert_finite_timing(row, "16-bit activations");
    }
    assert_close(flop, 2.0 * 8 * 2 * 33 * 256 * (1 + 8 + 32 + 128), 0);
    cJSON_Delete(report);
}

static void train_lenet_writes_finite_numbers_and_its_machine(void **state)
{
    (void)state;
    cJSON *report = quick_report(TRAIN_LENET), *row;
    assert_describes_the_machine(report, "train_lenet");
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(report, "results"))
    {
        assert_finite_timing(row, "ours");
        // 64 images, 2 and 3 products: by hand, 64 (2 x 2 x 288000 + 3 x 2 x (1600000 + 405000)).
        assert_close(cJSON_GetObjectItem(row, "flop")->valuedouble, 843648000.0, 0);
    }
    cJSON_Delete(report);
}

static void a_report_sent_to_a_folder_takes_the_program_s_name(void **state)
{
    (void)state;
    char folder[] = "/tmp/bench-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/sgemm.json", folder);
    assert_int_equal(run("'%s' --quick --threads 1 --json %s", SGEMM, folder), 0);
    cJSON *report = read_json(path);
    assert_non_null(report);
    cJSON_Delete(report);
    remove(path);
    rmdir(folder);
}

static void a_wrong_option_or_list_ends_with_status_2(void **state)
{
    (void)state;
    const char *const programs[] = {SGEMM,  TRAIN_AUTOENCODER, ATTENTION, PAGED_ATTENTION,
                                    CONV2D, TRAIN_LENET};
    const char *const wrong[] = {"--no-such-option", "--threads=0", "--threads=1,", "--threads=two",
                                 "left-over"};
    for (int p = 0; p < 6; p++)
        for (int w = 0; w < 5; w++) assert_int_equal(run("'%s' %s", programs[p], wrong[w]), 2);
}

static void sgemm_measures_one_shape_and_refuses_a_wrong_one(void **state)
{
    (void)state;
    assert_int_equal(run("'%s' --quick --threads 1 --shape %s", SGEMM, "TN:3x5x7"), 0);
    const char *const wrong[] = {"TT:3x5x7", "NT:0x5x7", "NT:3x5", "NT:3x5x7x", "NT:3x5x99999", ""};
    for (int w = 0; w < 6; w++)
        assert_int_equal(run("'%s' --quick --threads 1 --shape='%s'", SGEMM, wrong[w]), 2);
}

static void a_report_that_cannot_be_written_ends_with_status_1(void **state)
{
    (void)state;
    assert_int_equal(run("'%s' --quick --threads 1 --json %s", SGEMM, "/no/such/folder/sgemm.json"),
                     1);
}

static void without_torch_the_peers_are_left_out_and_the_rest_runs(void **state)
{
    (void)state;
    assert_int_equal(run("LAB_PYTHON=/bin/false '%s' --quick --threads 1 %s", SGEMM, "--peers"), 0);
    assert_int_equal(
        run("LAB_PYTHON=/no/python '%s' --quick --threads 1 %s", TRAIN_AUTOENCODER, "--peers"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgemm_writes_finite_numbers_and_its_machine),
        cmocka_unit_test(train_autoencoder_writes_finite_numbers_and_its_machine),
        cmocka_unit_test(attention_writes_finite_numbers_and_its_machine),
        cmocka_unit_test(row_product_writes_finite_numbers_and_its_machine),
        cmocka_unit_test(conv2d_writes_finite_numbers_and_its_machine),
        cmocka_unit_test(train_lenet_writes_finite_numbers_and_its_machine),
        cmocka_unit_test(a_report_sent_to_a_folder_takes_the_program_s_name),
        cmocka_unit_test(a_wrong_option_or_list_ends_with_status_2),
        cmocka_unit_test(sgemm_measures_one_shape_and_refuses_a_wrong_one),
        cmocka_unit_test(a_report_that_cannot_be_written_ends_with_status_1),
        cmocka_unit_test(without_torch_the_peers_are_left_out_and_the_rest_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
