/* Stop strings: every way to cut a text into chunks shows the same, which is what a plain search finds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/rng.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/app/sampling/output.h"
#include "labs/5_frontier/paged_kv/app/sampling/stop.h"
#include "tests/facts.h"

// Which string ends first, of those the longest; and where. -1: none.
static int plain_search(const char *text, const char *const *strings, int count, size_t *end)
{
    for (*end = 1; *end <= strlen(text); ++*end) {
        int found = -1;
        for (int k = 0; k < count; k++) {
            const size_t n = strlen(strings[k]);
            if (n <= *end && memcmp(text + *end - n, strings[k], n) == 0 &&
                (found < 0 || n > strlen(strings[found])))
                found = k;
        }
        if (found >= 0) return found;
    }
    *end = strlen(text);
    return -1;
}

// How many bytes at the text's end may begin a stop string.
static size_t plain_held(const char *text, size_t bytes, const char *const *strings, int count)
{
    size_t held = 0;
    for (int k = 0; k < count; k++)
        for (size_t n = 1; n < strlen(strings[k]) && n <= bytes; n++)
            if (memcmp(text + bytes - n, strings[k], n) == 0 && n > held) held = n;
    return held;
}

static void assert_text(const char *text, const char *const *strings, int count, bool include,
                        Rng *rng)
{
    size_t end, bytes, used = 0;
    char shown[256] = "";
    const int want = plain_search(text, strings, count, &end);
    if (want >= 0 && !include) end -= strlen(strings[want]);
    Stop *stop = stop_new(strings, count, include, 5);
    for (size_t i = 0; i < strlen(text);) {
        size_t chunk = rng_below(rng, 5);
        if (chunk > strlen(text) - i) chunk = strlen(text) - i;
        const char *part = stop_step(stop, text + i, chunk, &bytes);
        memcpy(shown + used, part, bytes);
        shown[used += bytes] = '\0';
        i += chunk;
        if (stop_found(stop) < 0)
            assert_integer("bytes shown", (int64_t)used,
                           (int64_t)(i - plain_held(text, i, strings, count)));
    }
    const char *part = stop_end(stop, "", 0, &bytes);
    memcpy(shown + used, part, bytes);
    shown[used += bytes] = '\0';
    assert_integer("the string", stop_found(stop), want);
    if (used != end || memcmp(shown, text, end) != 0)
        fail_msg("\"%s\": got \"%s\", expected its first %zu bytes", text, shown, end);
    stop_close(stop);
}

static void chunks_make_no_difference(void **state)
{
    (void)state;
    Rng rng = rng_from_seed(44);
    int found = 0;
    enum { CASES = 20000 };
    for (int k = 0; k < CASES; k++) {
        char text[64], strings[3][6];
        const char *list[3];
        const int length = (int)rng_below(&rng, 60), count = (int)rng_below(&rng, 4);
        for (int i = 0; i < length; i++) text[i] = "ab"[rng_below(&rng, 2)];
        text[length] = '\0';
        for (int i = 0; i < count; i++) {
            const int n = 1 + (int)rng_below(&rng, 5);
            for (int j = 0; j < n; j++) strings[i][j] = "abc"[rng_below(&rng, k % 2 ? 2 : 3)];
            strings[i][n] = '\0';
            list[i] = strings[i];
        }
        size_t end;
        found += plain_search(text, list, count, &end) >= 0;
        assert_text(text, list, count, k % 3 == 0, &rng);
    }
    assert_that(found > CASES / 5 && found < CASES * 4 / 5, "%d of %d texts have a stop string",
                found, CASES);
}

static void text_is_shown_as_soon_as_it_can_be(void **state)
{
    (void)state;
    Stop *stop = stop_new((const char *[]){"User:", "\n\n"}, 2, false, 100);
    static const struct {
        const char *chunk, *shown;
    } steps[] = {{"Hello", "Hello"}, {" Us", " "}, {"e", ""},    {" it.", "Use it."},
                 {"\n", ""},         {"a", "\na"}, {"bU", "b"},  {"User", "U"},
                 {":x", ""},         {"more", ""}, {"User:", ""}};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        size_t bytes;
        const char *text = stop_step(stop, steps[i].chunk, strlen(steps[i].chunk), &bytes);
        if (bytes != strlen(steps[i].shown) || memcmp(text, steps[i].shown, bytes) != 0)
            fail_msg("step %zu: got \"%.*s\", expected \"%s\"", i, (int)bytes, text,
                     steps[i].shown);
        assert_int_equal(stop_found(stop), i < 8 ? -1 : 0);
    }
    stop_close(stop);
}

// ---- tokens ----

enum { BYTES_SHOWN = 256 };

// What is shown of the bytes, each a token, in all; each part is valid UTF-8.
static void show(char shown[BYTES_SHOWN], const char *text, const char *const *stops, int count)
{
    Tokenizer *tokenizer = tokenizer_bytes();
    Output *output = output_open(tokenizer, stops, count, (OutputOptions){0});
    size_t used = 0, bytes;
    for (size_t i = 0; i <= strlen(text); i++) {
        const bool last = i == strlen(text);
        const char *part =
            last ? output_end(output, &bytes) : output_step(output, (uint8_t)text[i], &bytes);
        for (size_t at = 0, n; at < bytes; at += n)
            assert_that((n = text_utf8_length(part + at, bytes - at)) > 0,
                        "byte %zu after \"%.*s\" is no character", at, (int)i, text);
        memcpy(shown + used, part, bytes);
        used += bytes;
    }
    shown[used] = '\0';
    output_close(output);
    tokenizer_close(tokenizer);
}

static void characters_over_several_tokens_come_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"", ""},
        {"a\xf0\x9f\x98\x80z", "a\xf0\x9f\x98\x80z"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"cut \xf0\x9f\x98", "cut \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xff\xe4\xb8z", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},
        {"yes \xe4\xbd\xa0\xe5\xa5\xbd", "yes \xe4\xbd\xa0"},    // stops at the second character
        {"yes \xe4\xbd\xa0\xe5\xa5", "yes \xe4\xbd\xa0\xef\xbf\xbd\xef\xbf\xbd"},
        {"one END two", "one "},
        {"one EN", "one EN"},
    };
    static const char *const stops[] = {"END", "\xe5\xa5\xbd"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char shown[BYTES_SHOWN];
        show(shown, cases[i].text, stops, 2);
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest cases[] = {
        cmocka_unit_test(chunks_make_no_difference),
        cmocka_unit_test(text_is_shown_as_soon_as_it_can_be),
        cmocka_unit_test(characters_over_several_tokens_come_whole),
    };
    return cmocka_run_group_tests(cases, NULL, NULL);
}
