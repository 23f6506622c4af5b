/* What is not a tokenizer is refused with one sentence; and vocabularies from other programs' files. */
#include "labs/3_language/tokenizer/app/tests/fixtures.h"
#include "common/gguf_writer.h"
#include "tests/gguf_bytes.h"

static void refuses_bytes(const void *bytes, size_t size, const char *sentence)
{
    Error err = {""};
    const char *path = write_scratch(bytes, size, ".json");
    Tokenizer *t = tokenizer_open(path, &err);
    unlink(path);
    if (t != NULL) fail_msg("was taken, expected \"%s\"", sentence);
    if (strstr(err.message, sentence) == NULL)
        fail_msg("got \"%s\"\n  expected \"%s\"", err.message, sentence);
}

static void refuses(const char *json, const char *sentence)
{
    refuses_bytes(json, strlen(json), sentence);
}

#define MODEL(vocabulary, merges)                                                                  \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{" vocabulary "},\"merges\":[" merges "]}"
#define WITH(part) "{" part "," MODEL("\"a\":0", "") "}"

// ---- tokenizer.json ----

static void a_damaged_vocabulary_is_refused(void **state)
{
    (void)state;
    refuses("{" MODEL("\"a\":4000000000", "") "}", "has 1 tokens and an id of 4000000000");
    refuses("{" MODEL("\"a\":-1", "") "}",
            "the token 'a' has an id that is not a whole number below 1");
    refuses("{" MODEL("\"a\":0.5,\"b\":1", "") "}",
            "the token 'a' has an id that is not a whole number");
    refuses("{" MODEL("\"a\":\"x\"", "") "}", "the token 'a' has an id that is not a whole number");
    refuses("{" MODEL("\"a\":0,\"b\":0", "") "}", "id 0 belongs to 'a' and to 'b'");
    refuses("{" MODEL("\"a\":0,\"a\":1", "") "}", "the token 'a' is listed twice");
    refuses("{" MODEL("\"\":0", "") "}", "a token's name is empty");
    refuses("{" MODEL("\"\\u0000\":0", "") "}", "a token's name is empty");
    refuses("{" MODEL("", "") "}", "has no tokens");
    refuses("{" MODEL("\"a\\u001b[31m\":0,\"b\":0", "") "}", "id 0 belongs to 'a?[31m' and to 'b'");
}

static void damaged_merges_are_refused(void **state)
{
    (void)state;
    refuses("{" MODEL("\"a\":0", "[\"a\",\"b\"]") "}", "merge 0 names 'b', which is not a token");
    refuses("{" MODEL("\"a\":0,\"b\":1", "\"a b\"") "}",
            "merge 0 names 'ab', which is not a token");
    refuses("{" MODEL("\"a\":0,\"aa\":1", "\"a a\",\"a  a\"") "}",
            "merge 1 is 'a  a', expected two tokens");
    refuses("{" MODEL("\"a\":0", "\"a\xc2\xa0"
                                 "a\"") "}",
            "merge 0 is 'a\xc2\xa0"
            "a', expected two tokens");
    refuses("{" MODEL("\"a\":0", "\" a\"") "}", "merge 0 is ' a', expected two tokens");
    refuses("{" MODEL("\"a\":0", "[\"a\"]") "}", "merge 0 is 'not a text'");
    refuses("{" MODEL("\"a\":0", "7") "}", "merge 0 is 'not a text'");
    refuses("{" MODEL("\"a\":0", "[\"\",\"a\"]") "}", "merge 0 is");
}

static void damaged_added_tokens_are_refused(void **state)
{
    (void)state;
    refuses(WITH("\"added_tokens\":[{\"id\":0,\"content\":\"b\"}]"),
            "id 0 belongs to 'a' and to 'b'");
    refuses(WITH("\"added_tokens\":[{\"id\":1,\"content\":\"a\"}]"),
            "the added token 'a' is listed twice");
    refuses(WITH("\"added_tokens\":[{\"id\":1}]"), "an added token has no content");
    refuses(WITH("\"added_tokens\":[{\"content\":\"b\"}]"), "the added token 'b' has no id below");
    refuses(WITH("\"added_tokens\":[{\"id\":1e9,\"content\":\"b\"}]"),
            "has 2 tokens and an id of 1000000000");
    refuses(WITH("\"added_tokens\":[7]"), "an added token has no content");
}

static void other_models_are_refused_by_name(void **state)
{
    (void)state;
    refuses("{}", "\"model\" is missing, expected a tokenizer.json");
    refuses("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{}}}",
            "the model 'WordPiece' is not supported, expected BPE");
    refuses("{\"model\":{\"vocab\":{\"a\":0}}}", "\"merges\" are missing");
    refuses("{\"model\":{\"merges\":[]}}", "\"vocab\" is missing");
    refuses("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":0.1}}", "encodes at random");
    refuses("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[],\"end_of_word_suffix\":\"</w>\"}}",
            "\"end_of_word_suffix\" is not supported");
    refuses("{\"model\":{\"vocab\":{\"a\":0},\"merges\":[],\"unk_token\":\"u\"}}",
            "the unknown token 'u' is not");
}

static void unknown_parts_are_refused_by_name(void **state)
{
    (void)state;
    refuses(WITH("\"normalizer\":{\"type\":\"Precompiled\"}"),
            "the normalizer 'Precompiled' is not supported");
    refuses(WITH("\"normalizer\":7"), "the normalizer 'without a type' is not supported");
    refuses(WITH("\"pre_tokenizer\":{\"type\":\"Bert\\u001bX\"}"),
            "the pre-tokenizer 'Bert?X' is not supported");
    refuses(WITH("\"decoder\":{\"type\":\"CTC\"}"), "the decoder 'CTC' is not supported");
    refuses(WITH("\"post_processor\":{\"type\":\"Magic\"}"),
            "the post-processor 'Magic' is not supported");
    refuses(WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Isolated\"}"),
            "\"pattern\" is missing");
    refuses(WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},"
                 "\"behavior\":\"Magic\"}"),
            "the split behavior 'Magic' is not supported");
    refuses(
        WITH("\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"ByteLevel\"},"
             "{\"type\":\"Metaspace\"}]}"),
        "the pre-tokenizer 'Metaspace' after ByteLevel is not supported");
    refuses(
        WITH("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{}},"
             "{\"SpecialToken\":{\"id\":\"x\"}}],\"special_tokens\":{\"x\":{\"ids\":[9]}}}"),
        "the template names id 9, which is not a token");
    refuses(WITH("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[]}"),
            "the template does not hold the text");
    refuses(WITH("\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{}}"
                 ",{\"Sequence\":{}}]}"),
            "the template does not hold the text once");
}

static void repeat(char *out, const char *text, int times)
{
    out[0] = '\0';
    size_t length = strlen(text);
    for (int i = 0; i < times; i++) memcpy(out + (size_t)i * length, text, length + 1);
}

static void deep_and_long_files_are_refused(void **state)
{
    (void)state;
    static char deep[40000], json[90000];
    repeat(deep, "[", 20000);
    snprintf(json, sizeof json, "{\"model\":%s", deep);
    refuses(json, "is not JSON from here on");
    repeat(deep, "{\"type\":\"Sequence\",\"normalizers\":[", 20);
    snprintf(json, sizeof json, "{\"normalizer\":%s{\"type\":\"Strip\"}", deep);
    repeat(deep, "]}", 20);
    strcat(json, deep);
    strcat(json, "," MODEL("\"a\":0", "") "}");
    refuses(json, "the normalizer 'Sequence' is not supported");
    repeat(deep, "{\"type\":\"Strip\"},", 40);
    snprintf(
        json, sizeof json,
        "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[%s{\"type\":\"Strip\"}]}," MODEL(
            "\"a\":0", "") "}",
        deep);
    refuses(json, "more than 16 normalizers");
    repeat(deep, "{\"type\":\"Digits\"},", 40);
    snprintf(json, sizeof json,
             "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[%s{\"type\":\"Digits\"}]"
             "}," MODEL("\"a\":0", "") "}",
             deep);
    refuses(json, "more than 16 pre-tokenizers");
}

static void patterns_are_refused_or_limited(void **state)
{
    (void)state;
    if (!HAVE_PCRE2) {
        refuses(WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"x+\"},"
                     "\"behavior\":\"Isolated\"}"),
                "needs PCRE2, and this was built without it (package libpcre2-dev");
        SKIP("no PCRE2", "./lab setup");
    }
    refuses(WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"(\"},\"behavior\":"
                 "\"Isolated\"}"),
            "the pattern '(' is not valid: missing closing parenthesis");
    static const char json[] = WITH("\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":"
                                    "\"(a|aa)+$\"},\"behavior\":\"Isolated\"}");
    Tokenizer *t = must_open(write_scratch(json, strlen(json), ".json"));
    unlink(scratch_path(".json"));
    char text[4000];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    TokenIds ids = {0};
    Error err = {""};
    assert_false(tokenizer_encode(t, text, sizeof text, (EncodeOptions){0}, &ids, &err));
    if (strstr(err.message, "the pattern '(a|aa)+$' gives up at byte 0 of a text: ") == NULL)
        fail_msg("%s", err.message);
    free(ids.ids);
    tokenizer_close(t);
}

static void a_missing_library_is_named(void **state)
{
    (void)state;
    static const char json[] = WITH("\"normalizer\":{\"type\":\"NFC\"}");
    if (HAVE_UTF8PROC) tokenizer_close(must_open(write_scratch(json, strlen(json), ".json")));
    else
        refuses(json, "the normalizer 'NFC' needs utf8proc, and this was built without it (package "
                      "libutf8proc-dev");
    unlink(scratch_path(".json"));
}

static void files_of_other_kinds_are_refused(void **state)
{
    (void)state;
    Error err = {""};
    refuses_bytes("", 0, "is empty");
    refuses_bytes("\x7f"
                  "ELF\0\0",
                  6, "is not a tokenizer: expected a tokenizer.json");
    refuses_bytes("GGUF\3\0\0", 7, "");
    refuses("some words of a\ntext of any kind", "1: is 'some words of a', expected two tokens");
    assert_null(tokenizer_open("/nowhere/tokenizer.json", &err));
    assert_non_null(strstr(err.message, "No such file"));
    assert_null(tokenizer_open("/dev/null", &err));
    assert_null(tokenizer_open(source_path("labs"), &err));
    assert_non_null(strstr(err.message, "labs/tokenizer.json: No such file"));
}

static void bos_and_eos_come_from_the_folder(void **state)
{
    (void)state;
    static const char json[] =
        "{\"added_tokens\":[{\"id\":1,\"content\":\"<x>\",\"special\":true},"
        "{\"id\":2,\"content\":\"<y>\",\"special\":true}]," MODEL("\"a\":0", "") "}";
    static const char config[] = "{\"bos_token\":\"<x>\",\"eos_token\":{\"content\":\"<y>\"}}";
    char folder[] = "/tmp/tokenizer-folder-XXXXXX", path[64];
    Error err;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    assert_true(file_write(path, json, &err));
    Tokenizer *t = must_open(folder);
    assert_int_equal(tokenizer_bos(t), -1);
    tokenizer_close(t);
    snprintf(path, sizeof path, "%s/tokenizer_config.json", folder);
    assert_true(file_write(path, config, &err));
    t = must_open(folder);
    assert_int_equal(tokenizer_bos(t), 1);
    assert_int_equal(tokenizer_eos(t), 2);
    tokenizer_close(t);
    unlink(path);
    snprintf(path, sizeof path, "%s/tokenizer.json", folder);
    unlink(path);
    rmdir(folder);
}

// ---- merges.txt ----

static void merges_txt_has_gpt2s_ids(void **state)
{
    (void)state;
    static const char text[] = "#version: 0.2\n\xc4\xa0 t\r\nh e\n\xc4\xa0t he\n";
    Tokenizer *t = must_open(write_scratch(text, strlen(text), ".txt"));
    unlink(scratch_path(".txt"));
    assert_int_equal(tokenizer_size(t), 256 + 3 + 1);
    assert_int_equal(tokenizer_token(t, "<|endoftext|>"), 259);
    assert_int_equal(tokenizer_eos(t), 259);
    assert_ids(t, " the", 4, (EncodeOptions){0}, (int32_t[]){258}, 1);
    assert_ids(t, "! ~", 3, (EncodeOptions){0}, ((int32_t[]){0, 220, 93}), 3);
    tokenizer_close(t);
    refuses("a b c\n", "1: is 'a b c'");
    refuses("a b\nabc d\n", "2: merges 'abc d', of which no line before it makes the parts");
    refuses("a b\na b\n", "2: makes a token that a line before it makes");
}

// The real one, where the data folder has it.
static void gpt2_encodes_as_published(void **state)
{
    (void)state;
    const char *path = data_path("gpt2-bpe/merges.txt");
    if (access(path, R_OK) != 0) SKIP("no gpt2-bpe/merges.txt", "set LAB_DATA");
    Tokenizer *t = must_open(path);
    assert_int_equal(tokenizer_size(t), 50257);
    assert_ids(t, "Hello,", 6, (EncodeOptions){0}, ((int32_t[]){15496, 11}), 2);
    assert_ids(t, "it's IT'S 123456789", 19, (EncodeOptions){0},
               ((int32_t[]){270, 338, 7283, 6, 50, 17031, 2231, 3134, 4531}), 9);
    assert_ids(t, "<|endoftext|>", 13, ((EncodeOptions){.parse_special = true}), (int32_t[]){50256},
               1);
    tokenizer_close(t);
}

// ---- llama2.c ----

typedef struct TokenBytes {
    size_t size;
    uint8_t data[8192];
} TokenBytes;

static void put_token(TokenBytes *file, float score, const char *piece, size_t bytes)
{
    uint32_t length = (uint32_t)bytes;
    assert_true(file->size + 8 + bytes <= sizeof file->data);
    memcpy(file->data + file->size, &score, 4);
    memcpy(file->data + file->size + 4, &length, 4);
    memcpy(file->data + file->size + 8, piece, bytes);
    file->size += 8 + bytes;
}

static TokenBytes llama2c_bytes(void)
{
    static const char *const pieces[] = {" ", "a", "b", " a", "ab", " ab"};
    TokenBytes file = {.size = 4, .data = {7}};
    put_token(&file, 0, "<unk>", 5);
    put_token(&file, 0, "\n<s>\n", 5);
    put_token(&file, 0, "\n</s>\n", 6);
    for (int b = 0; b < 256; b++) {
        char name[8];
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)b);
        put_token(&file, 0, name, 6);
    }
    for (int i = 0; i < 6; i++) put_token(&file, (float)-i, pieces[i], strlen(pieces[i]));
    return file;
}

static void llama2c_vocabularies_merge_by_score(void **state)
{
    (void)state;
    TokenBytes file = llama2c_bytes();
    Tokenizer *t = must_open(write_scratch(file.data, file.size, ".bin"));
    unlink(scratch_path(".bin"));
    EncodeOptions special = {.add_special = true};
    assert_int_equal(tokenizer_size(t), 265);
    assert_int_equal(tokenizer_bos(t), 1);
    assert_int_equal(tokenizer_eos(t), 2);
    assert_ids(t, "", 0, special, (int32_t[]){1}, 1);
    // " a" (score -3) goes before "ab" (-4); then " a" and "b" make " ab".
    assert_ids(t, "ab", 2, special, ((int32_t[]){1, 264}), 2);
    assert_ids(t, "aba", 3, special, ((int32_t[]){1, 264, 260}), 3);
    // An unknown character is its bytes, each at its value and 3.
    assert_ids(t, "\xf0\x9f\xa6\x99", 4, special, ((int32_t[]){1, 259, 243, 162, 169, 156}), 6);
    assert_ids(t, "\n", 1, special, ((int32_t[]){1, 259, 13}), 3);
    assert_decodes(t, "ab <0x41> \xf0\x9f\xa6\x99 <s>", 18);
    tokenizer_close(t);
    file.data[file.size - 3 - 4] = 0xff;    // the length of the last, " ab"
    refuses_bytes(file.data, file.size, "ends within token");
    file = llama2c_bytes();
    refuses_bytes(file.data, file.size - 1, "ends within token 264");
    refuses_bytes(file.data, 300, "ends within token");
}

static void stories260k_has_llama2cs_ids(void **state)
{
    (void)state;
    const char *path = data_path("stories260k/tok512.bin");
    if (access(path, R_OK) != 0) SKIP("no stories260k/tok512.bin", "set LAB_DATA");
    Tokenizer *t = must_open(path);
    // What llama2.c's own run.c prints for this text.
    static const char text[] = "Once upon a time, \xf0\x9f\xa6\x99 <0x41>";
    assert_ids(t, text, strlen(text), ((EncodeOptions){.add_special = true}),
               ((int32_t[]){1, 403, 407, 261, 378, 432, 410, 243, 162, 169, 156, 410, 504, 477, 444,
                            484, 475, 505}),
               18);
    assert_decodes(t, text, strlen(text));
    tokenizer_close(t);
}

// ---- GGUF ----

static void put_array(GgufBytes *file, const char *key, GgufKind kind, uint64_t count)
{
    gguf_bytes_put_text(file, key);
    gguf_bytes_put_32(file, GGUF_ARRAY);
    gguf_bytes_put_32(file, kind);
    gguf_bytes_put_64(file, count);
}

static void put_text(GgufBytes *file, const char *key, const char *text)
{
    gguf_bytes_put_text(file, key);
    gguf_bytes_put_32(file, GGUF_STRING);
    gguf_bytes_put_text(file, text);
}

static void put_number(GgufBytes *file, const char *key, uint32_t number)
{
    gguf_bytes_put_text(file, key);
    gguf_bytes_put_32(file, GGUF_UINT32);
    gguf_bytes_put_32(file, number);
}

#define MARK   "\xe2\x96\x81"
#define MARK_A "\xe2\x96\x81\x61"
static const char *const scored[] = {"<unk>", "<s>",  "</s>", "<0x41>", MARK,
                                     "a",     MARK_A, "aa",   "<x>"};
static const uint32_t scored_types[] = {2, 3, 3, 6, 1, 1, 1, 1, 4};
enum { SCORED = sizeof scored / sizeof *scored };

static void put_scored(GgufBytes *file, const char *model, int types)
{
    gguf_bytes_begin(file, 3, 0, 7);
    put_text(file, "tokenizer.ggml.model", model);
    put_array(file, "tokenizer.ggml.tokens", GGUF_STRING, SCORED);
    for (int i = 0; i < SCORED; i++) gguf_bytes_put_text(file, scored[i]);
    put_array(file, "tokenizer.ggml.scores", GGUF_FLOAT32, SCORED);
    for (int i = 0; i < SCORED; i++) gguf_bytes_put(file, &(float){(float)-i}, 4);
    put_array(file, "tokenizer.ggml.token_type", GGUF_INT32, (uint64_t)types);
    for (int i = 0; i < types; i++) gguf_bytes_put_32(file, scored_types[i]);
    put_number(file, "tokenizer.ggml.bos_token_id", 1);
    put_number(file, "tokenizer.ggml.eos_token_id", 2);
    put_number(file, "tokenizer.ggml.unknown_token_id", 0);
}

static void gguf_vocabularies_of_sentencepiece_are_read(void **state)
{
    (void)state;
    static GgufBytes file;
    put_scored(&file, "llama", SCORED);
    Tokenizer *t = must_open(write_scratch(file.data, file.size, ".gguf"));
    unlink(scratch_path(".gguf"));
    EncodeOptions special = {.add_special = true};
    assert_int_equal(tokenizer_size(t), SCORED);
    assert_ids(t, "aa", 2, special, ((int32_t[]){1, 6, 5}), 3);
    assert_ids(t, "A", 1, special, ((int32_t[]){1, 4, 3}), 3);
    assert_ids(t, "B", 1, special, ((int32_t[]){1, 4, 0}), 3);
    // Control tokens only when asked, the user's own always.
    assert_ids(t, "<x>", 3, (EncodeOptions){0}, (int32_t[]){8}, 1);
    assert_ids(t, "</s>", 4, ((EncodeOptions){.parse_special = true}), (int32_t[]){2}, 1);
    TokenIds ids = encoded(t, "</s>", 4, (EncodeOptions){0});
    for (size_t i = 0; i < ids.count; i++) assert_int_not_equal(ids.ids[i], 2);
    free(ids.ids);
    tokenizer_close(t);
    put_scored(&file, "bert", SCORED);
    refuses_bytes(file.data, file.size,
                  "the tokenizer 'bert' is not supported, expected gpt2 or llama");
    put_scored(&file, "gpt2", SCORED);
    refuses_bytes(file.data, file.size, "the pre-tokenizer 'none' is not supported");
    gguf_bytes_begin(&file, 3, 0, 1);
    put_text(&file, "tokenizer.ggml.model", "llama");
    refuses_bytes(file.data, file.size, "tokenizer.ggml.tokens is not a list of 1 to");
}

static void put_byte_level(GgufBytes *file, const char *pre)
{
    static const char *const tokens[] = {"\xc4\xa0", "t", "1", "\xc4\xa0t", "11", "<|end|>", "<u>"};
    static const uint32_t types[] = {1, 1, 1, 1, 1, 3, 4};
    gguf_bytes_begin(file, 3, 0, 7);
    put_text(file, "tokenizer.ggml.model", "gpt2");
    put_text(file, "tokenizer.ggml.pre", pre);
    put_array(file, "tokenizer.ggml.tokens", GGUF_STRING, 7);
    for (int i = 0; i < 7; i++) gguf_bytes_put_text(file, tokens[i]);
    put_array(file, "tokenizer.ggml.token_type", GGUF_INT32, 7);
    for (int i = 0; i < 7; i++) gguf_bytes_put_32(file, types[i]);
    put_array(file, "tokenizer.ggml.merges", GGUF_STRING, 2);
    gguf_bytes_put_text(file, "\xc4\xa0 t");
    gguf_bytes_put_text(file, "1 1");
    put_number(file, "tokenizer.ggml.bos_token_id", 5);
    put_number(file, "tokenizer.ggml.eos_token_id", 5);
}

static void gguf_vocabularies_of_bytes_are_read(void **state)
{
    (void)state;
    static GgufBytes file;
    static const struct {
        const char *pre;
        int count;
        int32_t ids[5];
    } wanted[] = {{"gpt-2", 3, {3, 4, 6}},
                  {"smollm", 4, {3, 2, 2, 6}},
                  {"llama-bpe", 4, {5, 3, 4, 6}},
                  {"phi-2", 3, {3, 4, 6}},
                  {"starcoder", 4, {3, 2, 2, 6}}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        put_byte_level(&file, wanted[i].pre);
        Tokenizer *t = must_open(write_scratch(file.data, file.size, ".gguf"));
        assert_ids(t, " t11<u>", 7, ((EncodeOptions){.add_special = true}), wanted[i].ids,
                   (size_t)wanted[i].count);
        assert_int_equal(tokenizer_eos(t), 5);
        assert_true(tokenizer_is_special(t, 5));
        tokenizer_close(t);
    }
    put_byte_level(&file, "magic\x1b");
    refuses_bytes(file.data, file.size,
                  "the pre-tokenizer 'magic?' is not supported, expected one of dbrx, ");
    unlink(scratch_path(".gguf"));
}

// whole.json as a GGUF file of such a pre-tokenizer.
static const char *write_gguf(const cJSON *tree, const char *pre)
{
    static GgufBytes file;
    static const char *names[4096];
    const cJSON *model = cJSON_GetObjectItem(tree, "model"), *item;
    uint32_t count = 0;
    cJSON_ArrayForEach(item, cJSON_GetObjectItem(model, "vocab"))
    {
        assert_in_range(item->valueint, 0, 4095);
        names[item->valueint] = item->string;
        count++;
    }
    const cJSON *merges = cJSON_GetObjectItem(model, "merges");
    gguf_bytes_begin(&file, 3, 0, 7);
    put_text(&file, "tokenizer.ggml.model", "gpt2");
    put_text(&file, "tokenizer.ggml.pre", pre);
    put_array(&file, "tokenizer.ggml.tokens", GGUF_STRING, count);
    for (uint32_t id = 0; id < count; id++) gguf_bytes_put_text(&file, names[id]);
    put_array(&file, "tokenizer.ggml.token_type", GGUF_INT32, count);
    for (uint32_t id = 0; id < count; id++) gguf_bytes_put_32(&file, id < 3 ? 3 : 1);
    put_array(&file, "tokenizer.ggml.merges", GGUF_STRING, (uint64_t)cJSON_GetArraySize(merges));
    cJSON_ArrayForEach(item, merges)
    {
        char pair[256];
        snprintf(pair, sizeof pair, "%s %s", cJSON_GetArrayItem(item, 0)->valuestring,
                 cJSON_GetArrayItem(item, 1)->valuestring);
        gguf_bytes_put_text(&file, pair);
    }
    put_number(&file, "tokenizer.ggml.bos_token_id", 1);
    put_number(&file, "tokenizer.ggml.eos_token_id", 2);
    return write_scratch(file.data, file.size, ".gguf");
}

static void needs(const char *pre, bool *regex, bool *forms)
{
    *regex = strstr("gpt-4o tekken deepseek-v3 deepseek-llm falcon", pre) != NULL;
    *forms = strncmp(pre, "qwen", 4) == 0;
}

// Special tokens of a chat, <|im_start|> and <|im_end|>, only when asked.
static void assert_chat(const Tokenizer *t)
{
    static const char chat[] = "<|im_start|>user\n1 + 1<|im_end|>";
    TokenIds asked = encoded(t, chat, strlen(chat), (EncodeOptions){.parse_special = true});
    assert_int_equal(asked.ids[0], 1);
    assert_int_equal(asked.ids[asked.count - 1], 2);
    free(asked.ids);
    TokenIds typed = encoded(t, chat, strlen(chat), (EncodeOptions){0});
    for (size_t i = 0; i < typed.count; i++) assert_true(typed.ids[i] > 2);
    free(typed.ids);
    assert_decodes(t, chat, strlen(chat));
}

static void gguf_pre_tokenizers_have_the_ids_of_tokenizers(void **state)
{
    (void)state;
    cJSON *truth = must_load("truth"), *whole = must_load("whole");
    const cJSON *want;
    int count = 0;
    cJSON_ArrayForEach(want, cJSON_GetObjectItem(truth, "gguf"))
    {
        bool regex, forms;
        needs(want->string, &regex, &forms);
        if ((regex && !HAVE_PCRE2) || (forms && !HAVE_UTF8PROC)) continue;
        EncodeOptions options = {.add_special = true, .parse_special = true};
        Tokenizer *t = must_open(write_gguf(whole, want->string));
        assert_truth(t, cJSON_GetObjectItem(truth, "split_texts"), want, options);
        assert_chat(t);
        Error err;
        if (!tokenizer_save(t, scratch_path(".json"), &err)) fail_msg("%s", err.message);
        Tokenizer *saved = must_open(scratch_path(".json"));
        assert_truth(saved, cJSON_GetObjectItem(truth, "split_texts"), want, options);
        tokenizer_close(saved);
        tokenizer_close(t);
        count++;
    }
    assert_true(count >= 4);
    unlink(scratch_path(".gguf"));
    unlink(scratch_path(".json"));
    cJSON_Delete(truth);
    cJSON_Delete(whole);
}

// ---- written as GGUF ----

static void write_vocabulary(const Tokenizer *t, const char *path, int count)
{
    Error err;
    GgufWriter *out = gguf_writer_open(path, &err);
    if (out == NULL) fail_msg("%s", err.message);
    if (!tokenizer_write_gguf(t, out, count, &err)) fail_msg("%s", err.message);
    if (!gguf_writer_commit(out, &err)) fail_msg("%s", err.message);
}

// Ids with and without special tokens, and the bytes that they decode to.
static void assert_both_encode(const char *name, const Tokenizer *a, const Tokenizer *b)
{
    static const char *const texts[] = {"",
                                        "Hello, world!",
                                        " it's 12345 IT'S\n\n x",
                                        "a  b   c",
                                        "caf\xc3\xa9 \xf0\x9f\xa6\x99",
                                        "\xe6\xad",
                                        "<s></s><|im_end|><|endoftext|>"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (int special = 0; special < 4; special++) {
            const EncodeOptions how = {.add_special = special & 1, .parse_special = special & 2};
            TokenIds x = encoded(a, texts[i], strlen(texts[i]), how),
                     y = encoded(b, texts[i], strlen(texts[i]), how);
            if (x.count != y.count ||
                (x.count > 0 && memcmp(x.ids, y.ids, x.count * sizeof *x.ids) != 0))
                fail_msg("%s: other ids for '%s'", name, texts[i]);
            free(x.ids);
            free(y.ids);
        }
    assert_int_equal(tokenizer_eos(a), tokenizer_eos(b));
}

static void vocabularies_written_as_gguf_have_the_same_ids(void **state)
{
    (void)state;
    static const char *const names[] = {"gpt2", "llama2", "llama3", "smollm", "qwen2"};
    const int count = HAVE_UTF8PROC ? 5 : 4;
    for (int i = 0; i < count; i++) {
        Tokenizer *t = fixture(names[i]);
        write_vocabulary(t, scratch_path(".gguf"), tokenizer_size(t) + 3);
        Tokenizer *read = must_open(scratch_path(".gguf"));
        assert_int_equal(tokenizer_size(read), tokenizer_size(t) + 3);
        assert_both_encode(names[i], t, read);
        tokenizer_close(read);
        tokenizer_close(t);
    }
    unlink(scratch_path(".gguf"));
}

static void vocabularies_that_gguf_cannot_hold_are_refused(void **state)
{
    (void)state;
    Error err;
    GgufWriter *out = gguf_writer_open(scratch_path(".gguf"), &err);
    Tokenizer *bytes = tokenizer_bytes(), *gpt2 = fixture("gpt2");
    assert_false(tokenizer_write_gguf(bytes, out, 256, &err));
    assert_string_equal(err.message, "its pre-tokenizer has no name in GGUF");
    assert_false(tokenizer_write_gguf(gpt2, out, 100, &err));
    assert_non_null(strstr(err.message, "and the model 100"));
    gguf_writer_abandon(out);
    tokenizer_close(bytes);
    tokenizer_close(gpt2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_vocabulary_is_refused),
        cmocka_unit_test(damaged_merges_are_refused),
        cmocka_unit_test(damaged_added_tokens_are_refused),
        cmocka_unit_test(other_models_are_refused_by_name),
        cmocka_unit_test(unknown_parts_are_refused_by_name),
        cmocka_unit_test(deep_and_long_files_are_refused),
        cmocka_unit_test(patterns_are_refused_or_limited),
        cmocka_unit_test(a_missing_library_is_named),
        cmocka_unit_test(files_of_other_kinds_are_refused),
        cmocka_unit_test(bos_and_eos_come_from_the_folder),
        cmocka_unit_test(merges_txt_has_gpt2s_ids),
        cmocka_unit_test(gpt2_encodes_as_published),
        cmocka_unit_test(llama2c_vocabularies_merge_by_score),
        cmocka_unit_test(stories260k_has_llama2cs_ids),
        cmocka_unit_test(gguf_vocabularies_of_sentencepiece_are_read),
        cmocka_unit_test(gguf_vocabularies_of_bytes_are_read),
        cmocka_unit_test(gguf_pre_tokenizers_have_the_ids_of_tokenizers),
        cmocka_unit_test(vocabularies_written_as_gguf_have_the_same_ids),
        cmocka_unit_test(vocabularies_that_gguf_cannot_hold_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
