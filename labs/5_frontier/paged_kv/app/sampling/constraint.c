#include "labs/5_frontier/paged_kv/app/sampling/constraint.h"
#include <stdlib.h>
#include <string.h>
#include "common/error.h"

typedef struct Entry {
    int token;
    const char *text;    // the tokenizer's
    size_t bytes;
    size_t shared;    // bytes at its start that are those of the entry before
} Entry;

struct TokenIndex {
    const Tokenizer *tokenizer;
    int vocabulary, count, stop_count;
    int *stops;
    Entry *entries;    // by their texts
    size_t longest;
};

struct Constraint {
    Grammar *grammar;
    const TokenIndex *index;
    int begin;
    TokenMask **masks;    // of each state; NULL where there is none yet
    int mask_room;
    int *path;    // [longest + 1] states along a token
};

// ---- tokens ----

static int compare(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    const size_t bytes = x->bytes < y->bytes ? x->bytes : y->bytes;
    const int order = memcmp(x->text, y->text, bytes);
    if (order != 0) return order;
    return x->bytes != y->bytes ? (x->bytes > y->bytes) - (x->bytes < y->bytes)
                                : x->token - y->token;
}

static size_t shared(const Entry *a, const Entry *b)
{
    size_t n = 0;
    while (n < a->bytes && n < b->bytes && a->text[n] == b->text[n]) n++;
    return n;
}

TokenIndex *token_index_new(const Tokenizer *tokenizer, const int *stops, int stop_count)
{
    TokenIndex *index = calloc(1, sizeof *index);
    const int size = tokenizer_size(tokenizer);
    if (index == NULL) return NULL;
    *index = (TokenIndex){.tokenizer = tokenizer, .vocabulary = size, .stop_count = stop_count};
    index->stops = calloc((size_t)stop_count + 1, sizeof *index->stops);
    index->entries = calloc((size_t)size + 1, sizeof *index->entries);
    if (index->stops == NULL || index->entries == NULL) {
        token_index_free(index);
        return NULL;
    }
    if (stop_count > 0) memcpy(index->stops, stops, (size_t)stop_count * sizeof *stops);
    for (int id = 0; id < size; id++) {
        Entry *entry = &index->entries[index->count];
        entry->token = id;
        entry->text = tokenizer_piece(tokenizer, id, &entry->bytes);
        if (entry->bytes == 0 || tokenizer_is_special(tokenizer, id)) continue;
        if (entry->bytes > index->longest) index->longest = entry->bytes;
        index->count++;
    }
    qsort(index->entries, (size_t)index->count, sizeof *index->entries, compare);
    for (int i = 1; i < index->count; i++)
        index->entries[i].shared = shared(&index->entries[i - 1], &index->entries[i]);
    return index;
}

void token_index_free(TokenIndex *index)
{
    if (index == NULL) return;
    free(index->stops);
    free(index->entries);
    free(index);
}

static bool is_stop(const TokenIndex *index, int token)
{
    for (int i = 0; i < index->stop_count; i++)
        if (index->stops[i] == token) return true;
    return false;
}

// ---- states ----

Constraint *constraint_new(Grammar *grammar, const TokenIndex *index)
{
    Constraint *c = calloc(1, sizeof *c);
    int *path = calloc(index->longest + 1, sizeof *path);
    const int begin = grammar_begin(grammar);
    if (c == NULL || path == NULL || begin == GRAMMAR_NO_MEMORY) {
        free(c);
        free(path);
        return NULL;
    }
    *c = (Constraint){.grammar = grammar, .index = index, .begin = begin, .path = path};
    return c;
}

void constraint_close(Constraint *c)
{
    if (c == NULL) return;
    for (int i = 0; i < c->mask_room; i++) {
        if (c->masks[i] != NULL) token_mask_free(c->masks[i]);
        free(c->masks[i]);
    }
    free(c->masks);
    free(c->path);
    grammar_free(c->grammar);
    free(c);
}

int constraint_begin(Constraint *c)
{
    return c->begin;
}

bool constraint_ends(const Constraint *c, int state)
{
    return grammar_ends(c->grammar, state);
}

int constraint_next(Constraint *c, int state, int token)
{
    if (is_stop(c->index, token)) return grammar_ends(c->grammar, state) ? state : -1;
    size_t bytes;
    const char *text = tokenizer_piece(c->index->tokenizer, token, &bytes);
    if (bytes == 0 || tokenizer_is_special(c->index->tokenizer, token)) return -1;
    for (size_t i = 0; i < bytes && state >= 0; i++)
        state = grammar_step(c->grammar, state, (uint8_t)text[i]);
    return state;
}

// ---- masks ----

// path[n] is the state after n bytes of the entry at hand; the last that is reached is path[alive]. False: no
// memory.
static bool fill(Constraint *c, int state, TokenMask *mask)
{
    const TokenIndex *index = c->index;
    size_t alive = 0;
    c->path[0] = state;
    for (int i = 0; i < index->count; i++) {
        const Entry *entry = &index->entries[i];
        // What it shares with the entry before is known: as far as that went, or that it goes no further.
        if (entry->shared > alive) continue;
        alive = entry->shared;
        while (alive < entry->bytes) {
            const int next = grammar_step(c->grammar, c->path[alive], (uint8_t)entry->text[alive]);
            if (next == GRAMMAR_NO_MEMORY) return false;
            if (next < 0) break;
            c->path[++alive] = next;
        }
        if (alive == entry->bytes) token_mask_add(mask, entry->token);
    }
    for (int i = 0; i < index->stop_count && grammar_ends(c->grammar, state); i++)
        token_mask_add(mask, index->stops[i]);
    return true;
}

static bool make_room(Constraint *c, int state)
{
    if (state < c->mask_room) return true;
    const int room = 2 * state + 64;
    TokenMask **masks = realloc(c->masks, (size_t)room * sizeof *masks);
    if (masks == NULL) return false;
    memset(masks + c->mask_room, 0, (size_t)(room - c->mask_room) * sizeof *masks);
    c->masks = masks;
    c->mask_room = room;
    return true;
}

const TokenMask *constraint_mask(Constraint *c, int state)
{
    REQUIRE(state >= 0, "a mask of no state");
    if (!make_room(c, state)) return NULL;
    if (c->masks[state] != NULL) return c->masks[state];
    TokenMask *mask = malloc(sizeof *mask);
    if (mask == NULL) return NULL;
    *mask = token_mask_new(c->index->vocabulary);
    if (mask->bits != NULL && fill(c, state, mask)) return c->masks[state] = mask;
    token_mask_free(mask);
    free(mask);
    return NULL;
}
