// What all readers have in common: from a vocabulary, merges and parts to a tokenizer.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"
#include "labs/3_language/tokenizer/app/text/code_point.h"

#define MARK "\xe2\x96\x81"

// Address space; memory is used as it is touched. A vocabulary has at most as many bytes as its file.
enum { KEEP = 1 << 30 };

Tokenizer *tokenizer_new(size_t room)
{
    Arena *keep = arena_new("tokenizer", (size_t)KEEP + room * 256);
    Tokenizer *t = arena_zeros(keep, sizeof *t);
    t->keep = keep;
    t->bos = t->eos = t->bpe.unknown = -1;
    memset(t->bpe.bytes, 0xff, sizeof t->bpe.bytes);
    vocabulary_begin(&t->bpe.vocabulary, keep, (int)room);
    merges_begin(&t->bpe.merges, keep, 0);
    return t;
}

void tokenizer_add(Tokenizer *t, AddedToken token)
{
    AddedTokens *added = &t->added[token.normalized];
    if ((added->count & (added->count - 1)) == 0) {    // 0, 1, 2, 4, ...
        AddedToken *more = arena_alloc(t->keep, (size_t)(2 * added->count + 1) * sizeof *more);
        if (added->count > 0) memcpy(more, added->items, (size_t)added->count * sizeof *more);
        added->items = more;
    }
    added->items[added->count++] = token;
}

void tokenizer_find_bytes(Tokenizer *t)
{
    Vocabulary *v = &t->bpe.vocabulary;
    for (int byte = 0; byte < 256; byte++) {
        char name[8];
        if (t->bpe.byte_level)
            t->bpe.bytes[byte] = vocabulary_find(v, &(uint8_t){(uint8_t)byte}, 1);
        if (t->bpe.byte_level || !t->bpe.byte_fallback) continue;
        snprintf(name, sizeof name, "<0x%02X>", (unsigned)byte);
        int id = vocabulary_find_any(v, name, strlen(name));
        t->bpe.bytes[byte] = id;
        if (id >= 0) v->tokens[id].kind = TOKEN_BYTE;
    }
}

// ---- what tokens decode to ----

static bool set_texts(Tokenizer *t, Error *err)
{
    Vocabulary *v = &t->bpe.vocabulary;
    for (int byte = 0; byte < 256; byte++) {
        int id = t->bpe.bytes[byte];
        if (id < 0 || v->tokens[id].kind != TOKEN_BYTE) continue;
        char *text = arena_zeros(t->keep, 2);
        text[0] = (char)byte;
        v->tokens[id].text = text;
        v->tokens[id].text_bytes = 1;
    }
    Bytes held = {0};
    bool good = true;
    for (int id = 0; good && id < v->count && t->pieces_to_text.count > 0; id++) {
        Token *token = &v->tokens[id];
        if (token->kind != TOKEN_NORMAL) continue;
        const uint8_t *text;
        size_t bytes = token->piece_bytes;
        good = normalizer_run(&t->pieces_to_text, (const uint8_t *)token->piece, &bytes, &held,
                              &text, err);
        if (!good || (bytes == token->piece_bytes && memcmp(text, token->piece, bytes) == 0))
            continue;
        char *copy = arena_zeros(t->keep, bytes + 1);
        memcpy(copy, text, bytes);
        token->text = copy;
        token->text_bytes = (uint32_t)bytes;
    }
    free(held.data);
    for (int id = 0; id < v->count; id++)
        if (v->tokens[id].text_bytes > t->longest) t->longest = v->tokens[id].text_bytes;
    return good;
}

// ---- added tokens ----

// Those that are looked for in normalized text are normalized as it is.
static bool normalize_added(Tokenizer *t, Error *err)
{
    AddedTokens *added = &t->added[1];
    for (int i = 0; i < added->count; i++) {
        Bytes held = {0};
        const uint8_t *content;
        AddedToken *token = &added->items[i];
        if (!normalizer_run(&t->normalizer, (const uint8_t *)token->content, &token->bytes, &held,
                            &content, err))
            return false;
        char *copy = arena_zeros(t->keep, token->bytes + 1);
        memcpy(copy, content, token->bytes);
        token->content = copy;
        free(held.data);
        if (token->bytes == 0)
            added->items[i--] = added->items[--added->count];    // nothing is left
    }
    return true;
}

// ---- a text of one piece ----

// Where no token has a mark behind something else, no merge goes across the place before a mark: the
// text can be cut there, and the pieces, which are words now, be remembered.
static bool words_are_apart(const Bpe *bpe, const char *word_mark)
{
    const size_t length = strlen(word_mark);
    if (bpe->byte_level || bpe->ignore_merges ||
        vocabulary_find(&bpe->vocabulary, word_mark, length) < 0)
        return false;
    for (size_t i = 0; i < bpe->merges.count; i++) {
        const Token *token = &bpe->vocabulary.tokens[bpe->merges.items[i].result];
        const char *at = token->piece, *end = at + token->piece_bytes, *mark;
        while ((mark = memmem(at, (size_t)(end - at), word_mark, length)) != NULL) {
            if (mark != at) return false;
            at = mark + length;
        }
    }
    return true;
}

// ---- names that files do not tell ----

static int first_token(const Tokenizer *t, const char *const *names)
{
    for (; *names != NULL; names++) {
        int id = tokenizer_token(t, *names);
        if (id >= 0 && tokenizer_is_special(t, id)) return id;
    }
    return -1;
}

static void find_ends(Tokenizer *t)
{
    static const char *const begins[] = {"<|begin_of_text|>", "<s>", "<bos>", "<|endoftext|>",
                                         NULL};
    static const char *const ends[] = {"<|end_of_text|>", "</s>", "<eos>", "<|endoftext|>", NULL};
    const Template *template = &t->template;
    if (t->bos < 0 && template->before_count > 0) t->bos = template->before[0];
    if (t->eos < 0 && template->after_count > 0)
        t->eos = template->after[template->after_count - 1];
    if (t->bos < 0) t->bos = first_token(t, begins);
    if (t->eos < 0) t->eos = first_token(t, ends);
}

bool tokenizer_finish(Tokenizer *t, const char *where, Error *err)
{
    if (t->bpe.vocabulary.count == 0) return error_set(err, "%s: has no tokens", where);
    if (!set_texts(t, err) || !normalize_added(t, err)) return error_wrap(err, "%s", where);
    for (int i = 0; i < 2; i++) added_sort(&t->added[i]);
    find_ends(t);
    static const char *const marks[] = {MARK, " "};
    for (int i = 0; i < 2 && t->splitter.count == 0; i++) {
        if (!words_are_apart(&t->bpe, marks[i])) continue;
        char *mark = strdup(marks[i]);
        REQUIRE(mark != NULL, "no memory");
        splitter_add(&t->splitter, (SplitStep){.kind = SPLIT_RUNS, .literal = mark});
    }
    if (t->about == NULL)
        t->about = arena_print(t->keep, "%s BPE, %zu merges",
                               t->bpe.byte_level ? "byte-level" : "character", t->bpe.merges.count);
    return true;
}
