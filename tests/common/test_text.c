/* Text from outside: what a terminal obeys becomes '?', and everything else stays. */
#include "common/text.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void expect(const char *given, const char *wanted)
{
    char text[256];
    snprintf(text, sizeof text, "%s", given);
    size_t length = text_clean(text);
    assert_string_equal(text, wanted);
    assert_int_equal(length, strlen(wanted));
    FILE *printed = fmemopen(text, sizeof text, "w");
    text_print(given, strlen(given), printed);
    fclose(printed);
    assert_string_equal(text, wanted);
}

static void text_of_any_language_stays(void **state)
{
    (void)state;
    const char *texts[] = {"",
                           "area, price",
                           "Größe – 面积 площадь",
                           "\xF0\x9F\x98\x80",                 // an emoji
                           "a\xC2\xA0z",                       // a no-break space
                           "\xE2\x80\xA7\xE2\x80\xAF",         // neighbours of what is obeyed
                           "\xEF\xBF\xBD\xF4\x8F\xBF\xBF"};    // the last character there is
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) expect(texts[i], texts[i]);
}

static void what_a_terminal_obeys_becomes_a_question_mark(void **state)
{
    (void)state;
    expect("a\033[31mb\a\b\t\n\r\x7F", "a?[31mb??????");
    expect("\xC2\x80\xC2\x9B\xC2\x9F", "???");                         // C1, such as the 8-bit CSI
    expect("\xE2\x80\xAEgnp.exe\xE2\x80\xAC", "?gnp.exe?");            // right to left
    expect("\xE2\x81\xA6\xE2\x81\xA9\xE2\x80\x8F\xD8\x9C", "????");    // isolates and marks
    expect("a\xE2\x80\xA8z\xE2\x80\xA9", "a?z?");                      // line and paragraph
}

static void bytes_that_are_not_utf_8_become_question_marks(void **state)
{
    (void)state;
    expect("\xFF\xFE\xC0", "???");
    expect("\xC0\xAF", "??");              // a '/' in two bytes
    expect("\xED\xA0\x80", "???");         // half of a pair of UTF-16's
    expect("\xF4\x90\x80\x80", "????");    // beyond Unicode
    expect("a\xE2\x82", "a??");            // cut short
    expect("\x80z", "?z");
}

static void columns_are_those_of_a_terminal(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int columns;
    } cases[] = {{"", 0},
                 {"area", 4},
                 {"Größe", 5},
                 {"面积", 4},
                 {"한글", 4},
                 {"ＡＢ", 4},                        // full width
                 {"\xF0\x9F\x98\x80", 2},            // an emoji
                 {"e\xCC\x81", 1},                   // an accent that combines
                 {"\xE2\x9D\xA4\xEF\xB8\x8F", 1},    // a variation selector
                 {"\xF0\xA0\x80\x80", 2},            // beyond 16 bits
                 {"a\xFFz", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(text_columns(cases[i].text, strlen(cases[i].text)), cases[i].columns);
    assert_int_equal(text_columns("面积", 3), 2);
    assert_string_equal(text_plural(1), "");
    assert_string_equal(text_plural(0), "s");
    assert_string_equal(text_plural(1000001), "s");
}

static void the_length_of_a_character_needs_its_bytes(void **state)
{
    (void)state;
    assert_true(text_is_utf8("", 0));
    assert_true(text_is_utf8("a\xE2\x82\xAC", 4));
    assert_false(text_is_utf8("a\xE2\x82\xAC", 3));
    assert_false(text_is_utf8("a\xFF"
                              "b",
                              3));
    assert_int_equal(text_utf8_length("a", 1), 1);
    assert_int_equal(text_utf8_length("a", 0), 0);
    assert_int_equal(text_utf8_length("\xE2\x82\xAC", 3), 3);
    assert_int_equal(text_utf8_length("\xE2\x82\xAC", 2), 0);
    assert_int_equal(text_utf8_length("\xF0\x9F\x98\x80", 4), 4);
}

static void an_identifier_is_shown_as_its_words(void **state)
{
    (void)state;
    assert_string_equal(text_spaced((char[]){"from_scratch_"}), "from scratch ");
    assert_string_equal(text_spaced((char[]){"plain"}), "plain");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_any_language_stays),
        cmocka_unit_test(what_a_terminal_obeys_becomes_a_question_mark),
        cmocka_unit_test(bytes_that_are_not_utf_8_become_question_marks),
        cmocka_unit_test(columns_are_those_of_a_terminal),
        cmocka_unit_test(the_length_of_a_character_needs_its_bytes),
        cmocka_unit_test(an_identifier_is_shown_as_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
