/* The report, and how programs and people get it: JSON, CSV, units. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cjson/cJSON.h>
#include "labs/5_frontier/key_numbers/app/output/json.h"
#include "labs/5_frontier/key_numbers/app/output/units.h"
#include "tests/cases.h"

static Rows *some_rows(void)
{
    Arena *arena = arena_new("test", 1u << 22);
    Rows *rows = rows_new(arena);
    row_text(rows, "model.name", "model", "a \"quoted\", name");
    Row *row =
        row_count(rows, "parameters.total", "parameters", 18446744073709551615u, UNIT_PARAMETERS);
    row_explain(rows, row, "a b", "%d x %d", 3, 4);
    row_real(rows, "parameters.share", NULL, 0.1, UNIT_SHARE);
    row_flag(rows, "fit.fits", "fits", true);
    row_null(rows, "fit.context", "largest context", "no cache");
    row_count(rows, "fit.options[0].gpus", NULL, 1, UNIT_GPUS);
    row_count(rows, "fit.options[1].gpus", NULL, 2, UNIT_GPUS);
    row_text(rows, "fit.words[0]", NULL, "one");
    row_text(rows, "fit.words[1]", NULL, "two");
    return rows;
}

static void a_path_is_the_place_in_the_json(void **state)
{
    (void)state;
    cJSON *tree = cJSON_Parse(rows_json(some_rows()));
    assert_non_null(tree);
    cJSON *fit = cJSON_GetObjectItem(tree, "fit"), *options = cJSON_GetObjectItem(fit, "options");
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(tree, "model"), "name")->valuestring,
        "a \"quoted\", name");
    assert_int_equal(cJSON_GetArraySize(options), 2);
    assert_int_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(options, 1), "gpus")->valueint, 2);
    assert_string_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(fit, "words"), 1)->valuestring,
                        "two");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(fit, "fits")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(fit, "context")));
    cJSON_Delete(tree);
}

static void whole_numbers_keep_all_their_digits(void **state)
{
    (void)state;
    const char *json = rows_json(some_rows());
    assert_non_null(strstr(json, "18446744073709551615"));
    assert_non_null(strstr(json, "0.1"));
    assert_null(strstr(json, "0.10000000000000001"));
}

static void a_nan_is_null(void **state)
{
    (void)state;
    Rows *rows = rows_new(arena_new("test", 1u << 20));
    row_real(rows, "compute.seconds", NULL, INFINITY, UNIT_SECONDS);
    row_real(rows, "compute.third", NULL, 1.0 / 3, UNIT_NONE);
    cJSON *tree = cJSON_Parse(rows_json(rows)), *compute = cJSON_GetObjectItem(tree, "compute");
    assert_true(cJSON_IsNull(cJSON_GetObjectItem(compute, "seconds")));
    assert_true(cJSON_GetObjectItem(compute, "third")->valuedouble == 1.0 / 3);
    cJSON_Delete(tree);
}

static void a_row_is_found_by_its_path(void **state)
{
    (void)state;
    const Rows *rows = some_rows();
    const Row *row = rows_find(rows, "parameters.total");
    assert_non_null(row);
    assert_string_equal(row->formula, "a b");
    assert_string_equal(row->filled, "3 x 4");
    assert_null(rows_find(rows, "parameters"));
    assert_true(row_number(rows_find(rows, "fit.fits")) == 1);
    assert_true(isnan(row_number(rows_find(rows, "model.name"))));
}

static const char *csv_of(const Rows *const *reports, int count, const char *name,
                          const char *const *values)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    reports_csv(out, reports, count, name, values);
    fclose(out);
    return text;
}

static void a_csv_has_a_line_for_each_report_and_gaps_for_missing_rows(void **state)
{
    (void)state;
    Rows *a = rows_new(arena_new("a", 1u << 20)), *b = rows_new(arena_new("b", 1u << 20));
    row_count(a, "x.one", NULL, 1, UNIT_NONE);
    row_text(a, "x.two", NULL, "p, \"q\"");
    row_real(b, "x.three", NULL, 2.5, UNIT_NONE);
    row_count(b, "x.one", NULL, 7, UNIT_NONE);
    const char *text =
        csv_of((const Rows *[]){a, b}, 2, "context", (const char *[]){"1024", "2048"});
    assert_string_equal(text, "context,x.one,x.two,x.three\n"
                              "1024,1,\"p, \"\"q\"\"\",\n"
                              "2048,7,,2.5\n");
    free((char *)text);
}

typedef struct Shown {
    double value;
    Unit unit;
    const char *text;
} Shown;

static void quantities_read_with_their_unit(void **state)
{
    (void)state;
    static const Shown shown[] = {
        {16060522496.0, UNIT_BYTES, "16.06 GB (14.96 GiB)"},
        {999999.0, UNIT_BYTES, "1.00 MB (976.6 KiB)"},
        {512.0, UNIT_BYTES, "512 B"},
        {2.5e13, UNIT_FLOPS, "25.00 TFLOP"},
        {3.14e23, UNIT_FLOPS, "3.14e+23 FLOP"},
        {989e12, UNIT_FLOPS_PER_SECOND, "989.0 TFLOP/s"},
        {3.35e12, UNIT_BYTES_PER_SECOND, "3.35 TB/s"},
        {0.0312, UNIT_SECONDS, "31.2 ms"},
        {4.2e-5, UNIT_SECONDS, "42 us"},
        {86400.0 * 54, UNIT_SECONDS, "54 days"},
        {30840000.0, UNIT_GPU_HOURS, "30,840,000 GPU-hours"},
        {0.346, UNIT_SHARE, "34.6 %"},
        {4.8944, UNIT_BITS, "4.8944 bits"},
        {1.0, UNIT_GPUS, "1 GPU"},
    };
    Rows *rows = rows_new(arena_new("test", 1u << 20));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        Row *row = row_real(rows, row_path(rows, "x.y%zu", i), NULL, shown[i].value, shown[i].unit);
        assert_string_equal(units_text(rows->arena, row), shown[i].text);
    }
}

static void exact_counts_show_all_digits_and_both_units(void **state)
{
    (void)state;
    Rows *rows = rows_new(arena_new("test", 1u << 20));
    Row *bytes = row_count(rows, "x.bytes", NULL, 131072, UNIT_BYTES);
    Row *count = row_count(rows, "x.count", NULL, 8030261248, UNIT_PARAMETERS);
    assert_string_equal(units_text(rows->arena, bytes), "131,072 B = 131.1 kB (128.0 KiB)");
    assert_string_equal(units_text(rows->arena, count), "8,030,261,248 = 8.03e9 (8.03 B)");
    assert_string_equal(units_short(rows->arena, bytes), "131.1 kB");
    assert_string_equal(units_short(rows->arena, count), "8.03e9");
    assert_string_equal(
        units_short(rows->arena, row_count(rows, "x.small", NULL, 124439808, UNIT_PARAMETERS)),
        "124.4e6");
}

static void parameters_are_printed_in_millions_and_billions(void **state)
{
    (void)state;
    static const struct {
        uint64_t count;
        const char *text;
    } shown[] = {{999999, "999,999"},
                 {1000000, "1,000,000 = 1e6 (1.00 M)"},
                 {124439808, "124,439,808 = 124.4e6 (124 M)"},
                 {999600000, "999,600,000 = 999.6e6 (1.00 B)"},
                 {70553706496, "70,553,706,496 = 70.55e9 (70.6 B)"},
                 {1026408232448, "1,026,408,232,448 = 1.026e12 (1.03 T)"}};
    Rows *rows = rows_new(arena_new("test", 1u << 20));
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        assert_string_equal(
            units_text(rows->arena, row_count(rows, row_path(rows, "x.n%zu", i), NULL,
                                              shown[i].count, UNIT_PARAMETERS)),
            shown[i].text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_the_place_in_the_json),
        cmocka_unit_test(whole_numbers_keep_all_their_digits),
        cmocka_unit_test(a_nan_is_null),
        cmocka_unit_test(a_row_is_found_by_its_path),
        cmocka_unit_test(a_csv_has_a_line_for_each_report_and_gaps_for_missing_rows),
        cmocka_unit_test(quantities_read_with_their_unit),
        cmocka_unit_test(exact_counts_show_all_digits_and_both_units),
        cmocka_unit_test(parameters_are_printed_in_millions_and_billions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
