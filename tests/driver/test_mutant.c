/* mutant.h: an edit that fits is applied; one that does not is refused with its file and line. */
#include "labs/driver/mutant.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const char REFERENCE[] = "float twice(float x)\n"
                                "{\n"
                                "    // solution twice\n"
                                "    float y = 0;\n"
                                "    for (int i = 0; i < 2; i++)\n"
                                "        y += x;\n"
                                "    return y;\n"
                                "    // end twice\n"
                                "}\n"
                                "float half(float x)\n"
                                "{\n"
                                "    // solution half\n"
                                "    return x / 2;\n"
                                "    // end half\n"
                                "}\n";

static Exercise exercises[] = {{.id = "twice", .function = "twice"},
                               {.id = "half", .function = "half"}};

typedef struct Bench {
    Arena *arena;
    Lab lab;
    Source reference;
    char folder[64], path[128];
} Bench;

static int set_up(void **state)
{
    static Bench bench;
    bench = (Bench){.arena = arena_new("test", 16u << 20)};
    strcpy(bench.folder, "/tmp/lab-mutant-XXXXXX");
    if (mkdtemp(bench.folder) == NULL) return -1;
    bench.lab =
        (Lab){.id = "tiny", .folder = bench.folder, .exercises = exercises, .exercise_count = 2};
    snprintf(bench.path, sizeof bench.path, "%s/mutants", bench.folder);
    mkdir(bench.path, 0700);
    snprintf(bench.path, sizeof bench.path, "%s/mutants/twice_it.mutant", bench.folder);
    source_parse(bench.arena, &bench.lab, "tiny.c", REFERENCE, &bench.reference);
    *state = &bench;
    return 0;
}

static int tear_down(void **state)
{
    Bench *bench = *state;
    char command[160];
    snprintf(command, sizeof command, "rm -rf '%s'", bench->folder);
    arena_free(bench->arena);
    return system(command);
}

static bool read_mutant(Bench *bench, const char *content, Mutant *mutant, Error *err)
{
    FILE *stream = fopen(bench->path, "w");
    assert_non_null(stream);
    fputs(content, stream);
    assert_int_equal(fclose(stream), 0);
    *err = (Error){""};
    return mutant_read(bench->arena, &bench->lab, &bench->reference, bench->path, mutant, err);
}

static void expect_region(void **state, const char *content, const char *region)
{
    Mutant mutant;
    Error err;
    if (!read_mutant(*state, content, &mutant, &err)) fail_msg("refused: %s", err.message);
    if (strstr(mutant.text, region) == NULL)
        fail_msg("does not hold\n%s\nbut is\n%s", region, mutant.text);
}

static void expect_refusal(void **state, const char *content, const char *sentence)
{
    Mutant mutant;
    Error err;
    if (read_mutant(*state, content, &mutant, &err)) fail_msg("was taken: %s", mutant.text);
    if (strstr(err.message, sentence) == NULL || strstr(err.message, "twice_it.mutant") == NULL)
        fail_msg("said: %s\nexpected: %s", err.message, sentence);
}

static void an_edit_is_put_into_its_exercise(void **state)
{
    Mutant mutant;
    Error err;
    assert_true(
        read_mutant(*state, "exercise twice\nwhy It is once.\n- i < 2\n+ i < 1\n", &mutant, &err));
    assert_string_equal(mutant.name, "it");
    assert_string_equal(mutant.why, "It is once.");
    assert_int_equal(mutant.exercise, 0);
    assert_non_null(strstr(mutant.text, "i < 1;"));
    assert_non_null(strstr(mutant.text, "return x / 2;"));
    assert_null(strstr(mutant.text, "i < 2"));
}

static void several_lines_make_a_hunk_and_their_indent_does_not_matter(void **state)
{
    expect_region(state,
                  "exercise twice\nwhy Test.\n- for (int i = 0; i < 2; i++)\n-     y += x;\n+ y = "
                  "x;\n+ y += x;\n",
                  "float y = 0;\ny = x;\ny += x;\nreturn y;\n");
}

static void hunks_follow_each_other_and_may_only_take_away(void **state)
{
    expect_region(state, "exercise twice\nwhy Test.\n- y += x;\n\n- return y\n+ return 2 * x\n",
                  "i++)\n\nreturn 2 * x;");
}

static void text_of_another_exercise_is_not_found(void **state)
{
    expect_refusal(state, "exercise twice\nwhy Test.\n- x / 2\n+ x\n",
                   ":3: does not stand in the exercise twice: x / 2");
}

static void text_that_stands_twice_is_refused(void **state)
{
    expect_refusal(state, "exercise twice\nwhy Test.\n- x;\n+ 1;\n- y\n+ z\n",
                   ":5: stands more than once in the exercise twice: y");
}

static void an_unknown_exercise_is_named(void **state)
{
    expect_refusal(state, "exercise thrice\nwhy Test.\n- x\n+ y\n",
                   ":1: there is no exercise 'thrice'");
    expect_refusal(state, "- x\n+ y\n", ":1: expected 'exercise ID'");
}

static void a_reason_is_asked_for(void **state)
{
    expect_refusal(state, "exercise twice\n- x;\n+ y;\n", ":2: expected 'why'");
    expect_refusal(state, "exercise twice\nwhy  \n- x;\n+ y;\n", ":2: expected 'why'");
    expect_refusal(state, "exercise twice\n", ":2: expected 'exercise ID', then 'why ...'");
}

static void an_edit_that_changes_nothing_is_refused(void **state)
{
    expect_refusal(state, "exercise twice\nwhy Test.\n", "changes nothing");
    expect_refusal(state, "exercise twice\nwhy Test.\n- x;\n+ x;\n", ":3: changes nothing");
}

static void a_line_of_another_kind_is_named(void **state)
{
    expect_refusal(state, "exercise twice\nwhy Test.\n- x;\n* y;\n", ":4: expected '-' or '+'");
    expect_refusal(state, "exercise twice\nwhy Test.\n+ y;\n", ":3: '+' without a '-'");
}

static void only_mutants_are_found_and_by_name(void **state)
{
    Bench *bench = *state;
    const char **paths;
    char other[160];
    for (int i = 0; i < 3; i++) {
        snprintf(other, sizeof other, "%s/mutants/%s", bench->folder,
                 (const char *[]){"b.mutant", "a.mutant", ".hidden.mutant"}[i]);
        fclose(fopen(other, "w"));
    }
    assert_int_equal(mutant_paths(bench->arena, &bench->lab, &paths), 2);
    assert_non_null(strstr(paths[0], "/a.mutant"));
    bench->lab.folder = "/tmp/no-such-lab";
    assert_int_equal(mutant_paths(bench->arena, &bench->lab, &paths), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_edit_is_put_into_its_exercise),
        CASE(several_lines_make_a_hunk_and_their_indent_does_not_matter),
        CASE(hunks_follow_each_other_and_may_only_take_away),
        CASE(text_of_another_exercise_is_not_found),
        CASE(text_that_stands_twice_is_refused),
        CASE(an_unknown_exercise_is_named),
        CASE(a_reason_is_asked_for),
        CASE(an_edit_that_changes_nothing_is_refused),
        CASE(a_line_of_another_kind_is_named),
        CASE(only_mutants_are_found_and_by_name),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
