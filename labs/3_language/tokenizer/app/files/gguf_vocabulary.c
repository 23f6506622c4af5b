#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "common/gguf.h"
#include "common/text.h"
#include "labs/3_language/tokenizer/app/files/gguf_names.h"
#include "labs/3_language/tokenizer/app/files/plain.h"
#include "labs/3_language/tokenizer/app/files/scored.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

enum { VOCABULARY_MAX = 1 << 22 };

typedef struct Source {
    const Gguf *file;
    const char *where;
    int count, bos, eos, unknown;
    bool add_bos, add_eos, add_space;
} Source;

static int id_of(const Source *s, const char *key)
{
    uint64_t id;
    return gguf_integer_at(gguf_value(s->file, key), 0, &id) && id < (uint64_t)s->count ? (int)id
                                                                                        : -1;
}

static bool flag(const Source *s, const char *key, bool otherwise)
{
    bool value;
    return gguf_bool_at(gguf_value(s->file, key), 0, &value) ? value : otherwise;
}

static uint64_t type_of(const Source *s, int id)
{
    uint64_t type;
    bool known = gguf_integer_at(gguf_value(s->file, KEY("token_type")), (uint64_t)id, &type);
    return known ? type : GGUF_NORMAL;
}

// ---- "gpt2": byte-level BPE, as the tokenizer.json that it was made from ----

static char *copy(Arena *arena, GgufText text)
{
    return arena_print(arena, "%.*s", (int)text.length, text.bytes);
}

static const PreTokenizer *find_pre_tokenizer(const Source *s, Arena *arena, Error *err)
{
    GgufText pre = {NULL, 0};
    const char *names = "";
    bool given = gguf_text(s->file, KEY("pre"), &pre, err);
    char *name = given
                     ? arena_print(arena, "%.*s", pre.length < 32 ? (int)pre.length : 32, pre.bytes)
                     : arena_print(arena, "none");
    for (int i = 0; i < PRE_TOKENIZERS; i++)
        if (strcmp(pre_tokenizers[i].name, name) == 0) return &pre_tokenizers[i];
    for (int i = 0; i < PRE_TOKENIZERS_SHOWN; i++)
        names = arena_print(arena, "%s%s%s", names, i > 0 ? ", " : "", pre_tokenizers[i].name);
    text_clean(name);
    error_set(err, "%s: the pre-tokenizer '%s' is not supported, expected one of %s", s->where,
              name, names);
    return NULL;
}

static void add_token(cJSON *list, int id, const char *name, bool special)
{
    cJSON *token = cJSON_CreateObject();
    cJSON_AddNumberToObject(token, "id", id);
    cJSON_AddStringToObject(token, "content", name);
    cJSON_AddBoolToObject(token, "special", special);
    cJSON_AddItemToArray(list, token);
}

static cJSON *tree_of(const Source *s, const PreTokenizer *pre, Arena *arena)
{
    cJSON *tree = tokenizer_style(pre->style);
    cJSON *added = cJSON_AddArrayToObject(tree, "added_tokens");
    cJSON *model = cJSON_AddObjectToObject(tree, "model");
    cJSON *vocabulary = cJSON_AddObjectToObject(model, "vocab");
    cJSON *merges = cJSON_AddArrayToObject(model, "merges");
    cJSON_AddBoolToObject(model, "ignore_merges", pre->ignore_merges);
    GgufText text = {NULL, 0};
    const GgufValue *tokens = gguf_value(s->file, KEY("tokens"));
    for (int id = 0; gguf_next_text(tokens, &text); id++) {
        const char *name = copy(arena, text);
        uint64_t type = type_of(s, id);
        if (type == GGUF_CONTROL || type == GGUF_USER_DEFINED)
            add_token(added, id, name, type == GGUF_CONTROL);
        cJSON_AddNumberToObject(vocabulary, name, id);
    }
    text = (GgufText){NULL, 0};
    const GgufValue *pairs = gguf_value(s->file, KEY("merges"));
    while (gguf_next_text(pairs, &text))
        cJSON_AddItemToArray(merges, cJSON_CreateString(copy(arena, text)));
    return tree;
}

static Tokenizer *read_bytes(Source *s, Error *err)
{
    Arena *arena = arena_new("GGUF vocabulary", (size_t)1 << 30);
    const PreTokenizer *pre = find_pre_tokenizer(s, arena, err);
    cJSON *tree = pre ? tree_of(s, pre, arena) : NULL;
    Tokenizer *t = tree ? tokenizer_json_read(tree, s->where, err) : NULL;
    cJSON_Delete(tree);
    arena_free(arena);
    if (t == NULL) return NULL;
    if (s->bos >= 0) t->bos = s->bos;
    if (s->eos >= 0) t->eos = s->eos;
    int before = flag(s, KEY("add_bos_token"), pre->bos) ? t->bos : -1;
    int after = s->add_eos ? t->eos : -1;
    if (before < 0 && after < 0) return t;
    cJSON_ReplaceItemInObjectCaseSensitive(t->parts, "post_processor",
                                           tokenizer_template_part(t, before, after));
    if (tokenizer_set_template(t, s->where, err)) return t;
    tokenizer_close(t);
    return NULL;
}

// ---- "llama": SentencePiece ----

static Tokenizer *read_scored(const Source *s, Error *err)
{
    static const TokenKind kinds[] = {
        [GGUF_NORMAL] = TOKEN_NORMAL,   [GGUF_UNKNOWN] = TOKEN_SPECIAL,
        [GGUF_CONTROL] = TOKEN_SPECIAL, [GGUF_USER_DEFINED] = TOKEN_ADDED,
        [GGUF_UNUSED] = TOKEN_NORMAL,   [GGUF_BYTE] = TOKEN_BYTE,
    };
    ScoredToken *tokens = calloc((size_t)s->count, sizeof *tokens);
    REQUIRE(tokens != NULL, "no memory for %d tokens", s->count);
    GgufText text = {NULL, 0};
    const GgufValue *names = gguf_value(s->file, KEY("tokens"));
    const GgufValue *scores = gguf_value(s->file, KEY("scores"));
    bool good = true;
    for (int id = 0; good && gguf_next_text(names, &text); id++) {
        uint64_t type = type_of(s, id);
        double score;
        good =
            gguf_real_at(scores, (uint64_t)id, &score) && type >= GGUF_NORMAL && type <= GGUF_BYTE;
        if (!good) error_set(err, "%s: token %d has no score, or no known type", s->where, id);
        else tokens[id] = (ScoredToken){text.bytes, text.length, (float)score, kinds[type]};
    }
    ScoredVocabulary vocabulary = {.mark = "\xe2\x96\x81",
                                   .count = s->count,
                                   .tokens = tokens,
                                   .bos = s->bos,
                                   .eos = s->eos,
                                   .unknown = s->unknown,
                                   .add_bos = flag(s, KEY("add_bos_token"), true) && s->bos >= 0,
                                   .add_eos = s->add_eos,
                                   .add_space = s->add_space};
    Tokenizer *t = good ? tokenizer_scored(&vocabulary, s->where, err) : NULL;
    free(tokens);
    return t;
}

static Tokenizer *read_file(Source *s, Error *err)
{
    GgufText model;
    const GgufValue *tokens = gguf_value(s->file, KEY("tokens"));
    if (!gguf_text(s->file, KEY("model"), &model, err)) return NULL;
    if (tokens == NULL || !tokens->array || tokens->kind != GGUF_STRING || tokens->count == 0 ||
        tokens->count > VOCABULARY_MAX)
        return error_set(err, "%s: tokenizer.ggml.tokens is not a list of 1 to %d texts", s->where,
                         VOCABULARY_MAX),
               NULL;
    s->count = (int)tokens->count;
    s->bos = id_of(s, KEY("bos_token_id"));
    s->eos = id_of(s, KEY("eos_token_id"));
    s->unknown = id_of(s, KEY("unknown_token_id"));
    s->add_eos = flag(s, KEY("add_eos_token"), false);
    s->add_space = flag(s, KEY("add_space_prefix"), true);
    if (model.length == 4 && memcmp(model.bytes, "gpt2", 4) == 0) return read_bytes(s, err);
    if (model.length == 5 && memcmp(model.bytes, "llama", 5) == 0) return read_scored(s, err);
    char name[32];
    snprintf(name, sizeof name, "%.*s", model.length < 30 ? (int)model.length : 30, model.bytes);
    text_clean(name);
    error_set(err, "%s: the tokenizer '%s' is not supported, expected gpt2 or llama", s->where,
              name);
    return NULL;
}

Tokenizer *tokenizer_gguf_read(const char *path, Error *err)
{
    Gguf *file = gguf_open_header(path, err);
    if (file == NULL) return NULL;
    Source source = {.file = file, .where = path};
    Tokenizer *t = read_file(&source, err);
    gguf_close(file);
    return t;
}
