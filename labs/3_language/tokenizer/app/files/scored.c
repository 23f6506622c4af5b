#include "labs/3_language/tokenizer/app/files/scored.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

enum { PIECE_MAX = 1024 };    // a longer token would have a thousand ways to be made

// ---- merges ----

typedef struct Ranked {
    int id;
    float score;
} Ranked;

static int by_score(const void *a, const void *b)
{
    const Ranked *x = a, *y = b;
    return x->score != y->score ? (x->score < y->score) - (x->score > y->score)
                                : (x->id > y->id) - (x->id < y->id);
}

// Each way to make the token of two others.
static size_t each_merge(Tokenizer *t, int id, int rank, bool put)
{
    const Vocabulary *v = &t->bpe.vocabulary;
    const Token *token = &v->tokens[id];
    size_t count = 0, length;
    for (size_t at = 0; at < token->piece_bytes; at += length) {
        code_point_at((const uint8_t *)token->piece + at, token->piece_bytes - at, &length);
        if (at == 0) continue;
        int left = vocabulary_find(v, token->piece, at);
        int right = vocabulary_find(v, token->piece + at, token->piece_bytes - at);
        if (left < 0 || right < 0) continue;
        if (put) merges_put(&t->bpe.merges, (Merge){left, right, id, rank});
        count++;
    }
    return count;
}

static void put_merges(Tokenizer *t, const ScoredVocabulary *vocabulary)
{
    const Vocabulary *v = &t->bpe.vocabulary;
    Ranked *order = arena_alloc(t->keep, (size_t)v->count * sizeof *order);
    size_t count = 0, merges = 0;
    for (int id = 0; id < v->count; id++) {
        if (v->tokens[id].kind != TOKEN_NORMAL) continue;
        order[count++] = (Ranked){id, vocabulary->tokens[id].score};
        merges += each_merge(t, id, 0, false);
    }
    qsort(order, count, sizeof *order, by_score);
    merges_begin(&t->bpe.merges, t->keep, merges);
    int rank = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && order[i].score < order[i - 1].score) rank++;
        each_merge(t, order[i].id, rank, true);
    }
}

// ---- the parts, as a tokenizer.json of Llama 2 has them ----

static cJSON *text_part(const char *json, const char *const *fields, int count)
{
    cJSON *part = cJSON_Parse(json);
    for (int i = 0; i < count; i += 2) cJSON_AddStringToObject(part, fields[i], fields[i + 1]);
    return part;
}

static cJSON *replace_part(const char *what, const char *with)
{
    cJSON *part = text_part("{\"type\":\"Replace\"}", (const char *[]){"content", with}, 2);
    cJSON_AddStringToObject(cJSON_AddObjectToObject(part, "pattern"), "String", what);
    return part;
}

static cJSON *sequence_part(const char *list, cJSON *first, cJSON *second)
{
    cJSON *part = cJSON_Parse("{\"type\":\"Sequence\"}"),
          *items = cJSON_AddArrayToObject(part, list);
    if (first != NULL) cJSON_AddItemToArray(items, first);
    if (second != NULL) cJSON_AddItemToArray(items, second);
    return part;
}

static void add_to_template(cJSON *list, cJSON *tokens, const char *name, int id)
{
    cJSON *item = cJSON_CreateObject(), *token = cJSON_AddObjectToObject(item, "SpecialToken");
    cJSON_AddStringToObject(token, "id", name);
    cJSON_AddNumberToObject(token, "type_id", 0);
    cJSON_AddItemToArray(list, item);
    cJSON *entry = cJSON_AddObjectToObject(tokens, name);
    cJSON_AddStringToObject(entry, "id", name);
    cJSON_AddItemToObject(entry, "ids", cJSON_CreateIntArray(&id, 1));
    cJSON_AddItemToObject(entry, "tokens", cJSON_CreateStringArray(&name, 1));
}

cJSON *tokenizer_template_part(const Tokenizer *t, int before, int after)
{
    const Vocabulary *v = &t->bpe.vocabulary;
    cJSON *part = cJSON_Parse("{\"type\":\"TemplateProcessing\"}"), *tokens = cJSON_CreateObject();
    cJSON *single = cJSON_AddArrayToObject(part, "single");
    if (before >= 0) add_to_template(single, tokens, v->tokens[before].piece, before);
    cJSON_AddItemToArray(single, cJSON_Parse("{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}"));
    if (after >= 0) add_to_template(single, tokens, v->tokens[after].piece, after);
    cJSON *pair = cJSON_Duplicate(single, true);
    cJSON_AddItemToArray(pair, cJSON_Parse("{\"Sequence\":{\"id\":\"B\",\"type_id\":1}}"));
    cJSON_AddItemToObject(part, "pair", pair);
    cJSON_AddItemToObject(part, "special_tokens", tokens);
    return part;
}

static bool set_parts(Tokenizer *t, const ScoredVocabulary *vocabulary, const char *where,
                      Error *err)
{
    const char *mark = vocabulary->mark;
    bool marked = strcmp(mark, " ") != 0;
    cJSON *parts = cJSON_CreateObject();
    cJSON *prepend = text_part("{\"type\":\"Prepend\"}", (const char *[]){"prepend", mark}, 2);
    if (!vocabulary->add_space) cJSON_Delete(prepend), prepend = NULL;
    cJSON_AddItemToObject(
        parts, "normalizer",
        sequence_part("normalizers", prepend, marked ? replace_part(" ", mark) : NULL));
    cJSON_AddNullToObject(parts, "pre_tokenizer");
    int bos = vocabulary->add_bos ? vocabulary->bos : -1;
    int eos = vocabulary->add_eos ? vocabulary->eos : -1;
    cJSON_AddItemToObject(parts, "post_processor", tokenizer_template_part(t, bos, eos));
    cJSON *decoders = sequence_part("decoders", marked ? replace_part(mark, " ") : NULL,
                                    cJSON_Parse("{\"type\":\"ByteFallback\"}"));
    cJSON *list = cJSON_GetObjectItemCaseSensitive(decoders, "decoders");
    cJSON_AddItemToArray(list, cJSON_Parse("{\"type\":\"Fuse\"}"));
    if (vocabulary->add_space)
        cJSON_AddItemToArray(
            list, cJSON_Parse("{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}"));
    cJSON_AddItemToObject(parts, "decoder", decoders);
    return tokenizer_set_parts(t, parts, where, err);
}

// ---- the vocabulary ----

static bool put_token(Tokenizer *t, int id, const ScoredToken *token, const char *where, Error *err)
{
    Vocabulary *v = &t->bpe.vocabulary;
    if (token->bytes == 0 || token->bytes > PIECE_MAX)
        return error_set(err, "%s: token %d has %zu bytes, expected 1 to %d", where, id,
                         token->bytes, PIECE_MAX);
    if (isnan(token->score)) return error_set(err, "%s: the score of token %d is NaN", where, id);
    // Of two tokens of the same text the first is found.
    if (!vocabulary_put(v, id, token->piece, token->bytes, token->kind, false))
        vocabulary_put(v, id, token->piece, token->bytes, token->kind, true);
    if (token->kind != TOKEN_SPECIAL && token->kind != TOKEN_ADDED) return true;
    tokenizer_add(t, (AddedToken){.content = v->tokens[id].piece,
                                  .bytes = token->bytes,
                                  .id = id,
                                  .special = token->kind == TOKEN_SPECIAL});
    return true;
}

static bool put_all(Tokenizer *t, const ScoredVocabulary *vocabulary, const char *where, Error *err)
{
    for (int id = 0; id < vocabulary->count; id++)
        if (!put_token(t, id, &vocabulary->tokens[id], where, err)) return false;
    const int named[] = {vocabulary->bos, vocabulary->eos, vocabulary->unknown};
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i] >= vocabulary->count)
            return error_set(err, "%s: names token %d, and has %d", where, named[i],
                             vocabulary->count);
    t->bpe.byte_fallback = true;
    t->bpe.fuse_unknown = true;
    t->bpe.unknown = vocabulary->unknown;
    t->bos = vocabulary->bos;
    t->eos = vocabulary->eos;
    tokenizer_find_bytes(t);
    put_merges(t, vocabulary);
    t->about = arena_print(t->keep, "SentencePiece BPE, %d tokens", vocabulary->count);
    return true;
}

Tokenizer *tokenizer_scored(const ScoredVocabulary *vocabulary, const char *where, Error *err)
{
    Tokenizer *t = tokenizer_new((size_t)vocabulary->count);
    if (put_all(t, vocabulary, where, err) && set_parts(t, vocabulary, where, err) &&
        tokenizer_set_template(t, where, err) && tokenizer_finish(t, where, err))
        return t;
    tokenizer_close(t);
    return NULL;
}
