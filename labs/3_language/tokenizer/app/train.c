#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/bpe/train.h"
#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

static bool count_piece(void *context, const uint8_t *piece, size_t bytes, Error *err)
{
    (void)err;
    word_counts_add(context, piece, bytes);
    return true;
}

static bool put_special(Tokenizer *t, const TokenizerTraining *how, Error *err)
{
    Vocabulary *v = &t->bpe.vocabulary;
    for (int i = 0; i < how->special_count; i++) {
        const char *name = how->special[i];
        size_t bytes = strlen(name);
        bool literal = strchr(name, ' ') != NULL;    // which the byte alphabet has not
        if (bytes < 2 || !vocabulary_put(v, i, name, bytes, TOKEN_SPECIAL, literal))
            return error_set(err, "the special token '%s' is too short, or listed twice", name);
        tokenizer_add(
            t,
            (AddedToken){.content = v->tokens[i].piece, .bytes = bytes, .id = i, .special = true});
    }
    if (how->special_count > 0) t->bos = t->eos = 0;
    return true;
}

static bool train(Tokenizer *t, const char *text, size_t bytes, const TokenizerTraining *how,
                  Error *err)
{
    Vocabulary *v = &t->bpe.vocabulary;
    const char *style = how->style ? how->style : "gpt2";
    cJSON *parts = tokenizer_style(style);
    if (parts == NULL)
        return error_set(err, "there is no style '%s'; there are gpt2, llama3, qwen2, smollm",
                         style);
    if (!tokenizer_set_parts(t, parts, style, err) || !put_special(t, how, err)) return false;
    for (int n = 0; n < 256; n++)
        vocabulary_put(v, how->special_count + n, &(uint8_t){byte_alphabet_nth(n)}, 1, TOKEN_NORMAL,
                       false);
    tokenizer_find_bytes(t);
    WordCounts words = {0};
    Bytes held = {0};
    const uint8_t *normal;
    bool good =
        normalizer_run(&t->normalizer, (const uint8_t *)text, &bytes, &held, &normal, err) &&
        splitter_run(&t->splitter, normal, bytes, true, count_piece, &words, err);
    if (good)
        train_merges(&t->bpe, &words,
                     (Training){how->minimum > 0 ? how->minimum : 1, how->on_merge, how->context});
    word_counts_free(&words);
    free(held.data);
    return good && tokenizer_finish(t, style, err);
}

Tokenizer *tokenizer_train(const char *text, size_t bytes, TokenizerTraining how, Error *err)
{
    int least = 256 + how.special_count;
    if (how.vocabulary < least || how.vocabulary > 1 << 24)
        return error_set(err,
                         "a vocabulary of %d, expected %d to %d: the bytes and the special tokens "
                         "are in it",
                         how.vocabulary, least, 1 << 24),
               NULL;
    Tokenizer *t = tokenizer_new((size_t)how.vocabulary);
    if (train(t, text, bytes, &how, err)) return t;
    tokenizer_close(t);
    return NULL;
}

bool tokenizer_save(const Tokenizer *t, const char *path, Error *err)
{
    return tokenizer_json_write(t, path, err);
}
