/* A file as a row of functions: as the reference has to be, and as learners leave theirs. */
#include "labs/driver/source.h"
#include "common/file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static Exercise exercises[] = {{.id = "one", .function = "f_one"},
                               {.id = "two", .function = "f_two"},
                               {.id = "three", .function = "f_three"}};
static Lab lab = {.id = "tiny", .exercises = exercises, .exercise_count = 3};

static const char REFERENCE[] = "/* tiny */\n"
                                "#include \"tiny.h\"\n"
                                "#include <math.h>\n"
                                "\n"
                                "int f_one(int a)\n"
                                "{\n"
                                "    // solution one\n"
                                "    int twice = 2 * a;\n"
                                "\n"
                                "    return twice;\n"
                                "    // end one\n"
                                "}\n"
                                "\n"
                                "static int helper(int a)\n"
                                "{\n"
                                "    return a;\n"
                                "}\n"
                                "\n"
                                "void f_two(int *a)\n"
                                "{\n"
                                "    int kept = 3;\n"
                                "    // solution two\n"
                                "    if (*a > 0) {\n"
                                "        *a = f_one(kept);\n"
                                "    }\n"
                                "    // end two\n"
                                "}\n"
                                "\n"
                                "int f_three(void) {\n"
                                "    // solution three\n"
                                "    return helper(3);    // not 4\n"
                                "    // end three\n"
                                "}\n";

static int setup(void **state)
{
    *state = arena_new("test", 64u << 20);
    char *folder = strdup("/tmp/test_source.XXXXXX");
    assert_non_null(mkdtemp(folder));
    lab.folder = folder;
    return 0;
}

static int teardown(void **state)
{
    char path[256];
    snprintf(path, sizeof path, "%s/tiny.c", lab.folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/tiny.h", lab.folder);
    unlink(path);
    rmdir(lab.folder);
    free((char *)lab.folder);
    arena_free(*state);
    return 0;
}

static const char *write_bytes(Arena *arena, const char *name, const char *bytes, size_t count)
{
    const char *path = arena_print(arena, "%s/%s", lab.folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    return path;
}

static void read_reference(Arena *arena, Source *reference)
{
    Error err = {""};
    write_bytes(arena, "tiny.c", REFERENCE, strlen(REFERENCE));
    if (!source_read_reference(arena, &lab, reference, &err)) fail_msg("%s", err.message);
}

// The lines at which the three functions begin and end.
static void expect_lines(Arena *arena, const char *text, const int lines[3][2])
{
    Source source;
    source_parse(arena, &lab, "mine.c", text, &source);
    for (int i = 0; i < 3; i++)
        if (source.functions[i].first_line != lines[i][0] ||
            source.functions[i].last_line != lines[i][1])
            fail_msg("%s is at %d to %d, expected %d to %d, in:\n%s", exercises[i].function,
                     source.functions[i].first_line, source.functions[i].last_line, lines[i][0],
                     lines[i][1], text);
}

static void the_skeleton_holds_neither_marks_nor_solutions(void **state)
{
    Source reference;
    read_reference(*state, &reference);
    assert_string_equal(source_skeleton(*state, &lab, &reference, 0),
                        "/* tiny */\n"
                        "#include \"tiny.h\"\n"
                        "#include \"common/todo.h\"\n"
                        "#include <math.h>\n"
                        "\n"
                        "int f_one(int a)\n"
                        "{\n"
                        "    LAB_TODO(one);    // your code here; see tiny.h\n"
                        "}\n"
                        "\n"
                        "static int helper(int a)\n"
                        "{\n"
                        "    return a;\n"
                        "}\n"
                        "\n"
                        "void f_two(int *a)\n"
                        "{\n"
                        "    int kept = 3;\n"
                        "    LAB_TODO(two);    // your code here; see tiny.h\n"
                        "}\n"
                        "\n"
                        "int f_three(void) {\n"
                        "    LAB_TODO(three);    // your code here; see tiny.h\n"
                        "}\n");
}

static void exercises_that_are_solved_keep_their_bodies_and_lose_their_marks(void **state)
{
    Source reference;
    read_reference(*state, &reference);
    const char *one = source_skeleton(*state, &lab, &reference, 1);
    assert_non_null(strstr(one, "    int twice = 2 * a;\n\n    return twice;\n}"));
    assert_null(strstr(one, "LAB_TODO(one)"));
    assert_non_null(strstr(one, "LAB_TODO(two)"));
    const char *all = source_skeleton(*state, &lab, &reference, 3);
    assert_null(strstr(all, "LAB_TODO"));
    assert_null(strstr(all, "todo.h"));
    assert_null(strstr(all, "// solution"));
    assert_null(strstr(all, "// end"));
    const char *last = source_solved(*state, &lab, &reference, (bool[]){false, false, true});
    assert_non_null(strstr(last, "LAB_TODO(one)"));
    assert_non_null(strstr(last, "return helper(3);"));
}

static void a_misplaced_mark_is_reported_with_its_line(void **state)
{
    static const struct {
        const char *what, *instead, *message;
    } cases[] = {
        {"    // end one\n", "",
         ":21: 'solution two' begins before 'solution one' of line 7 has ended"},
        {"    // end three\n", "", ":30: 'solution three' is not followed by '// end three'"},
        {"    // solution one\n", "", ":10: 'end one' without 'solution one'"},
        {"// solution two", "// solution too",
         ":22: marks 'too', which is not an exercise in lab.json"},
        {"// solution two", "// solution one", ":22: 'one' is marked a second time"},
        {"// solution one", "// solution two",
         ":7: marks 'two', expected 'one', as lab.json goes on"},
        {"// end two", "// end three", ":26: marks 'three', expected 'two', as lab.json goes on"},
        {"void f_two", "void g_two", ":22: marks 'two', but the file has no function f_two"},
        {"/* tiny */", "// solution one",
         ":1: marks 'one' outside of f_one, which is at lines 5 to 12"},
        {"    // solution three\n    return helper(3);    // not 4\n    // end three\n", "",
         ": has no line '// solution three'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *at = strstr(REFERENCE, cases[i].what);
        const char *text = arena_print(*state, "%.*s%s%s", (int)(at - REFERENCE), REFERENCE,
                                       cases[i].instead, at + strlen(cases[i].what));
        Source reference;
        Error err;
        write_bytes(*state, "tiny.c", text, strlen(text));
        assert_false(source_read_reference(*state, &lab, &reference, &err));
        const char *expected = arena_print(*state, "%s/tiny.c%s", lab.folder, cases[i].message);
        assert_string_equal(err.message, expected);
    }
}

static void comments_strings_and_calls_are_no_definitions(void **state)
{
    expect_lines(*state,
                 "// int f_one(int a) { return 1; }\n"
                 "/* int f_two(int *a)\n"
                 "{ } */\n"
                 "int f_one(int a);\n"
                 "int f_three(void);\n"
                 "#define f_two(x) { x }\n"
                 "const char *text = \"int f_one(int a) {\";\n"
                 "#if 0\n"
                 "int f_one(int a)\n"
                 "{\n"
                 "}\n"
                 "#endif\n"
                 "static int g(void)\n"
                 "{\n"
                 "    if (f_one(2) > '}') {\n"
                 "        return f_three();\n"
                 "    }\n"
                 "    return my_f_one(3);\n"
                 "}\n"
                 "int\n"
                 "f_one(\n"
                 "    int a    // with a } and a \"\n"
                 ")\n"
                 "{\n"
                 "    puts(\"}\");    /* }\n"
                 "} */\n"
                 "}\n"
                 "int f_three(void) { return 1; }\n",
                 (int[3][2]){{20, 27}, {0, 0}, {28, 28}});
}

static void a_missing_or_doubled_brace_harms_no_other_function(void **state)
{
    expect_lines(*state,
                 "int f_one(int a)\n"
                 "{\n"
                 "    for (;;) {\n"
                 "        a++;\n"
                 "}\n"
                 "\n"
                 "void f_two(int *a) {\n"
                 "    if (*a) { *a = 1; } }\n"
                 "    *a = 2;\n"
                 "}\n"
                 "int f_three(void) {\n"
                 "    return 3;\n"
                 "}\n",
                 (int[3][2]){{1, 5}, {7, 10}, {11, 13}});
    expect_lines(*state,
                 "int f_one(int a)\n"
                 "{\n"
                 "    return a;\n"
                 "\n"
                 "void f_two(int *a)\n"
                 "{\n"
                 "if (*a) {\n"
                 "*a = 1;\n"
                 "}\n"
                 "    char *open = \"never closed;\n"
                 "}\n"
                 "int f_three(void)\n"
                 "{\n"
                 "    /* nor this\n"
                 "    return 3;\n"
                 "}\n",
                 (int[3][2]){{1, 3}, {5, 9}, {12, 16}});
}

// Parses `text`, in which something stands wrong in the function that held `at`; the others are whole.
static void expect_others(Arena *arena, const Source *reference, const char *text, size_t at)
{
    Source changed;
    source_parse(arena, &lab, "changed.c", text, &changed);
    for (int i = 0; i < 3; i++) {
        const Function *function = &reference->functions[i];
        size_t begin = (size_t)(strstr(REFERENCE, function->text) - REFERENCE);
        if (at + 1 >= begin && at <= begin + strlen(function->text)) continue;
        if (changed.functions[i].text == NULL ||
            strcmp(changed.functions[i].text, function->text) != 0)
            fail_msg("%s is not found whole in:\n%s", exercises[i].function, text);
    }
}

static void one_wrong_character_harms_no_other_function(void **state)
{
    static const char marks[] = "{}()[]\"';,*/#\\\n a0";
    Source reference;
    read_reference(*state, &reference);
    Arena *scratch = arena_new("scratch", 16u << 20);
    for (size_t at = 0; at < strlen(REFERENCE); at++) {
        int before = (int)at;
        arena_reset(scratch);
        expect_others(scratch, &reference,
                      arena_print(scratch, "%.*s%s", before, REFERENCE, REFERENCE + at + 1), at);
        for (const char *mark = marks; *mark != '\0'; mark++)
            expect_others(
                scratch, &reference,
                arena_print(scratch, "%.*s%c%s", before, REFERENCE, *mark, REFERENCE + at), at);
    }
    arena_free(scratch);
}

static void other_ends_of_lines_and_none_are_read(void **state)
{
    expect_lines(*state,
                 "int f_one(int a)\r\n{\r\n\treturn a;\r\n}\r\nvoid f_two(int *a) {\r\n}\r\n",
                 (int[3][2]){{1, 4}, {5, 6}, {0, 0}});
    expect_lines(*state, "int f_three(void)\n{\n}", (int[3][2]){{0, 0}, {0, 0}, {1, 3}});
    expect_lines(*state, "", (int[3][2]){{0, 0}, {0, 0}, {0, 0}});
    expect_lines(*state, "int f_three(void) {", (int[3][2]){{0, 0}, {0, 0}, {1, 1}});
    expect_lines(*state, "f_one", (int[3][2]){{0, 0}, {0, 0}, {0, 0}});
    expect_lines(*state, "\xff\xfe(((}}}{\"'\\", (int[3][2]){{0, 0}, {0, 0}, {0, 0}});
}

static void a_function_is_replaced_and_the_rest_stays(void **state)
{
    Source mine;
    const char *text = "int x;\nint f_one(int a)\n{\n    return a;\n}\nint y;\n";
    source_parse(*state, &lab, "mine.c", text, &mine);
    assert_string_equal(source_replace(*state, &mine, 0, "int f_one(int a) { return 7; }\n"),
                        "int x;\nint f_one(int a) { return 7; }\nint y;\n");
    assert_string_equal(source_replace(*state, &mine, 0, mine.functions[0].text), text);
    assert_null(source_replace(*state, &mine, 1, "void f_two(int *a) {}\n"));
    source_parse(*state, &lab, "mine.c", "int f_one(int a)\r\n{\r\n}\r\n", &mine);
    assert_string_equal(source_replace(*state, &mine, 0, "int f_one(int b)\n{\n}\n"),
                        "int f_one(int b)\r\n{\r\n}\r\n");
}

static int line_of(const char *text, const char *what)
{
    const char *at = strstr(text, what);
    int line = 1;
    assert_non_null(at);
    for (const char *c = text; c < at; c++) line += *c == '\n';
    return line;
}

static void a_blank_or_dropped_function_moves_no_other_line(void **state)
{
    Source reference, blank;
    read_reference(*state, &reference);
    for (int i = 0; i < 3; i++) {
        const char *text = source_blank(*state, &lab, &reference, i);
        source_parse(*state, &lab, "blank.c", text, &blank);
        const char **secrets = source_secrets(*state, &lab, &reference, i);
        assert_non_null(*secrets);
        for (; *secrets != NULL; secrets++) assert_null(strstr(blank.functions[i].text, *secrets));
        assert_non_null(strstr(blank.functions[i].text, "todo_reached"));
        for (int k = 0; k < 3; k++)
            assert_int_equal(blank.functions[k].first_line, reference.functions[k].first_line);
        const char *dropped = source_drop(*state, &reference, i);
        source_parse(*state, &lab, "dropped.c", dropped, &blank);
        assert_int_equal(blank.functions[i].first_line, 0);
        assert_int_equal(line_of(dropped, "static int helper"),
                         line_of(REFERENCE, "static int helper"));
    }
}

static void a_line_belongs_to_the_function_around_it(void **state)
{
    Source reference;
    read_reference(*state, &reference);
    assert_int_equal(source_exercise_at(&lab, &reference, 5), 0);
    assert_int_equal(source_exercise_at(&lab, &reference, 12), 0);
    assert_int_equal(source_exercise_at(&lab, &reference, 13), -1);
    assert_int_equal(source_exercise_at(&lab, &reference, 16), -1);
    assert_int_equal(source_exercise_at(&lab, &reference, 22), 1);
    assert_int_equal(source_exercise_at(&lab, &reference, 0), -1);
    assert_int_equal(source_exercise_at(&lab, &reference, 1000), -1);
}

static void secrets_are_the_lines_between_the_marks(void **state)
{
    Source reference;
    read_reference(*state, &reference);
    const char **one = source_secrets(*state, &lab, &reference, 0);
    assert_string_equal(one[0], "int twice = 2 * a;");
    assert_string_equal(one[1], "return twice;");
    assert_null(one[2]);
    const char **two = source_secrets(*state, &lab, &reference, 1);
    assert_string_equal(two[0], "if (*a > 0) {");
    assert_string_equal(two[1], "*a = f_one(kept);");
    assert_null(two[2]);
}

static void a_file_that_is_not_text_is_refused(void **state)
{
    Source source;
    Error err;
    const char *path = write_bytes(*state, "tiny.c", "int a;\n\0\n", 9);
    assert_false(source_read(*state, &lab, path, &source, &err));
    assert_string_equal(
        err.message,
        arena_print(*state, "%s:2: contains a zero byte, so it is not C source", path));
    assert_false(source_read(*state, &lab, lab.folder, &source, &err));
    assert_string_equal(err.message, arena_print(*state, "%s: is not a file", lab.folder));
    char *large = memset(arena_alloc(*state, 300000), ' ', 300000);
    path = write_bytes(*state, "tiny.c", large, 300000);
    assert_false(source_read(*state, &lab, path, &source, &err));
    assert_string_equal(err.message,
                        arena_print(*state, "%s: has 300000 bytes, expected at most 262144", path));
    path = write_bytes(*state, "tiny.c", "", 0);
    assert_true(source_read(*state, &lab, path, &source, &err));
    path = write_bytes(*state, "tiny.c", "\xef\xbb\xbfint a;\n", 10);    // with a byte order mark
    assert_true(source_read(*state, &lab, path, &source, &err));
    assert_string_equal(source.text, "int a;\n");
}

static void the_contract_is_the_prototype_and_its_comment(void **state)
{
    const char *header = "/* tiny.h -- f_one(int) is first. */\n"
                         "#include <stddef.h>\n"
                         "\n"
                         "// 1. Doubles a.\n"
                         "//    Nothing else.\n"
                         "int f_one(int a);\n"
                         "/* 2. Changes\n"
                         "   what a points to. */\n"
                         "void f_two(int *a,\n"
                         "           int b);    // b is new\n";
    write_bytes(*state, "tiny.h", header, strlen(header));
    assert_string_equal(source_promise(*state, &lab, 0),
                        "// 1. Doubles a.\n//    Nothing else.\nint f_one(int a);\n");
    assert_string_equal(source_promise(*state, &lab, 1),
                        "/* 2. Changes\n   what a points to. */\nvoid f_two(int *a,\n"
                        "           int b);    // b is new\n");
    assert_null(source_promise(*state, &lab, 2));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_skeleton_holds_neither_marks_nor_solutions),
        CASE(exercises_that_are_solved_keep_their_bodies_and_lose_their_marks),
        CASE(a_misplaced_mark_is_reported_with_its_line),
        CASE(comments_strings_and_calls_are_no_definitions),
        CASE(a_missing_or_doubled_brace_harms_no_other_function),
        CASE(one_wrong_character_harms_no_other_function),
        CASE(other_ends_of_lines_and_none_are_read),
        CASE(a_function_is_replaced_and_the_rest_stays),
        CASE(a_blank_or_dropped_function_moves_no_other_line),
        CASE(a_line_belongs_to_the_function_around_it),
        CASE(secrets_are_the_lines_between_the_marks),
        CASE(a_file_that_is_not_text_is_refused),
        CASE(the_contract_is_the_prototype_and_its_comment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
