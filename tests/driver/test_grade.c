/* What is made of a grader's words, also of a grader that a submission has got at: a script in its place. */
#include "labs/driver/grade.h"
#include "labs/driver/plain.h"
#include "common/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

static Exercise exercises[] = {{.id = "one", .function = "f_one", .seconds = 1, .points = 1},
                               {.id = "two", .function = "f_two", .seconds = 1, .points = 1},
                               {.id = "bare", .function = "f_bare", .seconds = 1, .points = 1}};
static Lab lab = {.id = "tiny", .folder = "/nowhere", .exercises = exercises, .exercise_count = 3};

static void write_script(const char *name, const char *text)
{
    NewFile file;
    Error err;
    char path[512];
    snprintf(path, sizeof path, "%s/%s", LAB_BUILD_DIR, name);
    assert_true(file_make_folder(LAB_BUILD_DIR, &err));
    assert_true(file_begin(&file, path, &err));
    fprintf(file.stream, "#!/bin/sh\n%s", text);
    assert_true(file_commit(&file, &err));
    assert_int_equal(chmod(path, 0755), 0);
}

// The verdicts that this grader leads to.
static Grade grade_with(Arena *arena, const char *script)
{
    Grade grade;
    Error err = {""};
    write_script("grader_plain", "echo one__a; echo one__b; echo two__a; echo other__a\n");
    write_script("grader", script);
    if (!grade_library(arena, &lab, "libexercises_tiny.so", false, false, NULL, &grade, &err))
        fail_msg("%s", err.message);
    return grade;
}

#define SAYS(name, verdict)                                                                        \
    "echo '{\"case\":\"" name "\",\"verdict\":\"" verdict "\",\"message\":\"m\"}'\n"

static int setup(void **state)
{
    *state = arena_new("test", 64u << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static void cases_keep_the_order_of_check_c_whatever_the_grader_does(void **state)
{
    Grade grade =
        grade_with(*state, SAYS("two__a", "pass") SAYS("one__b", "wrong") SAYS("one__a", "pass"));
    assert_string_equal(grade.exercises[0].cases[0].name, "one__a");
    assert_string_equal(grade.exercises[0].cases[1].name, "one__b");
    assert_int_equal(grade.exercises[0].verdict, VERDICT_WRONG);
    assert_int_equal(grade.exercises[0].passed, 1);
    assert_int_equal(grade.exercises[1].verdict, VERDICT_PASS);
}

static void an_exercise_without_cases_has_not_passed(void **state)
{
    Grade grade =
        grade_with(*state, SAYS("one__a", "pass") SAYS("one__b", "pass") SAYS("two__a", "pass"));
    assert_int_equal(grade.exercises[0].verdict, VERDICT_PASS);
    assert_int_not_equal(grade.exercises[2].verdict, VERDICT_PASS);
    assert_int_equal(grade.exercises[2].count, 0);
}

static void a_case_without_a_result_has_not_passed(void **state)
{
    Grade grade =
        grade_with(*state, SAYS("one__a", "pass") "echo '{\"case\":\"one__b\",\"verdict\":\"pa'\n"
                                                  "echo nonsense; echo '[1]'; echo "
                                                  "'{\"case\":\"two__a\",\"verdict\":\"fine\"}'\n");
    assert_int_not_equal(grade.exercises[0].verdict, VERDICT_PASS);
    assert_int_equal(grade.exercises[0].passed, 1);
    assert_int_not_equal(grade.exercises[1].verdict, VERDICT_PASS);
}

static void of_two_verdicts_on_a_case_a_pass_never_counts(void **state)
{
    Grade grade =
        grade_with(*state, SAYS("one__a", "wrong") SAYS("one__a", "pass") SAYS("one__b", "pass")
                               SAYS("two__a", "pass") SAYS("two__a", "crash"));
    assert_int_equal(grade.exercises[0].verdict, VERDICT_WRONG);
    assert_int_equal(grade.exercises[1].verdict, VERDICT_CRASH);
}

// The script is killed only while it runs two.
static void an_exercise_that_ends_the_grader_is_found_and_the_others_are_graded(void **state)
{
    Grade grade = grade_with(
        *state, SAYS("two__a", "pass") "case \"$*\" in *two__*) kill -9 $$ ;; esac\n" SAYS(
                    "one__a", "pass") SAYS("one__b", "pass"));
    assert_int_equal(grade.exercises[0].verdict, VERDICT_PASS);
    assert_int_equal(grade.exercises[1].verdict, VERDICT_CRASH);
    assert_non_null(strstr(grade.exercises[1].cases[0].message, "Killed"));
}

static void a_grader_that_refuses_its_arguments_is_an_error(void **state)
{
    Grade grade;
    Error err;
    write_script("grader_plain", "echo one__a\n");
    write_script("grader", "echo 'grader: there is no lab_cases' >&2; exit 2\n");
    assert_false(
        grade_library(*state, &lab, "libexercises_tiny.so", false, false, NULL, &grade, &err));
    assert_string_equal(err.message, "grader: there is no lab_cases");
}

static void only_requested_exercises_are_run(void **state)
{
    Grade grade;
    Error err;
    bool asked[] = {false, true, false};
    write_script("grader_plain", "echo one__a; echo two__a\n");
    write_script("grader",
                 "case \"$*\" in *one__*) exit 2 ;; *two__\\*:1*) ;; *) exit 2 ;; esac\n" SAYS(
                     "two__a", "pass"));
    assert_true(
        grade_library(*state, &lab, "libexercises_tiny.so", false, false, asked, &grade, &err));
    assert_int_equal(grade.exercises[1].verdict, VERDICT_PASS);
    assert_int_not_equal(grade.exercises[0].verdict, VERDICT_PASS);
    assert_false(grade.exercises[0].asked);
}

static void processes_left_by_the_grader_are_killed(void **state)
{
    Grade grade = grade_with(*state, "setsid sleep 1000 >/dev/null 2>&1 &\necho $! >'" LAB_BUILD_DIR
                                     "/pid'\n" SAYS("two__a", "pass"));
    FILE *file = fopen(LAB_BUILD_DIR "/pid", "r");
    int pid = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &pid), 1);
    fclose(file);
    assert_int_equal(grade.exercises[1].verdict, VERDICT_PASS);
    assert_int_equal(kill(pid, 0), -1);
}

static void program_output_is_sanitized(void **state)
{
    assert_string_equal(plain_text(*state, "a\tb\nc", 100), "a b\nc");
    assert_string_equal(plain_text(*state, "\033[31m\007\x7f", 100), "?[31m??");
    assert_string_equal(plain_text(*state, "gr\xc3\xbc\xc3\x9f", 100), "gr\xc3\xbc\xc3\x9f");
    assert_string_equal(plain_text(*state, "\xff\xc3_\xed\xa0\x80", 100), "??_???");    // no UTF-8
    assert_string_equal(plain_text(*state, "\xc2\x9b\xe2\x80\xae", 100),
                        "?????");    // C1; writes backwards
    assert_string_equal(plain_text(*state, "abcdef", 3), "abc ...");
    assert_string_equal(plain_text(*state, "ab\xc3\xbc", 3), "ab ...");    // no half letter
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_keep_the_order_of_check_c_whatever_the_grader_does),
        cmocka_unit_test(an_exercise_without_cases_has_not_passed),
        cmocka_unit_test(a_case_without_a_result_has_not_passed),
        cmocka_unit_test(of_two_verdicts_on_a_case_a_pass_never_counts),
        cmocka_unit_test(an_exercise_that_ends_the_grader_is_found_and_the_others_are_graded),
        cmocka_unit_test(a_grader_that_refuses_its_arguments_is_an_error),
        cmocka_unit_test(only_requested_exercises_are_run),
        cmocka_unit_test(processes_left_by_the_grader_are_killed),
        cmocka_unit_test(program_output_is_sanitized),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
