/* variants.h: one library is the reference or, by its environment, any of the mutants. */
#include "labs/driver/variants.h"
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const char REFERENCE[] = "typedef double Curve(double x, const void *context);\n"
                                "static double seven(void) { return 7; }\n"
                                "double twice(double (*f)(double, const void *), // f, with {\n"
                                "             const double x[static 1], const void *context)\n"
                                "{\n"
                                "    // solution twice\n"
                                "    return 2 * f(x[0], context);\n"
                                "    // end twice\n"
                                "}\n"
                                "double constant(void)\n"
                                "{\n"
                                "    double all = seven();\n"
                                "    // solution constant\n"
                                "    return all;\n"
                                "    // end constant\n"
                                "}\n";

static Exercise exercises[] = {{.id = "twice", .function = "twice"},
                               {.id = "constant", .function = "constant"}};

static const Mutant mutants[] = {
    {.name = "thrice", .exercise = 0, .region = "return 3 * f(x[0], context);\n"},
    {.name = "broken", .exercise = 0, .fault = "does not fit"},
    {.name = "one_more", .exercise = 1, .region = "return all + 1;\n"},
    {.name = "macro",
     .exercise = 0,
     .region = "  #define seven(x) 8\nreturn 2 * f(x[0], context);\n"},
    {.name = "ends", .exercise = 0, .region = "return 0; }\nint a(void) { return 1;\n"},
    {.name = "text", .exercise = 0, .region = "return 4 * f(x[0], context); // }\n"},
};

static double context_of(double x, const void *context)
{
    return x + *(const double *)context;
}

// What both functions give of the library when the mutant is chosen.
static void expect(const char *library, const char *mutant, double twice, double constant)
{
    typedef double Twice(double (*)(double, const void *), const double *, const void *);
    setenv(VARIANTS_MUTANT, mutant, 1);
    void *loaded = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
    assert_non_null(loaded);
    Twice *first;
    double (*second)(void);
    *(void **)&first = dlsym(loaded, "twice");
    *(void **)&second = dlsym(loaded, "constant");
    assert_true(first(context_of, (const double[]){4}, &(double){1}) == twice);
    assert_true(second() == constant);
    dlclose(loaded);
}

static void each_mutant_is_chosen_by_its_number(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 16u << 20);
    Lab lab = {.id = "tiny", .exercises = exercises, .exercise_count = 2};
    Source reference;
    source_parse(arena, &lab, "tiny.c", REFERENCE, &reference);
    const char *text = variants_text(arena, &lab, &reference, mutants, 6);
    assert_non_null(strstr(text, "if (variants_blank[1]) LAB_TODO(constant);"));

    char folder[] = "/tmp/lab-variants-XXXXXX", command[256];
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "%s -I'%s' -w -shared -fPIC -o %s/v.so -xc -", LAB_CC,
             LAB_SOURCE_DIR, folder);
    FILE *compiler = popen(command, "w");
    assert_non_null(compiler);
    fputs(text, compiler);
    assert_int_equal(pclose(compiler), 0);
    const char *library = arena_print(arena, "%s/v.so", folder);
    expect(library, "0", 10, 7);
    expect(library, "1", 15, 7);
    expect(library, "3", 10, 8);
    expect(library, "6", 20, 7);
    assert_null(strstr(text, "#define seven"));
    assert_null(strstr(text, "int a(void)"));
    unlink(library);
    rmdir(folder);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_mutant_is_chosen_by_its_number)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
