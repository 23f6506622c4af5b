// A KV cache in blocks against ref's attention over the same keys side by side, and that nothing else decides a
// result's bits: not the size of blocks nor their numbers, not the other queries, not the number of threads, not
// what lies in slots that no query sees, which is NaN here.
#include <math.h>
#include <omp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "common/rng.h"
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

static const DType types[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_Q8_0};
enum { TYPES = sizeof types / sizeof *types, SEQUENCES = 3, GAP = 3 };

// Sequences of so many tokens, the last of which are queries.
typedef struct Sizes {
    int heads, kv_heads, head;
    int tokens[SEQUENCES], queries[SEQUENCES];
} Sizes;

// clang-format off
static const Sizes sizes[] = {
    { 1, 1,   1, {  1,   0,   0}, { 1,  0,  0}},
    { 2, 2,   3, {  2,   5,   0}, { 2,  1,  0}},
    { 6, 2,   8, { 17,  64,  65}, { 1,  1,  1}},    // decodes
    { 6, 2,  32, { 17,  64,  95}, { 1,  1,  6}},
    { 9, 3,  64, {130,   7, 150}, { 1,  7, 30}},    // and parts of prompts
    { 4, 4,  32, { 64,  63,   1}, {64, 63,  1}},
    { 5, 1,  33, {200,  20,  19}, { 3, 20,  0}},
    { 8, 1, 128, { 70, 129,   1}, { 1,  9,  1}},
    {70, 1,  16, {100,   3,   0}, { 2,  3,  0}},    // more rows for a query than a group has
    { 2, 1,  32, {513, 257, 700}, { 1,  1,  3}},    // several splits
    { 3, 3,  20, {  0,   6,   1}, { 1,  9,  1}},    // queries that see nothing
    { 2, 1,   4, {  0,   0,   0}, { 1,  0,  0}},
    { 4, 2,  64, {  5,   9,   0}, { 0,  0,  0}},    // nothing
    { 0, 1,  32, {  5,   9,   0}, { 1,  1,  0}},
    { 2, 2,   0, {  5,   9,   0}, { 1,  1,  0}},
};
// clang-format on
enum { SIZES = sizeof sizes / sizeof *sizes, SMALL = 3, MIXED = 4, LONG_CONTEXT = 9 };

// What is asked, whatever the blocks.
typedef struct Question {
    const Sizes *s;
    float scale;
    int queries, tokens;    // of all sequences
    size_t row, kv_row;
    float *q, *k, *v;    // [queries,row], [tokens,kv_row]
} Question;

static Question question_new(const Sizes *s)
{
    Question x = {.s = s, .scale = 1 / sqrtf((float)s->head + 0.5f)};
    for (int i = 0; i < SEQUENCES; i++) x.queries += s->queries[i], x.tokens += s->tokens[i];
    x.row = (size_t)(s->heads * s->head) + GAP;
    x.kv_row = (size_t)(s->kv_heads * s->head) + GAP;
    x.q = numbers_new((size_t)x.queries * x.row, NORMAL);
    x.k = numbers_new((size_t)x.tokens * x.kv_row, NORMAL);
    x.v = numbers_new((size_t)x.tokens * x.kv_row, NORMAL);
    return x;
}

// The same once more, after numbers_free().
static Question question_again(const Question *kept)
{
    Question x = *kept;
    x.q = block_copy(kept->q, (size_t)x.queries * x.row * sizeof *x.q);
    x.k = block_copy(kept->k, (size_t)x.tokens * x.kv_row * sizeof *x.k);
    x.v = block_copy(kept->v, (size_t)x.tokens * x.kv_row * sizeof *x.v);
    return x;
}

// Its keys and values in blocks whose numbers are shuffled.
typedef struct Cache {
    PagedKv kv;
    int64_t *slot;    // of each token
    int32_t *tables;
    PagedQuery *query;
} Cache;

static void *copy_and_free(void *x, size_t bytes)
{
    void *copy = block_copy(x, bytes);
    free(x);
    return copy;
}

static void *bytes_new(size_t bytes, int value)
{
    void *x = malloc(bytes + 1);
    assert_non_null(x);
    memset(x, value, bytes);
    return x;
}

static Cache cache_new(const Question *x, DType type, int block_size)
{
    const Sizes *s = x->s;
    Cache c = {
        .kv = {.type = type, .block_size = block_size, .kv_heads = s->kv_heads, .head = s->head}};
    enum { SPARE = 3 };
    int blocks = SPARE, used = 0;
    for (int i = 0; i < SEQUENCES; i++) blocks += (s->tokens[i] + block_size - 1) / block_size;
    int32_t *number = bytes_new((size_t)blocks * sizeof *number, 0);
    Rng rng = rng_from_seed((uint64_t)block_size);
    for (int i = 0; i < blocks; i++) {
        const int other = (int)rng_below(&rng, (uint32_t)i + 1);
        number[i] = number[other];
        number[other] = i;
    }
    int64_t *slot = bytes_new((size_t)x->tokens * sizeof *slot, 0);
    PagedQuery *query = bytes_new((size_t)x->queries * sizeof *query, 0);
    int tokens = 0, queries = 0;
    for (int i = 0; i < SEQUENCES; i++) {
        for (int j = 0; j < s->tokens[i]; j++)
            slot[tokens++] = (int64_t)number[used + j / block_size] * block_size + j % block_size;
        for (int j = 0; j < s->queries[i]; j++) {
            const int seen = s->tokens[i] - s->queries[i] + j + 1;
            query[queries++] = (PagedQuery){used, seen > 0 ? seen : 0};
        }
        used += (s->tokens[i] + block_size - 1) / block_size;
    }
    const size_t bytes = (size_t)blocks * paged_block_bytes(c.kv);
    c.kv.k = copy_and_free(bytes_new(bytes, 0xff), bytes);
    c.kv.v = copy_and_free(bytes_new(bytes, 0xff), bytes);
    c.slot = copy_and_free(slot, (size_t)x->tokens * sizeof *slot);
    c.tables = copy_and_free(number, (size_t)used * sizeof *number);
    c.query = copy_and_free(query, (size_t)x->queries * sizeof *query);
    kernels_ref.paged_write(c.kv, x->k, x->kv_row, x->v, x->kv_row, c.slot, x->tokens);
    return c;
}

// ---- attention

static float *answer(const Kernels *table, const Question *x, const Cache *c)
{
    float *y = numbers_new((size_t)x->queries * x->row, NANS);
    table->paged_attention(y, x->row, x->q, x->row, c->kv, c->tables, c->query, x->queries,
                           x->s->heads, x->scale);
    return y;
}

// What the cache holds, side by side.
static float *gathered(const Question *x, const Cache *c, const void *rows)
{
    float *out = numbers_new((size_t)x->tokens * x->kv_row, ZEROS);
    for (int i = 0; i < x->tokens; i++)
        dtype_to_floats(c->kv.type, out + (size_t)i * x->kv_row,
                        (const char *)rows + (size_t)c->slot[i] * paged_slot_bytes(c->kv),
                        x->kv_row - GAP);
    return out;
}

// By ref's attention, and the largest score.
static float *answer_of_attention(const Question *x, const Cache *c, double *score)
{
    const Sizes *s = x->s;
    float *y = numbers_new((size_t)x->queries * x->row, NANS);
    float *k = gathered(x, c, c->kv.k), *v = gathered(x, c, c->kv.v);
    float *lse = numbers_new((size_t)(x->queries * s->heads), ZEROS), *to = y;
    const float *q = x->q;
    *score = 0;
    for (int i = 0; i < SEQUENCES; i++) {
        const AttentionShape shape = {.batch = 1,
                                      .heads = s->heads,
                                      .kv_heads = s->kv_heads,
                                      .queries = s->queries[i],
                                      .keys = s->tokens[i],
                                      .head = s->head,
                                      .q_row = x->row,
                                      .k_row = x->kv_row,
                                      .v_row = x->kv_row,
                                      .y_row = x->row,
                                      .scale = x->scale,
                                      .causal = true};
        kernels_ref.attention(to, lse, q, k, v, shape);
        for (int j = 0; j < s->queries[i] * s->heads; j++)
            if (isfinite(lse[j])) *score = fmax(*score, fabs((double)lse[j]));
        q += (size_t)s->queries[i] * x->row, to += (size_t)s->queries[i] * x->row;
        k += (size_t)s->tokens[i] * x->kv_row, v += (size_t)s->tokens[i] * x->kv_row;
    }
    return y;
}

static void compare(const Kernels *table, const Question *x, const Cache *c)
{
    double score;
    const Sizes *s = x->s;
    Pair y = {answer(table, x, c), NULL, (size_t)x->queries * x->row};
    y.want = answer_of_attention(x, c, &score);
    const int keys = s->tokens[0] + s->tokens[1] + s->tokens[2];
    pair_check(dtype_name(c->kv.type), y,
               ROUNDING * (s->head + keys + 20) * (4 * sqrt(s->head) + score));
}

// One NaN or infinity: queries that see it, and no bit of others.
static void check_not_finite(const Kernels *table, const Sizes *s, DType type)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 6; i++, numbers_free()) {
        const Question x = question_new(s);
        Cache c = cache_new(&x, type, 7);
        const float *clean = answer(table, &x, &c);
        const int token = s->tokens[0] + s->tokens[1] + s->tokens[2] - s->queries[2] / 2 - 1;
        (i < 3 ? x.k : x.v)[(size_t)token * x.kv_row + (size_t)s->head / 2] = values[i % 3];
        kernels_ref.paged_write(c.kv, x.k, x.kv_row, x.v, x.kv_row, c.slot, x.tokens);
        compare(table, &x, &c);
        const float *y = answer(table, &x, &c);
        const int blind = x.queries - s->queries[2] / 2 - 1;
        for (int j = 0; j < blind; j++)
            assert_memory_equal(y + (size_t)j * x.row, clean + (size_t)j * x.row,
                                (x.row - GAP) * sizeof *y);
    }
}

static void assert_same_bits(const float *y, const float *want, const Question *x, const char *what,
                             int number)
{
    for (int i = 0; i < x->queries; i++)
        if (memcmp(y + (size_t)i * x->row, want + (size_t)i * x->row, (x->row - GAP) * sizeof *y) !=
            0)
            fail_msg("query %d of head %d with %s %d: other bits", i, x->s->head, what, number);
}

// In parts of the batch, from one query at a time.
static void check_chunks(const Kernels *table, const Sizes *s, DType type)
{
    for (int chunk = 1; chunk < 40; chunk = chunk * 3 / 2 + 1, numbers_free()) {
        const Question x = question_new(s);
        const Cache c = cache_new(&x, type, 16);
        const float *want = answer(table, &x, &c);
        float *y = numbers_new((size_t)x.queries * x.row, NANS);
        for (int i = 0; i < x.queries; i += chunk) {
            const int count = x.queries - i < chunk ? x.queries - i : chunk;
            const size_t at = (size_t)i * x.row;
            table->paged_attention(y + at, x.row, x.q + at, x.row, c.kv, c.tables, c.query + i,
                                   count, s->heads, x.scale);
        }
        assert_same_bits(y, want, &x, "chunks of", chunk);
    }
}

static float *floats_kept(const float *x, size_t n)    // free() gives them back
{
    float *kept = malloc((n + 1) * sizeof *kept);
    assert_non_null(kept);
    return memcpy(kept, x, n * sizeof *kept);
}

// Each with one of the types, and with one, two or five threads.
static void check_every_block_size(const Kernels *table, const Sizes *s)
{
    const int before = omp_get_max_threads();
    for (int t = 0; t < TYPES; t++) {
        Question kept = question_new(s);
        const Cache whole = cache_new(&kept, types[t], 300);
        omp_set_num_threads(1);
        float *want = floats_kept(answer(table, &kept, &whole), (size_t)kept.queries * kept.row);
        kept.q = floats_kept(kept.q, (size_t)kept.queries * kept.row);
        kept.k = floats_kept(kept.k, (size_t)kept.tokens * kept.kv_row);
        kept.v = floats_kept(kept.v, (size_t)kept.tokens * kept.kv_row);
        numbers_free();
        for (int size = 1 + t; size <= 256; size += TYPES, numbers_free()) {
            omp_set_num_threads((const int[]){1, 2, 5}[size % 3]);
            const Question x = question_again(&kept);
            const Cache c = cache_new(&x, types[t], size);
            assert_same_bits(answer(table, &x, &c), want, &x, "blocks of", size);
        }
        free(want), free(kept.q), free(kept.k), free(kept.v);
    }
    omp_set_num_threads(before);
}

// Of all calls with these sizes together; q k and p v.
static double products_of(const Sizes *s)
{
    double pairs = 0;
    for (int i = 0; i < SEQUENCES; i++) pairs += (double)s->queries[i] * s->tokens[i];
    return pairs * s->heads * s->head;
}

static bool fits(const Sizes *s, DType type)
{
    return s->head % (int)dtype_info[type].block == 0;
}

void check_paged_attention(const Kernels *table)
{
    static const int block_sizes[] = {1, 3, 16, 64, 100};
    for (int t = 0; t < TYPES; t++)
        for (int i = 0; i < SIZES; i++, numbers_free()) {
            if (!fits(&sizes[i], types[t])) continue;
            if (products_of(&sizes[i]) > numbers_most) continue;
            const Question x = question_new(&sizes[i]);
            const Cache c = cache_new(&x, types[t], block_sizes[(i + t) % 5]);
            compare(table, &x, &c);
            for (size_t j = 0; j < (size_t)x.queries * x.row; j++) x.q[j] *= 30;    // large scores
            compare(table, &x, &c);
        }
    for (int t = 0; t < TYPES; t++) {
        if (products_of(&sizes[MIXED]) > numbers_most) continue;
        check_not_finite(table, &sizes[MIXED], types[t]);
        check_chunks(table, &sizes[MIXED], types[t]);
        check_chunks(table, &sizes[LONG_CONTEXT], types[t]);
    }
    if (omp_get_max_threads() > 1) return;    // once is enough
    check_every_block_size(table, &sizes[SMALL]);
    check_every_block_size(table, &sizes[LONG_CONTEXT]);
}

// ---- the rest

// What was not written keeps its bytes, and what was is near.
static void check_written(const Kernels *table, DType type, int tokens, Fill fill)
{
    const Sizes s = {
        1, 3, type == DTYPE_Q8_0 ? 32 * (1 + tokens % 3) : 1 + tokens % 37, {tokens}, {0}};
    Question x = question_new(&s);
    x.k = numbers_new((size_t)tokens * x.kv_row, fill);
    x.v = numbers_new((size_t)tokens * x.kv_row, fill);
    const Cache want = cache_new(&x, type, 5), got = cache_new(&x, type, 5);
    const Block block = block_of(got.kv.k);
    memset(got.kv.k, 0xff, block.bytes);
    memset(got.kv.v, 0xff, block.bytes);
    table->paged_write(got.kv, x.k, x.kv_row, x.v, x.kv_row, got.slot, tokens);
    assert_memory_equal(got.kv.k, want.kv.k, block.bytes);
    assert_memory_equal(got.kv.v, want.kv.v, block.bytes);
    const float *k = gathered(&x, &got, got.kv.k);
    const float step[] = {0, 0x1p-11f, 0x1p-8f, 1.0f / 250};
    for (size_t i = 0; fill == NORMAL && i < (size_t)tokens * x.kv_row; i++) {
        if (i % x.kv_row >= x.kv_row - GAP) continue;
        const float most = type == DTYPE_Q8_0 ? 5 : fabsf(x.k[i]);
        for (int t = 0; t < TYPES; t++)
            if (types[t] == type && !(fabsf(k[i] - x.k[i]) <= step[t] * most + 1e-7f))
                fail_msg("%s keeps %.9g as %.9g", dtype_name(type), (double)x.k[i], (double)k[i]);
    }
}

void check_paged_write(const Kernels *table)
{
    for (int t = 0; t < TYPES; t++)
        for (int i = 0; i < 2 * 11; i++, numbers_free())
            if ((double)numbers_sizes[i / 2] * 32 <= numbers_most)
                check_written(table, types[t], (int)numbers_sizes[i / 2], i % 2 ? NORMAL : SPECIAL);
}

void check_paged_copy(const Kernels *table)
{
    for (int t = 0; t < TYPES; t++, numbers_free()) {
        const Question x = question_new(&sizes[MIXED]);
        const Cache c = cache_new(&x, types[t], 20);
        const size_t bytes = paged_block_bytes(c.kv);
        char *k = block_copy(c.kv.k, block_of(c.kv.k).bytes),
             *v = block_copy(c.kv.v, block_of(c.kv.v).bytes);
        table->paged_copy(c.kv, 4, 1);
        memcpy(k + bytes, k + 4 * bytes, bytes);
        memcpy(v + bytes, v + 4 * bytes, bytes);
        assert_memory_equal(c.kv.k, k, block_of(k).bytes);
        assert_memory_equal(c.kv.v, v, block_of(v).bytes);
    }
}
