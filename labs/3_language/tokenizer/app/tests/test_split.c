/* Splitting: the known patterns by hand are what PCRE2 makes of their expressions, and each step does what it says. */
#include "labs/3_language/tokenizer/app/split/split.h"
#include "labs/3_language/tokenizer/app/tests/fixtures.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"
#include "labs/3_language/tokenizer/app/text/normalize.h"

// ---- texts ----

static uint32_t draw(uint32_t *state, uint32_t below)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)(*state >> 8) * below >> 24);
}

// Characters of every class that PCRE2 10.42 knows as well (Unicode 14), and bytes that are none.
static size_t random_text(uint8_t *text, size_t room, uint32_t *state, bool whole)
{
    static const char *const parts[] = {"'s",
                                        "'S",
                                        "'\xc5\xbf",
                                        "'ll",
                                        "'Ve",
                                        " ",
                                        "  ",
                                        "\n",
                                        "\r\n",
                                        "\t",
                                        "a",
                                        "Zb",
                                        "1",
                                        "23",
                                        "\xc2\xbd",
                                        "\xe2\x85\xa7",
                                        "\xc3\xa9",
                                        "e\xcc\x81",
                                        "\xcc\x81",
                                        "\xe4\xb8\xad",
                                        "\xc2\xa0",
                                        "\xe3\x80\x80",
                                        "\xe2\x80\xa8",
                                        "!",
                                        "...",
                                        "_",
                                        "'",
                                        "\xf0\x9f\xa6\x99",
                                        "\xe1\xa0\x8e",
                                        "\xc2\x85",
                                        "\xd9\xa3",
                                        "\x1c",
                                        "s"};
    static const char *const broken[] = {"\xff", "\xe4\xb8", "\xcc"};
    size_t used = 0;
    for (uint32_t n = draw(state, 12); n > 0; n--) {
        const char *part = !whole && draw(state, 8) == 0
                               ? broken[draw(state, 3)]
                               : parts[draw(state, sizeof parts / sizeof *parts)];
        size_t bytes = strlen(part);
        if (used + bytes > room) break;
        memcpy(text + used, part, bytes);
        used += bytes;
    }
    return used;
}

// ---- patterns ----

static void known_patterns_match_what_pcre2_matches(void **state)
{
    (void)state;
    static const char *const names[] = {"gpt2", "llama3", "qwen2", "qwen3.5"};
    if (!HAVE_PCRE2) SKIP("no PCRE2", "./lab setup");
    for (int n = 0; n < 4; n++) {
        Error err = {""};
        const Pattern *pattern = pattern_named(names[n]);
        assert_ptr_equal(pattern_find(pattern->expression), pattern);
        Regex *regex = regex_open(pattern->expression, &err);
        if (regex == NULL) fail_msg("%s", err.message);
        uint32_t seed = 1;
        for (int i = 0; i < 20000; i++) {
            uint8_t text[96];
            size_t bytes = random_text(text, sizeof text, &seed, true), first, last;
            for (size_t at = 0; at < bytes; at = last) {
                size_t next = pattern_next(pattern, text, at, bytes);
                assert_int_equal(regex_find(regex, text, at, bytes, &first, &last, &err),
                                 REGEX_FOUND);
                if (first != at || next != last)
                    fail_msg("%s, text '%.*s': from byte %zu to %zu, expected %zu to %zu", names[n],
                             (int)bytes, (const char *)text, at, next, first, last);
            }
        }
        regex_close(regex);
    }
}

static void pieces_of_any_bytes_cover_them(void **state)
{
    (void)state;
    static const char *const names[] = {"gpt2", "llama3", "qwen2", "qwen3.5"};
    uint32_t seed = 2;
    for (int i = 0; i < 40000; i++) {
        uint8_t text[96];
        size_t bytes = random_text(text, sizeof text, &seed, false);
        for (size_t at = 0, next; at < bytes; at = next) {
            next = pattern_next(pattern_named(names[i % 4]), text, at, bytes);
            assert_true(next > at && next <= bytes);
        }
    }
    assert_null(pattern_find("\\w+"));
    assert_null(pattern_named("bert"));
}

// ---- steps ----

typedef struct Pieces {
    char text[256];    // with a bar after each
} Pieces;

static bool add_piece(void *context, const uint8_t *piece, size_t bytes, Error *err)
{
    (void)err;
    Pieces *pieces = context;
    size_t used = strlen(pieces->text);
    snprintf(pieces->text + used, sizeof pieces->text - used, "%.*s|", (int)bytes,
             (const char *)piece);
    return true;
}

static void assert_pieces(SplitStep step, const char *text, const char *want)
{
    Splitter splitter = {0};
    Pieces pieces = {""};
    Error err;
    assert_true(splitter_add(&splitter, step));
    assert_true(splitter_run(&splitter, (const uint8_t *)text, strlen(text), true, add_piece,
                             &pieces, &err));
    assert_string_equal(pieces.text, want);
    splitter_close(&splitter);
}

// The five behaviors, as the package's documentation shows them on "the-final--countdown".
static void behaviors_are_those_of_the_documentation(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        [SPLIT_REMOVED] = "the|final|countdown|",
        [SPLIT_ISOLATED] = "the|-|final|-|-|countdown|",
        [SPLIT_MERGED_PREVIOUS] = "the-|final-|-|countdown|",
        [SPLIT_MERGED_NEXT] = "the|-final|-|-countdown|",
        [SPLIT_CONTIGUOUS] = "the|-|final|--|countdown|",
    };
    for (int b = 0; b < 5; b++)
        assert_pieces((SplitStep){.kind = SPLIT_LITERAL,
                                  .literal = strdup("-"),
                                  .behavior = (SplitBehavior)b},
                      "the-final--countdown", wanted[b]);
    assert_pieces((SplitStep){.kind = SPLIT_LITERAL,
                              .literal = strdup("-"),
                              .behavior = SPLIT_REMOVED,
                              .invert = true},
                  "the-final--countdown", "-|-|-|");
}

static void steps_that_change_the_text(void **state)
{
    (void)state;
    assert_pieces((SplitStep){.kind = SPLIT_METASPACE, .literal = strdup("_")}, "Hey friend!  x",
                  "_Hey|_friend!|_|_x|");
    assert_pieces(
        (SplitStep){.kind = SPLIT_METASPACE, .literal = strdup("_"), .prefix = SPLIT_NEVER}, "a b",
        "a|_b|");
    assert_pieces((SplitStep){.kind = SPLIT_METASPACE, .literal = strdup("_"), .whole = true},
                  " a b", "_a_b|");
    assert_pieces((SplitStep){.kind = SPLIT_PREFIX_SPACE}, "a", " a|");
    assert_pieces((SplitStep){.kind = SPLIT_PREFIX_SPACE}, " a", " a|");
    assert_pieces((SplitStep){.kind = SPLIT_RUNS, .literal = strdup("_")}, "__a_b__c_",
                  "__a|_b|__c|_|");
    assert_pieces((SplitStep){.kind = SPLIT_CLASS, .classes = CODE_NUMERIC},
                  "a12\xc2\xbd"
                  "b",
                  "a|1|2|\xc2\xbd|b|");
}

static void an_empty_match_cuts(void **state)
{
    (void)state;
    if (!HAVE_PCRE2) SKIP("no PCRE2", "./lab setup");
    Error err;
    assert_pieces((SplitStep){.kind = SPLIT_REGEX, .regex = regex_open("(?=b)", &err)}, "abcb",
                  "a|bc|b|");
    assert_pieces((SplitStep){.kind = SPLIT_REGEX,
                              .regex = regex_open("x*", &err),
                              .behavior = SPLIT_REMOVED},
                  "\xc3\xa9xxa", "\xc3\xa9|a|");
}

// Where Oniguruma and PCRE2 read the same expression in two ways.
static void sets_within_sets_are_unions_and_the_rest_is_refused(void **state)
{
    (void)state;
    if (!HAVE_PCRE2) SKIP("no PCRE2", "./lab setup");
    Error err = {""};
    Regex *bloom = regex_open(" ?[^(\\s|[.,!?])]+", &err);
    if (bloom == NULL) fail_msg("%s", err.message);
    assert_pieces((SplitStep){.kind = SPLIT_REGEX, .regex = bloom}, "a.b c", "a|.|b| c|");
    static const char *const same[] = {"\\p{L}+", "[a{1}+]", "\\x{41}+", "[[:punct:]]+",
                                       "[\\[\\]]+"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        Regex *regex = regex_open(same[i], &err);
        if (regex == NULL) fail_msg("%s", err.message);
        regex_close(regex);
    }
    static const char *const refused[] = {"[a-z&&[aeiou]]", "[a[^b]]",     "\\p{N}{1,3}+", "a{2}+",
                                          "(?m)a.c",        "[[:alpha:]]", "[a\\W]"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_null(regex_open(refused[i], &err));
        assert_non_null(strstr(err.message, "is not supported"));
    }
}

static void expressions_split_as_in_tokenizers(void **state)
{
    (void)state;
    if (!HAVE_PCRE2) SKIP("no PCRE2", "./lab setup");
    cJSON *truth = must_load("truth");
    const cJSON *wanted, *piece;
    cJSON_ArrayForEach(wanted, cJSON_GetObjectItem(truth, "patterns"))
    {
        Error err = {""};
        Pieces pieces = {""};
        const char *expression = cJSON_GetArrayItem(wanted, 0)->valuestring;
        Regex *regex = regex_open(expression, &err);
        if (regex == NULL) fail_msg("%s: %s", expression, err.message);
        cJSON_ArrayForEach(piece, cJSON_GetArrayItem(wanted, 2)) add_piece(
            &pieces, (const uint8_t *)piece->valuestring, strlen(piece->valuestring), &err);
        assert_pieces((SplitStep){.kind = SPLIT_REGEX, .regex = regex},
                      cJSON_GetArrayItem(wanted, 1)->valuestring, pieces.text);
    }
    cJSON_Delete(truth);
}

// ---- classes and normal forms ----

static void classes_are_those_of_unicode(void **state)
{
    (void)state;
    const uint8_t *classes = code_point_classes();
    assert_int_equal(classes['a'], CODE_LETTER | CODE_WORD);
    assert_int_equal(classes['_'], CODE_WORD | CODE_PUNCTUATION);
    assert_int_equal(classes['7'], CODE_NUMBER | CODE_WORD | CODE_NUMERIC);
    assert_int_equal(classes[0xbd], CODE_NUMBER | CODE_NUMERIC);    // 1/2
    assert_int_equal(classes[0x301], CODE_MARK | CODE_WORD);
    assert_int_equal(classes[0x3000], CODE_SPACE);
    assert_int_equal(classes[0x180e],
                     0);    // the Mongolian vowel separator, no space since Unicode 6.3
    assert_int_equal(classes[0x1c], 0);    // a space to Python, not to Unicode
    assert_int_equal(classes[0x10d50] & CODE_LETTER, CODE_LETTER);    // Garay, new in Unicode 16
    assert_int_equal(classes[CODE_INVALID], 0);
}

static void characters_are_written_as_they_are_read(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < CODE_INVALID; code++) {
        uint8_t text[4];
        size_t bytes, read;
        if (code >= 0xd800 && code < 0xe000) continue;
        bytes = code_point_write(code, text);
        if (code_point_at(text, bytes, &read) != code || read != bytes ||
            code_point_before(text, bytes, &read) != code)
            fail_msg("U+%04X", code);
    }
}

static void assert_normal(const char *form, const char *text, const char *want)
{
    Normalizer normalizer = {0};
    Error err = {""};
    Bytes held = {0};
    size_t bytes = strlen(text);
    const uint8_t *got;
    assert_true(normalizer_add(&normalizer, (NormalStep){.kind = NORMAL_FORM, .form = form}, &err));
    assert_true(normalizer_run(&normalizer, (const uint8_t *)text, &bytes, &held, &got, &err));
    if (bytes != strlen(want) || memcmp(got, want, bytes) != 0)
        fail_msg("%s of '%s' is '%.*s', expected '%s'", form, text, (int)bytes, (const char *)got,
                 want);
    free(held.data);
    normalizer_close(&normalizer);
}

static void normal_forms_are_those_of_unicode(void **state)
{
    (void)state;
    if (!HAVE_UTF8PROC) SKIP("no utf8proc", "./lab setup");
    assert_normal("NFC", "plain", "plain");
    assert_normal("NFC", "cafe\xcc\x81 cafe\xcc\x81", "caf\xc3\xa9 caf\xc3\xa9");
    assert_normal("NFC", "\xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8", "\xea\xb0\x81");    // Hangul jamo
    assert_normal("NFC",
                  "a\xcc\x96\xcc\x81\xff"
                  "e\xcc\x81",
                  "\xc3\xa1\xcc\x96\xff\xc3\xa9");
    assert_normal("NFC", "\xe2\x84\xab \xef\xac\x81", "\xc3\x85 \xef\xac\x81");
    assert_normal("NFD", "\xc3\xa9 \xea\xb0\x81", "e\xcc\x81 \xe1\x84\x80\xe1\x85\xa1\xe1\x86\xa8");
    assert_normal("NFKC", "\xef\xac\x81 \xef\xbc\xa1", "fi A");
    assert_normal("NFKD", "\xef\xac\x81 \xc3\xa9", "fi e\xcc\x81");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_patterns_match_what_pcre2_matches),
        cmocka_unit_test(pieces_of_any_bytes_cover_them),
        cmocka_unit_test(behaviors_are_those_of_the_documentation),
        cmocka_unit_test(steps_that_change_the_text),
        cmocka_unit_test(an_empty_match_cuts),
        cmocka_unit_test(expressions_split_as_in_tokenizers),
        cmocka_unit_test(sets_within_sets_are_unions_and_the_rest_is_refused),
        cmocka_unit_test(classes_are_those_of_unicode),
        cmocka_unit_test(characters_are_written_as_they_are_read),
        cmocka_unit_test(normal_forms_are_those_of_unicode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
