/* What a configuration says of each expert again is dropped, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/json.h"
#include "labs/5_frontier/key_numbers/app/model/repeats.h"
#include "tests/cases.h"

static void becomes(const char *text, const char *left)
{
    char *copy = strdup(text);
    size_t bytes = repeats_drop(copy, strlen(copy));
    assert_string_equal(copy, left);
    assert_int_equal(bytes, strlen(left));
    free(copy);
}

static void members_that_repeat_another_expert_are_dropped(void **state)
{
    (void)state;
    becomes("{\"l.experts.0.up\": {\"a\": 1}, \"l.experts.1.up\": {\"a\": 1},"
            " \"l.experts.22.up\": {\"a\": 1}, \"b\": 2}",
            "{\"l.experts.0.up\": {\"a\": 1},   \"b\": 2}");
    // Two matrices in turn; the last has no comma behind it.
    becomes("{\"experts.0.up\":{},\"experts.0.down\":{},\"experts.1.up\":{},\"experts.1.down\":{}}",
            "{\"experts.0.up\":{},\"experts.0.down\":{},\"experts.1.down\":{}}");
}

static void elements_that_repeat_another_expert_are_dropped(void **state)
{
    (void)state;
    becomes("[\"x.experts.0.up\",\"x.experts.1.up\",\"x.experts.2.up\",\"lm_head\"]",
            "[\"x.experts.0.up\",\"lm_head\"]");
}

static void what_differs_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"experts.0.up\":{\"a\":1},\"experts.1.up\":{\"a\":2},\"b\":3}",      // by its value
        "{\"1.experts.0.up\":{},\"2.experts.0.up\":{},\"b\":3}",                // layer
        "{\"experts.0.up\":{},\"experts.0.down\":{},\"b\":3}",                  // or matrix
        "{\"experts.0.up\":{\"a\":{}},\"experts.1.up\":{\"a\":{}},\"b\":3}",    // objects in objects
        "{\"experts.0.up\":1,\"experts.1.up\":1,\"b\":3}",                      // no object
        "{\"a\":\"experts.0.up\",\"b\":\"experts.1.up\",\"c\":3}",              // values
        "{\"experts.up\":{},\"experts.up\":{},\"b\":3}",                        // no number
        "experts.1",
        "\"experts.1",
        "experts.",
        "",
        "{\"experts.0\\\"up\":{},\"experts.1\\\"up\":{},}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) becomes(texts[i], texts[i]);
}

static void line_ends_stay_for_messages(void **state)
{
    (void)state;
    char text[] =
        "{\n \"experts.0\": {\n },\n \"experts.1\": {\n },\n \"experts.2\": {\n },\n \"b\": ?";
    Error err = {""};
    size_t bytes = repeats_drop(text, strlen(text));
    assert_null(strstr(text, "experts.1"));
    assert_null(json_parse(text, bytes, "text", &err));
    assert_string_equal(err.message, "text:8: is not JSON from here on");
}

// A list of all modules of a layer, as published ones have it, says what it did.
static void a_long_list_means_what_it_meant(void **state)
{
    (void)state;
    enum { EXPERTS = 300, MATRICES = 3, ROOM = 1 << 17 };
    static const char *const names[MATRICES] = {"w1", "w2", "w3"};
    char *text = calloc(1, ROOM);
    size_t at = (size_t)sprintf(text, "{\"q\": {");
    for (int e = 0; e < EXPERTS; e++)
        for (int m = 0; m < MATRICES; m++)
            at += (size_t)sprintf(text + at,
                                  "\n  \"m.3.experts.%d.%s\": {\"f\": \"NVFP4\", \"g\": %d},", e,
                                  names[m], e < 200 ? 16 : 32);
    at += (size_t)sprintf(text + at, "\n  \"m.3.o\": {\"f\": \"FP8\"}\n}}");
    size_t bytes = repeats_drop(text, at);
    Error err = {""};
    cJSON *tree = json_parse(text, bytes, "text", &err);
    if (tree == NULL) fail_msg("%s", err.message);
    const cJSON *all = cJSON_GetObjectItem(tree, "q"), *one;
    int of[2] = {0}, others = 0;
    cJSON_ArrayForEach(one, all)
    {
        const cJSON *group = cJSON_GetObjectItem(one, "g");
        if (group == NULL) others++;
        else of[group->valueint == 32]++;
    }
    // Each matrix once for each value.
    assert_int_equal(of[0], MATRICES);
    assert_int_equal(of[1], MATRICES);
    assert_int_equal(others, 1);
    cJSON_Delete(tree);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_that_repeat_another_expert_are_dropped),
        cmocka_unit_test(elements_that_repeat_another_expert_are_dropped),
        cmocka_unit_test(what_differs_stays),
        cmocka_unit_test(line_ends_stay_for_messages),
        cmocka_unit_test(a_long_list_means_what_it_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
