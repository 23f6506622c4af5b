#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/files/plain.h"
#include "labs/3_language/tokenizer/app/files/scored.h"

// The format (karpathy/llama2.c, tokenizer.py): the longest token's bytes; then for each token a float score,
// its number of bytes, and those. Little-endian, and no count of tokens: they go on to the file's end. The
// first are <unk>, <s>, </s> and the 256 bytes.
enum { FIRST_BYTE = 3, LEAST = FIRST_BYTE + 256 };

// The token at data[*at], and *at behind it; false where the file ends before it does.
static bool next_token(const uint8_t *data, size_t bytes, size_t *at, ScoredToken *token)
{
    uint32_t length;
    if (bytes - *at < 8) return false;
    memcpy(&token->score, data + *at, 4);
    memcpy(&length, data + *at + 4, 4);
    *at += 8;
    if (length > bytes - *at) return false;
    token->piece = (const char *)data + *at;
    token->bytes = length;
    token->kind = TOKEN_NORMAL;
    *at += length;
    return true;
}

static bool is_token(const ScoredToken *token, const char *piece)
{
    return token->bytes == strlen(piece) && memcmp(token->piece, piece, token->bytes) == 0;
}

// Whether the token of byte 0 is where it belongs.
bool tokenizer_llama2c_fits(const uint8_t *data, size_t bytes)
{
    size_t at = 4;
    ScoredToken token = {0};
    for (int id = 0; id <= FIRST_BYTE; id++)
        if (bytes < 4 || !next_token(data, bytes, &at, &token)) return false;
    return is_token(&token, "<0x00>");
}

Tokenizer *tokenizer_llama2c_read(const uint8_t *data, size_t bytes, const char *where, Error *err)
{
    static const char *const special[] = {"<unk>", "<s>", "</s>"};
    ScoredToken *tokens = malloc((bytes / 8 + 1) * sizeof *tokens);
    REQUIRE(tokens != NULL, "no memory for a vocabulary of %zu bytes", bytes);
    Tokenizer *t = NULL;
    int count = 0;
    size_t at = 4;
    while (at < bytes && next_token(data, bytes, &at, &tokens[count])) count++;
    if (at != bytes || count < LEAST)
        error_set(err, "%s: ends within token %d, or has fewer than %d", where, count, LEAST);
    else {
        for (int id = 0; id < FIRST_BYTE; id++)    // "\n<s>\n" in the file
            tokens[id] = (ScoredToken){special[id], strlen(special[id]), 0, TOKEN_SPECIAL};
        ScoredVocabulary vocabulary = {.mark = " ",
                                       .count = count,
                                       .tokens = tokens,
                                       .bos = 1,
                                       .eos = 2,
                                       .add_bos = true,
                                       .add_space = true};
        t = tokenizer_scored(&vocabulary, where, err);
    }
    free(tokens);
    return t;
}
