/* The tokenizers: exactly the ids of `tokenizers`, and what a text from outside may do to them. */
#include <pthread.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/app/tests/fixtures.h"

static const char *const styles[] = {"gpt2",  "llama3", "smollm", "llama2",
                                     "whole", "qwen2",  "mixed"};
enum { STYLES = sizeof styles / sizeof *styles };

// ---- against `tokenizers` ----

static void compare(const Tokenizer *t, const cJSON *tree, const char *style, bool parse_special)
{
    const cJSON *answers = cJSON_GetObjectItem(tree, parse_special ? "special" : "plain");
    assert_truth(t, cJSON_GetObjectItem(tree, "texts"), cJSON_GetObjectItem(answers, style),
                 (EncodeOptions){.add_special = true, .parse_special = parse_special});
}

static void ids_are_those_of_tokenizers(const char *style)
{
    Tokenizer *t = fixture(style);
    cJSON *tree = must_load("truth");
    compare(t, tree, style, false);
    compare(t, tree, style, true);
    cJSON_Delete(tree);
    tokenizer_close(t);
}

#define STYLE_CASE(style)                                                                          \
    static void ids_of_##style##_are_those_of_tokenizers(void **state)                             \
    {                                                                                              \
        (void)state;                                                                               \
        ids_are_those_of_tokenizers(#style);                                                       \
    }
STYLE_CASE(gpt2)
STYLE_CASE(llama3)
STYLE_CASE(qwen2)
STYLE_CASE(smollm)
STYLE_CASE(llama2)
STYLE_CASE(mixed)
STYLE_CASE(whole)

static void a_saved_tokenizer_gives_the_same_ids(void **state)
{
    (void)state;
    cJSON *tree = must_load("truth");
    int count = HAVE_UTF8PROC ? STYLES - !HAVE_PCRE2 : STYLES - 2;    // the last two need a library
    for (int i = 0; i < count; i++) {
        Error err;
        Tokenizer *t = fixture(styles[i]);
        const char *path = scratch_path(".json");
        if (!tokenizer_save(t, path, &err)) fail_msg("%s", err.message);
        Tokenizer *again = must_open(path);
        compare(again, tree, styles[i], false);
        compare(again, tree, styles[i], true);
        tokenizer_close(again);
        tokenizer_close(t);
        unlink(path);
    }
    cJSON_Delete(tree);
}

// ---- special tokens ----

static void text_becomes_a_special_token_only_when_asked(void **state)
{
    (void)state;
    static const char text[] = "<|endoftext|>";
    Tokenizer *t = fixture("gpt2");
    int end = tokenizer_token(t, text);
    assert_int_equal(end, 0);
    assert_true(tokenizer_is_special(t, end));
    assert_ids(t, text, strlen(text), ((EncodeOptions){.parse_special = true}), (int32_t[]){0}, 1);
    TokenIds ids = encoded(t, text, strlen(text), (EncodeOptions){0});
    assert_true(ids.count > 1);
    for (size_t i = 0; i < ids.count; i++) assert_int_not_equal(ids.ids[i], end);
    assert_decodes(t, text, strlen(text));
    free(ids.ids);
    tokenizer_close(t);
}

// Merges and ignore_merges could both make <s> of text: neither may.
static void merges_do_not_make_a_special_token(void **state)
{
    (void)state;
    static const char json[] =
        "{\"added_tokens\":[{\"id\":4,\"content\":\"<s>\",\"special\":true}],\"model\":{\"type\":"
        "\"BPE\","
        "\"ignore_merges\":true,\"vocab\":{\"<\":0,\"s\":1,\">\":2,\"<s\":3,\"<s>\":4},"
        "\"merges\":[[\"<\",\"s\"],[\"<s\",\">\"]]}}";
    Tokenizer *t = must_open(write_scratch(json, strlen(json), ".json"));
    unlink(scratch_path(".json"));
    assert_ids(t, "<s>", 3, (EncodeOptions){0}, ((int32_t[]){3, 2}), 2);
    assert_ids(t, "<s>", 3, ((EncodeOptions){.parse_special = true}), (int32_t[]){4}, 1);
    tokenizer_close(t);
}

// As in `tokenizers`: ignore_merges looks a piece up in the model's vocabulary alone.
static void text_is_not_made_of_added_tokens(void **state)
{
    (void)state;
    static const char json[] =
        "{\"added_tokens\":[{\"id\":3,\"content\":\"ab\",\"single_word\":true}],\"pre_tokenizer\":{"
        "\"type\":\"Split\",\"pattern\":{\"String\":\"ab\"},\"behavior\":\"Isolated\"},\"model\":{"
        "\"ignore_merges\":true,\"vocab\":{\"a\":0,\"b\":1,\"c\":2},\"merges\":[]}}";
    Tokenizer *t = must_open(write_scratch(json, strlen(json), ".json"));
    assert_ids(t, "ab", 2, (EncodeOptions){0}, (int32_t[]){3}, 1);
    assert_ids(t, "abc", 3, (EncodeOptions){0}, ((int32_t[]){0, 1, 2}), 3);
    Error err;
    if (!tokenizer_save(t, scratch_path(".json"), &err)) fail_msg("%s", err.message);
    tokenizer_close(t);
    t = must_open(scratch_path(".json"));
    assert_ids(t, "abc", 3, (EncodeOptions){0}, ((int32_t[]){0, 1, 2}), 3);
    tokenizer_close(t);
    unlink(scratch_path(".json"));
}

static void a_byte_token_is_not_made_of_its_name(void **state)
{
    (void)state;
    Tokenizer *t = fixture("llama2");
    int byte = tokenizer_token(t, "<0x41>");
    TokenIds ids = encoded(t, "<0x41>", 6, (EncodeOptions){0});
    for (size_t i = 0; i < ids.count; i++) assert_int_not_equal(ids.ids[i], byte);
    free(ids.ids);
    assert_decodes(t, "<0x41>", 6);
    tokenizer_close(t);
}

// ---- any bytes ----

static void all_bytes_decode_to_themselves(void **state)
{
    (void)state;
    static const char *const texts[] = {"hello !",      "x != y",       " .",
                                        "a  b",         "\xe6\xad",     "\xff",
                                        "a\xc0\xaf-",

                                        "\xf0\x9f\xa6", "\xed\xa0\x80", "\xe4\xb8\xad\xe6"};
    for (int i = 0; i < 4; i++) {
        Tokenizer *t = fixture(styles[i]);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            assert_decodes(t, texts[k], strlen(texts[k]));
        assert_decodes(t, "a\0b\0", 4);
        char all[512];
        for (int b = 0; b < 512; b++) all[b] = (char)(b * 7);
        assert_decodes(t, all, sizeof all);
        tokenizer_close(t);
    }
}

static void a_half_character_is_its_bytes(void **state)
{
    (void)state;
    Tokenizer *t = tokenizer_bytes();
    assert_ids(t, "\xe6\xad", 2, (EncodeOptions){0}, ((int32_t[]){0xe6, 0xad}), 2);
    assert_ids(t, "\0a", 2, (EncodeOptions){0}, ((int32_t[]){0, 'a'}), 2);
    assert_int_equal(tokenizer_size(t), 256);
    assert_int_equal(tokenizer_bos(t), -1);
    tokenizer_close(t);
}

// How many bytes at the end are the beginning of a character: those that some bytes complete.
static size_t held_back(const char *text, size_t bytes)
{
    static const char fills[] = "\x80\x8f\x90\x9f\xa0\xbf";
    for (size_t back = bytes < 3 ? bytes : 3; back > 0; back--)
        for (int n = 0; n < 6 * 6 * 6; n++) {
            char tried[6];
            memcpy(tried, text + bytes - back, back);
            tried[back] = fills[n % 6];
            tried[back + 1] = fills[n / 6 % 6];
            tried[back + 2] = fills[n / 36];
            if (text_utf8_length(tried, back + 3) > back) return back;
        }
    return 0;
}

// Steps through ids that add up to the bytes of decode, each handed out as soon as its character is whole,
// no sooner, and what is held at the end by token_stream_end(). Twice: the end begins a new text.
static void assert_streams(const Tokenizer *t, const TokenIds *ids, bool skip_special)
{
    DecodeOptions options = {.skip_special = skip_special};
    TokenStream *stream = token_stream_open(t, options);
    size_t bytes, part, prefix;
    char *whole = tokenizer_decode(t, ids->ids, ids->count, options, &bytes);
    for (int again = 0; again < 2; again++) {
        size_t used = 0;
        for (size_t i = 0; i <= ids->count; i++) {
            const char *piece = i < ids->count ? token_stream_step(stream, ids->ids[i], &part)
                                               : token_stream_end(stream, &part);
            assert_true(used + part <= bytes);
            assert_memory_equal(piece, whole + used, part);
            used += part;
            size_t step = i < ids->count ? i + 1 : i;
            free(tokenizer_decode(t, ids->ids, step, options, &prefix));
            size_t held = i < ids->count ? held_back(whole, prefix) : 0;
            assert_int_equal(used + held, prefix);
        }
        assert_int_equal(used, bytes);
        token_stream_end(stream, &part);
        assert_int_equal(part, 0);
    }
    token_stream_close(stream);
    free(whole);
}

static void streams_hold_back_what_is_no_character_yet(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *steps;    // how many bytes each byte hands out, and at the end
    } wanted[] = {
        {"a\xf0\x9f\xa6\x99 b", "1000411"
                                "0"},    // a character of four
        {"\xe4\xb8\xad\xc3\xa9", "00302"
                                 "0"},    // of three and two
        {"\xf0\x9f\xa6", "000"
                         "3"},    // that does not end
        {"\xe4\xb8"
         "a",
         "003"
         "0"},    // that ends too soon
        {"\xe4\xe4\xb8\xad", "0103"
                             "0"},    // twice begun
        {"\x80\xff\xc0\xf5", "1111"
                             "0"},    // that nothing completes
        {"\xf0\x9f\xf0\x9f\xa6\x99", "002004"
                                     "0"},
        {"\xc3", "0"
                 "1"},
        {"\xe0\x80", "02"
                     "0"},    // too long a form
        {"\xed\xa0\x80", "021"
                         "0"},    // half of a surrogate pair
        {"\xf4\x90\x80\x80", "0211"
                             "0"},    // above U+10FFFF
        {"", "0"},
    };
    Tokenizer *t = tokenizer_bytes();
    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++) {
        TokenStream *stream = token_stream_open(t, (DecodeOptions){0});
        const char *text = wanted[w].text;
        char got[16];
        size_t count = strlen(text), bytes;
        for (size_t i = 0; i <= count; i++) {
            if (i < count) token_stream_step(stream, (uint8_t)text[i], &bytes);
            else token_stream_end(stream, &bytes);
            got[i] = (char)('0' + bytes);
        }
        got[count + 1] = '\0';
        if (strcmp(got, wanted[w].steps) != 0)
            fail_msg("text %zu: %s, expected %s", w, got, wanted[w].steps);
        token_stream_close(stream);
    }
    tokenizer_close(t);
}

// Texts whose characters are several tokens, and ids in any order, in every style.
static void streams_add_up_to_decode(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "This is \xf0\x9f\xa6\x99.cpp \xe4\xb8\xad",
        "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9 \xf0\x9f\x87\xa9",
        " leading, a\xff\xc0 b \xe6", "<|endoftext|> <s> <0x41>", ""};
    uint32_t draw = 3;
    for (int s = 0; s < 5; s++) {
        Tokenizer *t = fixture(styles[s]);
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
            TokenIds ids = encoded(t, texts[k], strlen(texts[k]),
                                   (EncodeOptions){.add_special = true, .parse_special = true});
            assert_streams(t, &ids, k % 2 == 0);
            free(ids.ids);
        }
        for (int n = 0; n < 200; n++) {
            TokenIds ids = {0};
            for (int i = 0; i < 24; i++) {
                draw = draw * 1664525u + 1013904223u;
                // Mostly the tokens of single bytes, which are among the first.
                uint32_t below = draw >> 30 ? 262 : (uint32_t)tokenizer_size(t) + 2;
                ids_add(&ids, (int)((uint64_t)(draw << 2 >> 8) * below >> 24));
            }
            assert_streams(t, &ids, n % 2 == 0);
            free(ids.ids);
        }
        tokenizer_close(t);
    }
}

static void ids_of_no_token_decode_to_nothing(void **state)
{
    (void)state;
    Tokenizer *t = fixture("gpt2");
    size_t bytes;
    for (int i = 0; i < 3; i++) {
        int32_t id = (int32_t[]){-1, 700, INT32_MAX}[i];
        char *text = tokenizer_decode(t, &id, 1, (DecodeOptions){0}, &bytes);
        assert_int_equal(bytes, 0);
        assert_string_equal(text, "");
        free(text);
        assert_string_equal(tokenizer_piece(t, id, &bytes), "");
        assert_false(tokenizer_is_special(t, id));
    }
    tokenizer_close(t);
}

// ---- characters ----

static void characters_are_numbered_by_code_point(void **state)
{
    (void)state;
    static const char text[] = "ba\xc3\xa9\nab";
    Error err = {""};
    Tokenizer *t = tokenizer_characters(text, strlen(text), &err);
    assert_non_null(t);
    assert_int_equal(tokenizer_size(t), 4);
    assert_ids(t, text, strlen(text), (EncodeOptions){0}, ((int32_t[]){2, 1, 3, 0, 1, 2}), 6);
    assert_decodes(t, text, strlen(text));
    TokenIds ids = {0};
    ids_add(&ids, 7);
    assert_false(tokenizer_encode(t, "a\xe4\xb8\xad", 4, (EncodeOptions){0}, &ids, &err));
    assert_non_null(strstr(err.message, "U+4E2D has no token"));
    assert_int_equal(ids.count, 1);    // as before
    free(ids.ids);
    if (!tokenizer_save(t, scratch_path(".json"), &err)) fail_msg("%s", err.message);
    Tokenizer *again = must_open(scratch_path(".json"));
    assert_ids(again, text, strlen(text), (EncodeOptions){0}, ((int32_t[]){2, 1, 3, 0, 1, 2}), 6);
    tokenizer_close(again);
    unlink(scratch_path(".json"));
    tokenizer_close(t);
    assert_null(tokenizer_characters("a\xff", 2, &err));
    assert_non_null(strstr(err.message, "byte 1"));
}

// ---- long texts ----

// A piece of n equal characters, and what it costs to merge it pair by pair: n log n, without recursion.
static void a_megabyte_can_be_one_piece(void **state)
{
    (void)state;
    enum { BYTES = 1 << 20 };
    char *text = malloc(BYTES);
    assert_non_null(text);
    for (int i = 0; i < 3; i++) {
        Tokenizer *t = fixture(styles[i == 2 ? 3 : i]);
        for (int kind = 0; kind < 3; kind++) {
            uint32_t draw = 1;
            for (int b = 0; b < BYTES; b++) {
                draw = draw * 1664525u + 1013904223u;
                text[b] = (char)(kind == 0 ? 'a' : kind == 1 ? '^' : 'a' + (int)(draw >> 24) % 26);
            }
            assert_decodes(t, text, BYTES);
        }
        tokenizer_close(t);
    }
    free(text);
}

// ---- merging ----

// aa -> X, from the left: "aaa" is X a.
static void pairs_merge_from_the_left(void **state)
{
    (void)state;
    static const char json[] =
        "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"aa\":1,\"aaaa\":2},"
        "\"merges\":[\"a a\",\"aa aa\"]}}";
    Tokenizer *t = must_open(write_scratch(json, strlen(json), ".json"));
    unlink(scratch_path(".json"));
    assert_ids(t, "aaa", 3, (EncodeOptions){0}, ((int32_t[]){1, 0}), 2);
    assert_ids(t, "aaaaa", 5, (EncodeOptions){0}, ((int32_t[]){2, 0}), 2);
    assert_ids(t, "aaaaaaa", 7, (EncodeOptions){0}, ((int32_t[]){2, 1, 0}), 3);
    tokenizer_close(t);
}

// The lowest rank first, always anew: the short way (all ranks each time) and the heap agree with this one.
static void long_and_short_pieces_merge_alike(void **state)
{
    (void)state;
    Tokenizer *t = fixture("llama2");
    uint32_t draw = 7;
    for (int length = 40; length < 60; length++) {
        char text[64];
        for (int i = 0; i < length; i++) {
            draw = draw * 1664525u + 1013904223u;
            text[i] = "theandio"[draw >> 29];
        }
        TokenIds whole = encoded(t, text, (size_t)length, (EncodeOptions){0});
        // The same by the definition, over the tokens' names.
        int32_t ids[64];
        int count = 0;
        ids[count++] = tokenizer_token(t, "\xe2\x96\x81");
        for (int i = 0; i < length; i++) ids[count++] = tokenizer_token(t, (char[]){text[i], '\0'});
        for (;;) {
            int best = -1, result = 0;
            for (int i = 0; i + 1 < count; i++) {
                char name[128];
                size_t a, b;
                const char *left = tokenizer_piece(t, ids[i], &a),
                           *right = tokenizer_piece(t, ids[i + 1], &b);
                snprintf(name, sizeof name, "%s%.*s%.*s", left[0] == ' ' ? "\xe2\x96\x81" : "",
                         (int)a - (left[0] == ' '), left + (left[0] == ' '), (int)b, right);
                int id = tokenizer_token(t, name);
                // Of a trained vocabulary the merges' ranks are the order of their tokens' ids.
                if (id >= 0 && (best < 0 || id < result)) best = i, result = id;
            }
            if (best < 0) break;
            ids[best] = result;
            memmove(ids + best + 1, ids + best + 2, (size_t)(count-- - best - 2) * sizeof *ids);
        }
        text[length] = '\0';
        assert_same_ids(&whole, ids, (size_t)count, text);
        free(whole.ids);
    }
    tokenizer_close(t);
}

// "a b" and ["a", "b"] are the same; U+00A0 is a character like others.
static void merges_are_texts_or_pairs(void **state)
{
    (void)state;
    static const char *const merges[] = {"[\"a \xc2\xa0\",\"a\xc2\xa0 b\"]",
                                         "[[\"a\",\"\xc2\xa0\"],[\"a\xc2\xa0\",\"b\"]]"};
    for (int i = 0; i < 2; i++) {
        char json[256];
        snprintf(json, sizeof json,
                 "{\"model\":{\"vocab\":{\"a\":0,\"\xc2\xa0\":1,\"b\":2,\"a\xc2\xa0\":3,\"a\xc2\xa0"
                 "b\":4},\"merges\":%s}}",
                 merges[i]);
        Tokenizer *t = must_open(write_scratch(json, strlen(json), ".json"));
        assert_ids(t,
                   "a\xc2\xa0"
                   "ba",
                   5, (EncodeOptions){0}, ((int32_t[]){4, 0}), 2);
        tokenizer_close(t);
    }
    unlink(scratch_path(".json"));
}

// ---- threads ----

static void *encode_often(void *tokenizer)
{
    static const char text[] = "the text of one thread, and another: 12345";
    TokenIds first = encoded(tokenizer, text, strlen(text), (EncodeOptions){0});
    size_t wrong = 0;
    for (int i = 0; i < 300; i++) {
        TokenIds ids = encoded(tokenizer, text, strlen(text), (EncodeOptions){0});
        wrong += ids.count != first.count ||
                 memcmp(ids.ids, first.ids, ids.count * sizeof *ids.ids) != 0;
        free(ids.ids);
    }
    free(first.ids);
    return (void *)wrong;
}

static void several_threads_may_encode(void **state)
{
    (void)state;
    Tokenizer *t = fixture("gpt2");
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, encode_often, t), 0);
    for (int i = 0; i < 4; i++) {
        void *wrong;
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_of_gpt2_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_llama3_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_qwen2_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_whole_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_smollm_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_llama2_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_mixed_are_those_of_tokenizers),
        cmocka_unit_test(a_saved_tokenizer_gives_the_same_ids),
        cmocka_unit_test(text_becomes_a_special_token_only_when_asked),
        cmocka_unit_test(merges_do_not_make_a_special_token),
        cmocka_unit_test(text_is_not_made_of_added_tokens),
        cmocka_unit_test(a_byte_token_is_not_made_of_its_name),
        cmocka_unit_test(all_bytes_decode_to_themselves),
        cmocka_unit_test(a_half_character_is_its_bytes),
        cmocka_unit_test(streams_hold_back_what_is_no_character_yet),
        cmocka_unit_test(streams_add_up_to_decode),
        cmocka_unit_test(ids_of_no_token_decode_to_nothing),
        cmocka_unit_test(characters_are_numbered_by_code_point),
        cmocka_unit_test(a_megabyte_can_be_one_piece),
        cmocka_unit_test(pairs_merge_from_the_left),
        cmocka_unit_test(long_and_short_pieces_merge_alike),
        cmocka_unit_test(merges_are_texts_or_pairs),
        cmocka_unit_test(several_threads_may_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
