#include "labs/3_language/tokenizer/app/bpe/vocabulary.h"
#include <string.h>
#include "common/error.h"

// Eight bytes at a time, each time a multiplication whose halves are folded together (as wyhash does).
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t vocabulary_hash(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    uint64_t hash = 0x9e3779b97f4a7c15u ^ bytes, word;
    for (; bytes >= 8; bytes -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = fold(hash ^ word, 0xa0761d6478bd642fu);
    }
    word = 0;
    memcpy(&word, at, bytes);
    hash = fold(hash ^ word, 0xe7037ed1a0b428dbu);
    return hash ^ hash >> 32;
}

void vocabulary_begin(Vocabulary *v, Arena *arena, int room)
{
    uint32_t slots = 1024;
    while (slots < 2 * (uint32_t)room) slots *= 2;
    *v = (Vocabulary){.arena = arena,
                      .room = room,
                      .tokens = arena_zeros(arena, (size_t)room * sizeof(Token)),
                      .table = arena_alloc(arena, slots * sizeof(int32_t)),
                      .mask = slots - 1};
    memset(v->table, 0xff, slots * sizeof(int32_t));
}

// Where the piece is, or the free place where it belongs.
static int32_t *slot(const Vocabulary *v, const void *piece, size_t bytes)
{
    uint32_t at = (uint32_t)vocabulary_hash(piece, bytes) & v->mask;
    for (;; at = (at + 1) & v->mask) {
        if (v->table[at] < 0) return &v->table[at];
        const Token *token = &v->tokens[v->table[at]];
        if (token->piece_bytes == bytes && memcmp(token->piece, piece, bytes) == 0)
            return &v->table[at];
    }
}

bool vocabulary_put(Vocabulary *v, int id, const void *piece, size_t bytes, TokenKind kind,
                    bool literal)
{
    REQUIRE(id >= 0 && id < v->room, "id %d of %d", id, v->room);
    if (v->tokens[id].kind != TOKEN_NONE) return false;
    if (!literal) {
        int32_t *place = slot(v, piece, bytes);
        if (*place >= 0) return false;
        *place = id;
    }
    char *copy = arena_alloc(v->arena, bytes + 1);
    memcpy(copy, piece, bytes);
    copy[bytes] = '\0';
    v->tokens[id] = (Token){copy, copy, (uint32_t)bytes, (uint32_t)bytes, kind, literal, false};
    if (id >= v->count) v->count = id + 1;
    return true;
}

int vocabulary_find(const Vocabulary *v, const void *piece, size_t bytes)
{
    int id = *slot(v, piece, bytes);
    const Token *token = id >= 0 ? &v->tokens[id] : NULL;
    bool text = token && (token->kind == TOKEN_NORMAL || token->kind == TOKEN_ADDED);
    return text && !token->added_only ? id : -1;
}

int vocabulary_find_any(const Vocabulary *v, const void *piece, size_t bytes)
{
    return *slot(v, piece, bytes);
}

int vocabulary_find_literal(const Vocabulary *v, const void *piece, size_t bytes)
{
    for (int id = 0; id < v->count; id++)
        if (v->tokens[id].literal && v->tokens[id].piece_bytes == bytes &&
            memcmp(v->tokens[id].piece, piece, bytes) == 0)
            return id;
    return -1;
}
