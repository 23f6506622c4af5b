/* The stochastic grammar: rates against closed forms, text against rates, and the reader against both. */
#include "datasets/grammar.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "tests/facts.h"
#include "tests/stops.h"

static Arena *arena;
static Grammar *stories;

static int make(void **state)
{
    (void)state;
    arena = arena_new("grammar", (size_t)1 << 30);
    stories = grammar_new(arena, grammar_stories);
    return 0;
}

static int release(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

// ---- rates with a closed form ----

static void a_fair_coin_is_one_bit_in_two_characters(void **state)
{
    (void)state;
    const GrammarRule coin[] = {{"line", "{side}\n"}, {"side", "h|t"}, {NULL, NULL}};
    GrammarRates rates = grammar_rates(grammar_new(arena, coin));
    assert_close(rates.bits, 1, 0);
    assert_close(rates.characters, 2, 0);
    assert_close(rates.bits_per_character, 0.5, 0);
    assert_close(rates.bits_per_word, 1, 0);
}

// 2 bits for {b} or one of {a}'s three, of lengths 2, 4: by hand 1/2 (1 + log2 3) + 1/2 log2 2 + ...
static void alternatives_of_unequal_length_weigh_by_their_probability(void **state)
{
    (void)state;
    const GrammarRule rules[] = {
        {"line", "{part}{part}\n"}, {"part", "{a}|yes "}, {"a", "n |no |never "}, {NULL, NULL}};
    GrammarRates rates = grammar_rates(grammar_new(arena, rules));
    double bits = 2 * (1 + 0.5 * log2(3)), characters = 1 + 2 * (0.5 * (2 + 3 + 6) / 3 + 0.5 * 4);
    assert_close(rates.bits, bits, 1e-12);
    assert_close(rates.characters, characters, 1e-12);
    assert_close(rates.words, 3, 1e-12);
    assert_integer("words", rates.vocabulary, 4);
}

static void a_variable_costs_its_bits_once(void **state)
{
    (void)state;
    const GrammarRule rules[] = {{"line", "{$who} saw {$who} and {$who.1} saw {colour} {colour}\n"},
                                 {"$who", "Lily/she|Tom/he|Ben/he|Max/he"},
                                 {"colour", "red|blue"},
                                 {NULL, NULL}};
    GrammarRates rates = grammar_rates(grammar_new(arena, rules));
    assert_close(rates.bits, 2 + 1 + 1, 1e-12);
    assert_close(rates.characters, 17 + 2 * 13.0 / 4 + 9.0 / 4 + 2 * 3.5, 1e-12);
}

// ---- the stories ----

static void stories_have_a_few_hundred_words(void **state)
{
    (void)state;
    int words = grammar_rates(stories).vocabulary;
    assert_that(words >= 250 && words <= 400, "%d words; expected a few hundred", words);
}

// Golden text: a change here changes every learner's run.
static void stories_are_the_same_text_on_every_machine(void **state)
{
    (void)state;
    char line[GRAMMAR_LINE_MAX];
    size_t length = grammar_line(stories, line, 42, 0, NULL);
    line[length] = '\0';
    assert_string_equal(line, "Sue had a purple snake. The snake climbed behind the soft market. "
                              "The snake was sad and hissed.\n");
}

static void a_line_does_not_depend_on_the_lines_before(void **state)
{
    (void)state;
    char line[GRAMMAR_LINE_MAX];
    size_t length, at = 0;
    char *text = grammar_text(arena, stories, 7, 5, 1000, &length);
    for (uint64_t i = 5; at < length; i++) {
        size_t bytes = grammar_line(stories, line, 7, i, NULL);
        assert_memory_equal(text + at, line, bytes);
        at += bytes;
    }
    assert_integer("bytes", (long long)at, (long long)length);
    assert_integer("the last byte", text[length - 1], '\n');
}

// Ambiguous rules would make the text's entropy less than that of its choices.
static void the_reader_finds_one_derivation_of_each_story(void **state)
{
    (void)state;
    GrammarReader *reader = grammar_reader_new(arena, stories);
    char line[GRAMMAR_LINE_MAX];
    for (uint64_t i = 0; i < 5000; i++) {
        double bits, read = 0;
        size_t length = grammar_line(stories, line, 3, i, &bits);
        grammar_reader_restart(reader);
        for (size_t k = 0; k + 1 < length; k++) read -= log2(grammar_read(reader, line[k]));
        assert_integer("derivations before the newline", grammar_reader_derivations(reader), 1);
        read -= log2(grammar_read(reader, '\n'));
        assert_close(read, bits, 1e-9);
    }
}

static void the_reader_expects_what_it_then_reads(void **state)
{
    (void)state;
    GrammarReader *reader = grammar_reader_new(arena, stories);
    size_t length;
    char *text = grammar_text(arena, stories, 11, 0, 2000, &length);
    for (size_t k = 0; k < length; k++) {
        double p[256], sum = 0;
        grammar_reader_expect(reader, p);
        for (int c = 0; c < 256; c++) sum += p[c];
        assert_close(sum, 1, 1e-12);
        double given = grammar_read(reader, text[k]);
        assert_close(given, p[(unsigned char)text[k]], 1e-15);
    }
}

static void the_reader_gives_no_probability_to_other_text(void **state)
{
    (void)state;
    GrammarReader *reader = grammar_reader_new(arena, stories);
    assert_close(grammar_read(reader, 'z'), 0, 0);
    assert_integer("derivations", grammar_reader_derivations(reader), 0);
    grammar_reader_restart(reader);
    assert_that(grammar_read(reader, 'O') > 0, "P('O') is 0; a story may begin with 'One'");
}

// The mean over n stories of (bits - rate x characters) is 0 in expectation; its standard error is taken
// from the sample, so that this holds however the stories change.
static void the_text_costs_what_the_rate_says(void **state)
{
    (void)state;
    GrammarRates rates = grammar_rates(stories);
    GrammarReader *reader = grammar_reader_new(arena, stories);
    char line[GRAMMAR_LINE_MAX];
    double sum = 0, squares = 0, bits_sum = 0, characters = 0;
    enum { STORIES = 40000 };
    for (uint64_t i = 0; i < STORIES; i++) {
        double bits = 0;
        size_t length = grammar_line(stories, line, 17, i, NULL);
        for (size_t k = 0; k < length; k++) bits -= log2(grammar_read(reader, line[k]));
        double difference = bits - rates.bits_per_character * (double)length;
        sum += difference;
        squares += difference * difference;
        bits_sum += bits;
        characters += (double)length;
    }
    double error = sqrt(squares) / STORIES;
    assert_that(fabs(sum / STORIES) < 4 * error,
                "%g bits per character, the rate is %g: %g bits per story apart, standard error %g",
                bits_sum / characters, rates.bits_per_character, sum / STORIES, error);
    assert_close(bits_sum / characters, rates.bits_per_character, 0.005 * rates.bits_per_character);
}

// ---- rules that make no sense ----

static void missing_symbol(void)
{
    const GrammarRule rules[] = {{"line", "a {b}\n"}, {NULL, NULL}};
    grammar_new(arena, rules);
}

static void one_alternative_draws(void)
{
    const GrammarRule rules[] = {
        {"line", "{way}{$who}\n"}, {"way", "{$who} |no "}, {"$who", "a|b"}, {NULL, NULL}};
    grammar_new(arena, rules);
}

static void a_form_is_missing(void)
{
    const GrammarRule rules[] = {{"line", "{$who.2}\n"}, {"$who", "a/x|b/y"}, {NULL, NULL}};
    grammar_new(arena, rules);
}

static void rules_without_a_rate_stop_the_program(void **state)
{
    (void)state;
    stops_with("there is no rule for {b}", missing_symbol());
    stops_with("way: its alternatives draw different variables", one_alternative_draws());
    stops_with("{$who.2}: it has 2 forms", a_form_is_missing());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fair_coin_is_one_bit_in_two_characters),
        cmocka_unit_test(alternatives_of_unequal_length_weigh_by_their_probability),
        cmocka_unit_test(a_variable_costs_its_bits_once),
        cmocka_unit_test(stories_have_a_few_hundred_words),
        cmocka_unit_test(stories_are_the_same_text_on_every_machine),
        cmocka_unit_test(a_line_does_not_depend_on_the_lines_before),
        cmocka_unit_test(the_reader_finds_one_derivation_of_each_story),
        cmocka_unit_test(the_reader_expects_what_it_then_reads),
        cmocka_unit_test(the_reader_gives_no_probability_to_other_text),
        cmocka_unit_test(the_text_costs_what_the_rate_says),
        cmocka_unit_test(rules_without_a_rate_stop_the_program),
    };
    return cmocka_run_group_tests(tests, make, release);
}
