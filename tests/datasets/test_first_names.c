/* The dictionary of first names: which names are kept, and that other files are refused by line. */
#include "datasets/first_names.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char path[] = "/tmp/lab-names-XXXXXX";

// A line whose name has `width` bytes for 26 characters; '1' for each country that has it.
static void write_line(FILE *file, const char *kind, const char *name, int width, char repeated,
                       const int countries[2])
{
    char frequency[FIRST_NAMES_COUNTRIES + 1];
    memset(frequency, ' ', FIRST_NAMES_COUNTRIES);
    frequency[FIRST_NAMES_COUNTRIES] = '\0';
    for (int i = 0; i < 2; i++)
        if (countries[i] >= 0) frequency[countries[i]] = 'A';
    fprintf(file, "%-3s%-*s%c%s $\n", kind, width, name, repeated, frequency);
}

static FILE *begin(void)
{
    strcpy(path, "/tmp/lab-names-XXXXXX");
    FILE *file = fdopen(mkstemp(path), "w");
    assert_non_null(file);
    fprintf(file, "# a comment   $\n");
    return file;
}

static bool loads(FILE *file, FirstNames *names, Arena *keep, Error *err)
{
    assert_int_equal(fclose(file), 0);
    const bool good = first_names_load(names, keep, path, err);
    unlink(path);
    return good;
}

static void names_of_one_country_are_kept(void **state)
{
    (void)state;
    Arena *keep = arena_new("names", 1u << 20);
    FirstNames names;
    Error err = {""};
    FILE *file = begin();
    write_line(file, "M", "Matti", 26, ' ', (int[]){19, -1});
    write_line(file, "F", "Anna", 26, ' ', (int[]){0, 54});           // of two countries
    write_line(file, "?", "\xc3\x93sk", 27, ' ', (int[]){15, -1});    // 3 characters, 4 bytes
    write_line(file, "F", "\xc3\x85sa", 27, '+', (int[]){18, -1});    // sorted a second time
    write_line(file, "=", "Bob Robert", 26, ' ', (int[]){2, -1});     // a short form
    write_line(file, "1M", "Jun+Wei", 26, ' ', (int[]){49, -1});
    write_line(file, "M", "Noone", 26, ' ', (int[]){-1, -1});
    if (!loads(file, &names, keep, &err)) fail_msg("refused: %s", err.message);
    assert_int_equal(names.count, 3);
    const char *const want[] = {"Matti", "\xc3\x93sk", "Junwei"};
    const int country[] = {19, 15, 49};
    for (int i = 0; i < 3; i++) {
        assert_string_equal(names.text[i], want[i]);
        assert_int_equal(names.country[i], country[i]);
    }
    assert_string_equal(first_names_countries[19], "Finland");
    assert_string_equal(first_names_countries[49], "China");
    arena_free(keep);
}

static void other_files_are_refused_by_line(void **state)
{
    (void)state;
    Arena *keep = arena_new("names", 1u << 20);
    FirstNames names;
    Error err = {""};
    static const char *const bad[] = {"emma\n", "M  Matti\n", "x", ""};
    for (int i = 0; i < 4; i++) {
        FILE *file = begin();
        if (i == 1) write_line(file, "M", "Matti", 26, ' ', (int[]){19, -1});
        fputs(bad[i], file);
        assert_false(loads(file, &names, keep, &err));
        assert_non_null(strstr(err.message, i == 3   ? "holds no names"
                                            : i == 1 ? ":3: is no line of the dictionary"
                                                     : ":2: is no line of the dictionary"));
    }
    assert_false(first_names_load(&names, keep, "/nowhere/nam_dict.txt", &err));
    arena_free(keep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_one_country_are_kept),
        cmocka_unit_test(other_files_are_refused_by_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
