#include <stdlib.h>
#include <string.h>
#include "common/text.h"
#include "labs/3_language/tokenizer/app/text/byte_alphabet.h"
#include "labs/3_language/tokenizer/app/files/plain.h"
#include "labs/3_language/tokenizer/app/files/tokenizer_json.h"

static size_t count_lines(const char *text, size_t bytes)
{
    size_t lines = 1;
    for (size_t i = 0; i < bytes; i++) lines += text[i] == '\n';
    return lines;
}

// "Ġ t": the bytes of both parts, and where the first ends.
static bool read_line(Bytes *joined, const char *line, size_t bytes, size_t *cut)
{
    const char *blank = memchr(line, ' ', bytes);
    if (blank == NULL || blank == line || blank + 1 == line + bytes) return false;
    joined->count = 0;
    if (!byte_alphabet_read(joined, line, (size_t)(blank - line))) return false;
    *cut = joined->count;
    return byte_alphabet_read(joined, blank + 1, bytes - (size_t)(blank - line) - 1);
}

static bool put_line(Tokenizer *t, const char *line, size_t bytes, Bytes *joined, const char *where,
                     int number, Error *err)
{
    Vocabulary *v = &t->bpe.vocabulary;
    size_t cut;
    char shown[64];
    snprintf(shown, sizeof shown, "%.*s", (int)(bytes < 60 ? bytes : 60), line);
    text_clean(shown);
    if (!read_line(joined, line, bytes, &cut))
        return error_set(err, "%s:%d: is '%s', expected two tokens with one blank between", where,
                         number, shown);
    Merge merge = {vocabulary_find(v, joined->data, cut),
                   vocabulary_find(v, joined->data + cut, joined->count - cut), v->count,
                   (int)t->bpe.merges.count};
    if (merge.left < 0 || merge.right < 0)
        return error_set(err, "%s:%d: merges '%s', of which no line before it makes the parts",
                         where, number, shown);
    if (!vocabulary_put(v, merge.result, joined->data, joined->count, TOKEN_NORMAL, false))
        return error_set(err, "%s:%d: makes a token that a line before it makes", where, number);
    merges_put(&t->bpe.merges, merge);
    return true;
}

static bool put_lines(Tokenizer *t, const char *text, size_t bytes, const char *where, Error *err)
{
    Bytes joined = {0};
    bool good = true;
    int number = 1;
    for (size_t at = 0, end; good && at < bytes; at = end + 1, number++) {
        const char *stop = memchr(text + at, '\n', bytes - at);
        end = stop ? (size_t)(stop - text) : bytes;
        size_t length = end - at;
        if (length > 0 && text[end - 1] == '\r') length--;
        bool version = number == 1 && length >= 8 && memcmp(text, "#version", 8) == 0;
        if (length > 0 && !version)
            good = put_line(t, text + at, length, &joined, where, number, err);
    }
    free(joined.data);
    return good;
}

Tokenizer *tokenizer_merges_read(const char *text, size_t bytes, const char *where, Error *err)
{
    static const char end[] = "<|endoftext|>";
    size_t lines = count_lines(text, bytes);
    Tokenizer *t = tokenizer_new(256 + lines + 1);
    Vocabulary *v = &t->bpe.vocabulary;
    bool good = tokenizer_set_parts(t, tokenizer_style("gpt2"), where, err);
    merges_begin(&t->bpe.merges, t->keep, lines);
    for (int id = 0; id < 256; id++)
        vocabulary_put(v, id, &(uint8_t){byte_alphabet_nth(id)}, 1, TOKEN_NORMAL, false);
    tokenizer_find_bytes(t);
    good = good && put_lines(t, text, bytes, where, err);
    if (good) {
        AddedToken token = {.content = end, .bytes = strlen(end), .id = v->count, .special = true};
        vocabulary_put(v, token.id, end, token.bytes, TOKEN_SPECIAL, false);
        tokenizer_add(t, token);
    }
    if (good && tokenizer_finish(t, where, err)) return t;
    tokenizer_close(t);
    return NULL;
}
