/* A config.json's fields: found by either name, checked, and the first mistake kept. */
#include "common/config_fields.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static Arena *arena;
static Error err;
static cJSON *tree;

static int setup(void **state)
{
    (void)state;
    arena = arena_new("test", 1u << 20);
    tree = cJSON_Parse(
        "{\"size\": 12, \"none\": null, \"real\": 0.25, \"yes\": true, \"text\": \"silu\", "
        "\"part\": {\"size\": 3}, \"zero\": 0}");
    return tree == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    cJSON_Delete(tree);
    arena_free(arena);
    return 0;
}

static ConfigFields fields(void)
{
    err = (Error){""};
    return (ConfigFields){
        .object = tree, .where = "config.json", .owner = "AConfig", .arena = arena, .err = &err};
}

static void fields_are_found_by_either_name(void **state)
{
    (void)state;
    ConfigFields s = fields();
    assert_int_equal(config_need(&s, "n_size|size"), 12);
    assert_int_equal(config_size(&s, "none", 7), 7);
    assert_int_equal(config_count(&s, "zero", 7), 0);
    assert_true(config_flag(&s, "yes", false));
    assert_true(config_real(&s, "real", 1, 0, 1) == 0.25);
    assert_true(config_real(&s, "absent", 0.5, 0, 1) == 0.5);
    assert_string_equal(config_text(&s, "text", "gelu"), "silu");
    assert_true(config_null(&s, "none") && !config_has(&s, "none"));
    ConfigFields part = config_part(&s, "part", "APart");
    assert_int_equal(config_need(&part, "size"), 3);
    part = config_part(&s, "absent", "APart");
    assert_int_equal(config_size(&part, "size", 9), 9);
    assert_false(s.failed || part.failed);
}

static void the_first_mistake_is_kept(void **state)
{
    (void)state;
    ConfigFields s = fields();
    config_need(&s, "absent");
    config_flag(&s, "size", true);
    assert_true(s.failed);
    assert_string_equal(err.message,
                        "config.json: \"absent\" is missing, expected a whole number from 1");
}

static void values_of_another_kind_or_outside_their_limits_are_refused(void **state)
{
    (void)state;
    ConfigFields s = fields();
    config_real(&s, "real", 0, 0.5, 1);
    assert_string_equal(err.message,
                        "config.json: \"real\" is 0.25, expected a number from 0.5 to 1");
    s = fields();
    config_real(&s, "text", 0, 0.5, 1);
    assert_non_null(strstr(err.message, "\"text\" is the text \"silu\", expected a number"));
    s = fields();
    config_need(&s, "real");
    assert_non_null(strstr(err.message, "\"real\" is 0.25, expected a whole number"));
    s = fields();
    config_part(&s, "size", "APart");
    assert_non_null(strstr(err.message, "\"size\" is 12, expected an object"));
    s = fields();
    ConfigFields part = config_part(&s, "part", "APart");
    config_text(&part, "size", "");
    assert_string_equal(err.message, "config.json: part: \"size\" is 3, expected a text");
}

static int notes;
static void count_note(struct Model *model, const char *format, ...)
{
    (void)model, (void)format;
    notes++;
}

static void defaults_are_noted_where_somebody_listens(void **state)
{
    (void)state;
    ConfigFields s = fields();
    s.note = count_note;
    config_size(&s, "absent", 3);
    config_size(&s, "size", 3);
    config_count(&s, "absent", 3);
    assert_int_equal(notes, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_by_either_name),
        cmocka_unit_test(the_first_mistake_is_kept),
        cmocka_unit_test(values_of_another_kind_or_outside_their_limits_are_refused),
        cmocka_unit_test(defaults_are_noted_where_somebody_listens),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
