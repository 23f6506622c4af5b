/* The tokenizers: exactly the ids of `tokenizers`, and what a text from outside may do to them. */
#include <pthread.h>
#include "labs/3_language/tokenizer/app/tests/fixtures.h"

static const char *const styles[] = {"gpt2", "llama3", "smollm", "llama2", "qwen2", "mixed"};
enum { STYLES = sizeof styles / sizeof *styles };

// ---- against `tokenizers` ----

static cJSON *truth(void)
{
    Error err;
    cJSON *tree = json_load(source_path(FIXTURES "truth.json"), &err);
    if (tree == NULL) fail_msg("%s", err.message);
    return tree;
}

static void compare(const Tokenizer *t, const cJSON *tree, const char *style, bool parse_special)
{
    const cJSON *texts = cJSON_GetObjectItem(tree, "texts"), *text, *id;
    const cJSON *wanted =
        cJSON_GetObjectItem(cJSON_GetObjectItem(tree, parse_special ? "special" : "plain"), style);
    const cJSON *want = wanted->child;
    EncodeOptions options = {.add_special = true, .parse_special = parse_special};
    cJSON_ArrayForEach(text, texts)
    {
        TokenIds expected = {0};
        cJSON_ArrayForEach(id, want) ids_add(&expected, id->valueint);
        assert_ids(t, text->valuestring, strlen(text->valuestring), options, expected.ids,
                   expected.count);
        free(expected.ids);
        want = want->next;
    }
}

static void ids_are_those_of_tokenizers(const char *style)
{
    Tokenizer *t = fixture(style);
    cJSON *tree = truth();
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

static void a_saved_tokenizer_gives_the_same_ids(void **state)
{
    (void)state;
    cJSON *tree = truth();
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

static void a_stream_prints_whole_characters(void **state)
{
    (void)state;
    static const char text[] = "a\xf0\x9f\xa6\x99 b\xe4\xb8\xad\xe6";    // ends in half a character
    Tokenizer *t = tokenizer_bytes();
    TokenStream *stream = token_stream_open(t, (DecodeOptions){0});
    for (int again = 0; again < 2; again++) {
        char got[32];
        size_t used = 0, bytes;
        for (size_t i = 0; i < strlen(text); i++) {
            const char *piece = token_stream_step(stream, (uint8_t)text[i], &bytes);
            assert_true(bytes == 0 || (piece[0] & 0xc0) != 0x80);
            if (i >= 1 && i < 4) assert_int_equal(bytes, 0);
            if (i == 4) assert_int_equal(bytes, 4);
            memcpy(got + used, piece, bytes);
            used += bytes;
        }
        assert_int_equal(used, strlen(text) - 1);
        const char *rest = token_stream_end(stream, &bytes);
        assert_int_equal(bytes, 1);
        memcpy(got + used, rest, bytes);
        assert_memory_equal(got, text, strlen(text));
    }
    token_stream_close(stream);
    tokenizer_close(t);
}

static void a_stream_ends_with_the_bytes_of_decode(void **state)
{
    (void)state;
    Tokenizer *t = fixture("llama2");
    static const char text[] = "This is \xf0\x9f\xa6\x99.cpp \xe4\xb8\xad";
    TokenIds ids = encoded(t, text, strlen(text), (EncodeOptions){.add_special = true});
    TokenStream *stream = token_stream_open(t, (DecodeOptions){.skip_special = true});
    char got[64];
    size_t used = 0, bytes;
    for (size_t i = 0; i < ids.count; i++) {
        const char *piece = token_stream_step(stream, ids.ids[i], &bytes);
        memcpy(got + used, piece, bytes);
        used += bytes;
    }
    assert_int_equal(used, strlen(text));
    assert_memory_equal(got, text, used);
    token_stream_end(stream, &bytes);
    assert_int_equal(bytes, 0);
    token_stream_close(stream);
    free(ids.ids);
    tokenizer_close(t);
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
        cmocka_unit_test(ids_of_smollm_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_llama2_are_those_of_tokenizers),
        cmocka_unit_test(ids_of_mixed_are_those_of_tokenizers),
        cmocka_unit_test(a_saved_tokenizer_gives_the_same_ids),
        cmocka_unit_test(text_becomes_a_special_token_only_when_asked),
        cmocka_unit_test(merges_do_not_make_a_special_token),
        cmocka_unit_test(a_byte_token_is_not_made_of_its_name),
        cmocka_unit_test(all_bytes_decode_to_themselves),
        cmocka_unit_test(a_half_character_is_its_bytes),
        cmocka_unit_test(a_stream_prints_whole_characters),
        cmocka_unit_test(a_stream_ends_with_the_bytes_of_decode),
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
