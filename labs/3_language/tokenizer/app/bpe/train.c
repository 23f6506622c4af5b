#include "labs/3_language/tokenizer/app/bpe/train.h"
#include <stdlib.h>
#include <string.h>

// `items`, an array of `count` with room for *room, and room for one more.
static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room) return items;
    *room = 2 * *room + 16;
    items = realloc(items, *room * size);
    REQUIRE(items != NULL, "no memory for %zu items of training", *room);
    return items;
}

// ---- counting pieces ----

static void words_rehash(WordCounts *w)
{
    size_t slots = w->table ? 2 * (w->mask + 1) : 1 << 16;
    free(w->table);
    w->table = calloc(slots, sizeof *w->table);
    REQUIRE(w->table != NULL, "no memory for %zu words", slots);
    w->mask = slots - 1;
    for (size_t i = 0; i < w->count; i++) {
        size_t at = w->words[i].hash & w->mask;
        while (w->table[at] != 0) at = (at + 1) & w->mask;
        w->table[at] = (uint32_t)i + 1;
    }
}

void word_counts_add(WordCounts *w, const uint8_t *piece, size_t bytes)
{
    if (2 * w->count >= w->mask) words_rehash(w);
    uint64_t hash = vocabulary_hash(piece, bytes);
    size_t at = hash & w->mask;
    for (; w->table[at] != 0; at = (at + 1) & w->mask) {
        WordCount *word = &w->words[w->table[at] - 1];
        if (word->hash != hash || word->bytes != bytes ||
            memcmp(w->text.data + word->start, piece, bytes) != 0)
            continue;
        word->count++;
        return;
    }
    w->words = grown(w->words, w->count, &w->room, sizeof *w->words);
    w->words[w->count++] = (WordCount){hash, w->text.count, (uint32_t)bytes, 1};
    w->table[at] = (uint32_t)w->count;
    bytes_add(&w->text, piece, bytes);
}

void word_counts_free(WordCounts *w)
{
    free(w->text.data), free(w->words), free(w->table);
    *w = (WordCounts){0};
}

// ---- pairs ----

typedef struct Places {    // numbers of words
    uint32_t *items;
    uint32_t count, room;
} Places;

typedef struct Pair {
    uint64_t key;
    int64_t count;
    Places places;    // found since the pair was last put into the heap
} Pair;

typedef struct Candidate {
    int64_t count;    // when it was put in
    uint64_t key;
    uint32_t pair;
    Places places;
} Candidate;

typedef struct Trainer {
    Bpe *bpe;
    const WordCounts *words;
    int32_t *symbols;    // of all words, one behind the other
    uint32_t *lengths;
    Pair *pairs;
    size_t pair_count, pair_room;
    uint32_t *table;    // a pair's number and 1, by key
    size_t mask;
    uint32_t *touched;    // pairs with places
    size_t touched_count, touched_room;
    Candidate *heap;
    size_t heap_count, heap_room;
    Merge *merges;
    size_t merge_count, merge_room;
} Trainer;

static void pairs_rehash(Trainer *t)
{
    size_t slots = t->table ? 2 * (t->mask + 1) : 1 << 16;
    free(t->table);
    t->table = calloc(slots, sizeof *t->table);
    REQUIRE(t->table != NULL, "no memory for %zu pairs", slots);
    t->mask = slots - 1;
    for (size_t i = 0; i < t->pair_count; i++) {
        size_t at = merges_hash(t->pairs[i].key) & t->mask;
        while (t->table[at] != 0) at = (at + 1) & t->mask;
        t->table[at] = (uint32_t)i + 1;
    }
}

static Pair *pair_of(Trainer *t, int left, int right)
{
    if (2 * t->pair_count >= t->mask) pairs_rehash(t);
    uint64_t key = merges_pair(left, right);
    size_t at = merges_hash(key) & t->mask;
    for (; t->table[at] != 0; at = (at + 1) & t->mask)
        if (t->pairs[t->table[at] - 1].key == key) return &t->pairs[t->table[at] - 1];
    t->pairs = grown(t->pairs, t->pair_count, &t->pair_room, sizeof *t->pairs);
    t->pairs[t->pair_count++] = (Pair){.key = key};
    t->table[at] = (uint32_t)t->pair_count;
    return &t->pairs[t->pair_count - 1];
}

static void pair_add(Trainer *t, int left, int right, int64_t times, uint32_t word)
{
    Pair *pair = pair_of(t, left, right);
    Places *places = &pair->places;
    pair->count += times;
    if (times < 0 || (places->count > 0 && places->items[places->count - 1] == word)) return;
    if (places->count == 0) {
        t->touched = grown(t->touched, t->touched_count, &t->touched_room, sizeof *t->touched);
        t->touched[t->touched_count++] = (uint32_t)(pair - t->pairs);
    }
    size_t room = places->room;
    places->items = grown(places->items, places->count, &room, sizeof *places->items);
    places->room = (uint32_t)room;
    places->items[places->count++] = word;
}

// ---- the heap: the most frequent first, of equal ones that of lower ids ----

static bool is_before(const Candidate *a, const Candidate *b)
{
    return a->count != b->count ? a->count > b->count : a->key < b->key;
}

static void heap_push(Trainer *t, Candidate candidate)
{
    t->heap = grown(t->heap, t->heap_count, &t->heap_room, sizeof *t->heap);
    size_t at = t->heap_count++;
    for (size_t up; at > 0 && is_before(&candidate, &t->heap[up = (at - 1) / 2]); at = up)
        t->heap[at] = t->heap[up];
    t->heap[at] = candidate;
}

static Candidate heap_pop(Trainer *t)
{
    Candidate top = t->heap[0], last = t->heap[--t->heap_count];
    size_t at = 0;
    for (size_t down; (down = 2 * at + 1) < t->heap_count; at = down) {
        if (down + 1 < t->heap_count && is_before(&t->heap[down + 1], &t->heap[down])) down++;
        if (!is_before(&t->heap[down], &last)) break;
        t->heap[at] = t->heap[down];
    }
    t->heap[at] = last;
    return top;
}

static void push_touched(Trainer *t)
{
    for (size_t i = 0; i < t->touched_count; i++) {
        Pair *pair = &t->pairs[t->touched[i]];
        // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): what was touched is in the table
        if (pair->count > 0)
            heap_push(t, (Candidate){pair->count, pair->key, t->touched[i], pair->places});
        else free(pair->places.items);
        pair->places = (Places){0};
    }
    t->touched_count = 0;
}

// ---- training ----

static void begin(Trainer *t)
{
    const WordCounts *w = t->words;
    t->symbols = malloc((w->text.count + 1) * sizeof *t->symbols);
    t->lengths = malloc((w->count + 1) * sizeof *t->lengths);
    REQUIRE(t->symbols != NULL && t->lengths != NULL, "no memory for %zu words", w->count);
    for (size_t i = 0; i < w->count; i++) {
        const WordCount *word = &w->words[i];
        int32_t *symbols = t->symbols + word->start;
        t->lengths[i] = word->bytes;
        for (uint32_t b = 0; b < word->bytes; b++)
            symbols[b] = t->bpe->bytes[w->text.data[word->start + b]];
        for (uint32_t b = 0; b + 1 < word->bytes; b++)
            pair_add(t, symbols[b], symbols[b + 1], word->count, (uint32_t)i);
    }
    push_touched(t);
}

// Left to right, without overlap: with a a -> X, "aaa" becomes X a. The counts of the pairs beside change,
// the merged pair's own does not: it is not asked for again.
static void merge_word(Trainer *t, Merge merge, uint32_t word)
{
    int32_t *symbols = t->symbols + t->words->words[word].start;
    int64_t times = t->words->words[word].count;
    uint32_t length = t->lengths[word], kept = 0;
    for (uint32_t i = 0; i < length; i++) {
        if (symbols[i] != merge.left || i + 1 == length || symbols[i + 1] != merge.right) {
            symbols[kept++] = symbols[i];
            continue;
        }
        if (kept > 0) {
            pair_add(t, symbols[kept - 1], merge.left, -times, word);
            pair_add(t, symbols[kept - 1], merge.result, times, word);
        }
        i++;
        if (i + 1 < length) {
            pair_add(t, merge.right, symbols[i + 1], -times, word);
            pair_add(t, merge.result, symbols[i + 1], times, word);
        }
        symbols[kept++] = merge.result;
    }
    t->lengths[word] = kept;
}

// The token of both parts, which may exist already: a+bc after ab+c.
static int put_token(Trainer *t, int left, int right)
{
    Vocabulary *v = &t->bpe->vocabulary;
    const Token *a = &v->tokens[left], *b = &v->tokens[right];
    Bytes joined = {0};
    bytes_add(&joined, a->piece, a->piece_bytes);
    bytes_add(&joined, b->piece, b->piece_bytes);
    int id = vocabulary_find(v, joined.data, joined.count);
    if (id < 0) {
        id = v->count;
        vocabulary_put(v, id, joined.data, joined.count, TOKEN_NORMAL, false);
    }
    free(joined.data);
    return id;
}

static void end(Trainer *t)
{
    merges_begin(&t->bpe->merges, t->bpe->vocabulary.arena, t->merge_count);
    for (size_t i = 0; i < t->merge_count; i++) merges_put(&t->bpe->merges, t->merges[i]);
    for (size_t i = 0; i < t->heap_count; i++) free(t->heap[i].places.items);
    free(t->symbols), free(t->lengths), free(t->pairs), free(t->table), free(t->touched);
    free(t->heap), free(t->merges);
}

void train_merges(Bpe *bpe, const WordCounts *words, Training training)
{
    Trainer trainer = {.bpe = bpe, .words = words}, *t = &trainer;
    const Vocabulary *v = &bpe->vocabulary;
    begin(t);
    while (v->count < v->room && t->heap_count > 0) {
        Candidate top = heap_pop(t);
        if (top.count != t->pairs[top.pair].count) {
            top.count = t->pairs[top.pair].count;
            heap_push(t, top);
            continue;
        }
        if (top.count < 1 || top.count < training.minimum) {
            free(top.places.items);
            break;
        }
        Merge merge = {(int)(top.key >> 32), (int)(uint32_t)top.key, 0, (int)t->merge_count};
        merge.result = put_token(t, merge.left, merge.right);
        t->merges = grown(t->merges, t->merge_count, &t->merge_room, sizeof *t->merges);
        t->merges[t->merge_count++] = merge;
        for (uint32_t i = 0; i < top.places.count; i++) merge_word(t, merge, top.places.items[i]);
        free(top.places.items);
        push_touched(t);
        const Token *token = &v->tokens[merge.result];
        if (training.on_merge != NULL)
            training.on_merge(training.context, merge.result, token->piece, token->piece_bytes,
                              (uint64_t)top.count);
    }
    end(t);
}
