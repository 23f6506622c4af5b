/* bench.c -- bytes a second of the exercises, on 10,000 bytes of made-up words and 144 merges of two letters.
 *
 *     ./lab bench tokenizer --mine
 *
 * Rivals of the whole tokenizer, at the sizes of real models, are in the benchmark of app/.
 */
#include "bench/exercises.h"
#include "common/rng.h"
#include "labs/3_language/tokenizer/tokenizer.h"

enum { N = 10000, WORDS = 400, LETTERS = 8, MERGES = 144 };

// What the calls work on; `text`, `words` and what was learned of them are made at the start.
static const char letters[] = "etaoinshrdlu";
static char text[N], decoded[2 * N], bytes[256 + 2 * MERGES];
static int ids[N], spelled[WORDS * LETTERS], spelling[WORDS * LETTERS], tokens[N];
static size_t first[WORDS], length[WORDS], lengths[WORDS], token_first[257 + MERGES];
static int64_t times[WORDS];
static BpePair merges[MERGES];
static BpePairs ranks;
static Arena *arena;
static BpeVocabulary vocabulary = {
    .bytes = bytes, .room = sizeof bytes, .first = token_first, .size = 256 + MERGES};

// Words of 2 to 8 letters, the r-th about 1/r as often as the first.
static void inputs_make(void)
{
    Rng rng = rng_from_seed(1);
    for (size_t w = 0; w < WORDS; w++) {
        first[w] = w * LETTERS;
        lengths[w] = 3 + rng_below(&rng, LETTERS - 2);
        spelled[first[w]] = ' ';
        for (size_t i = 1; i < lengths[w]; i++)
            spelled[first[w] + i] = (uint8_t)letters[rng_below(&rng, 1 + rng_below(&rng, 12))];
    }
    for (size_t at = 0; at < N;) {
        size_t w = rng_below(&rng, 1 + rng_below(&rng, WORDS));
        times[w]++;
        for (size_t i = 0; i < lengths[w] && at < N; i++) text[at++] = (char)spelled[first[w] + i];
    }
    ranks = bpe_pairs_new(arena);
    for (int t = 0; t < 256; t++) bytes[t] = (char)t, token_first[t] = (size_t)t;
    for (int k = 0; k < MERGES; k++) {
        merges[k] = (BpePair){letters[k / 12], letters[k % 12]};
        *bpe_pairs_at(&ranks, merges[k]) = k;
        token_first[256 + k] = 256 + 2 * (size_t)k;
        bytes[256 + 2 * k] = (char)merges[k].left;
        bytes[257 + 2 * k] = (char)merges[k].right;
    }
    token_first[256 + MERGES] = sizeof bytes;
    for (int i = 0; i < N; i++) tokens[i] = (int)rng_below(&rng, 256 + MERGES);
}

static BpeWords words_anew(void)
{
    memcpy(spelling, spelled, sizeof spelled);
    memcpy(length, lengths, sizeof lengths);
    return (BpeWords){spelling, first, length, times, WORDS};
}

static void ids_anew(void)
{
    for (size_t i = 0; i < N; i++) ids[i] = (unsigned char)text[i];
}

// ---- the exercises: each goes once through the text, and leaves a number to be compared ----

#define EXERCISE(name, result, ...)                                                                \
    static void name(Solution *solution, float *const *a)                                          \
    {                                                                                              \
        ArenaMark mark = arena_mark(arena);                                                        \
        __VA_ARGS__;                                                                               \
        a[0][0] = (float)(result);                                                                 \
        arena_rewind(arena, mark);                                                                 \
    }

EXERCISE(utf8_decode, sum, uint32_t sum = 0;
         for (size_t at = 0, used; at < N; at += used) sum +=
         AS(bpe_utf8_decode, solution)(text + at, N - at, &used))
EXERCISE(count_pairs, counts.count, BpePairs counts = bpe_pairs_new(arena); ids_anew();
         AS(bpe_count_pairs, solution)(&counts, ids, N, 1))
EXERCISE(merge, n, ids_anew(); size_t n = AS(bpe_merge, solution)(ids, N, merges[0], 256))
EXERCISE(train, made, BpePair found[MERGES]; BpePairs counts = bpe_pairs_new(arena);
         BpeWords words = words_anew();
         int made = AS(bpe_train, solution)(found, MERGES, &words, 1, &counts))
EXERCISE(train_indexed, made, BpePair found[MERGES]; BpePairs counts = bpe_pairs_new(arena);
         BpeWords words = words_anew();
         int made = AS(bpe_train_indexed, solution)(found, MERGES, &words, 1, &counts))
EXERCISE(encode, sum, size_t sum = 0; ids_anew();
         for (size_t at = 0; at < N; at += 10) sum +=
         AS(bpe_encode_piece, solution)(ids + at, 10, &ranks))
EXERCISE(decode, n, size_t n = AS(bpe_decode, solution)(decoded, 2 * N, &vocabulary, tokens, N))
EXERCISE(split, pieces, int pieces = 0; for (size_t at = 0; at < N; pieces++) at +=
                                        AS(bpe_split, solution)(text + at, N - at, bpe_class))
EXERCISE(tokenize, n, BpeTokenizer tokenizer = {&ranks, bpe_class, NULL, 0};
         size_t n = AS(bpe_tokenize, solution)(ids, &tokenizer, text, N, false))

// ---- the table ----

#define BYTES .arrays = {WRITES(1)}, .numbers = N

// clang-format off
static const Workload workloads[] = {
    {"utf8_decode", "bpe_utf8_decode", "10 kB", utf8_decode, BYTES},
    {"count_pairs", "bpe_count_pairs", "10 kB", count_pairs, BYTES},
    {"merge", "bpe_merge", "10 kB", merge, BYTES},
    {"train", "bpe_train", "144 merges", train, BYTES},
    {"train_indexed", "bpe_train_indexed", "144 merges", train_indexed, BYTES},
    {"encode", "bpe_encode_piece", "pieces of 10", encode, BYTES},
    {"decode", "bpe_decode", "10 kB", decode, BYTES},
    {"split", "bpe_split", "10 kB", split, BYTES},
    {"tokenize", "bpe_tokenize", "10 kB", tokenize, BYTES},
    {0},
};
// clang-format on

int main(int argc, char **argv)
{
    arena = arena_new("bench", (size_t)1 << 30);
    inputs_make();
    return exercises_main("tokenizer", workloads, argc, argv);
}
