/* vocabulary.h -- the tokens by id, and the ids of the tokens that text is made of.
 *
 *     Vocabulary vocabulary;
 *     vocabulary_begin(&vocabulary, keep, 50257);
 *     vocabulary_put(&vocabulary, 262, " the", 4, TOKEN_NORMAL, false);    // false: there is a token 262
 *     vocabulary_find(&vocabulary, " the", 4);                      // 262; -1: no such token
 *
 * Ids may have gaps. Texts may hold any bytes, zeros too; they are copied into the arena.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "common/arena.h"

typedef enum TokenKind {
    TOKEN_NONE,    // a gap
    TOKEN_NORMAL,
    TOKEN_BYTE,       // stands for one byte, which is its text: <0x0A>
    TOKEN_SPECIAL,    // stands for no text: <s>
    TOKEN_ADDED,      // is text, but not found by merges
} TokenKind;

typedef struct Token {
    const char *piece;    // what it is called; of byte-level BPE its bytes. No zero ends it
    const char *text;     // what it decodes to; often the same pointer
    uint32_t piece_bytes, text_bytes;
    TokenKind kind;
    bool
        literal;    // byte-level BPE: files write its piece as it is, not in the byte alphabet: never found
    bool added_only;    // not of the model's vocabulary: no text is made of it
} Token;

typedef struct Vocabulary {
    Arena *arena;
    int count;    // the greatest id and 1
    int room;
    Token *tokens;     // [room]
    int32_t *table;    // ids by hash; -1: free
    uint32_t mask;
} Vocabulary;

// Ids are below `room`.
void vocabulary_begin(Vocabulary *vocabulary, Arena *arena, int room);

// False where the id is taken, or the piece by another token. `literal`: see Token.
bool vocabulary_put(Vocabulary *vocabulary, int id, const void *piece, size_t bytes, TokenKind kind,
                    bool literal);

// A token that text is made of: not a special one, nor a byte's <0x0A>, nor one added only; -1: none.
int vocabulary_find(const Vocabulary *vocabulary, const void *piece, size_t bytes);
int vocabulary_find_any(const Vocabulary *vocabulary, const void *piece, size_t bytes);
int vocabulary_find_literal(const Vocabulary *vocabulary, const void *piece,
                            size_t bytes);    // slow

uint64_t vocabulary_hash(const void *data, size_t bytes);
