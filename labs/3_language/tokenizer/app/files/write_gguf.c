/* write_gguf.c -- a tokenizer as the values tokenizer.ggml.* of a GGUF file; gguf_vocabulary.c reads them. */
#include <stdlib.h>
#include <string.h>
#include "common/gguf_writer.h"
#include "labs/3_language/tokenizer/app/files/gguf_names.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"
#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"

#define MARK "\xe2\x96\x81"    // U+2581, SentencePiece's space

// ---- which pre-tokenizer ----

static void add_flat(cJSON *list, const cJSON *part, const char *members)
{
    const cJSON *inner = cJSON_GetObjectItemCaseSensitive(part, members), *item;
    if (cJSON_IsArray(inner)) {
        cJSON_ArrayForEach(item, inner)
        {
            add_flat(list, item, members);
        }
    } else if (cJSON_IsObject(part)) cJSON_AddItemToArray(list, cJSON_Duplicate(part, true));
}

static bool is_text(const cJSON *object, const char *field, const char *text)
{
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, field));
    return value != NULL && strcmp(value, text) == 0;
}

static void set(cJSON *object, const char *field, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, field);
    cJSON_AddItemToObject(object, field, value);
}

// The steps without what changes no id, and with the defaults that a file leaves out.
static cJSON *steps_of(const cJSON *parts, const char *name, const char *members)
{
    cJSON *list = cJSON_CreateArray(), *step;
    add_flat(list, cJSON_GetObjectItemCaseSensitive(parts, name), members);
    cJSON_ArrayForEach(step, list)
    {
        cJSON_DeleteItemFromObjectCaseSensitive(step, "trim_offsets");
        if (is_text(step, "type", "ByteLevel") && !cJSON_HasObjectItem(step, "use_regex"))
            set(step, "use_regex", cJSON_CreateTrue());
        // Of a pattern that matches everywhere, what lies between is nothing.
        if (is_text(step, "type", "Split") && is_text(step, "behavior", "Removed") &&
            cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(step, "invert"))) {
            set(step, "behavior", cJSON_CreateString("Isolated"));
            set(step, "invert", cJSON_CreateFalse());
        }
    }
    return list;
}

static bool same_steps(const cJSON *a, const cJSON *b, const char *name, const char *members)
{
    cJSON *x = steps_of(a, name, members), *y = steps_of(b, name, members);
    const bool same = cJSON_Compare(x, y, true);
    cJSON_Delete(x);
    cJSON_Delete(y);
    return same;
}

// NULL: none that GGUF has a name for. Of several, the one that is called as the style is.
static const PreTokenizer *find_pre_tokenizer(const Tokenizer *t)
{
    const PreTokenizer *found = NULL;
    for (int i = 0; i < PRE_TOKENIZERS_SHOWN; i++) {
        const PreTokenizer *pre = &pre_tokenizers[i];
        cJSON *style = tokenizer_style(pre->style);
        const bool same = pre->ignore_merges == t->bpe.ignore_merges &&
                          same_steps(t->parts, style, "normalizer", "normalizers") &&
                          same_steps(t->parts, style, "pre_tokenizer", "pretokenizers");
        cJSON_Delete(style);
        if (same && (found == NULL || strcmp(pre->name, pre->style) == 0)) found = pre;
    }
    return found;
}

// ---- tokens ----

// Texts one behind the other, with their places.
typedef struct Texts {
    Bytes all;
    size_t *starts, *lengths;
    size_t count;
} Texts;

static Texts texts_new(size_t room)
{
    Texts texts = {.starts = malloc((room + 1) * sizeof(size_t)),
                   .lengths = malloc((room + 1) * sizeof(size_t))};
    REQUIRE(texts.starts != NULL && texts.lengths != NULL, "no memory for %zu texts", room);
    return texts;
}

static void add_name(Bytes *out, const Tokenizer *t, int id)
{
    const Token *token = &t->bpe.vocabulary.tokens[id];
    if (t->bpe.byte_level && !token->literal) {
        byte_alphabet_write(out, token->piece, token->piece_bytes);
        return;
    }
    for (size_t i = 0; i < token->piece_bytes; i++)
        if (token->piece[i] != ' ' || t->bpe.byte_level) bytes_add(out, token->piece + i, 1);
        else bytes_add(out, MARK, strlen(MARK));
}

static void end_text(Texts *texts, size_t start)
{
    texts->starts[texts->count] = start;
    texts->lengths[texts->count++] = texts->all.count - start;
}

static void put_texts(GgufWriter *out, const char *key, const Texts *texts)
{
    const char **list = malloc((texts->count + 1) * sizeof *list);
    REQUIRE(list != NULL, "no memory for %zu texts", texts->count);
    for (size_t i = 0; i < texts->count; i++)
        list[i] = (const char *)texts->all.data + texts->starts[i];
    gguf_writer_texts(out, key, list, texts->lengths, texts->count);
    free(list);
}

static void texts_free(Texts texts)
{
    free(texts.all.data);
    free(texts.starts);
    free(texts.lengths);
}

static int type_of(const Tokenizer *t, int id)
{
    static const int types[] = {[TOKEN_NONE] = GGUF_UNUSED,
                                [TOKEN_NORMAL] = GGUF_NORMAL,
                                [TOKEN_BYTE] = GGUF_BYTE,
                                [TOKEN_SPECIAL] = GGUF_CONTROL,
                                [TOKEN_ADDED] = GGUF_USER_DEFINED};
    if (id >= t->bpe.vocabulary.count) return GGUF_UNUSED;
    return id == t->bpe.unknown ? GGUF_UNKNOWN : types[t->bpe.vocabulary.tokens[id].kind];
}

static void put_tokens(GgufWriter *out, const Tokenizer *t, int count)
{
    Texts texts = texts_new((size_t)count);
    int32_t *types = malloc((size_t)count * sizeof *types);
    REQUIRE(types != NULL, "no memory for the types of %d tokens", count);
    for (int id = 0; id < count; id++) {
        const size_t start = texts.all.count;
        char unused[32];
        types[id] = type_of(t, id);
        if (types[id] != GGUF_UNUSED) add_name(&texts.all, t, id);
        else {
            snprintf(unused, sizeof unused, "[PAD%d]", id);
            bytes_add(&texts.all, unused, strlen(unused));
        }
        end_text(&texts, start);
    }
    put_texts(out, KEY("tokens"), &texts);
    gguf_writer_integers(out, KEY("token_type"), types, (size_t)count);
    texts_free(texts);
    free(types);
}

static void put_merges(GgufWriter *out, const Tokenizer *t)
{
    const MergeTable *merges = &t->bpe.merges;
    Texts texts = texts_new(merges->count);
    for (size_t i = 0; i < merges->count; i++) {
        const size_t start = texts.all.count;
        add_name(&texts.all, t, merges->items[i].left);
        bytes_add(&texts.all, " ", 1);
        add_name(&texts.all, t, merges->items[i].right);
        end_text(&texts, start);
    }
    put_texts(out, KEY("merges"), &texts);
    texts_free(texts);
}

// ---- scores: the rank of the merges that make a token, below 0 ----

static bool score_tokens(float *scores, const Tokenizer *t, int count, Error *err)
{
    const MergeTable *merges = &t->bpe.merges;
    for (int id = 0; id < count; id++) scores[id] = 0;
    float last = 0;
    for (size_t i = 0; i < merges->count; i++) {
        const Merge *merge = &merges->items[i];
        float *score = &scores[merge->result];
        if (*score == 0) *score = -1 - (float)merge->rank;
        // Its merges must stand together: a score cannot rank them apart.
        if (i > 0 && *score > last)
            return error_set(err,
                             "merge %zu has another rank than its token, which has no name in "
                             "GGUF",
                             i);
        last = *score;
    }
    return true;
}

static bool puts_space(const Tokenizer *t)
{
    for (int i = 0; i < t->normalizer.count; i++)
        if (t->normalizer.steps[i].kind == NORMAL_PREPEND) return true;
    for (int i = 0; i < t->splitter.count; i++)
        if (t->splitter.steps[i].kind == SPLIT_METASPACE &&
            t->splitter.steps[i].prefix != SPLIT_NEVER)
            return true;
    return false;
}

static bool put_scored(GgufWriter *out, const Tokenizer *t, int count, Error *err)
{
    float *scores = malloc((size_t)count * sizeof *scores);
    REQUIRE(scores != NULL, "no memory for the scores of %d tokens", count);
    const bool good = score_tokens(scores, t, count, err);
    if (good) {
        gguf_writer_text(out, KEY("model"), "llama");
        gguf_writer_text(out, KEY("pre"), "default");
        gguf_writer_reals(out, KEY("scores"), scores, (size_t)count);
        gguf_writer_bool(out, KEY("add_space_prefix"), puts_space(t));
        put_tokens(out, t, count);
    }
    free(scores);
    return good;
}

// ---- all of it ----

static void put_id(GgufWriter *out, const char *key, int id)
{
    if (id >= 0) gguf_writer_integer(out, key, (uint32_t)id);
}

static bool put_bytes(GgufWriter *out, const Tokenizer *t, int count, Error *err)
{
    const PreTokenizer *pre = find_pre_tokenizer(t);
    if (pre == NULL) return error_set(err, "its pre-tokenizer has no name in GGUF");
    gguf_writer_text(out, KEY("model"), "gpt2");
    gguf_writer_text(out, KEY("pre"), pre->name);
    put_tokens(out, t, count);
    put_merges(out, t);
    return true;
}

bool tokenizer_write_gguf(const Tokenizer *t, GgufWriter *out, int count, Error *err)
{
    const Template *around = &t->template;
    if (t->bpe.vocabulary.count > count)
        return error_set(err, "the tokenizer has %d tokens, and the model %d",
                         t->bpe.vocabulary.count, count);
    if (!t->bpe.byte_level && !t->bpe.byte_fallback)
        return error_set(err, "a tokenizer without bytes has no name in GGUF");
    if (around->before_count > 1 || around->after_count > 1)
        return error_set(err, "GGUF has no name for %d ids before a text and %d after it",
                         around->before_count, around->after_count);
    if (!(t->bpe.byte_level ? put_bytes : put_scored)(out, t, count, err)) return false;
    put_id(out, KEY("bos_token_id"), around->before_count > 0 ? around->before[0] : t->bos);
    put_id(out, KEY("eos_token_id"), t->eos);
    put_id(out, KEY("unknown_token_id"), t->bpe.unknown);
    gguf_writer_bool(out, KEY("add_bos_token"), around->before_count > 0);
    gguf_writer_bool(out, KEY("add_eos_token"), around->after_count > 0);
    return true;
}
