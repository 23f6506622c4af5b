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
    unsigned absent[2];
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
    snprintf(bench.path, sizeof bench.path, "%s/mutants/twice.mutants", bench.folder);
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

static int read_mutants(Bench *bench, const char *content, Mutant **mutants)
{
    FILE *stream = fopen(bench->path, "w");
    assert_non_null(stream);
    fputs(content, stream);
    assert_int_equal(fclose(stream), 0);
    return mutants_read(bench->arena, &bench->lab, &bench->reference, mutants, bench->absent);
}

static Mutant read_mutant(Bench *bench, const char *content)
{
    Mutant *mutants;
    assert_int_equal(read_mutants(bench, content, &mutants), 1);
    return mutants[0];
}

static void expect_region(void **state, const char *content, const char *region)
{
    Mutant mutant = read_mutant(*state, content);
    if (mutant.fault != NULL) fail_msg("refused: %s", mutant.fault);
    if (strstr(mutant.text, region) == NULL)
        fail_msg("does not hold\n%s\nbut is\n%s", region, mutant.text);
}

static void expect_refusal(void **state, const char *content, const char *sentence)
{
    Mutant mutant = read_mutant(*state, content);
    if (mutant.fault == NULL) fail_msg("was taken: %s", mutant.text);
    if (strstr(mutant.fault, sentence) == NULL || strstr(mutant.fault, "twice.mutants") == NULL)
        fail_msg("got: %s\nexpected: %s", mutant.fault, sentence);
}

static void an_edit_is_put_into_its_exercise(void **state)
{
    Mutant mutant = read_mutant(*state, "it [formula]: It is once.\n- i < 2\n+ i < 1\n");
    assert_null(mutant.fault);
    assert_string_equal(mutant.name, "it");
    assert_string_equal(mutant.why, "It is once.");
    assert_int_equal(mutant.exercise, 0);
    assert_non_null(strstr(mutant.text, "i < 1;"));
    assert_non_null(strstr(mutant.text, "return x / 2;"));
    assert_null(strstr(mutant.text, "i < 2"));
}

static void a_file_holds_several_in_its_order(void **state)
{
    Mutant *mutants;
    int count = read_mutants(*state,
                             "# of the sum\nonce [formula]: It is once.\n- i < 2\n+ i < 1\n\n"
                             "broken [size]: It is nowhere.\n- j\n+ k\n\n"
                             "minus [contract]: It is negative.\n- += x\n+ -= x\n",
                             &mutants);
    assert_int_equal(count, 3);
    assert_string_equal(mutants[0].name, "once");
    assert_non_null(strstr(mutants[0].text, "y += x"));
    assert_non_null(strstr(mutants[1].fault, "twice.mutants:7: does not stand"));
    assert_string_equal(mutants[2].name, "minus");
    assert_non_null(strstr(mutants[2].where, "twice.mutants:10"));
    assert_non_null(strstr(mutants[2].text, "i < 2"));
    assert_non_null(strstr(mutants[2].text, "y -= x"));
}

static void a_name_that_stands_twice_is_refused(void **state)
{
    Mutant *mutants;
    int count = read_mutants(
        *state, "it [formula]: One.\n- i < 2\n+ i < 1\nit: Two.\n- += x\n+ -= x\n", &mutants);
    assert_int_equal(count, 2);
    assert_null(mutants[0].fault);
    assert_non_null(strstr(mutants[1].fault, "twice.mutants:4: it stands at "));
}

static void several_lines_make_a_hunk_and_their_indent_does_not_matter(void **state)
{
    expect_region(state,
                  "it [formula]: Test.\n- for (int i = 0; i < 2; i++)\n-     y += x;\n+ y = "
                  "x;\n+ y += x;\n",
                  "float y = 0;\ny = x;\ny += x;\nreturn y;\n");
}

static void hunks_follow_each_other_and_may_only_take_away(void **state)
{
    expect_region(state, "it [formula]: Test.\n- y += x;\n\n- return y\n+ return 2 * x\n",
                  "i++)\n\nreturn 2 * x;");
}

static void text_of_another_exercise_is_not_found(void **state)
{
    expect_refusal(state, "it [formula]: Test.\n- x / 2\n+ x\n",
                   ":2: does not stand in the exercise twice: x / 2");
}

static void text_that_stands_twice_is_refused(void **state)
{
    expect_refusal(state, "it [formula]: Test.\n- x;\n+ 1;\n- y\n+ z\n",
                   ":4: stands more than once in the exercise twice: y");
}

static void a_name_and_a_reason_are_asked_for(void **state)
{
    expect_refusal(state, "- x;\n+ y;\n",
                   ":1: expected '-', '+', or 'NAME [KIND]: ' and a sentence");
    expect_refusal(state, "it\n- x;\n+ y;\n", ":1: expected '-', '+', or 'NAME [KIND]: '");
    expect_refusal(state, "it [formula]:  \n- x;\n+ y;\n",
                   ":1: expected '-', '+', or 'NAME [KIND]: '");
}

static void a_mutant_has_a_known_kind(void **state)
{
    Mutant *mutants;
    assert_int_equal(read_mutant(*state, "it [size]: Test.\n- x;\n+ y;\n").kind, KIND_size);
    expect_refusal(state, "it: Test.\n- x;\n+ y;\n", ":1: expected '-', '+', or 'NAME [KIND]: '");
    expect_refusal(state, "it [sizes]: Test.\n- x;\n+ y;\n",
                   ":1: there is no kind 'sizes': expected one of formula, contract, size,");
    assert_int_equal(
        read_mutants(*state, "# not applicable: shap\nit [size]: Test.\n- x;\n+ y;\n", &mutants),
        2);
    assert_non_null(strstr(mutants[0].fault, ":1: there is no kind 'shap'"));
    assert_null(mutants[1].fault);
}

static void the_first_line_lists_kinds_that_do_not_apply(void **state)
{
    Bench *bench = *state;
    Mutant *mutants;
    assert_int_equal(read_mutants(bench, "# not applicable: shape, repeat\n", &mutants), 0);
    assert_int_equal(bench->absent[0], 1u << KIND_shape | 1u << KIND_repeat);
    assert_int_equal(bench->absent[1], 0);
    read_mutants(bench, "\n# not applicable: shape\n", &mutants);
    assert_int_equal(bench->absent[0], 0);
}

static void an_edit_that_changes_nothing_is_refused(void **state)
{
    expect_refusal(state, "it [formula]: Test.\n", "changes nothing");
    expect_refusal(state, "it [formula]: Test.\n- x;\n+ x;\n", ":2: changes nothing");
}

static void a_line_of_another_kind_is_named(void **state)
{
    Mutant *mutants;
    int count = read_mutants(*state, "it [formula]: Test.\n- += x\n* y;\n", &mutants);
    assert_int_equal(count, 2);
    assert_non_null(strstr(mutants[1].fault, ":3: expected '-', '+', or 'NAME [KIND]: '"));
    expect_refusal(state, "it [formula]: Test.\n+ y;\n", ":2: '+' without a '-'");
}

static void a_file_of_no_exercise_is_named(void **state)
{
    Bench *bench = *state;
    Mutant *mutants;
    char other[160];
    for (int i = 0; i < 3; i++) {
        snprintf(other, sizeof other, "%s/mutants/%s", bench->folder,
                 (const char *[]){"twice.mutant", "thrice.mutants", ".hidden.mutants"}[i]);
        fclose(fopen(other, "w"));
    }
    assert_int_equal(
        mutants_read(bench->arena, &bench->lab, &bench->reference, &mutants, bench->absent), 2);
    assert_non_null(strstr(mutants[0].fault, "/thrice.mutants: expected EXERCISE.mutants"));
    assert_non_null(strstr(mutants[1].fault, "/twice.mutant: expected EXERCISE.mutants"));
    bench->lab.folder = "/tmp/no-such-lab";
    assert_int_equal(
        mutants_read(bench->arena, &bench->lab, &bench->reference, &mutants, bench->absent), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest cases[] = {
        CASE(an_edit_is_put_into_its_exercise),
        CASE(a_file_holds_several_in_its_order),
        CASE(a_name_that_stands_twice_is_refused),
        CASE(several_lines_make_a_hunk_and_their_indent_does_not_matter),
        CASE(hunks_follow_each_other_and_may_only_take_away),
        CASE(text_of_another_exercise_is_not_found),
        CASE(text_that_stands_twice_is_refused),
        CASE(a_name_and_a_reason_are_asked_for),
        CASE(a_mutant_has_a_known_kind),
        CASE(the_first_line_lists_kinds_that_do_not_apply),
        CASE(an_edit_that_changes_nothing_is_refused),
        CASE(a_line_of_another_kind_is_named),
        CASE(a_file_of_no_exercise_is_named),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
