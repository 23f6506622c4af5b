/* Options: what is parsed, what is refused and with which sentence, and how --help reads. */
#include "common/options.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct Settings {
    int epochs;
    float rate;
    uint64_t seed;
    bool smoke;
    const char *device, *out;
} Settings;

typedef struct Outcome {
    bool runs;
    int status;
    Settings settings;
    bool epochs_given;
    char output[8192];    // all of stdout and stderr
} Outcome;

// Parses a command line as a lab would, with what it prints caught in a file.
static Outcome parse_words(const char **words)
{
    Outcome outcome = {.status = -1,
                       .settings = {.epochs = 10, .rate = 1e-3f, .seed = 42, .device = "cpu"}};
    Arena *arena = arena_new("test", 1u << 20);
    Options *options = options_new(arena, "autoencoder",
                                   "Compresses pictures of digits into a few numbers, denoises "
                                   "noisy ones, and generates new ones.");
    Settings *s = &outcome.settings;
    options_group(options, "This lab");
    options_int(
        options, "epochs", 'e', &s->epochs, 1, 10000,
        "passes over the training images, each of which sees every image once in a new order");
    options_float(options, "rate", 'r', &s->rate, 0.0f, 1.0f, "learning rate");
    options_group(options, "Every lab");
    options_uint64(options, "seed", 0, &s->seed, "what all randomness follows from");
    options_flag(options, "smoke", 0, &s->smoke, "run for seconds only");
    options_choice(options, "device", 0, &s->device, "cpu|cuda|cuda:N", "where the work is done");
    options_string(options, "out", 'o', &s->out, "DIR", "where results go");

    FILE *caught = tmpfile();
    assert_non_null(caught);
    fflush(stdout);
    int held_out = dup(STDOUT_FILENO), held_err = dup(STDERR_FILENO), count = 0;
    dup2(fileno(caught), STDOUT_FILENO);
    dup2(fileno(caught), STDERR_FILENO);
    while (words[count] != NULL) count++;
    outcome.runs = options_parse(options, count, (char **)words, &outcome.status);
    fflush(stdout);
    dup2(held_out, STDOUT_FILENO);
    dup2(held_err, STDERR_FILENO);
    close(held_out);
    close(held_err);

    rewind(caught);
    outcome.output[fread(outcome.output, 1, sizeof outcome.output - 1, caught)] = '\0';
    fclose(caught);
    outcome.epochs_given = options_given(options, "epochs");
    // Strings that were given live in the arena; the tests compare with static ones.
    static char device[32], out[32];
    snprintf(device, sizeof device, "%s", s->device);
    snprintf(out, sizeof out, "%s", s->out ? s->out : "(null)");
    s->device = device;
    s->out = out;
    arena_free(arena);
    return outcome;
}
#define PARSE(...) parse_words((const char *[]){"autoencoder", __VA_ARGS__})

static void refuses(const char *word, const char *sentence)
{
    Outcome outcome = PARSE(word, NULL);
    assert_false(outcome.runs);
    assert_int_equal(outcome.status, 2);
    if (strstr(outcome.output, sentence) == NULL)
        fail_msg("%s: got \"%s\", expected \"%s\"", word, outcome.output, sentence);
    assert_ptr_equal(strchr(outcome.output, '\n'),
                     outcome.output + strlen(outcome.output) - 1);    // one line
}

static void nothing_given_leaves_every_default(void **state)
{
    (void)state;
    Outcome outcome = PARSE(NULL);
    assert_true(outcome.runs);
    assert_string_equal(outcome.output, "");
    assert_int_equal(outcome.settings.epochs, 10);
    assert_true(outcome.settings.rate == 1e-3f);
    assert_int_equal(outcome.settings.seed, 42);
    assert_false(outcome.settings.smoke);
    assert_false(outcome.epochs_given);
    assert_string_equal(outcome.settings.device, "cpu");
    assert_string_equal(outcome.settings.out, "(null)");
}

static void every_kind_is_stored(void **state)
{
    (void)state;
    Outcome outcome = PARSE("--epochs=3", "--rate", "2.5e-2", "--seed", "18446744073709551615",
                            "--smoke", "--device=cuda", "-o", "some where", NULL);
    assert_string_equal(outcome.output, "");
    assert_true(outcome.runs);
    assert_int_equal(outcome.settings.epochs, 3);
    assert_true(outcome.epochs_given);
    assert_true(outcome.settings.rate == 2.5e-2f);
    assert_true(outcome.settings.seed == UINT64_MAX);
    assert_true(outcome.settings.smoke);
    assert_string_equal(outcome.settings.device, "cuda");
    assert_string_equal(outcome.settings.out, "some where");
}

static void the_ends_of_a_range_belong_to_it(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--epochs=1", NULL).settings.epochs, 1);
    assert_int_equal(PARSE("--epochs=10000", NULL).settings.epochs, 10000);
    assert_true(PARSE("--rate=0", NULL).settings.rate == 0.0f);
    assert_true(PARSE("--rate=1.0", NULL).settings.rate == 1.0f);
    assert_true(PARSE("--rate=.5", NULL).settings.rate == 0.5f);
}

static void a_bad_whole_number_is_refused(void **state)
{
    (void)state;
    const char *bad[] = {"--epochs=3x",
                         "--epochs=",
                         "--epochs= 3",
                         "--epochs=+3",
                         "--epochs=0x10",
                         "--epochs=1e2",
                         "--epochs=2.0",
                         "--epochs=0",
                         "--epochs=10001",
                         "--epochs=-1",
                         "--epochs=99999999999999999999",
                         "-ethree"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i], "is not a whole number from 1 to 10000\n");
    refuses("--epochs=3x", "--epochs: '3x' is not a whole number from 1 to 10000");
}

static void a_bad_seed_is_refused(void **state)
{
    (void)state;
    const char *bad[] = {"--seed=-1", "--seed=18446744073709551616", "--seed=1.5", "--seed=abc",
                         "--seed="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i], "is not a whole number from 0 to 2^64-1\n");
}

static void a_bad_number_is_refused(void **state)
{
    (void)state;
    const char *bad[] = {"--rate=nan",  "--rate=inf", "--rate=-0.1", "--rate=1.1",
                         "--rate=1e99", "--rate=.",   "--rate=1e",   "--rate=0x1p-3",
                         "--rate=1,5",  "--rate=",    "--rate=1e-3 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refuses(bad[i], "is not a number from 0 to 1\n");
}

static void a_choice_outside_the_list_is_refused(void **state)
{
    (void)state;
    refuses("--device=tpu", "--device: 'tpu' is not one of cpu|cuda|cuda:N");
    refuses("--device=cpu|cuda", "is not one of");
    refuses("--device=cudda", "is not one of cpu|cuda|cuda:N; did you mean 'cuda'?");
    refuses("--device=CUDA", "did you mean 'cuda'?");
    refuses("--device=cuda:x", "is not one of cpu|cuda|cuda:N; did you mean 'cuda:0'?");
    refuses("--device=cuda:", "is not one of");
    refuses("--device=cuda:1a", "is not one of");
    refuses("--device=cpu:1", "is not one of");
    refuses("--device=", "is not one of");
}

static void what_is_unknown_or_left_over_is_refused(void **state)
{
    (void)state;
    refuses("--epoch=3", "there is no option --epoch");
    refuses("-x", "there is no option -x");
    refuses("7", "'7' is not an option");
    refuses("--epochs", "--epochs: missing argument");
    refuses("--smoke=yes", "--smoke");
}

static void assert_columns(char *text, size_t most)
{
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
        if (strlen(line) > most) fail_msg("wider than %zu columns: %s", most, line);
}

static void help_shows_defaults_and_groups_in_80_columns(void **state)
{
    (void)state;
    Outcome outcome = PARSE("--help", NULL);
    assert_false(outcome.runs);
    assert_int_equal(outcome.status, 0);
    const char *parts[] = {"Compresses pictures",
                           "This lab:",
                           "-e, --epochs=N",
                           "(default: 10)",
                           "0.001",
                           "Every lab:",
                           "--device=NAME",
                           "done: cpu, cuda, cuda:N (default: cpu)",
                           "--out=DIR"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(outcome.output, parts[i]) == NULL)
            fail_msg("--help does not say \"%s\":\n%s", parts[i], outcome.output);
    assert_null(strstr(outcome.output, "(null)"));
    assert_columns(outcome.output, 80);
}

static void help_is_as_wide_as_columns_says(void **state)
{
    (void)state;
    setenv("COLUMNS", "40", 1);
    Outcome outcome = PARSE("--help", NULL);
    unsetenv("COLUMNS");
    assert_non_null(
        strstr(outcome.output, "-e, --epochs=N\n    passes over the training images,\n"));
    assert_columns(outcome.output, 40);
}

static void words_that_are_no_options_are_kept_where_they_are_asked_for(void **state)
{
    (void)state;
    Arena *arena = arena_new("test", 1u << 20);
    Options *options = options_new(arena, "keynumbers", "Counts.");
    bool explain = false;
    const char **models;
    int count, status;
    options_flag(options, "explain", 0, &explain, "how it is computed");
    options_rest(options, &models, &count, "MODEL...");
    const char *line[] = {"keynumbers", "gpt2", "--explain", "a b"};
    assert_true(options_parse(options, 4, (char **)line, &status));
    assert_true(explain);
    assert_int_equal(count, 2);
    assert_string_equal(models[0], "gpt2");
    assert_string_equal(models[1], "a b");
    assert_null(models[2]);
    arena_free(arena);
}

static void a_word_is_quoted_so_that_it_can_be_typed(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"out/a-b_c.json", "out/a-b_c.json"},
        {"Größe", "Größe"},
        {"", "''"},
        {"a b", "'a b'"},
        {"it's", "'it'\\''s'"},
        {"a\nb", "$'a\\012b'"},
        {"\033[31m'\\", "$'\\033[31m\\047\\134'"},
        {"\xff", "$'\\377'"},
    };
    Arena *arena = arena_new("test", 1u << 20);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_string_equal(options_quoted(arena, words[i][0]), words[i][1]);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_that_are_no_options_are_kept_where_they_are_asked_for),
        cmocka_unit_test(a_word_is_quoted_so_that_it_can_be_typed),
        cmocka_unit_test(nothing_given_leaves_every_default),
        cmocka_unit_test(every_kind_is_stored),
        cmocka_unit_test(the_ends_of_a_range_belong_to_it),
        cmocka_unit_test(a_bad_whole_number_is_refused),
        cmocka_unit_test(a_bad_seed_is_refused),
        cmocka_unit_test(a_bad_number_is_refused),
        cmocka_unit_test(a_choice_outside_the_list_is_refused),
        cmocka_unit_test(what_is_unknown_or_left_over_is_refused),
        cmocka_unit_test(help_shows_defaults_and_groups_in_80_columns),
        cmocka_unit_test(help_is_as_wide_as_columns_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
