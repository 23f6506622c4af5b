#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

// An id far above the number of tokens is a damaged file: each id takes memory.
enum { GAPS_MAX = 1000000, SHOWN = 48 };

static const cJSON *field(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

// A token as messages show it: cleaned, and cut.
static const char *shown(Arena *arena, const char *text)
{
    char *out = arena_print(arena, "%.*s", SHOWN, text);
    text_clean(out);
    return out;
}

// ---- added tokens ----

static bool read_id(const cJSON *item, int room, int *id)
{
    if (!cJSON_IsNumber(item)) return false;
    double value = item->valuedouble;
    if (!(value >= 0 && value < room) || value != floor(value)) return false;
    *id = (int)value;
    return true;
}

// Whether files write the token as this name.
static bool is_named(const Tokenizer *t, const Token *token, const char *name, size_t bytes)
{
    Bytes written = {0};
    if (t->bpe.byte_level && !token->literal)
        byte_alphabet_write(&written, token->piece, token->piece_bytes);
    else bytes_add(&written, token->piece, token->piece_bytes);
    bool same = written.count == bytes && memcmp(written.data, name, bytes) == 0;
    free(written.data);
    return same;
}

static bool put_added(Tokenizer *t, const cJSON *item, const char *where, Error *err)
{
    Vocabulary *v = &t->bpe.vocabulary;
    const char *content = cJSON_GetStringValue(field(item, "content"));
    AddedToken token = {.special = cJSON_IsTrue(field(item, "special")),
                        .single_word = cJSON_IsTrue(field(item, "single_word")),
                        .left = cJSON_IsTrue(field(item, "lstrip")),
                        .right = cJSON_IsTrue(field(item, "rstrip")),
                        .normalized = cJSON_IsTrue(field(item, "normalized"))};
    if (content == NULL || content[0] == '\0')
        return error_set(err, "%s: an added token has no content", where);
    if (!read_id(field(item, "id"), v->room, &token.id))
        return error_set(err, "%s: the added token '%s' has no id below %d", where,
                         shown(t->keep, content), v->room);
    size_t bytes = strlen(content), length;
    code_point_at((const uint8_t *)content, bytes, &length);
    // A single character that serves as a special token, "!" for padding, is text nevertheless.
    TokenKind kind = token.special && length < bytes ? TOKEN_SPECIAL : TOKEN_ADDED;
    Token *there = &v->tokens[token.id];
    if (there->kind == TOKEN_NONE) {
        Token as_bytes = {.piece = content, .piece_bytes = (uint32_t)bytes};
        bool literal = t->bpe.byte_level && !is_named(t, &as_bytes, content, bytes);
        if (!vocabulary_put(v, token.id, content, bytes, kind, literal))
            return error_set(err, "%s: the added token '%s' is listed twice, with different ids",
                             where, shown(t->keep, content));
        there->added_only = true;
    } else if (!is_named(t, there, content, bytes))
        return error_set(err, "%s: id %d belongs to '%s' and to '%s'", where, token.id,
                         shown(t->keep, there->piece), shown(t->keep, content));
    there->kind = kind;
    there->text = arena_print(t->keep, "%s", content);
    there->text_bytes = (uint32_t)bytes;
    token.content = there->text;
    token.bytes = bytes;
    tokenizer_add(t, token);
    return true;
}

// ---- the vocabulary ----

static bool put_entry(Tokenizer *t, const cJSON *item, Bytes *read, const char *where, Error *err)
{
    Vocabulary *v = &t->bpe.vocabulary;
    const char *name = item->string;
    int id;
    if (name[0] == '\0') return error_set(err, "%s: a token's name is empty", where);
    if (!read_id(item, v->room, &id))
        return error_set(err, "%s: the token '%s' has an id that is not a whole number below %d",
                         where, shown(t->keep, name), v->room);
    size_t bytes = strlen(name);
    if (v->tokens[id].kind != TOKEN_NONE)
        return error_set(err, "%s: id %d belongs to '%s' and to '%s'", where, id,
                         shown(t->keep, v->tokens[id].piece), shown(t->keep, name));
    read->count = 0;
    bool literal = t->bpe.byte_level && !byte_alphabet_read(read, name, bytes);
    bool plain = literal || !t->bpe.byte_level;
    if (!vocabulary_put(v, id, plain ? name : (const char *)read->data, plain ? bytes : read->count,
                        TOKEN_NORMAL, literal))
        return error_set(err, "%s: the token '%s' is listed twice, with different ids", where,
                         shown(t->keep, name));
    return true;
}

static bool put_vocabulary(Tokenizer *t, const cJSON *vocabulary, const char *where, Error *err)
{
    Bytes read = {0};
    const cJSON *item;
    bool good = true;
    cJSON_ArrayForEach(item, vocabulary) good = good && put_entry(t, item, &read, where, err);
    free(read.data);
    return good;
}

// ---- merges ----

// Two parts, from "a b" or ["a", "b"]. Only the one blank separates: U+00A0 is a character like others.
static bool merge_parts(const cJSON *item, const char *parts[2], size_t bytes[2])
{
    if (cJSON_IsArray(item) && cJSON_GetArraySize(item) == 2) {
        for (int i = 0; i < 2; i++) {
            parts[i] = cJSON_GetStringValue(cJSON_GetArrayItem(item, i));
            if (parts[i] == NULL) return false;
            bytes[i] = strlen(parts[i]);
        }
        return bytes[0] > 0 && bytes[1] > 0;
    }
    const char *text = cJSON_GetStringValue(item), *blank = text ? strchr(text, ' ') : NULL;
    if (blank == NULL || strchr(blank + 1, ' ') != NULL) return false;
    parts[0] = text;
    bytes[0] = (size_t)(blank - text);
    parts[1] = blank + 1;
    bytes[1] = strlen(blank + 1);
    return bytes[0] > 0 && bytes[1] > 0;
}

// Both parts and then the whole, as the vocabulary has them, one behind the other in `joined`.
static bool put_merge(Tokenizer *t, const cJSON *item, int rank, Bytes *joined, const char *where,
                      Error *err)
{
    const char *parts[2];
    size_t bytes[2], ends[2];
    if (!merge_parts(item, parts, bytes))
        return error_set(err, "%s: merge %d is '%s', expected two tokens with one blank between",
                         where, rank,
                         cJSON_IsString(item) ? shown(t->keep, item->valuestring) : "not a text");
    joined->count = 0;
    for (int i = 0; i < 2; i++) {
        if (!t->bpe.byte_level) bytes_add(joined, parts[i], bytes[i]);
        else if (!byte_alphabet_read(joined, parts[i], bytes[i]))
            return error_set(err, "%s: merge %d names '%s', which is not in the byte alphabet",
                             where, rank,
                             shown(t->keep, arena_print(t->keep, "%.*s", (int)bytes[i], parts[i])));
        ends[i] = joined->count;
    }
    const Vocabulary *v = &t->bpe.vocabulary;
    Merge merge = {vocabulary_find_any(v, joined->data, ends[0]),
                   vocabulary_find_any(v, joined->data + ends[0], ends[1] - ends[0]),
                   vocabulary_find_any(v, joined->data, ends[1]), rank};
    int missing = merge.left < 0 ? 0 : merge.right < 0 ? 1 : merge.result < 0 ? 2 : -1;
    if (missing >= 0) {
        const char *name = missing < 2
                               ? arena_print(t->keep, "%.*s", (int)bytes[missing], parts[missing])
                               : arena_print(t->keep, "%.*s%.*s", (int)bytes[0], parts[0],
                                             (int)bytes[1], parts[1]);
        return error_set(err, "%s: merge %d names '%s', which is not a token of the vocabulary",
                         where, rank, shown(t->keep, name));
    }
    TokenKind kind = v->tokens[merge.result].kind;
    // Text must not become a special token, nor "<0x41>" a byte.
    if (kind == TOKEN_NORMAL || kind == TOKEN_ADDED) merges_put(&t->bpe.merges, merge);
    return true;
}

static bool put_merges(Tokenizer *t, const cJSON *merges, const char *where, Error *err)
{
    int count = cJSON_GetArraySize(merges), rank = 0;
    Bytes joined = {0};
    const cJSON *item;
    bool good = true;
    merges_begin(&t->bpe.merges, t->keep, (size_t)count);
    cJSON_ArrayForEach(item, merges) good = good && put_merge(t, item, rank++, &joined, where, err);
    free(joined.data);
    return good;
}

// ---- the model ----

static bool read_model(Tokenizer *t, const cJSON *model, const char *where, Error *err)
{
    static const char *const affixes[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (int i = 0; i < 2; i++) {
        const char *affix = cJSON_GetStringValue(field(model, affixes[i]));
        if (affix != NULL && affix[0] != '\0')
            return error_set(err, "%s: the model's \"%s\" is not supported", where, affixes[i]);
    }
    const cJSON *dropout = field(model, "dropout");
    if (cJSON_IsNumber(dropout) && dropout->valuedouble != 0)
        return error_set(err, "%s: encodes at random (\"dropout\" is %g)", where,
                         dropout->valuedouble);
    t->bpe.byte_fallback = cJSON_IsTrue(field(model, "byte_fallback"));
    t->bpe.fuse_unknown = cJSON_IsTrue(field(model, "fuse_unk"));
    t->bpe.ignore_merges = cJSON_IsTrue(field(model, "ignore_merges"));
    const char *unknown = cJSON_GetStringValue(field(model, "unk_token"));
    if (unknown != NULL && unknown[0] != '\0') {
        t->bpe.unknown = vocabulary_find_any(&t->bpe.vocabulary, unknown, strlen(unknown));
        if (t->bpe.unknown < 0)
            return error_set(err, "%s: the unknown token '%s' is not in the vocabulary", where,
                             shown(t->keep, unknown));
    }
    tokenizer_find_bytes(t);
    return put_merges(t, field(model, "merges"), where, err);
}

// A copy of the parts, which outlives the file's tree.
static cJSON *copy_parts(const cJSON *tree)
{
    cJSON *parts = cJSON_CreateObject();
    for (int i = 0; i < TOKENIZER_PARTS; i++) {
        const char *name = tokenizer_part_names[i];
        cJSON_AddItemToObject(parts, name, cJSON_Duplicate(field(tree, name), true));
    }
    return parts;
}

static bool read_all(Tokenizer *t, const cJSON *tree, const char *where, Error *err)
{
    const cJSON *item, *model = field(tree, "model");
    if (!tokenizer_set_parts(t, copy_parts(tree), where, err) ||
        !put_vocabulary(t, field(model, "vocab"), where, err))
        return false;
    cJSON_ArrayForEach(
        item, field(tree, "added_tokens")) if (!put_added(t, item, where, err)) return false;
    return read_model(t, model, where, err) && tokenizer_set_template(t, where, err) &&
           tokenizer_finish(t, where, err);
}

Tokenizer *tokenizer_json_read(const cJSON *tree, const char *where, Error *err)
{
    const cJSON *model = field(tree, "model"), *vocabulary = field(model, "vocab"), *item;
    const char *type = cJSON_GetStringValue(field(model, "type"));
    if (!cJSON_IsObject(model))
        return error_set(err, "%s: \"model\" is missing, expected a tokenizer.json", where), NULL;
    if (type != NULL && strcmp(type, "BPE") != 0) {
        char name[32];
        snprintf(name, sizeof name, "%.30s", type);
        text_clean(name);
        return error_set(err, "%s: the model '%s' is not supported, expected BPE", where, name),
               NULL;
    }
    if (!cJSON_IsObject(vocabulary))
        return error_set(err, "%s: the model's \"vocab\" is missing", where), NULL;
    if (!cJSON_IsArray(field(model, "merges")))
        return error_set(err, "%s: the model's \"merges\" are missing", where), NULL;
    double highest = 0;
    size_t count = 0;
    const cJSON *lists[] = {vocabulary, field(tree, "added_tokens")};
    for (int i = 0; i < 2; i++) cJSON_ArrayForEach(item, lists[i])
        {
            const cJSON *id = i == 0 ? item : field(item, "id");
            if (cJSON_IsNumber(id) && id->valuedouble > highest) highest = id->valuedouble;
            count++;
        }
    if (highest >= (double)count + GAPS_MAX)
        return error_set(err, "%s: has %zu tokens and an id of %.0f", where, count, highest), NULL;
    Tokenizer *t = tokenizer_new((size_t)highest + 1);
    if (read_all(t, tree, where, err)) return t;
    tokenizer_close(t);
    return NULL;
}
