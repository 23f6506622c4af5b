/* Training: the merges of `tokenizers`, and those of the definition done the slow way. */
#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"
#include "labs/3_language/tokenizer/app/tests/fixtures.h"

static Tokenizer *trained(const char *text, size_t bytes, TokenizerTraining how)
{
    Error err = {""};
    Tokenizer *t = tokenizer_train(text, bytes, how, &err);
    if (t == NULL) fail_msg("was refused: %s", err.message);
    return t;
}

static const char *name_of(const Tokenizer *t, int id)
{
    static char names[2][64];
    static int turn;
    size_t bytes;
    const char *piece = tokenizer_piece(t, id, &bytes);
    turn = !turn;
    snprintf(names[turn], sizeof names[turn], "%.*s", (int)bytes, piece);
    return names[turn];
}

// In "aaaa" the pair a a counts three times, so it wins over the pair x y, which is there twice.
static void overlapping_pairs_count_each_time(void **state)
{
    (void)state;
    Tokenizer *t = trained("aaaa xy xy", 10, (TokenizerTraining){.vocabulary = 258});
    assert_string_equal(name_of(t, 256), "aa");
    // Then x y, and ' ' x: twice each; ids go by GPT-2's order of the bytes, in which x is before the blank.
    assert_string_equal(name_of(t, 257), "xy");
    tokenizer_close(t);
}

static void rare_pairs_are_not_merged(void **state)
{
    (void)state;
    Tokenizer *t =
        trained("ab ab ab cd cd", 14, (TokenizerTraining){.vocabulary = 300, .minimum = 3});
    assert_int_equal(tokenizer_size(t), 257);
    assert_string_equal(name_of(t, 256), "ab");
    tokenizer_close(t);
    t = trained("", 0, (TokenizerTraining){.vocabulary = 300});
    assert_int_equal(tokenizer_size(t), 256);
    tokenizer_close(t);
}

static void special_tokens_come_first(void **state)
{
    (void)state;
    static const char *const special[] = {"<|endoftext|>", "<|a b|>"};
    Tokenizer *t = trained(
        "ab ab", 5, (TokenizerTraining){.vocabulary = 260, .special = special, .special_count = 2});
    assert_int_equal(tokenizer_token(t, "<|endoftext|>"), 0);
    assert_int_equal(tokenizer_token(t, "<|a b|>"), 1);
    assert_int_equal(tokenizer_eos(t), 0);
    assert_int_equal(tokenizer_bos(t), 0);
    assert_int_equal(tokenizer_token(t, "!"), 2);
    assert_ids(t, "ab<|a b|>", 9, ((EncodeOptions){.parse_special = true}), ((int32_t[]){258, 1}),
               2);
    tokenizer_close(t);
}

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    static const char *const twice[] = {"<s>", "<s>"};
    static const struct {
        TokenizerTraining how;
        const char *sentence;
    } cases[] = {
        {{.vocabulary = 255}, "a vocabulary of 255, expected 256 to"},
        {{.vocabulary = 300, .style = "bert"}, "there is no style 'bert'"},
        {{.vocabulary = 300, .special = twice, .special_count = 2},
         "'<s>' is too short, or listed twice"},
    };
    for (int i = 0; i < 3; i++) {
        Error err = {""};
        assert_null(tokenizer_train("a", 1, cases[i].how, &err));
        if (strstr(err.message, cases[i].sentence) == NULL) fail_msg("%s", err.message);
    }
}

static void compare_training(const cJSON *truth, const char *text, const char *style)
{
    const cJSON *names = cJSON_GetObjectItem(cJSON_GetObjectItem(truth, "trained"), style), *name;
    Tokenizer *t =
        trained(text, strlen(text), (TokenizerTraining){.vocabulary = 600, .style = style});
    assert_int_equal(tokenizer_size(t), 256 + cJSON_GetArraySize(names));
    int id = 256;
    cJSON_ArrayForEach(name, names)
    {
        Bytes want = {0};
        size_t bytes;
        const char *piece = tokenizer_piece(t, id, &bytes);
        assert_true(byte_alphabet_read(&want, name->valuestring, strlen(name->valuestring)));
        if (bytes != want.count || memcmp(piece, want.data, bytes) != 0)
            fail_msg("%s: token %d is '%.*s', expected '%.*s'", style, id, (int)bytes, piece,
                     (int)want.count, (const char *)want.data);
        free(want.data);
        id++;
    }
    tokenizer_close(t);
}

static void merges_are_those_of_tokenizers(void **state)
{
    (void)state;
    Error err;
    cJSON *truth = json_load(source_path(FIXTURES "truth.json"), &err), *text;
    Bytes all = {0};
    assert_non_null(truth);
    cJSON_ArrayForEach(text, cJSON_GetObjectItem(truth, "texts"))
        bytes_add(&all, text->valuestring, strlen(text->valuestring));
    bytes_add(&all, "", 1);
    compare_training(truth, (const char *)all.data, "gpt2");
    compare_training(truth, (const char *)all.data, "llama3");
    free(all.data);
    cJSON_Delete(truth);
}

typedef struct Seen {
    int count, last;
    uint64_t times;
    bool falling;
} Seen;

static void on_merge(void *context, int id, const char *piece, size_t bytes, uint64_t times)
{
    Seen *seen = context;
    assert_true(bytes >= 2 && piece[0] != '\0');
    seen->falling = seen->falling && times <= seen->times;
    seen->times = times;
    seen->last = id;
    seen->count++;
}

static void each_merge_is_reported(void **state)
{
    (void)state;
    static const char text[] = "low low low low low lower lower newest newest newest widest widest";
    Seen seen = {.times = UINT64_MAX, .falling = true};
    Tokenizer *t =
        trained(text, strlen(text),
                (TokenizerTraining){.vocabulary = 266, .on_merge = on_merge, .context = &seen});
    assert_int_equal(seen.count, 10);
    assert_int_equal(seen.last, 265);
    assert_true(seen.falling);
    tokenizer_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlapping_pairs_count_each_time),
        cmocka_unit_test(rare_pairs_are_not_merged),
        cmocka_unit_test(special_tokens_come_first),
        cmocka_unit_test(wrong_settings_are_refused),
        cmocka_unit_test(merges_are_those_of_tokenizers),
        cmocka_unit_test(each_merge_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
